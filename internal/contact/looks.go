package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
)

// Actions under which looks at personal values stand in the audit log.
const (
	actionUnmasked = "contact.unmasked"
	actionLookedUp = "contact.looked_up"
)

// Show gives a personal value of a kind as a principal may see it: in full to
// those who may unmask, masked to everybody else. Lists, profiles and previews
// show every value masked, also to those who may; Show is for what leaves the
// program in one piece with a record of its own in the audit log, such as an
// export, whose reason was asked for as a whole.
func Show(p *auth.Principal, kind, value string) string {
	if p.May(auth.ContactUnmask) {
		return value
	}
	return Mask(kind, value)
}

// Trail reads the audit log (package audit implements it).
type Trail interface {
	List(ctx context.Context, f audit.Filter) ([]audit.Entry, error)
}

// Look is somebody's look at a personal value of a contact.
type Look struct {
	At     time.Time `json:"at"`
	By     Ref       `json:"by"`
	Kind   string    `json:"kind" enum:"unmasked,looked_up" doc:"Saw a value in full, or found the contact by typing one in full"`
	Field  string    `json:"field" doc:"phone, email, attribute:<key>…"`
	Reason string    `json:"reason,omitempty"`
}

// maxLooks is how many looks a profile lists.
const maxLooks = 50

// Looks lists who saw personal values of a contact in full, or found it by one,
// newest first, from the audit log. Looks at contacts that were merged into it count too.
func (s *Service) Looks(ctx context.Context, id string) ([]Look, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	trail, ok := s.Audit.(Trail)
	if !ok {
		return []Look{}, nil
	}
	group, err := s.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	ids, err := s.idsOf(ctx, group)
	if err != nil {
		return nil, err
	}
	out := []Look{}
	for _, contact := range ids {
		for _, action := range []string{actionUnmasked, actionLookedUp} {
			entries, err := trail.List(ctx, audit.Filter{ObjectType: "contact", ObjectID: contact, Action: action, Limit: maxLooks})
			if err != nil {
				return nil, fmt.Errorf("read who looked: %w", err)
			}
			for _, e := range entries {
				out = append(out, lookOf(e))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Look) int { return b.At.Compare(a.At) })
	return out[:min(len(out), maxLooks)], nil
}

// idsOf gives the public ids of contacts, merged ones their own.
func (s *Service) idsOf(ctx context.Context, nums []int64) ([]string, error) {
	ids := make([]string, 0, len(nums))
	err := selectIn(ctx, s.DB, "read ids", "select id from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return err
	})
	return ids, err
}

func lookOf(e audit.Entry) Look {
	d := plain(e.Detail)
	text := func(key string) string { v, _ := d[key].(string); return v }
	kind := "unmasked"
	if e.Action == actionLookedUp {
		kind = "looked_up"
	}
	return Look{At: e.At, By: Ref{e.Actor.ID, e.Actor.Name}, Kind: kind, Field: text("field"), Reason: text("reason")}
}

// lookedUp records that somebody who sees personal values masked typed one in
// full and found a contact by it: who tries numbers out leaves a trail. The
// value stands there masked, with its blind index, by which equal ones are known.
func (s *Service) lookedUp(ctx context.Context, kind, value string, found []int64) error {
	p := auth.From(ctx)
	if p == nil || p.May(auth.ContactUnmask) {
		return nil
	}
	index := s.Keys.Index(field(kind), value)
	if s.recent.seen(p.ID+" "+index, s.Clock.Now()) {
		return nil
	}
	detail := map[string]any{"field": kind, "value": Mask(kind, value), "index": index[:16], "found": len(found)}
	if len(found) == 0 {
		return s.record(ctx, actionLookedUp, "", "", detail)
	}
	refs, err := s.Refs(ctx, found)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := s.record(ctx, actionLookedUp, ref.ID, ref.Name, detail); err != nil {
			return err
		}
	}
	return nil
}

// recentLooks keeps the pages of one list, and a search that is typed twice,
// from being recorded again and again.
type recentLooks struct {
	mu sync.Mutex
	at map[string]time.Time
}

const (
	sameLook  = time.Minute
	maxRecent = 4096
)

// seen tells whether a look was recorded a moment ago, and remembers it.
func (r *recentLooks) seen(key string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.at[key]; ok && now.Sub(at) < sameLook {
		return true
	}
	if r.at == nil || len(r.at) >= maxRecent {
		r.at = map[string]time.Time{}
	}
	r.at[key] = now
	return false
}
