package reply

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// lookTime bounds the one look into the records that a decision may take, of the
// five seconds that a platform gives. Without an answer the person is answered:
// better twice than never.
const lookTime = 500 * time.Millisecond

// judge finds the rule that answers, from memory alone. Whether it answered the
// person a while ago is for recent.
func (s *Service) judge(ctx context.Context, a Ask) Verdict {
	b := s.book.Load()
	d := b.desk(a.Account)
	one := func(kind, why string) (Verdict, bool) {
		for _, r := range d.by[kind] {
			if r.holds(a.At) {
				return Verdict{Rule: r, Why: why}, true
			}
		}
		return Verdict{}, false
	}
	if a.Choice != "" {
		r := b.rules[a.Choice]
		switch {
		case r != nil && r.Account == a.Account && !r.gone && r.holds(a.At):
			return Verdict{Rule: r, Why: WhyChosen}
		case a.Kind == AskClick || a.Kind == AskScan:
			return Verdict{Rule: r, Why: WhyResting}
		} // a newcomer is still to be welcomed
	}
	switch a.Kind {
	case AskFollow:
		if v, ok := one(Follow, WhyFollow); ok {
			return v
		}
	case AskMessage:
		if h, ok := d.matcher.answer(a.Text, a.At); ok {
			r := d.matcher.rules[h.rule]
			return Verdict{Rule: r, Word: r.Words[h.word], Said: h.said, Why: WhyKeyword}
		}
		if hours := b.hours[a.Account]; hours != nil && !hours.open(a.At.In(s.zone(ctx))) {
			if v, ok := one(OffHours, WhyOffHours); ok {
				return v
			}
		}
		if v, ok := one(Default, WhyDefault); ok {
			return v
		}
	}
	return Verdict{Why: WhyNone}
}

// recent tells whether a rule that answers each person once in a while answered this
// one by another message: from memory, and where that knows nothing (after a start,
// or because another node did) from the records.
func (s *Service) recent(ctx context.Context, r *Rule, a Ask) bool {
	if r.EveryHours == 0 || a.Person == "" {
		return false
	}
	since := a.At.Add(-time.Duration(r.EveryHours) * time.Hour)
	if at, ok := s.notes.answered(r.ID, a.Person, a.Key); ok {
		return at.After(since)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var n int
	err := s.DB.QueryRow(ctx, "select count(*) from reply_sent where rule = $1 and person = $2 and at > $3 and at <= $4 and message <> $5",
		r.ID, a.Person, clock.Ms(since), clock.Ms(a.At), a.Key).Scan(&n)
	if err != nil {
		s.Log.WarnContext(ctx, "it is not known whether a person was answered before", "rule", r.ID, "error", err)
		return false
	}
	return n > 0
}

// decide is what becomes of one callback: the same each time it is asked.
func (s *Service) decide(ctx context.Context, a Ask) *note {
	if n := s.notes.get(a.Key); n != nil {
		return n
	}
	v := s.judge(ctx, a)
	if !v.Silent() && s.recent(ctx, v.Rule, a) {
		v.Why = WhyRecent
	}
	n := &note{Verdict: v, account: a.Account, person: a.Person, key: a.Key, at: a.At}
	if !v.Silent() {
		_, n.passive = s.ready(a.Account, v.Rule.Contents[0])
		n.passive = n.passive && v.Rule.Contents[0].Kind != PartApp && v.Rule.Contents[0].Kind != PartMenu
	}
	return s.notes.put(n)
}
