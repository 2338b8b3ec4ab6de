package contact

import (
	"context"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	// maxTagName is the longest name of a tag or group, in bytes.
	maxTagName = 90
	// maxTagText is the longest description, in bytes.
	maxTagText = 600
	// maxTagDepth is how many levels a group's tree may have.
	maxTagDepth = 4
)

// Kinds of tag groups.
const (
	TagStage     = "stage"
	TagSource    = "source"
	TagAttribute = "attribute"
	TagCampaign  = "campaign"
	TagOther     = "other"
)

// palette are the colours of groups that nobody chose one for, taken in turn by name.
var palette = []string{"#2f7d6b", "#c2553f", "#3b6ea8", "#b7791f", "#7a5aa6", "#4d7c0f", "#be4a7b", "#0e7490"}

func colorOf(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return palette[h.Sum32()%uint32(len(palette))]
}

var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// NewGroup is a group to make.
type NewGroup struct {
	Name        string `json:"name" maxLength:"30"`
	Color       string `json:"color,omitempty" doc:"#rrggbb"`
	Description string `json:"description,omitempty" maxLength:"200"`
	Kind        string `json:"kind,omitempty" enum:"stage,source,attribute,campaign,other" default:"other"`
	Exclusive   bool   `json:"exclusive,omitempty" doc:"A person has at most one tag of the group"`
}

// NewTag is a tag to make. Group may be a name: a group of that name is made when there is none.
type NewTag struct {
	Group       string `json:"group" doc:"Name or id; made when there is none"`
	Parent      string `json:"parent,omitempty" doc:"Id of the tag to stand below"`
	Name        string `json:"name" maxLength:"30"`
	Color       string `json:"color,omitempty" doc:"#rrggbb"`
	Description string `json:"description,omitempty" maxLength:"200"`
}

// words checks the parts that people write.
func tagWords(path, name, color, description string) []errs.Field {
	var bad []errs.Field
	switch {
	case name == "":
		bad = append(bad, errs.At(path, "request.field_required"))
	case len(name) > maxTagName:
		bad = append(bad, errs.At(path, "request.too_long", "limit", maxTagName/3))
	}
	if color != "" && !colorForm.MatchString(color) {
		bad = append(bad, errs.At("color", "contact.bad_color"))
	}
	if len(description) > maxTagText {
		bad = append(bad, errs.At("description", "request.too_long", "limit", maxTagText/3))
	}
	return bad
}

