// Package reply answers: what is answered at once, without a person?
//
// A rule says when (somebody follows, writes a word, clicks a menu button or scans
// a code that chose it, writes outside working hours, or nothing else fits) and
// what is said. Four things work on rules:
//
//   - The book (book.go) holds them compiled in memory, one matcher for each account;
//     another one takes its place when a rule changes, here or on another node.
//   - Passive (answer.go) decides from the book alone while the platform waits: what
//     fits into the answer of the call goes there.
//   - Work (answer.go) has the same decision afterwards, sends what did not fit, and
//     states the fact reply.sent.
//   - The follower (follow.go) reacts to that fact, exactly once: tags, and the books
//     that statistics are counted from.
//
// It knows no platform: see seams.go.
package reply
