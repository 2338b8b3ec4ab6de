// Package acquire answers: where do people come from, and what did it cost?
//
// It keeps the company's tree of channels, the rules that give a channel to what
// facts carry (utm, referrer, code, link, import), and what each channel cost on
// each day. The tree is held in memory, because every fact asks it; package
// contact writes the answer down as the first and the last touch of a contact, so
// that lists, rules, figures and this package mean the same by "channel".
//
// A change of the tree or of the rules counts from the next fact on: what was
// written down stays. Figures add up the tree, so that a channel that is moved
// takes its people, orders and costs along.
package acquire
