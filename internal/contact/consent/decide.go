package consent

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
)

// May answers whether a contact may be reached, or its data used, for a purpose
// by a channel, now. A purpose about data alone is asked with channel All. The
// number may be that of a contact merged since.
func (s *Service) May(ctx context.Context, num int64, purpose string, ch Channel) (Decision, error) {
	out, err := s.Check(ctx, []int64{num}, purpose, ch)
	if err != nil {
		return Decision{}, err
	}
	return out[num], nil
}

// Check is May for many.
func (s *Service) Check(ctx context.Context, nums []int64, purpose string, ch Channel) (map[int64]Decision, error) {
	q, err := s.question(ctx, purpose, ch)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]Decision, len(nums))
	if q.refused != "" {
		for _, n := range nums {
			out[n] = Decision{State: Unknown, Reason: q.refused}
		}
		return out, nil
	}
	have, err := s.asked(ctx, nums, purpose)
	if err != nil {
		return nil, err
	}
	roots := map[int64]int64{}
	if len(have) < len(nums) { // nothing was said, or it was said of whom they are part of now
		var silent []int64
		for _, n := range nums {
			if _, ok := have[n]; !ok {
				silent = append(silent, n)
			}
		}
		if roots, err = s.rootsOf(ctx, silent); err != nil {
			return nil, err
		}
		if len(roots) > 0 {
			more, err := s.asked(ctx, valuesOf(roots), purpose)
			if err != nil {
				return nil, err
			}
			for n, x := range more {
				have[n] = x
			}
		}
	}
	barred, err := s.barredOf(ctx, nums, roots, ch)
	if err != nil {
		return nil, err
	}
	for _, n := range nums {
		root := rootIn(roots, n)
		out[n] = q.decide(have[root], barred[root])
	}
	return out, nil
}

