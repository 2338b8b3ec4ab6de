package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// TagGroup is a group with its tags, parents before their children.
type TagGroup struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Color       string     `json:"color"`
	Description string     `json:"description,omitempty"`
	Kind        string     `json:"kind" enum:"stage,source,attribute,campaign,other" doc:"What the group is for: follow-up stage, source, attribute, campaign, other"`
	Exclusive   bool       `json:"exclusive" doc:"A person has at most one tag of the group"`
	ArchivedAt  *time.Time `json:"archivedAt,omitempty"`
	Tags        []Tag      `json:"tags"`
}

// Tag is a tag with how many contacts have it.
type Tag struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Color       string     `json:"color"`
	Contacts    int64      `json:"contacts" doc:"People who have this very tag"`
	Parent      string     `json:"parent,omitempty" doc:"Id of the tag that it stands below"`
	Description string     `json:"description,omitempty"`
	Added       []int64    `json:"added" doc:"How often it was given on each of the last 30 days, today last"`
	UsedAt      *time.Time `json:"usedAt,omitempty" doc:"When it was last given"`
	ArchivedAt  *time.Time `json:"archivedAt,omitempty"`
	Search      string     `json:"search" doc:"Pinyin and initials of the name"`
	Automatic   string     `json:"automatic,omitempty" enum:"rule,score" doc:"How it is given by itself; absent: it is not"`
}

// trendDays is how many days a trend of a tag covers.
const trendDays = 30

