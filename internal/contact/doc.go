// Package contact answers: who is this person, and what do we know of them?
//
// A contact is a person, or a visitor known by a device only. It is recognised
// by identities: values of a kind (user id, phone, e-mail, WeCom external user
// id, device…), each held by exactly one contact. The Resolver turns the
// identifiers of facts into contacts, in stream order, and merges contacts
// where a fact proves them to be one:
//
//   - A strong identity makes a person; only weak ones (devices) make a visitor.
//   - A fact that names both a visitor and a person, or a visitor and a strong
//     identity nobody has, joins them.
//   - Two people named by strong identities of one fact become one, unless both
//     carry an identity of the same unique kind (user id, member number, WeCom
//     external user id). Named by a device only, they become one if they have no
//     strong kind in common. Else the strongest identifier of the fact gets the
//     fact, and the conflict is recorded.
//   - The older person survives a merge; a person always survives a visitor. For
//     each attribute the later word wins.
//
// Contacts have a dense number (num), by which facts, bitmaps and other tables
// know them, and a public id. A merged contact's row stays and points to the survivor.
// Phone numbers, e-mail addresses and the like are stored sealed, found by a
// blind index, and shown masked.
package contact
