// Package pipeline answers: whose fact is it, is it stored, and who has seen it?
//
// One ordered reader takes messages off the stream. Stage by stage, in batches:
// repeats are left out (the same messageId within 7 days of receipt counts
// once), the Resolver says whose fact it is, the analytics store keeps it
// together with the stream position, and subscribers see it, each behind a
// cursor of its own. Every stage can be killed at any point and goes on where
// the store's position says: a repeated step changes nothing. A fact that a
// stage cannot digest is set aside with the reason; it never blocks the others.
package pipeline
