package contact

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// TagGroup is a group with its tags.
type TagGroup struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Color string `json:"color"`
	Tags  []Tag  `json:"tags"`
}

// Tag is a tag with how many contacts have it.
type Tag struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Color    string `json:"color"`
	Contacts int64  `json:"contacts"`
}

// maxTagName is the longest name of a tag or group, in bytes.
const maxTagName = 90

// palette are the colours of groups that nobody chose one for, taken in turn by name.
var palette = []string{"#2f7d6b", "#c2553f", "#3b6ea8", "#b7791f", "#7a5aa6", "#4d7c0f", "#be4a7b", "#0e7490"}

func colorOf(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return palette[h.Sum32()%uint32(len(palette))]
}

var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Tags lists every group with its tags, oldest first.
func (s *Service) Tags(ctx context.Context) ([]TagGroup, error) {
	counts, err := s.counts.get(ctx, s.DB, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, "select id, name, color from tag_groups order by created_at, id")
	groups, err := db.Collect(rows, err, func(r *sql.Rows) (g TagGroup, err error) {
		g.Tags = []Tag{}
		return g, r.Scan(&g.ID, &g.Name, &g.Color)
	})
	if err != nil {
		return nil, fmt.Errorf("read tag groups: %w", err)
	}
	at := map[string]int{}
	for i, g := range groups {
		at[g.ID] = i
	}
	rows, err = s.DB.Query(ctx, "select id, group_id, name, color from tags order by created_at, id")
	err = scanAll(rows, err, "read tags", func(r *sql.Rows) error {
		var t Tag
		var group string
		err := r.Scan(&t.ID, &group, &t.Name, &t.Color)
		t.Contacts = counts[t.ID]
		groups[at[group]].Tags = append(groups[at[group]].Tags, t)
		return err
	})
	return groups, err
}

// CreateTag makes a tag in a group, named or by id, making the group when it is
// new. A tag of that name in the group is a conflict. Color may be "".
func (s *Service) CreateTag(ctx context.Context, group, name, color string) (TagRef, error) {
	if color != "" && !colorForm.MatchString(color) {
		return TagRef{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("color", "contact.bad_color"))
	}
	t, made, err := s.ensureTag(ctx, group, name, color)
	if err != nil {
		return TagRef{}, err
	}
	if !made {
		return TagRef{}, errs.New(errs.Conflict, "contact.tag_exists", "name", t.Name, "group", t.Group, "id", t.ID)
	}
	return t, nil
}

// EnsureTag finds a tag of a group by name, or makes it: the door for imports.
func (s *Service) EnsureTag(ctx context.Context, group, name string) (TagRef, error) {
	t, _, err := s.ensureTag(ctx, group, name, "")
	return t, err
}

func (s *Service) ensureTag(ctx context.Context, group, name, color string) (t TagRef, made bool, err error) {
	group, name = cleanName(group), cleanName(name)
	var bad []errs.Field
	for path, v := range map[string]string{"group": group, "name": name} {
		if v == "" {
			bad = append(bad, errs.At(path, "request.field_required"))
		} else if len(v) > maxTagName {
			bad = append(bad, errs.At(path, "request.too_long", "limit", maxTagName/3))
		}
	}
	if len(bad) > 0 {
		return t, false, errs.New(errs.Invalid, "request.invalid").On(bad...)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		g, err := s.ensureGroup(ctx, group, color)
		if err != nil {
			return err
		}
		t.Group = g.Name
		err = s.DB.QueryRow(ctx, "select id, name, color from tags where group_id = $1 and name_key = $2", g.ID, tagKey(name)).Scan(&t.ID, &t.Name, &t.Color)
		if err == nil || !db.NoRows(err) {
			return err
		}
		t.ID, t.Name, t.Color, made = s.IDs.New("tg"), name, g.Color, true
		if color != "" {
			t.Color = color
		}
		_, err = s.DB.Exec(ctx, "insert into tags (id, group_id, name, name_key, color, created_at) values ($1,$2,$3,$4,$5,$6)",
			t.ID, g.ID, t.Name, tagKey(name), t.Color, s.Clock.Now().UnixMilli())
		if err != nil {
			return err
		}
		return s.recordTag(ctx, t)
	})
	if err != nil {
		return TagRef{}, false, fmt.Errorf("make tag: %w", err)
	}
	return t, made, nil
}

func (s *Service) recordTag(ctx context.Context, t TagRef) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, "tag.created", audit.Object{Type: "tag", ID: t.ID, Name: t.Name}, map[string]any{"group": t.Group})
}

func (s *Service) ensureGroup(ctx context.Context, group, color string) (g TagGroup, err error) {
	err = s.DB.QueryRow(ctx, "select id, name, color from tag_groups where id = $1 or name_key = $2", group, tagKey(group)).Scan(&g.ID, &g.Name, &g.Color)
	if err == nil || !db.NoRows(err) {
		return g, err
	}
	g = TagGroup{ID: s.IDs.New("gr"), Name: group, Color: color}
	if color == "" {
		g.Color = colorOf(group)
	}
	_, err = s.DB.Exec(ctx, "insert into tag_groups (id, name, name_key, color, created_at) values ($1,$2,$3,$4,$5)",
		g.ID, g.Name, tagKey(group), g.Color, s.Clock.Now().UnixMilli())
	return g, err
}

func tagKey(name string) string { return strings.ToLower(toASCII(name)) }

