// Package demo answers: what does a living pond look like? It makes up a tea
// brand, 山月茶集, with its staff, customers, orders and half a year of facts
// from a seed, and sends them through the public doors: the import API and the
// Segment intake. The same seed and end day make the same pond.
//
// Patterns planted for later screens to find: channels differ in quality
// (offline and referral customers stay and buy, short-video ones leave), one
// week's short-video cohort decays steeply, and the member-day campaign doubles
// orders among those who claimed its coupon. One in thirty members stands in the
// guest book of a store as somebody else, with the faults of handwriting: possible
// duplicates are made of them. Two customers in five belong to somebody of the
// staff, who has follow-ups done, missed and due today; one of them has left.
package demo
