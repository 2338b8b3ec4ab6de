package duckdb

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// DecayedSums implements analytics.Decayer. Weights without conditions are added
// up by the engine; of the others the properties are looked at here, so that they
// mean what they mean everywhere. Position and sums are of one state of the store.
func (s *Store) DecayedSums(ctx context.Context, q analytics.DecayQuery) (out []analytics.Decayed, pos event.Position, err error) {
	err = s.read(ctx, "add up weights that fade", func(*state) error {
		tx, err := s.readDB.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // it changed nothing
		if err := tx.QueryRowContext(ctx, "SELECT seq, idx FROM store").Scan(&pos.Seq, &pos.Idx); err != nil {
			return err
		}
		d := decaying{q: q, now: clock.Ms(q.Now), half: float64(q.HalfLife.Milliseconds())}
		plain, err := d.plain(ctx, tx)
		if err != nil {
			return err
		}
		picked, err := d.picked(ctx, tx)
		if err != nil {
			return err
		}
		out = merge(plain, picked, d.half)
		return nil
	})
	return out, pos, err
}

// decaying is one question.
type decaying struct {
	q    analytics.DecayQuery
	now  int64
	half float64 // milliseconds
}

const factTime = "least(f.ts, f.received)"

// facts is the part that both statements share: which facts.
func (d *decaying) facts(sel *selection, names []string) {
	sel.anyOf("f.name", names)
	sel.and("f.contact > 0") // below is nobody
	sel.and(factTime + " >= " + strconv.FormatInt(d.now-int64(analytics.DecayReach*d.half), 10))
	if p := d.q.After; p != (event.Position{}) {
		seq := strconv.FormatUint(p.Seq, 10)
		sel.and("f.seq >= " + seq + " AND (f.seq > " + seq + " OR f.idx > " + strconv.FormatUint(uint64(p.Idx), 10) + ")")
	}
}

// plain adds up the weights without conditions. The engine adds what each fact is
// worth now, which never grows beyond the weights; only the sum is brought back to
// the time of its last fact.
func (d *decaying) plain(ctx context.Context, db asker) ([]analytics.Decayed, error) {
	weights := map[string]float64{}
	for _, w := range d.q.Weights {
		if w.Matches == nil {
			weights[w.Name] += w.Weight
		}
	}
	if len(weights) == 0 {
		return nil, nil
	}
	sel := &selection{}
	var names []string
	worth := "CASE f.name"
	for name, w := range weights {
		names = append(names, name)
		worth += " WHEN " + sel.bind(clean(name)) + " THEN " + strconv.FormatFloat(w, 'e', -1, 64) + "::DOUBLE"
	}
	worth += " END"
	d.facts(sel, names)
	query := "SELECT f.contact, sum(" + worth + " * pow(2, (" + factTime + " - " + strconv.FormatInt(d.now, 10) + ") / " + strconv.FormatFloat(d.half, 'e', -1, 64) + "::DOUBLE)), max(" + factTime + ")" +
		sel.from() + " GROUP BY f.contact ORDER BY f.contact"
	var out []analytics.Decayed
	err := ask(ctx, db, query, sel.args, func(scan func(...any) error) error {
		var x analytics.Decayed
		if err := scan(&x.Contact, &x.Value, &x.At); err != nil {
			return err
		}
		x.Value *= math.Exp2(float64(d.now-x.At) / d.half)
		out = append(out, x)
		return nil
	})
	return out, err
}

// picked adds up the weights with conditions.
func (d *decaying) picked(ctx context.Context, db asker) ([]analytics.Decayed, error) {
	byName := map[string][]analytics.Weighted{}
	var names []string
	for _, w := range d.q.Weights {
		if w.Matches == nil {
			continue
		}
		if byName[w.Name] == nil {
			names = append(names, w.Name)
		}
		byName[w.Name] = append(byName[w.Name], w)
	}
	if len(names) == 0 {
		return nil, nil
	}
	sel := &selection{}
	d.facts(sel, names)
	query := "SELECT f.contact, f.name, " + factTime + ", coalesce(f.props, '')" + sel.from() + " ORDER BY f.contact, 3"
	var out []analytics.Decayed
	err := ask(ctx, db, query, sel.args, func(scan func(...any) error) error {
		var x analytics.Decayed
		var name, props string
		if err := scan(&x.Contact, &name, &x.At, &props); err != nil {
			return err
		}
		for _, w := range byName[name] {
			if w.Matches(json.RawMessage(props)) {
				x.Value += w.Weight
			}
		}
		if x.Value == 0 {
			return nil
		}
		if n := len(out); n > 0 && out[n-1].Contact == x.Contact {
			out[n-1] = analytics.AddDecayed(out[n-1], x, time.Duration(d.half)*time.Millisecond)
			return nil
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

// merge joins two lists by contact, both ascending.
func merge(a, b []analytics.Decayed, half float64) []analytics.Decayed {
	if len(b) == 0 {
		return a
	}
	out := make([]analytics.Decayed, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Contact < b[0].Contact:
			out, a = append(out, a[0]), a[1:]
		case a[0].Contact > b[0].Contact:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, analytics.AddDecayed(a[0], b[0], time.Duration(half)*time.Millisecond))
			a, b = a[1:], b[1:]
		}
	}
	return slices.Concat(out, a, b)
}
