package analytics

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// Row is one fact to store.
type Row struct {
	event.Fact
	Position event.Position
	Contact  int64
	Channel  string // channel of this very fact, "" unknown
}

// Batch is what is stored in one transaction. Position is remembered with it:
// a batch whose Position is not beyond the stored one changes nothing, and of a
// batch that overlaps it only the rows beyond it are stored.
//
// A Rekey moves everything that From stands for, past and future, to Into; when
// Into was merged away before, to the contact it is part of now. From must be
// a contact of its own: the rekey of one that is already part of another does
// nothing. A Rekey with Split takes From, those of Split and whomever these lead
// out of whatever they are part of: From leads them from now on, by itself
// alone, with their facts, those that come later among them; all other facts
// stay. Profiles of contacts that are part of another are ignored.
type Batch struct {
	Position event.Position // of the last message in the batch
	Rows     []Row
	Rekeys   []event.Rekey   // applied after the rows, in order
	Profiles []event.Profile // upserted
}

// Range is a half-open span of fact time [From, To). Zero times are open ends.
type Range struct{ From, To time.Time }

// Filter narrows a question. Zero values mean "any". Contacts are meant as they
// are now: facts of merged contacts belong to the contact they are part of, and
// the number of a merged contact matches nothing. ContactKind event.Person
// leaves out visitors and contacts without a profile.
type Filter struct {
	Range
	Events       []string
	ExceptEvents []string // facts with these names do not count
	Contact      int64
	ContactKind  event.Kind
	FirstChannel string // the contact's first-touch channel
	// FirstChannels are several such channels, none of them "": contacts of any of them.
	FirstChannels []string
	Arrived       Range // when the contact was made: contacts without a profile never were
	ImportID      string
	Sources       []string
	Currency      string // properties.currency, for money sums
	Where         []Equal
	Except        []int64 // contacts whose facts do not count
}

// Equal asks for facts whose property, as a text, is the value: what a breakdown
// by the property shows under this key. "" is for those that lack it.
type Equal struct{ Property, Value string }

// EventCount is one line of a summary.
type EventCount struct {
	Name   string
	Count  int64
	People int64
}

// Measure says what a trend counts.
type Measure string

// The measures. Sum adds a numeric property.
const (
	MeasureCount  Measure = "count"
	MeasurePeople Measure = "people"
	MeasureSum    Measure = "sum"
)

// Interval is the width of a trend's buckets; calendar units in the time zone.
type Interval string

// The intervals. Weeks begin on Monday.
const (
	Hour  Interval = "hour"
	Day   Interval = "day"
	Week  Interval = "week"
	Month Interval = "month"
)

// TrendQuery asks for a measure over time. Breakdown is a property name, or
// `$channel` (first touch), `$source`, `$event`; at most Limit series (default
// 10, by total, then by key), the rest under "other". A property that a fact
// lacks, or holds null in, counts under the key "". Sums take numbers, and texts
// that read as one; anything else counts as nothing. Where an end of the range
// is open the buckets reach to the first or last matching fact.
type TrendQuery struct {
	Filter
	Measure   Measure
	Property  string
	Interval  Interval
	Timezone  *time.Location
	Breakdown string
	Limit     int
}

// Series is one line of a trend. For people, Total is distinct over the whole
// range, so it can be less than the sum of the values.
type Series struct {
	Key    string // "" when there is no breakdown
	Values []float64
	Total  float64
}

// Trend is the answer: every bucket present, also the empty ones.
type Trend struct {
	Buckets []time.Time // start of each bucket, UTC instants
	Series  []Series
	Other   float64 // total beyond Limit series; for people, the distinct people in the rest
}

// PeopleQuery asks for contact numbers, ascending, after a number (keyset).
// Limit 0 is no limit. CountPeople looks at neither After nor Limit: it is the
// length of the whole list. Numbers below 1 are nobody.
type PeopleQuery struct {
	Filter
	MinCount int64 // at least so many matching facts each (0 and 1: any)
	After    int64
	Limit    int
}

