package contact

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// NotJoined is an identity that did not go to the contact of the fact that named
// it, so that two contacts were not made one.
type NotJoined struct {
	Kind    string    `json:"kind"`
	Value   string    `json:"value,omitempty" doc:"Masked when it is personal; empty when it is gone or stands for several"`
	Reason  string    `json:"reason" enum:"other_person,shared_device,limit,kept_apart"`
	Contact *Ref      `json:"contact,omitempty" doc:"Who got the fact; left out when the caller may not see them"`
	Holder  *Ref      `json:"holder,omitempty" doc:"Who has the identity; left out when nobody has, or the caller may not see them"`
	State   string    `json:"state" enum:"open,joined,apart" doc:"What became of the two: nothing, one person by now, or said to be different people"`
	Count   int64     `json:"count" doc:"How many facts named it so"`
	FirstAt time.Time `json:"firstAt"`
	LastAt  time.Time `json:"lastAt"`
	// Where both are the same contact the caller has no choice to make.
	contact, holder int64
	lookup, sealed  string
}

type notJoinedCursor struct {
	T int64  `json:"t"`
	K string `json:"k"`
	L string `json:"l"`
	C int64  `json:"c"`
}

// NotJoined lists conflicts, the last seen first. reason and kind narrow.
func (s *Service) NotJoined(ctx context.Context, reason, kind, cursor string, limit int) (items []NotJoined, next string, err error) {
	c := notJoinedCursor{T: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	cond, args := "(last_at, kind, lookup, contact) < ($1, $2, $3, $4)", []any{c.T, c.K, c.L, c.C}
	for _, f := range []struct{ col, value string }{{"reason", reason}, {"kind", kind}} {
		if f.value != "" {
			args = append(args, f.value)
			cond += fmt.Sprintf(" and %s = $%d", f.col, len(args))
		}
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf(`select kind, lookup, contact, holder, reason, count, first_at, last_at, value_enc from identity_conflicts
		where %s order by last_at desc, kind desc, lookup desc, contact desc limit %d`, cond, limit+1), args...)
	items, err = db.Collect(rows, err, func(r *sql.Rows) (n NotJoined, err error) {
		var first, last int64
		err = r.Scan(&n.Kind, &n.lookup, &n.contact, &n.holder, &n.Reason, &n.Count, &first, &last, &n.sealed)
		n.FirstAt, n.LastAt = clock.FromMs(first), clock.FromMs(last)
		return n, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list conflicts: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		next = httpx.EncodeCursor(notJoinedCursor{clock.Ms(end.LastAt), end.Kind, end.lookup, end.contact})
	}
	if err := s.nameNotJoined(ctx, items); err != nil {
		return nil, "", err
	}
	return items, next, s.showNotJoined(ctx, items)
}

// nameNotJoined says who the two are today, and what became of them.
func (s *Service) nameNotJoined(ctx context.Context, items []NotJoined) error {
	nums := make([]int64, 0, 2*len(items))
	pairs := make([][2]int64, len(items))
	for i, n := range items {
		nums = append(nums, n.contact, n.holder)
		pairs[i] = [2]int64{n.contact, n.holder}
	}
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return err
	}
	refs, err := s.Refs(ctx, nums)
	if err != nil {
		return err
	}
	hidden, err := s.outside(ctx, nums)
	if err != nil {
		return err
	}
	apart, err := s.Apart(ctx, pairs)
	if err != nil {
		return err
	}
	root := func(n int64) int64 {
		if m, ok := into[n]; ok {
			return m
		}
		return n
	}
	show := func(n int64) *Ref {
		ref, ok := refs[n]
		if !ok || hidden[n] {
			return nil
		}
		return &ref
	}
	for i := range items {
		n := &items[i]
		n.Contact, n.Holder = show(n.contact), show(n.holder)
		switch {
		case n.holder != 0 && root(n.contact) == root(n.holder):
			n.State = "joined"
		case apart[i]:
			n.State = "apart"
		default:
			n.State = "open"
		}
	}
	return nil
}

// showNotJoined shows the values: what the conflict kept, else what the holder has.
func (s *Service) showNotJoined(ctx context.Context, items []NotJoined) error {
	var ask []idKey
	for i := range items {
		n := &items[i]
		switch {
		case n.lookup == "":
		case n.sealed != "":
			var err error
			if n.Value, err = s.shownValue(n.Kind, n.lookup, n.sealed); err != nil {
				return err
			}
		default:
			ask = append(ask, idKey{n.Kind, n.lookup})
		}
	}
	shown, err := s.shownIdentities(ctx, ask)
	if err != nil {
		return err
	}
	for i := range items {
		n := &items[i]
		if n.Value != "" || n.lookup == "" {
			continue
		}
		if n.Value = shown[idKey{n.Kind, n.lookup}]; n.Value == "" && !Personal(n.Kind) {
			n.Value = n.lookup // nobody has it, and it was kept in clear
		}
	}
	return nil
}

// NoIdentity is a value that was sent as an identifier and identifies nobody.
type NoIdentity struct {
	Kind    string    `json:"kind"`
	Reason  string    `json:"reason" enum:"blocked,listed,too_long,invalid_phone,invalid_email,not_text"`
	Value   string    `json:"value,omitempty" doc:"The blocked value, masked when it is personal; empty for what may be anybody's"`
	Count   int64     `json:"count"`
	FirstAt time.Time `json:"firstAt"`
	LastAt  time.Time `json:"lastAt"`
	raw     string
}

type noIdentityCursor struct {
	T int64  `json:"t"`
	K string `json:"k"`
	R string `json:"r"`
	V string `json:"v"`
}

// NoIdentities lists values that identified nobody, the last sent first.
func (s *Service) NoIdentities(ctx context.Context, cursor string, limit int) (items []NoIdentity, next string, err error) {
	c := noIdentityCursor{T: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf(`select kind, reason, value, count, first_at, last_at from identity_refusals
		where (last_at, kind, reason, value) < ($1, $2, $3, $4) order by last_at desc, kind desc, reason desc, value desc limit %d`, limit+1), c.T, c.K, c.R, c.V)
	items, err = db.Collect(rows, err, func(r *sql.Rows) (n NoIdentity, err error) {
		var first, last int64
		err = r.Scan(&n.Kind, &n.Reason, &n.raw, &n.Count, &first, &last)
		n.FirstAt, n.LastAt = clock.FromMs(first), clock.FromMs(last)
		return n, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list refused values: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		next = httpx.EncodeCursor(noIdentityCursor{clock.Ms(end.LastAt), end.Kind, end.Reason, end.raw})
	}
	ids := []string{}
	for i := range items {
		if n := &items[i]; n.Reason == refusedListed {
			ids = append(ids, n.raw)
		} else {
			n.Value = n.raw
		}
	}
	names := map[string]string{}
	err = selectIn(ctx, s.DB, "name blocked values", "select id, kind, lookup, value_enc from identity_blocked where id in (%s)", nil, ids, func(r *sql.Rows) error {
		var id, kind, lookup, sealed string
		if err := r.Scan(&id, &kind, &lookup, &sealed); err != nil {
			return err
		}
		names[id], err = s.shownValue(kind, lookup, sealed)
		return err
	})
	for i := range items {
		if items[i].Reason == refusedListed {
			items[i].Value = names[items[i].raw]
		}
	}
	return items, next, err
}