// change runs fn with the contacts locked: giving tags and changing their
// system exclude each other.
func (s *Service) changeTags(ctx context.Context, what string, fn func(ctx context.Context) error) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		return fn(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *Service) recordTag(ctx context.Context, action, typ, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, audit.Object{Type: typ, ID: id, Name: name}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// CreateGroup makes a tag group.
func (s *Service) CreateGroup(ctx context.Context, n NewGroup) (string, error) {
	n.Name, n.Description = cleanName(n.Name), strings.TrimSpace(n.Description)
	if bad := tagWords("name", n.Name, n.Color, n.Description); len(bad) > 0 {
		return "", errs.New(errs.Invalid, "request.invalid").On(bad...)
	}
	var id string
	err := s.changeTags(ctx, "make tag group", func(ctx context.Context) error {
		var other string
		err := s.DB.QueryRow(ctx, "select id from tag_groups where name_key = $1", tagKey(n.Name)).Scan(&other)
		if err == nil {
			return errs.New(errs.Conflict, "contact.tag_group_exists", "name", n.Name, "id", other)
		}
		if !db.NoRows(err) {
			return err
		}
		id, err = s.insertGroup(ctx, n)
		return err
	})
	return id, err
}

func (s *Service) insertGroup(ctx context.Context, n NewGroup) (string, error) {
	if n.Color == "" {
		n.Color = colorOf(n.Name)
	}
	if n.Kind == "" {
		n.Kind = TagOther
	}
	id := s.IDs.New("gr")
	_, err := s.DB.Exec(ctx, `insert into tag_groups (id, name, name_key, color, created_at, description, purpose, exclusive, position)
		values ($1,$2,$3,$4,$5,$6,$7,$8,(select coalesce(max(position), 0) + 1 from tag_groups))`,
		id, n.Name, tagKey(n.Name), n.Color, s.Clock.Now().UnixMilli(), n.Description, n.Kind, flag(n.Exclusive))
	if err != nil {
		return "", err
	}
	return id, s.recordTag(ctx, "tag_group.created", "tag_group", id, n.Name, map[string]any{"kind": n.Kind, "exclusive": n.Exclusive})
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// tagGroup is a group as it is stored.
type tagGroup struct {
	id, name, color, description, kind string
	exclusive                          bool
	archived                           int64
}

// findGroup reads a group by id, or by name when names may be given.
func (s *Service) findGroup(ctx context.Context, group string) (g tagGroup, ok bool, err error) {
	var exclusive int64
	err = s.DB.QueryRow(ctx, "select id, name, color, description, purpose, exclusive, archived_at from tag_groups where id = $1 or name_key = $2 order by case when id = $1 then 0 else 1 end limit 1", group, tagKey(group)).
		Scan(&g.id, &g.name, &g.color, &g.description, &g.kind, &exclusive, &g.archived)
	g.exclusive = exclusive == 1
	if db.NoRows(err) {
		return g, false, nil
	}
	return g, err == nil, err
}

func (s *Service) groupByID(ctx context.Context, id string) (tagGroup, error) {
	g, ok, err := s.findGroup(ctx, id)
	if err == nil && (!ok || g.id != id) {
		err = errs.New(errs.NotFound, "contact.tag_group_not_found")
	}
	return g, err
}

// GroupChange is what to change of a group; nil leaves a part alone.
type GroupChange struct {
	Name        *string `json:"name,omitempty" maxLength:"30"`
	Color       *string `json:"color,omitempty"`
	Description *string `json:"description,omitempty" maxLength:"200"`
	Kind        *string `json:"kind,omitempty" enum:"stage,source,attribute,campaign,other"`
	Exclusive   *bool   `json:"exclusive,omitempty"`
	Archived    *bool   `json:"archived,omitempty"`
	Settle      bool    `json:"settle,omitempty" doc:"Where people have several tags of a group that becomes exclusive, keep the one given last"`
}

// ChangeGroup changes a group. One that becomes exclusive while people have
// several of its tags needs settle; then work is started that keeps the newest of each.
func (s *Service) ChangeGroup(ctx context.Context, id string, ch GroupChange) (*TagRun, error) {
	var run *TagRun
	err := s.changeTags(ctx, "change tag group", func(ctx context.Context) error {
		g, err := s.groupByID(ctx, id)
		if err != nil {
			return err
		}
		was := g
		setString(&g.name, ch.Name, cleanName)
		setString(&g.color, ch.Color, strings.TrimSpace)
		setString(&g.description, ch.Description, strings.TrimSpace)
		setString(&g.kind, ch.Kind, strings.TrimSpace)
		if ch.Exclusive != nil {
			g.exclusive = *ch.Exclusive
		}
		if ch.Archived != nil {
			g.archived = archivedAt(*ch.Archived, was.archived, s.Clock.Now().UnixMilli())
		}
		if g == was {
			return nil
		}
		if bad := tagWords("name", g.name, g.color, g.description); len(bad) > 0 {
			return errs.New(errs.Invalid, "request.invalid").On(bad...)
		}
		_, err = s.DB.Exec(ctx, "update tag_groups set name = $1, name_key = $2, color = $3, description = $4, purpose = $5, exclusive = $6, archived_at = $7 where id = $8",
			g.name, tagKey(g.name), g.color, g.description, g.kind, flag(g.exclusive), g.archived, id)
		if db.IsUnique(err) {
			return errs.New(errs.Conflict, "contact.tag_group_exists", "name", g.name)
		}
		if err != nil {
			return err
		}
		if g.exclusive && !was.exclusive {
			if run, err = s.settleGroup(ctx, g, ch.Settle); err != nil {
				return err
			}
		}
		return s.recordTag(ctx, "tag_group.changed", "tag_group", id, g.name, changed(map[string][2]any{
			"name": {was.name, g.name}, "color": {was.color, g.color}, "description": {was.description, g.description}, "kind": {was.kind, g.kind},
			"exclusive": {was.exclusive, g.exclusive}, "archived": {was.archived != 0, g.archived != 0}}))
	})
	return run, err
}

func setString(to *string, from *string, clean func(string) string) {
	if from != nil {
		*to = clean(*from)
	}
}

func archivedAt(archived bool, was, now int64) int64 {
	switch {
	case !archived:
		return 0
	case was != 0:
		return was
	}
	return now
}

// changed tells of each part that is not what it was.
func changed(parts map[string][2]any) map[string]any {
	out := map[string]any{}
	for name, p := range parts {
		if p[0] != p[1] {
			out[name] = map[string]any{"from": p[0], "to": p[1]}
		}
	}
	return out
}

// OrderGroups puts groups in the given order; those not named follow.
func (s *Service) OrderGroups(ctx context.Context, ids []string) error {
	return s.changeTags(ctx, "order tag groups", func(ctx context.Context) error {
		for i, id := range ids {
			n, err := s.DB.ExecN(ctx, "update tag_groups set position = $1 where id = $2", i-len(ids), id)
			if err != nil {
				return err
			}
			if n == 0 {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("ids[%d]", i), "contact.tag_group_not_found"))
			}
		}
		return s.recordTag(ctx, "tag_group.ordered", "tag_group", "", "", map[string]any{"order": ids})
	})
}

