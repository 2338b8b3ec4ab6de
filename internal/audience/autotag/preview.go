package autotag

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
)

// sampleSize is how many people a preview shows.
const sampleSize = 5

// Preview counts what a definition would do, without doing it.
func (s *Service) Preview(ctx context.Context, tag string, d Definition) (Preview, error) {
	p := Preview{Sample: []contact.Ref{}}
	if err := everybodys(ctx); err != nil {
		return p, err
	}
	if err := mayRule(ctx, d.Kind); err != nil {
		return p, err
	}
	if _, _, err := s.Contacts.TagNamed(ctx, tag); err != nil {
		return p, err
	}
	if err := s.check(ctx, tag, &d); err != nil {
		return p, err
	}
	have, own, err := s.Contacts.TagHolders(ctx, tag, ownSources, nil)
	if err != nil {
		return p, err
	}
	var want *numset.Set
	if d.Kind == ByRule {
		want, err = s.Contacts.Matching(ctx, d.Rule, "rule", nil)
	} else {
		want, p.Scores, err = s.wouldReach(ctx, d.Score, own)
	}
	if err != nil {
		return p, err
	}
	p.Matching = want.Count()
	excepted := &numset.Set{}
	if err := s.eachRow(ctx, "read exceptions", "select contact from tag_exceptions where tag = $1", []any{tag}, excepted); err != nil {
		return p, err
	}
	excepted.And(want)
	p.Excepted = excepted.Count()
	hand := have.Clone()
	hand.AndNot(own)
	p.ByHand = hand.Count()
	gain := want.Clone()
	gain.AndNot(have)
	gain.AndNot(excepted)
	p.Gain = gain.Count()
	if !d.Keep {
		own.AndNot(want)
		p.Lose = own.Count()
	}
	nums := gain.After(-1, sampleSize)
	refs, err := s.Contacts.Refs(ctx, nums)
	for _, n := range nums {
		if r, ok := refs[n]; ok {
			p.Sample = append(p.Sample, r)
		}
	}
	return p, err
}

// wouldReach works out who reaches a score, and how many have how much.
func (s *Service) wouldReach(ctx context.Context, sc *Score, had *numset.Set) (*numset.Set, []Bucket, error) {
	list, _, err := s.Facts.DecayedSums(ctx, s.question(sc, event.Position{}))
	if err != nil {
		return nil, nil, err
	}
	totals := make(map[int64]fading, len(list))
	for at := 0; at < len(list); at += batchSize {
		part := list[at:min(at+batchSize, len(list))]
		nums := make([]int64, len(part))
		for i, x := range part {
			nums[i] = x.Contact
		}
		moved, err := s.Contacts.Survivors(ctx, nums)
		if err != nil {
			return nil, nil, err
		}
		for _, x := range part {
			n := x.Contact
			if into, ok := moved[n]; ok {
				n = into
			}
			totals[n] = totals[n].plus(fading{x.Value, x.At}, sc.half())
		}
	}
	want, now := &numset.Set{}, s.Clock.Now().UnixMilli()
	var scores []float64
	for n, f := range totals {
		if sc.ends(f, had.Has(n), now) > 0 {
			want.Add(n)
		}
		scores = append(scores, sc.shown(f.then(now, sc.half())))
	}
	return want, buckets(sc, scores), nil
}

// buckets tells how many have how much: in steps that make the thresholds ends of them.
func buckets(sc *Score, scores []float64) []Bucket {
	slices.Sort(scores)
	ends := []float64{0.1}
	for _, x := range []float64{sc.lose() / 2, sc.lose(), sc.Have, sc.Have * 2, sc.Have * 4} {
		if x = math.Round(x*100) / 100; x > ends[len(ends)-1] && (sc.Cap == 0 || x <= sc.Cap) {
			ends = append(ends, x)
		}
	}
	out := make([]Bucket, len(ends))
	for i, from := range ends {
		at, _ := slices.BinarySearch(scores, from)
		to := len(scores)
		if i+1 < len(ends) {
			to, _ = slices.BinarySearch(scores, ends[i+1])
		}
		out[i] = Bucket{From: from, People: int64(to - at)}
	}
	return out
}