// TimelineQuery reads one contact's facts (or everyone's, without Contact),
// newest first, before a cursor.
type TimelineQuery struct {
	Filter
	Before *TimelineCursor
	Limit  int
}

// TimelineCursor is the last fact of the page before: its time and position.
type TimelineCursor struct {
	Timestamp int64
	Position  event.Position
}

// GroupRow is one line of Totals.
type GroupRow struct {
	Key    string // group value; "" when not grouped
	Count  int64
	People int64   // distinct contacts
	Repeat int64   // distinct contacts with at least two matching facts
	Sum    float64 // of the property, when asked
}

// TotalsQuery asks for totals, by GroupBy (as Breakdown of a trend) or overall.
// Groups come largest first, then by key, at most 10,000 of them; overall is
// always one line.
type TotalsQuery struct {
	Filter
	Property string // numeric property to sum, optional
	GroupBy  string
}

// Column is a property promoted to a typed column: hot in queries.
type Column struct {
	Property string
	Type     string // "string" | "number" | "boolean" | "time"
}

// Stats describes the store for the status page.
type Stats struct {
	Facts     int64
	Contacts  int64
	SizeBytes int64
	Position  event.Position
}

// Store is the analytics engine. Safe for concurrent reads beside one writer.
// All queries see whole batches only.
type Store interface {
	// Append stores a batch durably and atomically; replays change nothing.
	Append(ctx context.Context, b Batch) error
	// Position is the last one stored.
	Position(ctx context.Context) (event.Position, error)
	// Seen reports which of the message ids are stored with received time at or after since.
	Seen(ctx context.Context, since time.Time, messageIDs []string) (map[string]bool, error)
	// MessageHashes calls fn with chunks of HashMessageID of every fact received at or after since, oldest first,
	// with the received time (ms) of the chunk's newest: to rebuild the duplicate filter at start.
	MessageHashes(ctx context.Context, since time.Time, fn func(hashes []uint64, newest int64) error) error
	// After reads stored facts beyond a position in order, for subscribers that lag: Contact is the number
	// each was stored under, also when that is part of another contact by now.
	After(ctx context.Context, pos event.Position, limit int) ([]Row, error)

	// Totals, Summary, Trend, People and Timeline answer questions.
	Totals(ctx context.Context, q TotalsQuery) ([]GroupRow, error)
	Summary(ctx context.Context, f Filter) (total, people int64, byEvent []EventCount, err error)
	Trend(ctx context.Context, q TrendQuery) (Trend, error)
	People(ctx context.Context, q PeopleQuery) ([]int64, error)
	CountPeople(ctx context.Context, q PeopleQuery) (int64, error)
	Timeline(ctx context.Context, q TimelineQuery) ([]Row, error)

	// EraseContacts removes every fact and profile of the contacts and of those merged into them;
	// EraseImport every fact of an import.
	EraseContacts(ctx context.Context, contacts []int64) (facts int64, err error)
	EraseImport(ctx context.Context, importID string) (facts int64, err error)

	// Promote makes a property a typed column and fills it from the stored facts; idempotent.
	// Answers are the same before, during and after; only the speed changes.
	Promote(ctx context.Context, c Column) error
	Columns(ctx context.Context) ([]Column, error)

	Stats(ctx context.Context) (Stats, error)
	// Backup writes a consistent copy into the folder dir while reads and appends go on.
	// An engine opened on the copy is at the Position stored in it.
	Backup(ctx context.Context, dir string) error
	Close() error
}

// Rewriter is an engine that can change how the identifiers and JSON parts of
// stored facts are written: to seal them anew. Appends go on in between.
type Rewriter interface {
	// Rewrite gives at most limit facts beyond a position, in order, to fn and stores those that
	// fn changed, durably. fn may only write the same in another form: answers may not change.
	// It returns the position of the last fact given and how many were given and changed.
	Rewrite(ctx context.Context, after event.Position, limit int, fn func(f *event.Fact) error) (to event.Position, seen, changed int, err error)
	// Mentioning counts the facts whose identifiers or JSON parts contain a text. It reads everything.
	Mentioning(ctx context.Context, text string) (int64, error)
}
