// Package staff answers: which colleague knows which customer?
//
// It keeps the directory of each account outside (colleagues and departments),
// linked to the users of the console, and the friendships of colleagues and
// customers: since when, how, under which remark, and who ended them.
//
// Friendships follow the facts that connectors state, as a subscriber of the
// pipeline, and a sync that asks the platform for all of them states what it finds
// as facts, too: there is one way in. Facts come in any order and more than once;
// what is older than what is known changes nothing.
//
// A hand-over gives customers of one colleague to another, in service or on
// leaving. It is kept with each of its customers, asked for in small parts, and
// its results are followed until all are known; the contact's owner goes along.
//
// What it needs of a platform is the interface Platform; package app hands it over.
package staff
