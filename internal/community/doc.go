// Package community answers: which groups do our customers sit in, and how do these
// live?
//
// Groups and their members are read from the platform: all of them by a sync, one
// of them whenever a callback says that something about it changed. What a reading
// finds is compared with what is known, and the difference is stated as facts: who
// joined, who left. So a callback that came twice, late or never changes nothing
// but the time at which we learn of it; what a callback alone knows (how somebody
// left) is taken from it.
//
// A member is a colleague, or a customer, who is a contact from their first fact
// on. How people stand in a group is its layers: newcomers, active ones, a core of
// those who bring others or buy, and the quiet rest.
//
// What it needs of a platform is the interface Platform; package app hands it over.
package community
