package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// tagNode is a tag's place.
type tagNode struct {
	id, group, parent, name, color, description string
	archived                                    int64
}

// tagTree is the place of every tag.
type tagTree map[string]tagNode

func (s *Service) tagTree(ctx context.Context) (tagTree, error) {
	t := tagTree{}
	rows, err := s.DB.Query(ctx, "select id, group_id, parent, name, color, description, archived_at from tags")
	return t, scanAll(rows, err, "read tags", func(r *sql.Rows) error {
		var n tagNode
		err := r.Scan(&n.id, &n.group, &n.parent, &n.name, &n.color, &n.description, &n.archived)
		t[n.id] = n
		return err
	})
}

// below lists a tag and all that stand below it.
func (t tagTree) below(id string) []string {
	out := []string{id}
	for at := 0; at < len(out); at++ {
		for _, n := range t {
			if n.parent == out[at] {
				out = append(out, n.id)
			}
		}
	}
	slices.Sort(out[1:])
	return out
}

// depth is how many levels there are down to a tag, itself included; height those from it on.
func (t tagTree) depth(id string) int {
	n := 0
	for ; id != "" && n <= len(t); id = t[id].parent {
		n++
	}
	return n
}

func (t tagTree) height(id string) int {
	most := 0
	for _, n := range t {
		if n.parent == id {
			most = max(most, t.height(n.id))
		}
	}
	return most + 1
}

// mayStandBelow checks a parent for a tree of some levels in a group.
func (t tagTree) mayStandBelow(parent, group string, levels int) error {
	p, ok := t[parent]
	switch {
	case !ok:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("parent", "contact.no_such_tag"))
	case p.group != group:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("parent", "contact.tag_parent_elsewhere", "name", p.name))
	case t.depth(parent)+levels > maxTagDepth:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("parent", "contact.tag_too_deep", "limit", maxTagDepth))
	}
	return nil
}

// TagChange is what to change of a tag; nil leaves a part alone.
type TagChange struct {
	Name        *string `json:"name,omitempty" maxLength:"30"`
	Color       *string `json:"color,omitempty"`
	Description *string `json:"description,omitempty" maxLength:"200"`
	Archived    *bool   `json:"archived,omitempty" doc:"Archived tags stay on people and cannot be given; those below are archived with it"`
}

// ChangeTag renames, recolours, describes or archives a tag.
func (s *Service) ChangeTag(ctx context.Context, id string, ch TagChange) error {
	return s.changeTags(ctx, "change tag", func(ctx context.Context) error {
		tree, err := s.tagTree(ctx)
		if err != nil {
			return err
		}
		was, ok := tree[id]
		if !ok {
			return errs.New(errs.NotFound, "contact.tag_not_found")
		}
		t := was
		setString(&t.name, ch.Name, cleanName)
		setString(&t.color, ch.Color, strings.TrimSpace)
		setString(&t.description, ch.Description, strings.TrimSpace)
		if ch.Archived != nil {
			t.archived = archivedAt(*ch.Archived, was.archived, s.Clock.Now().UnixMilli())
		}
		if t == was {
			return nil
		}
		if bad := tagWords("name", t.name, t.color, t.description); len(bad) > 0 {
			return errs.New(errs.Invalid, "request.invalid").On(bad...)
		}
		if p := tree[t.parent]; t.archived == 0 && p.archived != 0 {
			return errs.New(errs.Conflict, "contact.tag_parent_archived", "name", p.name)
		}
		_, err = s.DB.Exec(ctx, "update tags set name = $1, name_key = $2, color = $3, description = $4 where id = $5", t.name, tagKey(t.name), t.color, t.description, id)
		if db.IsUnique(err) {
			return errs.New(errs.Conflict, "contact.tag_exists", "name", t.name, "group", s.groupName(ctx, t.group), "id", "")
		}
		if err != nil {
			return err
		}
		if t.archived != was.archived {
			for _, below := range tree.below(id) {
				if _, err := s.DB.Exec(ctx, "update tags set archived_at = $1 where id = $2", t.archived, below); err != nil {
					return err
				}
			}
		}
		return s.recordTag(ctx, "tag.changed", "tag", id, t.name, changed(map[string][2]any{"name": {was.name, t.name}, "color": {was.color, t.color},
			"description": {was.description, t.description}, "archived": {was.archived != 0, t.archived != 0}}))
	})
}

func (s *Service) groupName(ctx context.Context, id string) string {
	g, _, err := s.findGroup(ctx, id)
	if err != nil {
		return ""
	}
	return g.name
}

// TagOrder puts tags into a place: below a parent of a group ("" at its top), in the given order.
type TagOrder struct {
	Parent string   `json:"parent,omitempty" doc:"Id of the tag to stand below; empty: at the top"`
	IDs    []string `json:"ids" minItems:"1" maxItems:"1000" doc:"All tags of that place in their order; ones from elsewhere are moved there with those below them"`
	Settle bool     `json:"settle,omitempty" doc:"Where people would have several tags of an exclusive group, keep the one given last"`
}

// OrderTags moves tags to a place and orders it.
func (s *Service) OrderTags(ctx context.Context, group string, o TagOrder) (*TagRun, error) {
	var run *TagRun
	err := s.changeTags(ctx, "order tags", func(ctx context.Context) error {
		g, err := s.groupByID(ctx, group)
		if err != nil {
			return err
		}
		tree, err := s.tagTree(ctx)
		if err != nil {
			return err
		}
		came := false
		for i, id := range o.IDs {
			t, ok := tree[id]
			if !ok {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("ids[%d]", i), "contact.no_such_tag"))
			}
			if err := s.placeTag(ctx, tree, t, g, o.Parent, i); err != nil {
				return err
			}
			came = came || t.group != group
		}
		if came && g.exclusive {
			if run, err = s.settleGroup(ctx, g, o.Settle); err != nil {
				return err
			}
		}
		return s.recordTag(ctx, "tag.ordered", "tag_group", g.id, g.name, map[string]any{"parent": o.Parent, "order": o.IDs})
	})
	return run, err
}

func (s *Service) placeTag(ctx context.Context, tree tagTree, t tagNode, g tagGroup, parent string, position int) error {
	below := tree.below(t.id)
	if slices.Contains(below, parent) {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("parent", "contact.tag_below_itself", "name", t.name))
	}
	if parent != "" {
		if err := tree.mayStandBelow(parent, g.id, tree.height(t.id)); err != nil {
			return err
		}
	}
	_, err := s.DB.Exec(ctx, "update tags set group_id = $1, parent = $2, position = $3 where id = $4", g.id, parent, position, t.id)
	if db.IsUnique(err) {
		return errs.New(errs.Conflict, "contact.tag_exists", "name", t.name, "group", g.name, "id", "")
	}
	if err != nil {
		return err
	}
	for _, id := range below {
		n := tree[id]
		n.group = g.id
		if id == t.id {
			n.parent = parent
		}
		tree[id] = n
		if _, err := s.DB.Exec(ctx, "update tags set group_id = $1 where id = $2", g.id, id); err != nil {
			return err
		}
	}
	return nil
}
