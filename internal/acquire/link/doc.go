// Package link answers: who opened what we sent out?
//
// A short link `/l/{code}` leads to one stored address and to no other, so that
// nobody can use it to dress up an address of theirs. It is answered from memory.
// The opening becomes a fact `link.clicked`, stated through the door in batches
// behind the answer: a visitor is known by a cookie, a person by a parameter that
// this installation signed. What programs open (previews, prefetching, crawlers,
// scripts) is told apart, counted, and makes neither fact nor visitor.
//
// Openings wait in memory until the door has synced them, a twentieth of a second
// as a rule. When the door is full they wait longer; when there is no room left,
// or the process is killed, they are not recorded: the former are counted and
// shown as such, the latter are at most those of that twentieth.
//
// Figures are read from a table that a subscriber of the facts writes, exactly once.
package link
