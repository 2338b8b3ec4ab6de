package reply

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// book is all rules in memory. It is never changed: another one takes its place.
type book struct {
	rules    map[string]*Rule // also those that are gone
	accounts map[string]*desk
	hours    map[string]*Hours
	rev      int64
}

// desk is what one account answers.
type desk struct {
	by      map[string][]*Rule // by kind, in order
	matcher *matcher
}

func (b *book) desk(account string) *desk {
	if d := b.accounts[account]; d != nil {
		return d
	}
	return &desk{matcher: &matcher{}}
}

const ruleColumns = "id, account, kind, place, rev, gone, name, def, by_name, created_at, changed_at"

func (s *Service) scanRule(r *sql.Rows) (*Rule, error) {
	var x Rule
	var account, kind, name, def string
	var gone, created, changed int64
	if err := r.Scan(&x.ID, &account, &kind, &x.Place, &x.rev, &gone, &name, &def, &x.By, &created, &changed); err != nil {
		return nil, err
	}
	plain, err := s.Keys.Open(defField, def)
	if err != nil {
		return nil, fmt.Errorf("open auto-reply: %w", err)
	}
	if err := json.Unmarshal([]byte(plain), &x.Definition); err != nil {
		return nil, fmt.Errorf("decode auto-reply: %w", err)
	}
	x.Account, x.Kind, x.Name = account, kind, name
	x.gone, x.CreatedAt, x.ChangedAt = gone == 1, clock.FromMs(created), clock.FromMs(changed)
	return &x, nil
}

// overlap is read again: a transaction may commit after one that began later.
const overlap = 64

// fresh reads into memory what changed, here or on another node.
func (s *Service) fresh(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	old := s.book.Load()
	rows, err := s.DB.Query(ctx, "select "+ruleColumns+" from replies where rev > $1 order by rev", old.rev-overlap)
	list, err := db.Collect(rows, err, s.scanRule)
	if err != nil {
		return fmt.Errorf("read auto-replies: %w", err)
	}
	hours, err := s.readHours(ctx, old)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(x *Rule) bool {
		have := old.rules[x.ID]
		return have != nil && have.rev >= x.rev
	})
	if len(list) == 0 && hours == nil {
		return nil
	}
	next := &book{rules: maps.Clone(old.rules), accounts: maps.Clone(old.accounts), hours: old.hours, rev: old.rev}
	if hours != nil {
		next.hours = hours
	}
	touched := map[string]bool{}
	for _, x := range list {
		if was := next.rules[x.ID]; was != nil {
			touched[was.Account] = true
		}
		next.rules[x.ID], touched[x.Account] = x, true
		next.rev = max(next.rev, x.rev)
	}
	for account := range touched {
		next.accounts[account] = newDesk(next.rules, account)
	}
	s.book.Store(next)
	if len(list) > 0 {
		s.nudge() // there may be new pictures
	}
	return nil
}

func newDesk(rules map[string]*Rule, account string) *desk {
	d := &desk{by: map[string][]*Rule{}}
	for _, r := range rules {
		if r.Account == account && !r.gone {
			d.by[r.Kind] = append(d.by[r.Kind], r)
		}
	}
	for _, list := range d.by {
		slices.SortFunc(list, order)
	}
	d.matcher = newMatcher(d.by[Keyword])
	return d
}

// readHours reads the hours of all accounts when one changed since a book; else nil.
func (s *Service) readHours(ctx context.Context, old *book) (map[string]*Hours, error) {
	type line struct {
		account string
		Hours
	}
	rows, err := s.DB.Query(ctx, "select account, rev, def from reply_hours")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (l line, err error) {
		var def string
		if err = r.Scan(&l.account, &l.rev, &def); err != nil {
			return l, err
		}
		return l, json.Unmarshal([]byte(def), &l.Hours)
	})
	if err != nil {
		return nil, fmt.Errorf("read working hours: %w", err)
	}
	news := false
	out := make(map[string]*Hours, len(list))
	for i := range list {
		was := old.hours[list[i].account]
		news = news || was == nil || was.rev != list[i].rev
		out[list[i].account] = &list[i].Hours
	}
	if !news {
		return nil, nil
	}
	return out, nil
}

// refresh is fresh once the transaction of ctx commits.
func (s *Service) refresh(ctx context.Context) {
	s.DB.After(ctx, func() {
		if err := s.fresh(context.WithoutCancel(ctx)); err != nil {
			s.Log.ErrorContext(ctx, "auto-replies in memory are behind", "error", err)
		}
	})
}

// nextRev is the revision of a change.
func (s *Service) nextRev(ctx context.Context) (int64, error) {
	return s.DB.Reserve(ctx, "reply_revs", 1)
}
