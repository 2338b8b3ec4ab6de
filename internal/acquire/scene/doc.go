// Package scene answers: at which place was a code of an official account or a
// mini-program scanned, and what follows?
//
// A scene code (场景码) is a QR code with a text of ours in it: who scans it comes back
// with that text, as a new follower or as one who follows already. What hangs at which
// place, the channel, the tags and what is answered can change; the code stays.
//
// A mini-program's code (小程序码) is the same with another picture: the platform draws it
// and tells nobody of scans, so that the mini-program itself says by which text it was
// opened.
//
// It is a package beside livecode and not a part of it: a live code is a pool of
// colleagues whose turn it is, kept true at the platform every minute, with a welcome
// that must be claimed. A scene code has none of that: one call makes it, for good, and
// its answer is an auto-reply.
package scene
