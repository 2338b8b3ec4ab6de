// Package rule answers: who is meant? It is the one language in which lists are
// filtered, segments are made, tags are given by themselves and journeys will
// branch: a versioned JSON tree of conditions.
//
// A node is a group (all, any or none of its parts) or a condition, of which
// there are two sorts:
//
//   - on a field: what is true of a contact now (its name, tags, owner, consent,
//     segments…). Package contact knows the fields and answers these.
//   - on behaviour: what the contact did (an event counted or measured, a
//     sequence, a habit). The analytics store answers these for many at once; this
//     package answers them for one, and that is what they mean.
//
// # Time
//
// Windows in days, weeks and months are whole days of the company's time zone,
// and today is the last of them: "last 7 days" is today and the six before,
// "last 1 month" begins on the day of the last month with today's number, after
// it (or at that month's end). So they change at midnight, and agree with the
// filters on dates. Windows in minutes and hours end now and are exact. No
// window ends before the future does: what a clock that runs ahead reports counts.
// Spans between two facts (the gap of a sequence, the silence before a return)
// are exact: a day is 24 hours.
package rule
