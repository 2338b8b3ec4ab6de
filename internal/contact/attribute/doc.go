// Package attribute answers: what may a custom attribute of a person hold, and
// what does a loosely written value mean?
//
// A Definition says what values an attribute takes. Compiled, it reads text and
// JSON as people and programs write them (full-width digits, 1.2万, ¥, Chinese
// dates, names of options, "浙江杭州") into one canonical JSON form per type, or
// says why it cannot. The canonical form reads back as itself.
//
// The package is pure: no database, no clock. Package contact keeps
// definitions and values.
package attribute
