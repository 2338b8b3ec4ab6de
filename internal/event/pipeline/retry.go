package pipeline

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// asideRow is one line of the list.
type asideRow struct {
	ID, Stage, Subscriber, Code, Name, MessageID, Source, State string
	Params                                                      map[string]any
	Fact                                                        json.RawMessage
	At                                                          int64
	Tries                                                       int64
	Pos                                                         event.Position
}

const asideColumns = "id, at, stage, subscriber, code, params, name, message_id, source, fact, seq, idx, tries, state"

func (s *asideStore) scan(rows *sql.Rows) (asideRow, error) {
	var r asideRow
	var params, fact string
	var seq, idx int64
	err := rows.Scan(&r.ID, &r.At, &r.Stage, &r.Subscriber, &r.Code, &params, &r.Name, &r.MessageID, &r.Source, &fact, &seq, &idx, &r.Tries, &r.State)
	if err != nil {
		return r, err
	}
	r.Pos = event.Position{Seq: uint64(seq), Idx: uint32(idx)}
	if r.Fact, err = s.open(fact); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(params), &r.Params)
}

// asideQuery narrows the list. It goes from the newest to the oldest.
type asideQuery struct {
	state, code, name string
	before            string // id: keyset
	limit             int
	ids               []string
}

func (s *asideStore) list(ctx context.Context, q asideQuery) ([]asideRow, error) {
	text := "select " + asideColumns + " from set_aside where state = $1"
	args := []any{q.state}
	for _, f := range []struct{ column, op, value string }{{"code", "=", q.code}, {"name", "=", q.name}, {"id", "<", q.before}} {
		if f.value != "" {
			args = append(args, f.value)
			text += fmt.Sprintf(" and %s %s $%d", f.column, f.op, len(args))
		}
	}
	if len(q.ids) > 0 {
		text += " and id in (" + db.In(len(args)+1, len(q.ids)) + ")"
		for _, v := range q.ids {
			args = append(args, v)
		}
	}
	args = append(args, q.limit)
	text += fmt.Sprintf(" order by id desc limit $%d", len(args))
	rows, err := s.db.Query(ctx, text, args...)
	out, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("list set-aside facts: %w", err)
	}
	return out, nil
}

// settle moves open rows to a state and tells how many it moved.
func (s *asideStore) settle(ctx context.Context, state string, ids []string) (int64, error) {
	args := []any{state, s.clock.Now().UnixMilli(), StateOpen}
	for _, v := range ids {
		args = append(args, v)
	}
	n, err := s.db.ExecN(ctx, "update set_aside set state = $1, updated_at = $2 where state = $3 and id in ("+db.In(4, len(ids))+")", args...)
	if err != nil {
		return 0, fmt.Errorf("settle set-aside facts: %w", err)
	}
	return n, nil
}

const (
	asideChunk = 200
	// maxAction bounds one retry or discard of all; the console asks again.
	maxAction = 5000
)

// each calls fn with the open rows chosen, in portions, and adds up what it returns.
func (p *Pipeline) each(ctx context.Context, ids []string, fn func([]asideRow) (int64, error)) (int64, error) {
	var total int64
	last := ""
	for start := 0; start < maxAction; start += asideChunk {
		q := asideQuery{state: StateOpen, limit: asideChunk, before: last}
		if ids != nil {
			if start >= len(ids) {
				return total, nil
			}
			q.ids, q.before = ids[start:min(start+asideChunk, len(ids))], ""
		}
		rows, err := p.aside.list(ctx, q)
		if err != nil {
			return total, err
		}
		if len(rows) == 0 && ids == nil {
			return total, nil
		}
		if len(rows) == 0 {
			continue
		}
		last = rows[len(rows)-1].ID
		n, err := fn(rows)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Discard gives up on facts that were set aside; nil ids means all open ones.
func (p *Pipeline) Discard(ctx context.Context, ids []string) (int64, error) {
	return p.each(ctx, ids, func(rows []asideRow) (int64, error) {
		var list []string
		for _, r := range rows {
			list = append(list, r.ID)
		}
		var n int64
		err := p.deps.DB.Tx(ctx, func(ctx context.Context) (err error) {
			if n, err = p.aside.settle(ctx, StateDiscarded, list); err != nil || n == 0 {
				return err
			}
			return p.record(ctx, "facts.discarded", n, rows)
		})
		if err != nil {
			return 0, err
		}
		return n, nil
	})
}

// record tells the audit log what somebody does with facts set aside: how many, and
// which, as far as a few names tell.
func (p *Pipeline) record(ctx context.Context, action string, n int64, rows []asideRow) error {
	if p.deps.Audit == nil {
		return nil
	}
	var ids []string
	for _, r := range rows[:min(len(rows), 20)] {
		ids = append(ids, r.ID)
	}
	return p.deps.Audit.Record(ctx, action, audit.Object{Type: "facts"}, map[string]any{"facts": n, "ids": ids})
}

// Retry tries facts that were set aside once more; nil ids means all open
// ones. What failed before it was stored goes through the stream again, in one
// transaction with the row's new state; what a subscriber could not handle is
// given to that subscriber alone. It tells how many were taken; one that fails
// again is open again, with one try more.
func (p *Pipeline) Retry(ctx context.Context, ids []string) (int64, error) {
	return p.each(ctx, ids, func(rows []asideRow) (int64, error) {
		// Each fact is tried in a transaction of its own: what is tried is told before.
		if err := p.deps.DB.Tx(ctx, func(ctx context.Context) error { return p.record(ctx, "facts.retried", int64(len(rows)), rows) }); err != nil {
			return 0, err
		}
		var n int64
		for _, r := range rows {
			ok, err := p.retryOne(ctx, r)
			if err != nil {
				return n, err
			}
			if ok {
				n++
			}
		}
		return n, nil
	})
}

func (p *Pipeline) retryOne(ctx context.Context, r asideRow) (bool, error) {
	if r.Stage == stageReact {
		return p.retryReaction(ctx, r)
	}
	facts, err := r.facts(p.decoder())
	if err != nil {
		return false, p.failAgain(ctx, r, errs.New(errs.Invalid, "facts.unreadable", "bytes", len(r.Fact)).Wrap(err))
	}
	ok := false
	err = p.deps.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := p.aside.settle(ctx, StateRetried, []string{r.ID})
		if ok = n == 1; err != nil || !ok {
			return err
		}
		return p.deps.Emitter.Emit(ctx, facts...)
	})
	if err != nil && p.blame(ctx, err) {
		return false, p.failAgain(ctx, r, errs.As(err))
	}
	return ok, err
}

