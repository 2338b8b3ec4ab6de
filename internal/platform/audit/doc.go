// Package audit answers: who changed or looked at what, and has the record
// been tampered with? Entries form a hash chain.
//
// Each entry's hash covers all its fields and the hash before it, so an edit
// or a deletion breaks the chain there. Each entry and the end of the chain
// are also sealed with a key that is not in the database (HMAC), so that
// someone with SQL access alone can neither make a new chain nor cut off the
// end. What a seal cannot show is an old state of both tables put back in
// place; against that the running program remembers the end of the chain, and
// an anchor file beside the database remembers it across restarts.
//
// Once tampering is noticed while writing, entries go on being chained, but the
// end is no longer sealed: new entries never make an old break look sound.
package audit
