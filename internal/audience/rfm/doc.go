// Package rfm answers: what is each customer worth to the company, and who is
// slipping away? For everybody who bought in a period it scores from 1 to 5 how
// recently they bought (R), how often (F) and for how much (M), after Hughes,
// Strategic Database Marketing (1994).
//
// # Scores
//
// By default the cuts are quintiles: the 20th, 40th, 60th and 80th percentiles,
// interpolated as definition 7 of Hyndman and Fan (1996) says (the default of R
// and NumPy). A score is one more than the number of cuts that a value lies
// above; so equal values always have equal scores, and of a value that many
// share the lower score is taken: where half of all bought once, none of them
// looks frequent. Recency is turned round first: few days are much. A company
// may give four cuts of its own for each axis instead.
//
// # Money
//
// What was refunded in the period is taken off the money; the purchase still
// counts as one, and as recent: the customer was there.
//
// # Groups and tiers
//
// With FM, the mean of F and M rounded half up, nine groups are a table of three
// by three: R of 4 and 5, 3, and 1 and 2, against FM of 4 and 5, 3, and 1 and 2.
// Four tiers gather groups. Whoever did not buy in the period has no scores.
//
// # Time
//
// Scores are those of the company's last midnight and are worked out from the
// facts, with one question to the analytics store. Facts do not change, so the
// scores of any other midnight can be worked out as well: migration between two
// dates needs nothing kept. Contacts are those of today: what was merged since
// counts as one on both dates.
package rfm
