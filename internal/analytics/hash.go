package analytics

import "github.com/cespare/xxhash/v2"

// HashMessageID is the 64-bit hash kept beside each fact to find repeats fast.
// It only narrows: equality of the id itself decides.
func HashMessageID(id string) uint64 { return xxhash.Sum64String(id) }
