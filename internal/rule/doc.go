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
// are exact: a day is 24 hours. Holds says all this in code; it is what every
// other evaluation is compared with.
//
// # Properties
//
// A property is looked at as a text or as a number. Its text is what a string
// says, true or false, a number in its shortest form (1.50 is 1.5, 1e3 is
// 1000.0), a list or an object as JSON without spaces. Its number is what that
// text reads as, so "12" counts as 12; one beyond ±10^15 is none. Numbers have six
// decimals, what lies beyond is rounded half away from zero, and are then compared
// and added exactly. What a condition compares with decides: a number looks at the
// number, a text at the text, letter by letter, a boolean at true and false. A
// property that is null is one that is not there; the empty text is there.
//
// isNot, notIn, notContains and notSet are exactly the opposite of is, in,
// contains and set: they hold too where there is no such property. All others
// hold for no property that is not there. Of personal values, which the analytics
// store keeps sealed, it can only be told whether two are the same: contains and
// startsWith hold for none of them, and none is a number.
//
// # Measures
//
// sum and distinct of nothing are 0. avg, min, max, first and last of nothing are
// nothing, for which only the opposites (isNot, notIn, notContains) hold. sum, avg,
// min and max take the facts whose property is a number; distinct counts different
// texts; first and last take the first and last fact that has the property.
package rule
