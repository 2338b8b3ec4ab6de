package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

var errTooHeavy = errs.New(errs.Unavailable, "analytics.out_of_memory")

// read runs a question. While it runs no merge can be the first one and no
// forced checkpoint starts, so the state it is given holds for its statements.
func (s *Store) read(ctx context.Context, what string, fn func(st *state) error) error {
	defer func() { s.lastAsk.Store(clock.Ms(s.clock.Now())) }()
	return s.look(ctx, what, func(st *state) error {
		if err := s.wake(ctx); err != nil { // the gate is passed: no checkpoint makes it lean again meanwhile
			return err
		}
		return fn(st)
	})
}

// look is read for the pipeline's own needs: it does not count as a question,
// for which blocks would be worth keeping.
func (s *Store) look(ctx context.Context, what string, fn func(st *state) error) error {
	if err := s.gate.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer s.gate.Release(1)
	select {
	case <-s.stop:
		return analytics.ErrClosed
	default:
	}
	err := fn(s.state.Load())
	s.lastUse.Store(clock.Ms(s.clock.Now()))
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err
	}
	if outOfMemory(err) {
		return errTooHeavy.Wrap(fmt.Errorf("%s: %w", what, err))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// asker is a pool or one connection's transaction.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// ask runs one statement and calls each for every line of its answer.
func ask(ctx context.Context, db asker, query string, args []any, each func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// selection is the part that all questions share: which facts, and whose. Every
// text from outside is bound, or escaped by pointer.
type selection struct {
	st     *state
	args   []any
	where  []string
	people bool // person is needed
	kind   bool // contacts must be joined for kind or first channel
	inner  bool // facts without a contacts row cannot match
}

func (s *selection) bind(v any) string {
	s.args = append(s.args, v)
	return "$" + strconv.Itoa(len(s.args))
}

func (s *selection) and(cond string) { s.where = append(s.where, cond) }

func (s *selection) noneOf(column string, values []string) {
	if len(values) == 0 {
		return
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = s.bind(clean(v))
	}
	s.and(column + " not in (" + strings.Join(marks, ", ") + ")")
}

// selectFacts turns a filter into a selection.
func selectFacts(st *state, f analytics.Filter) *selection {
	s := &selection{st: st}
	if !f.From.IsZero() {
		s.and("f.ts >= " + strconv.FormatInt(ceilMs(f.From), 10))
	}
	if !f.To.IsZero() {
		s.and("f.ts < " + strconv.FormatInt(ceilMs(f.To), 10))
	}
	s.anyOf("f.name", f.Events)
	s.noneOf("f.name", f.ExceptEvents)
	s.anyOf("f.source", f.Sources)
	if f.ImportID != "" {
		s.and("f.import_id = " + s.bind(clean(f.ImportID)))
	}
	if f.Currency != "" {
		s.and(s.text("currency") + " = " + s.bind(clean(f.Currency)))
	}
	if f.Contact != 0 {
		s.and(s.ofContact(f.Contact))
	}
	if f.ContactKind != "" {
		s.kind, s.inner = true, true
		s.and("c.kind = " + s.bind(clean(string(f.ContactKind))))
	}
	if f.FirstChannel != "" {
		s.kind, s.inner = true, true
		s.and("c.channel = " + s.bind(clean(f.FirstChannel)))
	}
	if len(f.FirstChannels) > 0 {
		s.kind, s.inner = true, true
		s.anyOf("c.channel", f.FirstChannels)
	}
	if !f.Arrived.From.IsZero() || !f.Arrived.To.IsZero() {
		s.kind, s.inner = true, true
		s.and("c.kind <> ''")
		if !f.Arrived.From.IsZero() {
			s.and("c.created_at >= " + strconv.FormatInt(ceilMs(f.Arrived.From), 10))
		}
		if !f.Arrived.To.IsZero() {
			s.and("c.created_at < " + strconv.FormatInt(ceilMs(f.Arrived.To), 10))
		}
	}
	for _, e := range f.Where {
		s.and(s.group(e.Property) + " = " + s.bind(clean(e.Value)))
	}
	switch {
	case len(f.Except) == 0:
	case f.Contact != 0: // all facts are of this one contact
		if slices.Contains(f.Except, f.Contact) {
			s.and("false")
		}
	default:
		list := make([]byte, 0, 12*len(f.Except))
		for i, n := range f.Except {
			if i > 0 {
				list = append(list, ',')
			}
			list = strconv.AppendInt(list, n, 10)
		}
		s.and(s.person() + " NOT IN (" + string(list) + ")")
	}
	return s
}

func (s *selection) anyOf(column string, values []string) {
	if len(values) == 0 {
		return
	}
	if len(values) == 1 {
		s.and(column + " = " + s.bind(clean(values[0])))
		return
	}
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = s.bind(clean(v))
	}
	s.and(column + " IN (" + strings.Join(list, ", ") + ")")
}

// ofContact matches the facts of a contact and of those merged into it.
func (s *selection) ofContact(contact int64) string {
	n := strconv.FormatInt(contact, 10)
	if !s.st.merged {
		return "f.contact = " + n
	}
	return "f.contact IN (SELECT contact FROM contacts WHERE root = " + n +
		" UNION ALL SELECT " + n + " WHERE NOT EXISTS (SELECT 1 FROM contacts WHERE contact = " + n + "))"
}

// person is the SQL for the contact that a fact belongs to today.
func (s *selection) person() string {
	s.people = true
	switch {
	case s.kind && s.inner:
		return "c.root"
	case s.kind || s.st.merged:
		return "coalesce(c.root, f.contact)"
	default:
		return "f.contact"
	}
}

// from is the FROM and WHERE part. Call it after all else was asked of s.
func (s *selection) from() string {
	out := " FROM facts f"
	switch {
	case s.kind && s.inner:
		out += " JOIN contacts c ON c.contact = f.contact"
	case s.kind:
		out += " LEFT JOIN contacts c ON c.contact = f.contact"
	case s.people && s.st.merged:
		out += " LEFT JOIN (SELECT contact, root FROM contacts WHERE root <> contact) c ON c.contact = f.contact"
	}
	if len(s.where) > 0 {
		out += " WHERE " + strings.Join(s.where, " AND ")
	}
	return out
}

// text is a property as text: its column when it is a string column, else out of the JSON.
func (s *selection) text(property string) string {
	for _, c := range s.st.columns {
		if c.ready && c.typ == "string" && c.property == property {
			return "f." + c.name
		}
	}
	return readText("f.props", property)
}

// number is a property as a number.
func (s *selection) number(property string) string {
	for _, c := range s.st.columns {
		if c.ready && c.typ == "number" && c.property == property {
			return "f." + c.name
		}
	}
	return readNumber("f.props", property)
}

// group is the value that a breakdown goes by; never NULL.
func (s *selection) group(by string) string {
	switch by {
	case "":
		return "''"
	case analytics.BySource:
		return "f.source"
	case analytics.ByEvent:
		return "f.name"
	case analytics.ByChannel:
		s.kind = true
		if s.inner {
			return "c.channel"
		}
		return "coalesce(c.channel, '')"
	default:
		return "coalesce(" + s.text(by) + ", '')"
	}
}
