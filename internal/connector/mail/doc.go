// Package mail answers: how does one send mail that arrives, and what became of it?
//
// A mail leaves by SMTP through a few connections that stay open, with a text
// beside its HTML, signed with DKIM, and, when it advertises, with the one click
// that ends it (RFC 8058). Whatever goes into a header is checked: a line end in a
// name or a subject would let whoever chose it write headers of their own.
//
// Every mail carries a mark: the number of the message with a keyed hash of it and
// of the address it went to, in the return path and in the Message-ID. A report of
// a mail that did not arrive, or was called spam, comes from anybody on the
// internet; it counts when its mark fits the address that it speaks of. So a forged
// one makes nobody unreachable, and nothing has to be kept of what was sent to whom.
package mail
