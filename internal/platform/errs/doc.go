// Package errs answers: what went wrong, whose fault is it, and how is it said?
//
// Every failure that a person may read is an *Error with a stable code. The
// words live in package i18n, keyed by that code; a test there compares the
// codes in the source with the catalogue. Anything else is Internal: its cause
// is logged and none of it is shown.
package errs