// DeleteGroup deletes a group that has no tags.
func (s *Service) DeleteGroup(ctx context.Context, id string) error {
	return s.changeTags(ctx, "delete tag group", func(ctx context.Context) error {
		g, err := s.groupByID(ctx, id)
		if err != nil {
			return err
		}
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from tags where group_id = $1", id).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return errs.New(errs.Conflict, "contact.tag_group_not_empty", "name", g.name, "count", n)
		}
		if _, err := s.DB.Exec(ctx, "delete from tag_groups where id = $1", id); err != nil {
			return err
		}
		return s.recordTag(ctx, "tag_group.deleted", "tag_group", id, g.name, nil)
	})
}

// CreateTag makes a tag. One of that name below the same parent is a conflict.
func (s *Service) CreateTag(ctx context.Context, n NewTag) (TagRef, error) {
	group := cleanName(n.Group)
	n.Name, n.Description = cleanName(n.Name), strings.TrimSpace(n.Description)
	bad := tagWords("name", n.Name, n.Color, n.Description)
	bad = append(bad, tagWords("group", group, "", "")...)
	if len(bad) > 0 {
		return TagRef{}, errs.New(errs.Invalid, "request.invalid").On(bad...)
	}
	var t TagRef
	err := s.changeTags(ctx, "make tag", func(ctx context.Context) error {
		g, err := s.ensureGroup(ctx, group, n.Color)
		if err != nil {
			return err
		}
		if n.Parent != "" {
			tree, err := s.tagTree(ctx)
			if err != nil {
				return err
			}
			if err := tree.mayStandBelow(n.Parent, g.id, 1); err != nil {
				return err
			}
		}
		var other string
		err = s.DB.QueryRow(ctx, "select id from tags where group_id = $1 and parent = $2 and name_key = $3", g.id, n.Parent, tagKey(n.Name)).Scan(&other)
		if err == nil {
			return errs.New(errs.Conflict, "contact.tag_exists", "name", n.Name, "group", g.name, "id", other)
		}
		if !db.NoRows(err) {
			return err
		}
		t, err = s.insertTag(ctx, g, n)
		return err
	})
	return t, err
}

