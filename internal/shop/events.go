package shop

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/valyala/fastjson"

	"github.com/koipond/koipond/internal/event"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "shop.orders" }

// Prepare implements event.Preparer: where no fact is of an order there is
// nothing to write, and no transaction.
func (s *Service) Prepare(ctx context.Context, facts []event.Stored, commit func(write func(ctx context.Context) error) error) error {
	if !slices.ContainsFunc(facts, func(f event.Stored) bool { return IsOrderFact(f.Name) }) {
		return nil
	}
	return commit(func(ctx context.Context) error { return s.Handle(ctx, facts) })
}

// Handle implements event.Subscriber: it turns order facts into records and
// refreshes the summaries of the contacts they belong to.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	moves, err := s.movements(ctx, facts)
	if err != nil || len(moves) == 0 {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.followMerges(ctx, moves); err != nil {
			return err
		}
		set, err := s.load(ctx, moves)
		if err != nil {
			return err
		}
		for i := range moves {
			set.apply(&moves[i])
		}
		return s.save(ctx, set)
	})
}

func (s *Service) movements(ctx context.Context, facts []event.Stored) ([]movement, error) {
	var moves []movement
	var parser fastjson.Parser
	company := ""
	for i := range facts {
		f := &facts[i]
		if !IsOrderFact(f.Name) {
			continue
		}
		if company == "" {
			c, err := s.Currency(ctx)
			if err != nil {
				return nil, fmt.Errorf("company currency: %w", err)
			}
			company = c
		}
		m, why := read(&parser, f, company)
		if why != "" {
			s.Log.WarnContext(ctx, "order fact left no record", "messageId", f.MessageID, "name", f.Name, "source", f.Source, "why", why)
			continue
		}
		moves = append(moves, m)
	}
	return moves, nil
}

// record is an order being changed, with everything that decides its state.
type record struct {
	Order
	refunds  []refund
	newLines []Line // of a payment that arrived in this batch
	fresh    bool
	changed  bool
}

type recordKey struct{ source, number string }

type recordSet struct {
	byKey   map[recordKey]*record
	order   []*record // as first touched, so that writes repeat the same way
	touched map[int64]bool
}

func newRecordSet() *recordSet {
	return &recordSet{byKey: map[recordKey]*record{}, touched: map[int64]bool{}}
}

func (set *recordSet) add(r *record) {
	set.byKey[recordKey{r.Source, r.Number}] = r
	set.order = append(set.order, r)
}

func (set *recordSet) apply(m *movement) {
	key := recordKey{m.source, m.number}
	r := set.byKey[key]
	if r == nil {
		r = &record{fresh: true, Order: Order{Source: m.source, Number: m.number}}
		set.add(r)
	}
	if m.paid {
		if r.payment != "" {
			return // paid before: the same order counts once
		}
		set.touch(r.Contact)
		r.payment, r.Contact, r.home, r.Currency, r.Total = m.messageID, m.contact, m.home, m.currency, m.total
		r.PaidAt, r.ImportID = time.UnixMilli(m.at).UTC(), m.importID
		r.newLines, r.LineCount = m.lines, len(m.lines)
		for i := range r.refunds { // what was given back before belongs to the buyer
			set.touch(r.refunds[i].contact)
			r.refunds[i].contact, r.refunds[i].home, r.refunds[i].dirty = m.contact, m.home, true
		}
	} else {
		if slices.ContainsFunc(r.refunds, func(x refund) bool { return x.key == m.refund.key }) {
			return
		}
		x := m.refund
		x.fresh = true
		if r.payment != "" {
			x.contact, x.home = r.Contact, r.home
		}
		r.refunds = append(r.refunds, x)
		slices.SortStableFunc(r.refunds, byTime)
		set.touch(x.contact)
	}
	r.changed = true
	r.settle(r.refunds)
	set.touch(r.Contact)
}

func byTime(a, b refund) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) }

func (set *recordSet) touch(contact int64) {
	if contact != 0 {
		set.touched[contact] = true
	}
}

// followMerges gives facts resolved before a merge to the contact that is left.
func (s *Service) followMerges(ctx context.Context, moves []movement) error {
	var numbers []int64
	seen := map[int64]bool{}
	for i := range moves {
		if c := moves[i].contact; c != 0 && !seen[c] {
			seen[c] = true
			numbers = append(numbers, c)
		}
	}
	into, err := s.Contacts.Survivors(ctx, numbers)
	if err != nil {
		return fmt.Errorf("find survivors of merged contacts: %w", err)
	}
	for i := range moves {
		if to, ok := into[moves[i].contact]; ok {
			moves[i].home, moves[i].refund.home = moves[i].contact, moves[i].contact
			moves[i].contact, moves[i].refund.contact = to, to
		}
	}
	return nil
}
