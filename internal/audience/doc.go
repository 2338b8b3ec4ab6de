// Package audience answers: which people belong together, who came, who left? It
// keeps segments 人群: a rule whose members change with the people (dynamic), or a
// list that somebody made (static), with their history, snapshots and growth.
//
// # Members
//
// Members are sets of contact numbers in rows (SetStore). Those of a dynamic
// segment are kept by the live engine (package audience/live), which tells Apply
// what its rules say; this package writes the difference and states the facts
// segment.entered and segment.left in the same transaction. A new definition is
// worked out while the old members serve; what it changes is no fact about
// people and stands in the history of the segment alone.
//
// Static lists keep the number a contact was added under: merges are followed
// when they are read.
//
// # What callers see
//
// Counts, lists, overlap and comparison speak of the people that the caller may
// see. Figures about everybody's past (growth, history's counts) are for those
// who see everybody.
package audience