// place is where a list of exceptions goes on.
type place struct {
	At      int64 `json:"at"`
	Contact int64 `json:"n"`
}

// Exceptions lists who does not have an automatic tag though it is for them, the
// newest first. Those whom the caller may not see are left out.
func (s *Service) Exceptions(ctx context.Context, tag, cursor string, limit int) (out []Exception, next string, err error) {
	out = []Exception{}
	a, err := s.get(ctx, tag)
	if err != nil {
		return nil, "", err
	}
	if a == nil || a.ending {
		return nil, "", errNone
	}
	after := place{At: 1 << 62}
	if cursor != "" {
		if err := httpx.DecodeCursor(cursor, &after); err != nil {
			return nil, "", err
		}
	}
	limit = min(max(limit, 1), 100)
	type row struct {
		num, at                  int64
		byID, byName, win, where string
	}
	list, err := s.DB.Query(ctx, `select contact, at, by_id, by_name, winner, winner_source from (
			select contact, at, by_id, by_name, '' as winner, '' as winner_source from tag_exceptions where tag = $1
			union all select contact, at, '', '', winner, winner_source from tag_losses where tag = $1
		) as x where (at, contact) < ($2, $3) order by at desc, contact desc limit $4`, tag, after.At, after.Contact, limit+1)
	rows, err := db.Collect(list, err, func(sc *sql.Rows) (r row, err error) {
		return r, sc.Scan(&r.num, &r.at, &r.byID, &r.byName, &r.win, &r.where)
	})
	if err != nil {
		return nil, "", fmt.Errorf("list exceptions: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = httpx.EncodeCursor(place{rows[limit-1].at, rows[limit-1].num})
	}
	nums := make([]int64, len(rows))
	for i, r := range rows {
		nums[i] = r.num
	}
	seen, err := s.Contacts.InScope(ctx, nums)
	if err != nil {
		return nil, "", err
	}
	refs, err := s.Contacts.Refs(ctx, seen)
	if err != nil {
		return nil, "", err
	}
	for _, r := range rows {
		ref, ok := refs[r.num]
		if !ok {
			continue
		}
		e := Exception{Contact: ref, Reason: "hand", At: clock.FromMs(r.at)}
		if r.win == "" {
			e.By = &contact.Ref{ID: r.byID, Name: r.byName}
		} else {
			e.Reason, e.Source, e.Winner = "group", r.where, &contact.TagRef{ID: r.win}
			if t, _, err := s.Contacts.TagNamed(ctx, r.win); err == nil {
				e.Winner = &t
			}
		}
		out = append(out, e)
	}
	return out, next, nil
}

// Lift drops an exception: the contact gets the tag if it is for them.
func (s *Service) Lift(ctx context.Context, tag, id string) error {
	ref, _, err := s.Contacts.TagNamed(ctx, tag)
	if err != nil {
		return err
	}
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return err
	}
	groups, err := s.Contacts.Groups(ctx, []int64{num})
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		lifted := int64(0)
		for _, n := range groups[num] {
			for _, table := range []string{"tag_exceptions", "tag_losses"} {
				k, err := s.DB.ExecN(ctx, "delete from "+table+" where tag = $1 and contact = $2", tag, n)
				if err != nil {
					return fmt.Errorf("lift exception: %w", err)
				}
				lifted += k
			}
		}
		if lifted == 0 {
			return errs.New(errs.NotFound, "autotag.no_exception")
		}
		return s.record(ctx, "tag.exception_lifted", ref, map[string]any{"contact": id})
	})
	if err != nil {
		return err
	}
	return s.settle(ctx, tag, []int64{num}, reasonDefinition)
}
