package rule

import "encoding/json"

// Matches tells whether the properties of a fact fulfil all of the conditions.
func Matches(where []Where, properties json.RawMessage) bool {
	return matches(&Fact{Properties: properties}, "", where)
}

// CheckFacts tells what is wrong with the name of an event and conditions on its
// properties. path is what they are called in the fault.
func CheckFacts(path, name string, where []Where) error { return checkFacts(path, name, where) }
