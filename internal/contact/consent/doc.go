// Package consent answers: may we use this person's data or talk to them, for
// which purpose, by which channel, since when, and how do we prove it?
//
// # Ledger
//
// What people said is a ledger of rows that are never changed: contact, purpose,
// channel, granted or withdrawn, since when, from where, under which wording, with
// proof. Each row is chained to the one before by a keyed hash, so that a row that
// was changed, added or taken away shows; the end of the chain is told to the
// audit log. Proof (address, browser, note, who) is sealed; the chain holds a keyed
// mark of it, so that it can be erased with the person, or sealed with a new key,
// without breaking the chain. A mistake of a bulk change or an import is voided by
// rows that name the ones they take back.
//
// # What holds now
//
// For each purpose and channel the latest row holds; of two at the same time the
// withdrawal does. A row for all channels speaks for each of them. Where nobody
// said anything the legal basis decides: consent means no, contract and legitimate
// interest mean yes. Do not contact (the purpose "everything", withdrawn) is above
// every purpose that has channels, and so is an address on the suppression list,
// which is kept by blind index and outlives the person's record.
//
// # One person, several contacts
//
// Rows stay under the contact number they were written for; the rows of all numbers
// of a person are read as one. So when two contacts become one the later word holds,
// and the more protective one when both were said at the same time; and an undone
// merge gives each side its own back. What holds now is also kept in a table for
// lists of a million people, changed in the transaction of the ledger and of merges.
package consent
