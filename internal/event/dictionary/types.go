package dictionary

import "time"

// State says what people think of an event or property.
type State string

// The states. Learned is where everything begins; Expected is part of the
// tracking plan; Hidden is left out of lists and causes no violations.
const (
	Learned  State = "learned"
	Expected State = "expected"
	Hidden   State = "hidden"
)

// Types of values, in the order in which they are shown. A time is a string
// that reads as one.
const (
	tString = iota
	tNumber
	tBoolean
	tTime
	tArray
	tObject
	tNull
	typeCount
)

var typeNames = [typeCount]string{"string", "number", "boolean", "time", "array", "object", "null"}

// Event is what is known of an event name.
type Event struct {
	Name, DisplayName, Description, Category, Owner string
	State                                           State
	FirstSeenAt, LastSeenAt                         time.Time // by the facts' own time; zero: never
	Volume, Volume7d                                int64     // as reports count it
	Properties, Violations                          int64
	Builtin                                         bool
}

// TypeCount is how often a property held a value of a type.
type TypeCount struct {
	Type  string
	Count int64
}

// Property is what is known of a property of an event.
type Property struct {
	Event, Name, DisplayName, Description string
	State                                 State
	ExpectedType                          string
	Required                              bool
	Types                                 []TypeCount
	Samples                               []string
	FirstSeenAt, LastSeenAt               time.Time
	Count                                 int64
	Column                                bool
}

// Kind of a violation.
type Kind string

// The kinds of violation.
const (
	UnexpectedEvent    Kind = "unexpected_event"
	MissingProperty    Kind = "missing_property"
	UnexpectedProperty Kind = "unexpected_property"
	WrongType          Kind = "wrong_type"
	NeverSeen          Kind = "never_seen"
)

// Violation is one deviation from what is expected, however often it happened.
type Violation struct {
	ID, Event, Property string
	Kind                Kind
	Count               int64
	FirstAt, LastAt     time.Time
	Sample, Source      string
}

// Bounds on what is learned. What goes beyond is counted, not kept.
const (
	MaxEvents             = 5000
	MaxPropertiesPerEvent = 500
	maxProperties         = 50_000 // over all events
	maxViolations         = 5_000
	maxSamples            = 5
	maxSampleLength       = 64 // bytes
	maxPropertyName       = 128
)
