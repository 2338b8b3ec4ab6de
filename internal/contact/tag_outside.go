package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// SourceOutside is of tags that a colleague gave at a platform, such as WeCom. It
// ranks as by hand: a person wanted it so.
const SourceOutside = "outside"

// TagWatch follows every change of tags inside the transaction that makes it, but
// for those that contacts bring along when they become one (see OnMerge, OnSplit).
type TagWatch func(ctx context.Context, changes []TagChanged, by TagGiverInfo) error

// OnTags adds one who follows changes of tags. Call it while wiring.
func (s *Service) OnTags(w TagWatch) { s.tagWatches = append(s.tagWatches, w) }

// tellWatches tells them.
func (s *Service) tellWatches(ctx context.Context, changes []tagChange, g giving) error {
	if len(s.tagWatches) == 0 || len(changes) == 0 {
		return nil
	}
	told := toldChanges(changes)
	by := TagGiverInfo{Source: g.source, ID: g.byID, Name: g.byName, Hand: byHand(g.source), Undo: g.source == "undo", At: s.Clock.Now().UnixMilli()}
	for _, w := range s.tagWatches {
		if err := w(ctx, told, by); err != nil {
			return err
		}
	}
	return nil
}

func toldChanges(changes []tagChange) []TagChanged {
	told := make([]TagChanged, len(changes))
	for i, c := range changes {
		told[i] = TagChanged{Contact: c.num, Tag: c.tag.ID, Removed: c.removed, Cause: c.cause, Was: c.image.Source}
	}
	return told
}

// Outside says where a tag was changed outside, and by whom.
type Outside struct {
	Account string // the account's id
	Staff   string // the platform's id of the colleague
	Name    string // how people call the colleague
}

// TagOutside gives tags to a contact and takes others away because a colleague did
// so at a platform, and states it. num may be one that is part of another by now.
// Tags that are not there any more are passed over. It must run in a transaction.
func (s *Service) TagOutside(ctx context.Context, num int64, add, remove []string, by Outside) error {
	into, err := s.Survivors(ctx, []int64{num})
	if err != nil {
		return err
	}
	if root := into[num]; root != 0 {
		num = root
	}
	infos, err := s.tagInfos(ctx, slices.Concat(add, remove))
	if err != nil {
		return err
	}
	pick := func(ids []string) (out []tagInfo) {
		for _, id := range ids {
			if t, ok := infos[id]; ok {
				out = append(out, t)
			}
		}
		return out
	}
	now := s.Clock.Now()
	done, err := s.applyTags(ctx, []int64{num}, pick(add), pick(remove), giving{at: now.UnixMilli(), byID: by.Staff, byName: by.Name, source: SourceOutside})
	if err != nil || len(done) == 0 {
		return err
	}
	facts := s.tagFacts(done, now, by.Name, "", map[string]any{"source": SourceOutside, "account": by.Account, "staff": by.Staff})
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return fmt.Errorf("state tags: %w", err)
	}
	return nil
}

// TagsOf gives those of some tags that contacts have. Numbers that are part of
// others answer for whom they are part of.
func (s *Service) TagsOf(ctx context.Context, nums []int64, tags []string) (map[int64][]string, error) {
	out := make(map[int64][]string, len(nums))
	if len(nums) == 0 || len(tags) == 0 {
		return out, nil
	}
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, t := range tags {
		asked[t] = true
	}
	root := func(n int64) int64 {
		if r := into[n]; r != 0 {
			return r
		}
		return n
	}
	roots := make([]int64, 0, len(nums))
	for _, n := range nums {
		roots = append(roots, root(n))
	}
	slices.Sort(roots)
	roots = slices.Compact(roots)
	have := map[int64][]string{}
	err = selectIn(ctx, s.DB, "read tags", "select contact, tag from contact_tags where contact in (%s) order by contact, tag", nil, roots, func(r *sql.Rows) error {
		var num int64
		var tag string
		err := r.Scan(&num, &tag)
		if asked[tag] && !slices.Contains(have[num], tag) {
			have[num] = append(have[num], tag)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, n := range nums {
		if list := have[root(n)]; len(list) > 0 {
			out[n] = list
		}
	}
	return out, nil
}

// HoldersOf tells which living contacts have identities of a kind, by their values.
// Values that are none of the kind are left out.
func (s *Service) HoldersOf(ctx context.Context, kind string, values []string) (map[string]int64, error) {
	by := map[string][]string{}
	var lookups []string
	for _, v := range values {
		norm, refused := normalize(kind, v, s.Country)
		if refused != "" {
			continue
		}
		l := s.Keys.Index(field(kind), norm)
		if by[l] == nil {
			lookups = append(lookups, l)
		}
		by[l] = append(by[l], v)
	}
	found, err := s.Holders(ctx, kind, lookups)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(found))
	for l, num := range found {
		for _, v := range by[l] {
			out[v] = num
		}
	}
	return out, nil
}

// TagPlace is a tag with the name of its group, as platforms without trees know it.
type TagPlace struct {
	ID, Name, Group, GroupID string
	Parent                   string
	Archived                 bool
}

// TagPlaces gives all tags with their places, merged ones not among them.
func (s *Service) TagPlaces(ctx context.Context) ([]TagPlace, error) {
	rows, err := s.DB.Query(ctx, `select t.id, t.name, g.name, g.id, t.parent, t.archived_at + g.archived_at from tags t join tag_groups g on g.id = t.group_id
		order by g.position, g.created_at, g.id, t.position, t.created_at, t.id`)
	var out []TagPlace
	err = scanAll(rows, err, "read tags", func(r *sql.Rows) error {
		var p TagPlace
		var archived int64
		err := r.Scan(&p.ID, &p.Name, &p.Group, &p.GroupID, &p.Parent, &archived)
		p.Archived = archived != 0
		out = append(out, p)
		return err
	})
	return out, err
}

// CountTags tells how many people have each of some tags.
func (s *Service) CountTags(ctx context.Context, ids []string) (map[string]int64, error) {
	counts, err := s.counts.get(ctx, s.DB, s.Clock.Now())
	out := make(map[string]int64, len(ids))
	for _, id := range ids {
		out[id] = counts[id]
	}
	return out, err
}

// SameTagName tells whether two names of tags or groups are one to people.
func SameTagName(a, b string) bool {
	return tagKey(cleanName(a)) == tagKey(cleanName(b)) && strings.TrimSpace(a) != ""
}