// SetTags gives a contact tags and takes others away, by id, and states it.
func (s *Service) SetTags(ctx context.Context, id string, add, remove []string) (Contact, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return Contact{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		if num, err = s.NumOf(ctx, id); err != nil { // nobody merged it away meanwhile
			return err
		}
		return s.setTags(ctx, num, add, remove)
	})
	if err != nil {
		return Contact{}, fmt.Errorf("tag contact: %w", err)
	}
	return s.profile(ctx, num)
}

func (s *Service) setTags(ctx context.Context, num int64, add, remove []string) error {
	by, now := principal(ctx), s.Clock.Now()
	done, err := s.tag(ctx, num, add, remove, by)
	if err != nil || len(done) == 0 {
		return err
	}
	var facts []event.Fact
	detail := map[string]any{}
	for _, c := range done {
		facts = append(facts, s.tagFact(c, num, now, by.Name))
		key := map[bool]string{false: "added", true: "removed"}[c.removed]
		names, _ := detail[key].([]string) // absent at first
		detail[key] = append(names, c.tag.Group+"/"+c.tag.Name)
	}
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return fmt.Errorf("state tags: %w", err)
	}
	refs, err := s.Refs(ctx, []int64{num})
	if err != nil {
		return err
	}
	return s.record(ctx, "contact.tagged", refs[num].ID, refs[num].Name, detail)
}

// tagChange is a tag that a contact really got or lost.
type tagChange struct {
	tag     TagRef
	removed bool
}

func (s *Service) tagFact(c tagChange, num int64, at time.Time, by string) event.Fact {
	name := event.NameTagAdded
	if c.removed {
		name = event.NameTagRemoved
	}
	return s.fact(name, num, at, map[string]any{"tag": c.tag.ID, "name": c.tag.Name, "group": c.tag.Group, "by": by})
}

// tagRefs reads tags by id; ids of none are left out.
func (s *Service) tagRefs(ctx context.Context, ids []string) (map[string]TagRef, error) {
	tags := map[string]TagRef{}
	err := selectIn(ctx, s.DB, "read tags", "select t.id, t.name, g.name, t.color from tags t join tag_groups g on g.id = t.group_id where t.id in (%s)", nil, ids, func(r *sql.Rows) error {
		var t TagRef
		err := r.Scan(&t.ID, &t.Name, &t.Group, &t.Color)
		tags[t.ID] = t
		return err
	})
	return tags, err
}

// tag changes the tags of a contact and returns what really changed. An
// unknown tag id is an invalid field.
func (s *Service) tag(ctx context.Context, num int64, add, remove []string, by *auth.Principal) ([]tagChange, error) {
	all := append(append([]string{}, add...), remove...)
	tags, err := s.tagRefs(ctx, all)
	if err != nil {
		return nil, err
	}
	for i, id := range all {
		if _, ok := tags[id]; !ok {
			path := fmt.Sprintf("add[%d]", i)
			if i >= len(add) {
				path = fmt.Sprintf("remove[%d]", i-len(add))
			}
			return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At(path, "contact.no_such_tag"))
		}
	}
	s.counts.stale(ctx, s.DB)
	var done []tagChange
	now := s.Clock.Now().UnixMilli()
	source := "manual"
	if by.Via == auth.ViaToken {
		source = "api"
	}
	for _, id := range add {
		n, err := s.DB.ExecN(ctx, `insert into contact_tags (contact, tag, shown, at, by_id, by_name, source)
			select num, $2, shown, $3, $4, $5, $6 from contacts where num = $1 on conflict (contact, tag) do nothing`,
			num, id, now, by.ID, by.Name, source)
		if err != nil {
			return nil, fmt.Errorf("add tag: %w", err)
		}
		if n > 0 {
			done = append(done, tagChange{tags[id], false})
		}
	}
	for _, id := range remove {
		n, err := s.DB.ExecN(ctx, "delete from contact_tags where contact = $1 and tag = $2", num, id)
		if err != nil {
			return nil, fmt.Errorf("remove tag: %w", err)
		}
		if n > 0 {
			done = append(done, tagChange{tags[id], true})
		}
	}
	return done, nil
}

// tagCounts remembers how many people have each tag: the tag picker asks all
// the time, and counting a million people takes a third of a second.
type tagCounts struct {
	mu  sync.Mutex
	at  time.Time // zero: not counted yet, or changed since
	gen int
	n   map[string]int64
}

// tagCountAge is how long a count may be old when another node or the Resolver changed tags.
const tagCountAge = 15 * time.Second

func (c *tagCounts) get(ctx context.Context, d *db.DB, now time.Time) (map[string]int64, error) {
	c.mu.Lock()
	n, gen, at := c.n, c.gen, c.at
	c.mu.Unlock()
	if age := now.Sub(at); !at.IsZero() && age >= 0 && age < tagCountAge {
		return n, nil
	}
	n = map[string]int64{}
	rows, err := d.Query(ctx, "select tag, count(*) from contact_tags where shown = 1 group by tag")
	err = scanAll(rows, err, "count tags", func(r *sql.Rows) error {
		var id string
		var count int64
		err := r.Scan(&id, &count)
		n[id] = count
		return err
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if gen == c.gen {
		c.n, c.at = n, now
	}
	return n, nil
}

// stale drops the counts once the transaction of ctx has committed.
func (c *tagCounts) stale(ctx context.Context, d *db.DB) {
	d.After(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.at = time.Time{}
		c.gen++
	})
}
