// Package score answers: how alike are two records, and what speaks for it?
//
// It weighs two records of people field by field, after Fellegi and Sunter ("A
// Theory for Record Linkage", JASA 64, 1969). Each field is compared to a level
// (same, one digit off, different…). A level counts log2(m/u) bits: m is how
// often it is met when the two are one person, u how often when they are two.
// The bits are added to those of the prior, which says how unlikely it is that
// any two of a pond are one person: the larger the pond, the more evidence is
// needed. The sum is a probability, shown as a score from 0 to 100.
//
// A name that many have says less than a rare one: u of an equal name is its
// share in the pond (Winkler, "Frequency-Based Matching in Fellegi-Sunter",
// 1989). Nothing is concluded from what one side does not say.
//
// The package knows no database. Personal values come in as arguments and are
// kept nowhere.
package score
