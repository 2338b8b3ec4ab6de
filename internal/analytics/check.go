package analytics

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits that every engine keeps, so that a question is refused the same way everywhere.
const (
	MaxBuckets      = 10_000 // buckets of one trend
	MaxSeries       = 1_000  // series of one trend
	MaxPropertyName = 512    // bytes
	DefaultSeries   = 10
)

// Breakdowns that are not properties.
const (
	ByChannel = "$channel" // the contact's first-touch channel
	BySource  = "$source"
	ByEvent   = "$event"
)

// The faults of a question; all are the caller's.
var (
	ErrBadProperty    = errs.New(errs.Invalid, "analytics.bad_property")
	ErrBadMeasure     = errs.New(errs.Invalid, "analytics.bad_measure")
	ErrBadInterval    = errs.New(errs.Invalid, "analytics.bad_interval")
	ErrBadColumnType  = errs.New(errs.Invalid, "analytics.bad_column_type")
	ErrNeedProperty   = errs.New(errs.Invalid, "analytics.need_property")
	ErrTooManyBuckets = errs.New(errs.Invalid, "analytics.too_many_buckets", "limit", MaxBuckets)
	// ErrColumnTaken: the property is already a column of another type.
	ErrColumnTaken = errs.New(errs.Conflict, "analytics.column_taken")
	// ErrClosed: the store was closed; the program is stopping.
	ErrClosed = errs.New(errs.Unavailable, "analytics.closed")
)

// Check fills in the defaults of q and reports what is wrong with it.
func (q *TrendQuery) Check() error {
	if q.Measure == "" {
		q.Measure = MeasureCount
	}
	switch q.Measure {
	case MeasureCount, MeasurePeople:
	case MeasureSum:
		if q.Property == "" {
			return ErrNeedProperty.On(errs.At("property", "analytics.need_property"))
		}
		if err := CheckProperty(q.Property); err != nil {
			return err
		}
	default:
		return ErrBadMeasure.With("value", string(q.Measure))
	}
	if q.Interval == "" {
		q.Interval = Day
	}
	if q.Timezone == nil {
		q.Timezone = time.UTC
	}
	if q.Limit <= 0 {
		q.Limit = DefaultSeries
	}
	q.Limit = min(q.Limit, MaxSeries)
	return checkGroup(q.Breakdown)
}

// Check reports what is wrong with q.
func (q *TotalsQuery) Check() error {
	if q.Property != "" {
		if err := CheckProperty(q.Property); err != nil {
			return err
		}
	}
	return checkGroup(q.GroupBy)
}

// Check reports what is wrong with c.
func (c Column) Check() error {
	switch c.Type {
	case "string", "number", "boolean", "time":
	default:
		return ErrBadColumnType.With("value", c.Type)
	}
	return CheckProperty(c.Property)
}

func checkGroup(by string) error {
	switch by {
	case "", ByChannel, BySource, ByEvent:
		return nil
	}
	return CheckProperty(by)
}

// CheckProperty accepts any name a JSON object can carry in practice: not
// empty, at most MaxPropertyName bytes, valid UTF-8, without NUL.
func CheckProperty(name string) error {
	if name == "" || len(name) > MaxPropertyName || !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
		return ErrBadProperty.With("limit", MaxPropertyName)
	}
	return nil
}

// Beyond reports whether p stands after q in the stream.
func Beyond(p, q event.Position) bool {
	return p.Seq > q.Seq || p.Seq == q.Seq && p.Idx > q.Idx
}