// facts are those of the row: one, or those of a message that could not be read.
func (r asideRow) facts(dec *wire.Decoder) ([]event.Fact, error) {
	if r.Stage != stageDecode {
		var f event.Fact
		if err := json.Unmarshal(r.Fact, &f); err != nil {
			return nil, fmt.Errorf("read set-aside fact %s: %w", r.ID, err)
		}
		return []event.Fact{f}, nil
	}
	var raw struct{ Message string }
	if err := json.Unmarshal(r.Fact, &raw); err != nil {
		return nil, fmt.Errorf("read set-aside message %s: %w", r.ID, err)
	}
	data, err := base64.StdEncoding.DecodeString(raw.Message)
	if err != nil {
		return nil, fmt.Errorf("read set-aside message %s: %w", r.ID, err)
	}
	return dec.Decode(nil, data)
}

// errTaken: somebody else settled the row in the meantime.
var errTaken = errors.New("the set-aside fact is not open any more")

// retryReaction gives a stored fact to the one subscriber that failed on it.
func (p *Pipeline) retryReaction(ctx context.Context, r asideRow) (bool, error) {
	sub := p.subscriber(r.Subscriber)
	if sub == nil {
		return false, p.failAgain(ctx, r, errs.New(errs.NotFound, "facts.no_subscriber", "subscriber", r.Subscriber))
	}
	var f event.Fact
	if err := json.Unmarshal(r.Fact, &f); err != nil {
		return false, fmt.Errorf("read set-aside fact %s: %w", r.ID, err)
	}
	stored := event.Stored{Fact: f, Position: r.Pos}
	if p.deps.Contacts != nil {
		who, err := p.deps.Contacts.Describe(ctx, []int64{f.Contact})
		if err != nil {
			return false, fmt.Errorf("describe contact: %w", err)
		}
		stored.ContactID, stored.ContactKind = who[f.Contact].ID, who[f.Contact].Kind
	}
	settle := func(ctx context.Context) error {
		if n, err := p.aside.settle(ctx, StateRetried, []string{r.ID}); n != 1 {
			return cmp.Or(err, errTaken)
		}
		return nil
	}
	wrote, err := sub.give(ctx, []event.Stored{stored}, settle)
	if err == nil && !wrote {
		err = settle(ctx)
	}
	if err == nil || errors.Is(err, errTaken) {
		return err == nil, nil
	}
	if !p.blame(ctx, err) {
		return false, err
	}
	p.deps.Log.Error("a set-aside fact failed again", "subscriber", sub.name, "messageId", f.MessageID, "error", err)
	return false, p.failAgain(ctx, r, reason(err, "facts.cannot_react", "subscriber", sub.name))
}

// failAgain notes one more try on a row that stays open.
func (p *Pipeline) failAgain(ctx context.Context, r asideRow, why *errs.Error) error {
	params := []byte("{}")
	if len(why.Params) > 0 {
		var err error
		if params, err = json.Marshal(why.Params); err != nil {
			return fmt.Errorf("encode reason: %w", err)
		}
	}
	_, err := p.deps.DB.Exec(ctx, "update set_aside set tries = tries + 1, code = $1, params = $2, updated_at = $3 where id = $4 and state = $5",
		why.Code, string(params), clock.Ms(p.deps.Clock.Now()), r.ID, StateOpen)
	if err != nil {
		return fmt.Errorf("note another try: %w", err)
	}
	return nil
}