// Tags lists every group with its tags in their order, archived ones too.
func (s *Service) Tags(ctx context.Context) ([]TagGroup, error) {
	counts, err := s.counts.get(ctx, s.DB, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	trends, err := s.trends(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, "select id, name, color, description, purpose, exclusive, archived_at from tag_groups order by position, created_at, id")
	groups, err := db.Collect(rows, err, func(r *sql.Rows) (g TagGroup, err error) {
		var exclusive, archived int64
		err = r.Scan(&g.ID, &g.Name, &g.Color, &g.Description, &g.Kind, &exclusive, &archived)
		g.Exclusive, g.ArchivedAt, g.Tags = exclusive == 1, timeOrNil(archived), []Tag{}
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("read tag groups: %w", err)
	}
	automatic := map[string]string{}
	if s.auto != nil {
		if automatic, err = s.auto.Automatic(ctx); err != nil {
			return nil, err
		}
	}
	byGroup := map[string][]Tag{}
	rows, err = s.DB.Query(ctx, "select id, group_id, parent, name, color, description, used_at, archived_at from tags order by position, created_at, id")
	err = scanAll(rows, err, "read tags", func(r *sql.Rows) error {
		var t Tag
		var group string
		var used, archived int64
		err := r.Scan(&t.ID, &group, &t.Parent, &t.Name, &t.Color, &t.Description, &used, &archived)
		t.Contacts, t.Added, t.UsedAt, t.ArchivedAt = counts[t.ID], trends[t.ID], timeOrNil(used), timeOrNil(archived)
		t.Automatic = automatic[t.ID]
		if t.Added == nil {
			t.Added = make([]int64, trendDays)
		}
		f := formsOf(t.Name)
		t.Search = f.pinyin + " " + f.initials
		byGroup[group] = append(byGroup[group], t)
		return err
	})
	for i, g := range groups {
		groups[i].Tags = append(groups[i].Tags, parentsFirst(byGroup[g.ID], "")...)
	}
	return groups, err
}

// parentsFirst puts each tag's children right behind it.
func parentsFirst(tags []Tag, parent string) []Tag {
	var out []Tag
	for _, t := range tags {
		if t.Parent == parent {
			out = append(append(out, t), parentsFirst(tags, t.ID)...)
		}
	}
	return out
}

// today is the number of the company's day that it is, and of the day that ms was.
func (s *Service) dayOf(ctx context.Context, ms int64) int64 {
	_, offset := clock.FromMs(ms).In(s.zone(ctx)).Zone()
	return (ms + int64(offset)*1000) / (24 * time.Hour).Milliseconds()
}

// trends tells for each tag how often it was given on each of the last days.
func (s *Service) trends(ctx context.Context) (map[string][]int64, error) {
	from := s.dayOf(ctx, s.Clock.Now().UnixMilli()) - trendDays + 1
	out := map[string][]int64{}
	rows, err := s.DB.Query(ctx, "select tag, day, sum(added) from tag_days where day >= $1 group by tag, day", from)
	return out, scanAll(rows, err, "read trends of tags", func(r *sql.Rows) error {
		var tag string
		var day, n int64
		err := r.Scan(&tag, &day, &n)
		if out[tag] == nil {
			out[tag] = make([]int64, trendDays)
		}
		if at := day - from; at < trendDays { // a clock of another node may be past midnight
			out[tag][at] = n
		}
		return err
	})
}

// tagInfo is all that giving a tag depends on.
type tagInfo struct {
	TagRef
	group     string
	exclusive bool
	archived  bool
	siblings  []string // the other tags of an exclusive group
}

// tagInfos reads tags by id. A tag that was merged into another is answered
// for under its old id by that one; ids of none are left out.
func (s *Service) tagInfos(ctx context.Context, ids []string) (map[string]tagInfo, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	to, err := s.movedTags(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := make([]string, 0, len(ids))
	for _, id := range ids {
		if into, ok := to[id]; ok {
			id = into
		}
		now = append(now, id)
	}
	slices.Sort(now)
	found := map[string]tagInfo{}
	groups := map[string][]string{}
	err = selectIn(ctx, s.DB, "read tags", `select t.id, t.name, g.name, t.color, g.id, g.exclusive, t.archived_at + g.archived_at from tags t join tag_groups g on g.id = t.group_id
		where t.id in (%s)`, nil, slices.Compact(now), func(r *sql.Rows) error {
		var t tagInfo
		var exclusive, archived int64
		err := r.Scan(&t.ID, &t.Name, &t.Group, &t.Color, &t.group, &exclusive, &archived)
		t.exclusive, t.archived = exclusive == 1, archived != 0
		found[t.ID] = t
		if t.exclusive {
			groups[t.group] = nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = selectIn(ctx, s.DB, "read exclusive groups", "select group_id, id from tags where group_id in (%s) order by id", nil, sortedKeys(groups), func(r *sql.Rows) error {
		var group, id string
		err := r.Scan(&group, &id)
		groups[group] = append(groups[group], id)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := map[string]tagInfo{}
	for _, id := range ids {
		at := id
		if into, ok := to[id]; ok {
			at = into
		}
		t, ok := found[at]
		if !ok {
			continue
		}
		for _, other := range groups[t.group] {
			if t.exclusive && other != t.ID {
				t.siblings = append(t.siblings, other)
			}
		}
		out[id] = t
	}
	return out, nil
}

// tagRefs reads tags by id, merged ones under their old id too; ids of none are left out.
func (s *Service) tagRefs(ctx context.Context, ids []string) (map[string]TagRef, error) {
	infos, err := s.tagInfos(ctx, ids)
	out := map[string]TagRef{}
	for id, t := range infos {
		out[id] = t.TagRef
	}
	return out, err
}

// movedTags follows merges: old id to the tag that has taken its place.
func (s *Service) movedTags(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	ask := ids
	for range 20 { // a chain of merges, each into the next
		next := map[string]string{}
		err := selectIn(ctx, s.DB, "follow merged tags", "select id, into_id from tag_moved where id in (%s)", nil, ask, func(r *sql.Rows) error {
			var from, into string
			err := r.Scan(&from, &into)
			next[from] = into
			return err
		})
		if err != nil || len(next) == 0 {
			return out, err
		}
		for _, id := range ids {
			at := id
			if into, ok := out[id]; ok {
				at = into
			}
			if into, ok := next[at]; ok {
				out[id] = into
			}
		}
		ask = ask[:0:0]
		for _, into := range next {
			ask = append(ask, into)
		}
	}
	return out, nil
}

// TagsBelow gives tags with all that stand below them: what filtering by a tag
// "with its children" means. Merged tags are followed, unknown ids stay as they are.
func (s *Service) TagsBelow(ctx context.Context, ids []string, children bool) ([]string, error) {
	moved, err := s.movedTags(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if into, ok := moved[id]; ok {
			id = into
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for from := 0; children && from < len(out); {
		to := len(out)
		err := selectIn(ctx, s.DB, "read tags below", "select id from tags where parent in (%s) order by id", nil, out[from:to:to], func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return out, nil
}

// tagCounts remembers how many people have each tag: the tag picker asks all
// the time, and counting a million people takes a third of a second.
type tagCounts struct {
	mu      sync.Mutex
	at      time.Time // zero: not counted yet
	gen     int
	n       map[string]int64
	changed map[string]bool // tags to count again
	all     bool            // everything to count again
	busy    sync.Mutex      // one counts, others wait for it
}

const (
	// tagCountAge is how long a count may be old when another node or the Resolver changed tags.
	tagCountAge = 15 * time.Second
	// tagCountFew is up to how many tags are counted one by one.
	tagCountFew = 12
)

func (c *tagCounts) fresh(now time.Time) (n map[string]int64, gen int, changed []string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(c.at)
	ok = !c.at.IsZero() && age >= 0 && age < tagCountAge && !c.all
	return c.n, c.gen, sortedKeys(c.changed), ok
}

func (c *tagCounts) get(ctx context.Context, d *db.DB, now time.Time) (map[string]int64, error) {
	if n, _, changed, ok := c.fresh(now); ok && len(changed) == 0 {
		return n, nil
	}
	c.busy.Lock()
	defer c.busy.Unlock()
	old, gen, changed, ok := c.fresh(now)
	if ok && len(changed) == 0 {
		return old, nil
	}
	n := map[string]int64{}
	take := func(r *sql.Rows) error {
		var id string
		var count int64
		err := r.Scan(&id, &count)
		n[id] = count
		return err
	}
	some := ok && len(changed) <= tagCountFew
	if some {
		for id, count := range old {
			n[id] = count
		}
		for _, id := range changed {
			n[id] = 0
		}
		if err := selectIn(ctx, d, "count tags", "select tag, count(*) from contact_tags where tag in (%s) and shown = 1 group by tag", nil, changed, take); err != nil {
			return nil, err
		}
	} else {
		rows, err := d.Query(ctx, "select tag, count(*) from contact_tags where shown = 1 group by tag")
		if err := scanAll(rows, err, "count tags", take); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if gen == c.gen {
		c.n, c.changed, c.all = n, nil, false
		if !some {
			c.at = now
		}
	}
	return n, nil
}

// stale drops the counts of tags, of all when none is named, once the
// transaction of ctx has committed.
func (c *tagCounts) stale(ctx context.Context, d *db.DB, tags ...string) {
	d.After(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gen++
		c.all = c.all || len(tags) == 0
		if c.changed == nil {
			c.changed = map[string]bool{}
		}
		for _, t := range tags {
			c.changed[t] = true
		}
	})
}

func tagKey(name string) string { return strings.ToLower(toASCII(name)) }