func (s *Service) insertTag(ctx context.Context, g tagGroup, n NewTag) (TagRef, error) {
	t := TagRef{ID: s.IDs.New("tg"), Name: n.Name, Group: g.name, Color: n.Color}
	if t.Color == "" {
		t.Color = g.color
	}
	_, err := s.DB.Exec(ctx, `insert into tags (id, group_id, parent, name, name_key, color, description, created_at, position)
		values ($1,$2,$3,$4,$5,$6,$7,$8,(select coalesce(max(position), 0) + 1 from tags where group_id = $2))`,
		t.ID, g.id, n.Parent, t.Name, tagKey(t.Name), t.Color, n.Description, s.Clock.Now().UnixMilli())
	if err != nil {
		return t, err
	}
	s.counts.stale(ctx, s.DB, t.ID)
	return t, s.recordTag(ctx, "tag.created", "tag", t.ID, t.Name, map[string]any{"group": t.Group})
}

// ensureGroup finds a group by id or name, or makes it.
func (s *Service) ensureGroup(ctx context.Context, group, color string) (tagGroup, error) {
	g, ok, err := s.findGroup(ctx, group)
	if err != nil || ok {
		return g, err
	}
	n := NewGroup{Name: group, Color: color}
	id, err := s.insertGroup(ctx, n)
	if err != nil {
		return g, err
	}
	g, _, err = s.findGroup(ctx, id)
	return g, err
}

// EnsureTag finds a tag of a group by name wherever it stands in the tree, or
// makes it: the door for imports. A name may be a path, `warm > asked for price`.
// An archived tag that an import names comes back.
func (s *Service) EnsureTag(ctx context.Context, group, name string) (t TagRef, err error) {
	group, name = cleanName(group), cleanName(name)
	var bad []errs.Field
	for path, v := range map[string]string{"group": group, "name": name} {
		if v == "" {
			bad = append(bad, errs.At(path, "request.field_required"))
		}
	}
	if len(group) > maxTagName {
		bad = append(bad, errs.At("group", "request.too_long", "limit", maxTagName/3))
	}
	if len(bad) > 0 {
		return t, errs.New(errs.Invalid, "request.invalid").On(bad...)
	}
	err = s.changeTags(ctx, "make tag", func(ctx context.Context) error {
		g, err := s.ensureGroup(ctx, group, "")
		if err != nil {
			return err
		}
		if t, err = s.namedTag(ctx, g, name); err != nil || t.ID != "" {
			return err
		}
		parent := ""
		steps := []string{name}
		if strings.ContainsAny(name, ">＞") {
			steps = strings.FieldsFunc(name, func(r rune) bool { return r == '>' || r == '＞' })
		}
		if len(steps) > maxTagDepth {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "contact.tag_too_deep", "limit", maxTagDepth))
		}
		for _, step := range steps {
			step = cleanName(step)
			if bad := tagWords("name", step, "", ""); len(bad) > 0 {
				return errs.New(errs.Invalid, "request.invalid").On(bad...)
			}
			t = TagRef{Group: g.name}
			err := s.DB.QueryRow(ctx, "select id, name, color from tags where group_id = $1 and parent = $2 and name_key = $3", g.id, parent, tagKey(step)).Scan(&t.ID, &t.Name, &t.Color)
			if db.NoRows(err) {
				t, err = s.insertTag(ctx, g, NewTag{Parent: parent, Name: step})
			}
			if err != nil {
				return err
			}
			parent = t.ID
		}
		return nil
	})
	return t, err
}

// namedTag finds the tag of a name in a group, the one nearest to the root.
func (s *Service) namedTag(ctx context.Context, g tagGroup, name string) (t TagRef, err error) {
	var archived int64
	err = s.DB.QueryRow(ctx, "select id, name, color, archived_at from tags where group_id = $1 and name_key = $2 order by case when parent = '' then 0 else 1 end, position, id limit 1", g.id, tagKey(name)).
		Scan(&t.ID, &t.Name, &t.Color, &archived)
	if db.NoRows(err) {
		return TagRef{}, nil
	}
	t.Group = g.name
	if err == nil && archived != 0 {
		if _, err = s.DB.Exec(ctx, "update tags set archived_at = 0 where id = $1", t.ID); err == nil {
			err = s.recordTag(ctx, "tag.restored", "tag", t.ID, t.Name, map[string]any{"group": t.Group})
		}
	}
	return t, err
}
