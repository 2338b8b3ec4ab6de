package duckdb

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// Touches implements analytics.Tracer: one scan of the facts that name a channel,
// however many questions there are.
func (s *Store) Touches(ctx context.Context, asks []analytics.TouchAt, window time.Duration, weak string) ([]analytics.Touched, error) {
	out := make([]analytics.Touched, len(asks))
	if len(asks) == 0 {
		return out, nil
	}
	err := s.read(ctx, "look for touches", func(st *state) error {
		query, args := touchesSQL(st, asks, window, weak)
		return ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
			var i int
			var first string
			var last *string
			if err := scan(&i, &first, &last); err != nil {
				return err
			}
			out[i].First = first
			if last != nil {
				out[i].Last = *last
			}
			return nil
		})
	})
	return out, err
}

func touchesSQL(st *state, asks []analytics.TouchAt, window time.Duration, weak string) (string, []any) {
	sel := &selection{st: st}
	sel.noneOf("f.name", event.AdministrativeNames())
	rows := make([]byte, 0, 32*len(asks))
	latest := asks[0].At
	for i, a := range asks {
		if i > 0 {
			rows = append(rows, ',')
		}
		latest = max(latest, a.At)
		rows = append(rows, '(')
		rows = strconv.AppendInt(rows, int64(i), 10)
		rows = append(rows, ',')
		rows = strconv.AppendInt(rows, a.Contact, 10)
		rows = append(rows, ',')
		rows = strconv.AppendInt(rows, a.At, 10)
		rows = append(rows, ')')
	}
	mine := "SELECT i, c AS contact, ts FROM o"
	if st.merged {
		mine = `SELECT o.i, k.contact, o.ts FROM o JOIN contacts k ON k.root = o.c
			UNION ALL SELECT o.i, o.c, o.ts FROM o WHERE NOT EXISTS (SELECT 1 FROM contacts k WHERE k.contact = o.c)`
	}
	within := "true"
	if window > 0 {
		within = "f.ts >= m.ts - " + strconv.FormatInt(window.Milliseconds(), 10)
	}
	newest := "last(f.channel ORDER BY f.ts, f.seq, f.idx) FILTER (WHERE " + within
	return `WITH o(i, c, ts) AS (VALUES ` + string(rows) + `), m AS (` + mine + `)
		SELECT m.i, first(f.channel ORDER BY f.ts, f.seq, f.idx), coalesce(` + newest + ` AND f.channel <> ` + sel.bind(clean(weak)) + `), ` + newest + `))
		FROM facts f JOIN m ON f.contact = m.contact AND f.ts <= m.ts
		WHERE f.channel <> '' AND f.ts <= ` + strconv.FormatInt(latest, 10) + ` AND ` + strings.Join(sel.where, " AND ") + ` GROUP BY m.i`, sel.args
}

// Conversions implements analytics.Tracer.
func (s *Store) Conversions(ctx context.Context, q analytics.ConversionQuery) (out []analytics.Conversion, err error) {
	if len(q.Days) < 2 {
		return nil, nil
	}
	err = s.read(ctx, "follow conversions", func(st *state) error {
		query, args := conversionsSQL(st, q)
		return ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
			var c analytics.Conversion
			if err := scan(&c.Channel, &c.Day, &c.People, &c.Then); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		})
	})
	return out, err
}

func conversionsSQL(st *state, q analytics.ConversionQuery) (string, []any) {
	span := analytics.Range{From: q.Days[0], To: q.Days[len(q.Days)-1]}
	one := selectFacts(st, analytics.Filter{Range: span, Events: []string{q.Step}, Sources: q.Sources, Except: q.Except})
	who := one.person()
	channel := one.group("channel")
	first := "SELECT " + channel + " AS ch, " + who + " AS p, f.ts AS ts" + one.from()
	span.To = span.To.Add(q.Within)
	two := selectFacts(st, analytics.Filter{Range: span, Events: []string{q.Then}, Sources: q.Sources})
	two.args = one.args // they number their places on from there
	two.where = nil
	two.and("f.ts >= " + strconv.FormatInt(ceilMs(span.From), 10))
	two.and("f.ts < " + strconv.FormatInt(ceilMs(span.To), 10))
	two.anyOf("f.name", []string{q.Then})
	two.anyOf("f.source", q.Sources)
	then := "SELECT " + two.person() + " AS p, f.ts AS ts" + two.from()
	days := make([]string, len(q.Days)-1)
	for i := range days {
		days[i] = "(" + strconv.Itoa(i) + "," + strconv.FormatInt(clock.Ms(q.Days[i]), 10) + ")"
	}
	return `WITH d(day, since) AS (VALUES ` + strings.Join(days, ",") + `),
		a AS (SELECT e.ch, d.day, e.p, min(e.ts) AS ts FROM (` + first + `) e ASOF JOIN d ON e.ts >= d.since GROUP BY ALL),
		b AS (` + then + `)
		SELECT ch, day, count(*), count(*) FILTER (hit) FROM (
			SELECT a.ch, a.day, a.p, coalesce(bool_or(b.ts >= a.ts AND b.ts <= a.ts + ` + strconv.FormatInt(q.Within.Milliseconds(), 10) + `), false) AS hit
			FROM a LEFT JOIN b ON b.p = a.p WHERE a.p > 0 GROUP BY ALL)
		GROUP BY ch, day ORDER BY ch, day`, two.args
}
