// Package live answers: whom does each rule hold for, now? It keeps the rules of
// its owners (segments, stages, tags that are given by themselves) true while
// facts arrive, windows lapse and days begin, and tells the owners what changes.
//
// Each distinct condition of all rules is a set in memory. A fact says which
// conditions it may change; those are asked anew, for the contacts of the batch
// alone, and the rules are combined anew in memory. Owners keep the outcome, and
// the facts about it, in the transaction that moves the place in the stream: after
// a crash the reading is repeated, the facts are not.
//
// See docs/adr/0008-audiences.md.
package live
