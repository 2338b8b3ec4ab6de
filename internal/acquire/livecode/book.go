package livecode

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// book is all codes in memory: a welcome waits for no database. It is never
// changed in place; a code that changes is another one.
type book struct {
	mu      sync.RWMutex
	byID    map[string]*Code
	byKey   map[string]*Code
	general map[string]Welcome
	rev     int64
}

func (b *book) get(id string) *Code {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byID[id]
}

func (b *book) keyed(key string) *Code {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byKey[key]
}

func (b *book) greeting(account string) Welcome {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.general[account]
}

// all lists the codes, the newest first.
func (b *book) all() []*Code {
	b.mu.RLock()
	out := make([]*Code, 0, len(b.byID))
	for _, c := range b.byID {
		out = append(out, c)
	}
	b.mu.RUnlock()
	slices.SortFunc(out, func(x, y *Code) int {
		if c := y.CreatedAt.Compare(x.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(y.ID, x.ID)
	})
	return out
}

const codeColumns = `id, skey, rev, state, def, by_id, by_name, created_at, changed_at, way_id, way_qr, way_text, way_sum, way_users, way_skip, way_why, way_at,
	fault, fault_code, fault_at, tries, next_at`

func (s *Service) scanCode(r *sql.Rows) (*Code, error) {
	var c Code
	var def, users string
	var created, changed, skip int64
	w := &c.way
	if err := r.Scan(&c.ID, &c.Key, &c.rev, &c.State, &def, &c.ByID, &c.By, &created, &changed, &w.id, &w.qr, &w.text, &w.sum, &users, &skip, &w.why, &w.at,
		&w.fault, &w.faultCode, &w.faultAt, &w.tries, &w.nextAt); err != nil {
		return nil, err
	}
	c.CreatedAt, c.ChangedAt, w.skip = clock.FromMs(created), clock.FromMs(changed), skip == 1
	plain, err := s.Keys.Open(defField, def)
	if err != nil {
		return nil, fmt.Errorf("open live code: %w", err)
	}
	if err := json.Unmarshal([]byte(plain), &c.Definition); err != nil {
		return nil, fmt.Errorf("decode live code: %w", err)
	}
	if err := json.Unmarshal([]byte(users), &w.users); err != nil {
		return nil, fmt.Errorf("decode way: %w", err)
	}
	return &c, nil
}

// overlap is read again: a transaction may commit after one that began later.
const overlap = 64

// fresh reads into memory what changed, here or on another node.
func (s *Service) fresh(ctx context.Context) error {
	b := &s.book
	b.mu.RLock()
	from := b.rev - overlap
	b.mu.RUnlock()
	rows, err := s.DB.Query(ctx, "select "+codeColumns+" from livecodes where rev > $1 order by rev", from)
	list, err := db.Collect(rows, err, s.scanCode)
	if err != nil {
		return fmt.Errorf("read live codes: %w", err)
	}
	type greeting struct {
		account string
		Welcome
	}
	rows, err = s.DB.Query(ctx, "select account, def from livecode_general")
	general, err := db.Collect(rows, err, func(r *sql.Rows) (g greeting, err error) {
		var def string
		if err = r.Scan(&g.account, &def); err != nil {
			return g, err
		}
		if def, err = s.Keys.Open(generalField, def); err != nil {
			return g, err
		}
		return g, json.Unmarshal([]byte(def), &g.Welcome)
	})
	if err != nil {
		return fmt.Errorf("read general welcomes: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID == nil {
		b.byID, b.byKey = map[string]*Code{}, map[string]*Code{}
	}
	for _, c := range list {
		if have := b.byID[c.ID]; have != nil && have.rev > c.rev {
			continue // somebody read a newer one meanwhile
		}
		b.byID[c.ID], b.byKey[c.Key] = c, c
		b.rev = max(b.rev, c.rev)
	}
	b.general = make(map[string]Welcome, len(general))
	for _, g := range general {
		b.general[g.account] = g.Welcome
	}
	return nil
}

// refresh is fresh once the transaction of ctx commits.
func (s *Service) refresh(ctx context.Context) {
	s.DB.After(ctx, func() {
		if err := s.fresh(context.WithoutCancel(ctx)); err != nil {
			s.Log.ErrorContext(ctx, "live codes in memory are behind", "error", err)
		}
		nudge(s.wake)
	})
}

// nextRev is the revision of a change.
func (s *Service) nextRev(ctx context.Context) (int64, error) {
	return s.DB.Reserve(ctx, "livecode_revs", 1)
}

// Resolve tells which code a state belongs to, and where people who scan it come
// from; from memory, and from the records when another node may just have made it.
func (s *Service) Resolve(ctx context.Context, state string) (code, channel string, ok bool) {
	c := s.find(ctx, state)
	if c == nil {
		return "", "", false
	}
	return c.ID, c.Channel, true
}

func (s *Service) find(ctx context.Context, state string) *Code {
	if !Ours(state) {
		return nil
	}
	if c := s.book.keyed(state); c != nil {
		return c
	}
	if err := s.fresh(ctx); err != nil {
		s.Log.ErrorContext(ctx, "look for a live code", "error", err)
		return nil
	}
	return s.book.keyed(state)
}

// staffList is who there is in an account, kept for a while.
type staffList struct {
	list []Colleague
	by   map[string]Colleague
	at   time.Time
}

// staffAge is how long a list of colleagues is believed.
const staffAge = time.Minute

// colleagues are those of an account. When they cannot be read, those that were
// known before serve.
func (s *Service) colleagues(ctx context.Context, account string) (staffList, error) {
	was, known := s.staff.Load(account)
	now := s.Clock.Now()
	if known && now.Sub(was.(staffList).at) < staffAge {
		return was.(staffList), nil
	}
	list, err := s.Staff.Colleagues(ctx, account)
	if err != nil {
		if known {
			return was.(staffList), nil
		}
		return staffList{}, fmt.Errorf("read colleagues: %w", err)
	}
	out := staffList{list: list, by: make(map[string]Colleague, len(list)), at: now}
	for _, c := range list {
		out.by[c.ID] = c
	}
	s.staff.Store(account, out)
	return out, nil
}

// named is what a colleague is called, from memory alone.
func (s *Service) named(account, staff string) string {
	if l, ok := s.staff.Load(account); ok {
		if c, ok := l.(staffList).by[staff]; ok && c.Name != "" {
			return c.Name
		}
	}
	return staff
}
