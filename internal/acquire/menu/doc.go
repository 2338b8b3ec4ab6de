// Package menu answers: what stands at the bottom of an official account?
//
// Each account has a draft that people write, and versions that were published. To
// publish is one call to the platform; what it refuses is kept with its reason, and
// the published menu stays. A button that answers names an auto-reply: its key on the
// platform carries the id, and package acquire/reply answers the click.
//
// Taps are counted from the facts (follow.go), by what the platform says of a button,
// so that those which are no longer there still add up (stats.go).
package menu
