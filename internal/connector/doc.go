// Package connector answers: which accounts do we have outside, what may they do,
// what did they tell us, and how is their health?
//
// An account is of a kind (a WeCom corp, an official account, a provider of short
// messages). A kind says what setting one up asks for, and opens a Conn from it,
// which speaks the platform's own language. What all of them need is here:
// credentials at rest, tokens that one caller fetches for all, quotas as data, an
// inbox that loses and doubles nothing, messages that leave once, and a doctor.
//
// The package knows no domain. Those who want to hear of a callback ask for it by
// name (On, First); those who want something from a platform declare a small
// interface of their own, which the platform's client fulfils.
package connector
