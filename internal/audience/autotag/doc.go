// Package autotag answers: which tags does a contact get without anybody's hand?
// A tag may carry a rule: whom it holds for has the tag. Or it may carry weights:
// what a contact does adds up, fades with time, and makes the tag come and go. Other
// parts of the program give tags through Give.
//
// # Scores
//
// A fact of weight w at time t0 is worth w·2^(-(t-t0)/h) at time t, h being the
// half-life. The score of a contact is the sum over its facts. All parts fade alike,
// so the sum at one time says what it is at any other, and a score is kept as its
// value at the time of its last fact: nothing is to be done as time passes. This is
// forward decay (G. Cormode, V. Shkapenyuk, D. Srivastava, B. Xu: Forward Decay, A
// Practical Time Decay Model for Streaming Systems, ICDE 2009) with the newest fact
// for a landmark, so that no number grows without bound. A late fact is added as
// what is left of it; the score of several contacts that became one is the sum of
// theirs.
//
// Two times say all that lists and the clock ask, and both stay right while the
// score fades: when it will have faded to one (tag_scores.one_at), and when below
// the threshold at which the tag goes (ends_at).
//
// Each fact counts once: sums are written in the transaction that moves this
// subscriber's place in the stream. A new definition is added up from the analytics
// store in the background; what the stream brings meanwhile is added in the moment
// in which the new sums take the place of the old ones.
//
// # Who wins
//
// What a person did ranks above all that the program does: a tag given by hand is
// never taken, one taken by hand stays off (an exception, until it is lifted). Inside
// an exclusive group the order is by hand, rule, score, import, model; among equals
// the newer tag wins. Who loses is noted with the reason, and gets the tag when what
// stood in its way is gone.
package autotag
