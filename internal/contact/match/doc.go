// Package match answers: which contacts may be one person, and why do we think so?
//
// Contacts that share no identity stay apart although they may be one: a phone
// number with a slip, a name once in pinyin, a second card. A run looks for
// such pairs and puts them on a list, with a score and the evidence (package
// score). Staff merge, reject or postpone each. A rejected pair never returns.
//
// A full run reads everybody once and keeps, for each, keyed hashes of a dozen
// forms of what is known (match_keys): only people who share one are compared,
// and forms that too many share are left alone. So the work grows with the
// number of people, and memory does not: what must be sorted is sorted on disk.
// Afterwards a run reads only those who changed since the last one.
//
// Personal values are opened in memory and written nowhere: the tables and the
// sort files hold hashes, numbers of contacts, and levels of likeness.
//
// Pairs keep the numbers they were found for. Reading translates them through
// the merges of today; what became one person is shown no more.
package match