func valuesOf(m map[int64]int64) []int64 {
	out := make([]int64, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// question is what is asked of everybody.
type question struct {
	p       *Purpose
	bit     mask
	refused Reason // whoever it is
}

func (s *Service) question(ctx context.Context, purpose string, ch Channel) (question, error) {
	list, err := s.Purposes(ctx)
	if err != nil {
		return question{}, err
	}
	q := question{p: list.find(purpose)}
	if q.p == nil {
		return q, errNoPurpose(purpose)
	}
	var known bool
	if q.bit, known = bitOf(ch); !known {
		return q, errs.New(errs.Invalid, "request.invalid").On(errs.At("channel", "consent.no_such_channel", "channel", string(ch)))
	}
	switch {
	case q.p.Archived:
		q.refused = ByArchived
	case !q.p.uses(ch):
		q.refused = ByNoChannel
	}
	return q, nil
}

// answer is what one person said that bears on a question.
type answer struct{ own, everything stand }

// decide is the rule: see the package comment.
func (q *question) decide(a answer, barred bool) Decision {
	c := a.own.of(q.bit)
	d := Decision{State: c.state, Since: timeOf(c.at), Row: c.seq}
	if c.state == "" {
		d.State = Unknown
	}
	if len(q.p.Channels) > 0 {
		if all := a.everything.of(useBit); all.state == Withdrawn {
			d.Reason, d.Since, d.Row = ByDoNot, timeOf(all.at), all.seq
			return d
		}
		if barred {
			d.Reason, d.Since, d.Row = BySuppressed, nil, 0
			return d
		}
	}
	switch {
	case c.state == Granted:
		d.Allowed, d.Reason = true, ByGrant
	case c.state == Withdrawn:
		d.Reason = ByWithdrawal
	case q.p.Basis == Contract:
		d.Allowed, d.Reason = true, ByContract
	case q.p.Basis == LegitimateInterest:
		d.Allowed, d.Reason = true, ByInterest
	default:
		d.Reason = ByUnknown
	}
	return d
}

// asked reads what contacts said of a purpose and of everything.
func (s *Service) asked(ctx context.Context, nums []int64, purpose string) (map[int64]answer, error) {
	out := make(map[int64]answer, len(nums))
	err := inChunks(ctx, s.DB, "read consent states", "select contact, purpose, cells from consent_state where contact in (%s) and purpose in ($1, $2)", []any{purpose, Everything}, nums, func(r *sql.Rows) error {
		var num int64
		var of, cells string
		if err := r.Scan(&num, &of, &cells); err != nil {
			return err
		}
		st, err := decodeStand(cells)
		a := out[num]
		if of == Everything {
			a.everything = st
		} else {
			a.own = st
		}
		out[num] = a
		return err
	})
	return out, err
}

// Audience is whom one purpose and channel allow: a bitmap's worth of a million
// people in one read. When Except is true the numbers are those who are not
// allowed, and everybody else is.
type Audience struct {
	Nums   []int64 // living contacts, ascending
	Except bool
}

// Audience answers May for everybody at once.
func (s *Service) Audience(ctx context.Context, purpose string, ch Channel) (Audience, error) {
	q, err := s.question(ctx, purpose, ch)
	if err != nil || q.refused != "" {
		return Audience{}, err
	}
	no := map[int64]bool{}
	if len(q.p.Channels) > 0 {
		if err := s.numbers(ctx, no, "select contact from consent_state where purpose = $1 and withdrawn >= $2", Everything, int64(useBit)); err != nil {
			return Audience{}, err
		}
		if err := s.barredContacts(ctx, ch, no); err != nil {
			return Audience{}, err
		}
	}
	if q.p.Default {
		if err := s.numbers(ctx, no, "select contact from consent_state where purpose = $1 and withdrawn & $2 <> 0", purpose, int64(q.bit)); err != nil {
			return Audience{}, err
		}
		return Audience{Nums: sorted(no), Except: true}, nil
	}
	out := Audience{Nums: []int64{}}
	r, err := s.DB.Query(ctx, "select contact from consent_state where purpose = $1 and granted & $2 <> 0", purpose, int64(q.bit))
	if err != nil {
		return out, fmt.Errorf("read consent states: %w", err)
	}
	defer r.Close()
	for r.Next() {
		var n int64
		if err := r.Scan(&n); err != nil {
			return out, err
		}
		if !no[n] {
			out.Nums = append(out.Nums, n)
		}
	}
	sortNums(out.Nums)
	return out, r.Err()
}

// barredCount remembers for a moment whether there is any suppression at all:
// most installations have none, and then nobody's addresses are read.
type barredCount struct {
	mu  sync.Mutex
	n   int64
	at  time.Time
	set bool
}

const barredFor = time.Second

func (s *Service) anyBarred(ctx context.Context) (bool, error) {
	b := &s.barred
	now := s.Clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if age := now.Sub(b.at); b.set && age >= 0 && age < barredFor {
		return b.n > 0, nil
	}
	if err := s.DB.QueryRow(ctx, "select count(*) from (select 1 from consent_suppressions limit 1) as x").Scan(&b.n); err != nil {
		return false, fmt.Errorf("look for suppressions: %w", err)
	}
	b.at, b.set = now, true
	return b.n > 0, nil
}

// kindFor is the kind of address that a channel reaches, "" for none.
func kindFor(ch Channel) string {
	switch ch {
	case SMS, Phone:
		return contact.KindPhone
	case Email:
		return contact.KindEmail
	}
	return ""
}

// barredOf tells who has an address on the suppression list that keeps the channel from them.
func (s *Service) barredOf(ctx context.Context, nums []int64, roots map[int64]int64, ch Channel) (map[int64]bool, error) {
	out := map[int64]bool{}
	if any, err := s.anyBarred(ctx); err != nil || !any {
		return out, err
	}
	living := make([]int64, len(nums))
	for i, n := range nums {
		living[i] = rootIn(roots, n)
	}
	has, err := s.Contacts.Addresses(ctx, living)
	if err != nil {
		return nil, err
	}
	type who struct{ kind, lookup string }
	holders := map[who][]int64{}
	by := map[string][]string{}
	for n, list := range has {
		for _, a := range list {
			w := who{a.Kind, a.Lookup}
			if holders[w] == nil {
				by[a.Kind] = append(by[a.Kind], a.Lookup)
			}
			holders[w] = append(holders[w], n)
		}
	}
	for kind, lookups := range by {
		err := inChunks(ctx, s.DB, "look for suppressions", "select lookup, whole from consent_suppressions where kind = $1 and lookup in (%s)", []any{kind}, lookups, func(r *sql.Rows) error {
			var lookup string
			var whole int64
			if err := r.Scan(&lookup, &whole); err != nil {
				return err
			}
			if whole != 0 || kind == kindFor(ch) {
				for _, n := range holders[who{kind, lookup}] {
					out[n] = true
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CheckIDs is Check by public ids; ids of nobody, and of people whom the caller
// may not see, are left out.
func (s *Service) CheckIDs(ctx context.Context, ids []string, purpose string, ch Channel) (CheckResult, error) {
	out := CheckResult{Items: map[string]Decision{}}
	by := map[int64][]string{}
	var nums []int64
	for _, id := range ids {
		num, err := s.Contacts.NumOf(ctx, id)
		if errs.As(err) != nil && errs.As(err).Kind == errs.NotFound {
			continue
		}
		if err != nil {
			return out, err
		}
		if by[num] == nil {
			nums = append(nums, num)
		}
		by[num] = append(by[num], id)
	}
	got, err := s.Check(ctx, nums, purpose, ch)
	if err != nil {
		return out, err
	}
	for n, d := range got {
		for _, id := range by[n] {
			out.Items[id] = d
		}
	}
	return out, nil
}
