// Package jobs answers: what long work is going on, how far is it, and where
// is its result? A job survives a crash: it is claimed again and goes on from
// its last checkpoint.
//
// Jobs are rows. A node claims due ones in batches, proves every few seconds
// that it lives, and takes over the jobs of a node that does not. Each claim
// has a lease number; whoever lost the lease cannot write any more. A handler
// may therefore run twice over the stretch since its last checkpoint, never
// twice at the same time with both believed.
package jobs
