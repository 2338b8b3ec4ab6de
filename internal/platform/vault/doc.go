// Package vault answers: which key seals now, what still lies under an older
// one, and how does everything come under the newest while the program serves?
//
// A Keeper on each node looks at the key file every few seconds. A new key is
// first made known: each node writes down which keys it has, and only when all
// nodes that are alive have it does it become the one that seals. Then a job
// goes over every Source and seals anew what older keys sealed, or what an older
// program left in clear, in small steps, and goes on where it was after a crash.
// A key may be taken out when a count over all sources finds nothing under it.
//
// Domains say what they keep sealed by Columns; files and facts have a Source of
// their own.
package vault
