// Package intake answers: how does a fact get in, and when is it safe?
//
// There are two doors. Intake speaks the Segment protocol over HTTP, so that
// published SDKs work unchanged; Door takes facts from inside the program.
// Both end in the coalescer: requests of a few milliseconds become one stream
// message and are acknowledged together, once it is synced to disk. Nothing is
// buffered without a bound: beyond it the answer is 429 with Retry-After, and
// never a silent drop.
package intake
