package sim

import (
	"slices"
	"time"
	"unicode/utf8"
)

func (t *Tag) answer() answer {
	return answer{"id": t.ID, "name": t.Name, "create_time": t.Created.Unix(), "order": t.Order, "deleted": false}
}

func (g *TagGroup) answer(only []string) answer {
	tags := []answer{}
	for _, t := range g.Tags {
		if only == nil || slices.Contains(only, t.ID) {
			tags = append(tags, t.answer())
		}
	}
	return answer{"group_id": g.ID, "group_name": g.Name, "create_time": g.Created.Unix(), "order": g.Order, "deleted": false, "tag": tags}
}

// corpTags lists tags: those asked for by id, else the groups asked for, else all.
func corpTags(c *call) (answer, error) {
	var in struct {
		Tags   []string `json:"tag_id"`
		Groups []string `json:"group_id"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	out := []answer{}
	for _, g := range c.corp.TagGroups {
		switch {
		case len(in.Tags) > 0:
			if slices.ContainsFunc(g.Tags, func(t *Tag) bool { return slices.Contains(in.Tags, t.ID) }) {
				out = append(out, g.answer(in.Tags))
			}
		case len(in.Groups) == 0 || slices.Contains(in.Groups, g.ID):
			out = append(out, g.answer(nil))
		}
	}
	return answer{"tag_group": out}, nil
}

func addCorpTag(c *call) (answer, error) {
	var in struct {
		GroupID string `json:"group_id"`
		Group   string `json:"group_name"`
		Order   int    `json:"order"`
		Tags    []struct {
			Name  string `json:"name"`
			Order int    `json:"order"`
		} `json:"tag"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, refuseOn(40058, "tag")
	}
	var g *TagGroup
	if in.GroupID != "" {
		if g = c.corp.tagGroup(func(g *TagGroup) bool { return g.ID == in.GroupID }); g == nil {
			return nil, refuse(40068)
		}
	} else {
		if err := tagName(in.Group, c.s.limits.WeCom.TagGroupName); err != nil {
			return nil, err
		}
		g = c.corp.tagGroup(func(g *TagGroup) bool { return g.Name == in.Group }) // a group of the name takes them in
	}
	names := map[string]bool{}
	for _, t := range in.Tags {
		if err := tagName(t.Name, c.s.limits.WeCom.TagName); err != nil {
			return nil, err
		}
		taken := g != nil && slices.ContainsFunc(g.Tags, func(have *Tag) bool { return have.Name == t.Name })
		if names[t.Name] || taken {
			return nil, refuse(40071)
		}
		names[t.Name] = true
	}
	if len(c.corp.tags)+len(in.Tags) > c.s.limits.WeCom.CorpTags {
		return nil, refuse(40126)
	}
	if g == nil {
		g = c.corp.newGroup(c.w, in.Group, in.Order, c.now)
	}
	made := []string{}
	for _, t := range in.Tags {
		made = append(made, c.corp.newTag(c.w, g, t.Name, t.Order, c.now).ID)
	}
	return answer{"tag_group": g.answer(made)}, nil
}

func (c *Corp) newGroup(w *World, name string, order int, now time.Time) *TagGroup {
	g := &TagGroup{ID: w.next("et", 32), Name: name, Order: order, Created: now}
	c.TagGroups = append(c.TagGroups, g)
	return g
}

func (c *Corp) newTag(w *World, g *TagGroup, name string, order int, now time.Time) *Tag {
	t := &Tag{ID: w.next("et", 32), Name: name, Order: order, Created: now, group: g}
	g.Tags = append(g.Tags, t)
	c.tags[t.ID] = t
	return t
}

func (c *Corp) tagGroup(is func(*TagGroup) bool) *TagGroup {
	if i := slices.IndexFunc(c.TagGroups, is); i >= 0 {
		return c.TagGroups[i]
	}
	return nil
}

func tagName(s string, most int) error {
	if s == "" {
		return refuse(40071)
	}
	if utf8.RuneCountInString(s) > most {
		return refuse(40072)
	}
	return nil
}

func editCorpTag(c *call) (answer, error) {
	var in struct {
		ID    string  `json:"id"`
		Name  *string `json:"name"`
		Order *int    `json:"order"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	if t := c.corp.tags[in.ID]; t != nil {
		if in.Name != nil {
			if err := tagName(*in.Name, l.TagName); err != nil {
				return nil, err
			}
			if slices.ContainsFunc(t.group.Tags, func(o *Tag) bool { return o != t && o.Name == *in.Name }) {
				return nil, refuse(40071)
			}
			t.Name = *in.Name
		}
		if in.Order != nil {
			t.Order = *in.Order
		}
		return nil, nil
	}
	g := c.corp.tagGroup(func(g *TagGroup) bool { return g.ID == in.ID })
	if g == nil {
		return nil, refuse(40068)
	}
	if in.Name != nil {
		if err := tagName(*in.Name, l.TagGroupName); err != nil {
			return nil, err
		}
		if c.corp.tagGroup(func(o *TagGroup) bool { return o != g && o.Name == *in.Name }) != nil {
			return nil, refuse(40071)
		}
		g.Name = *in.Name
	}
	if in.Order != nil {
		g.Order = *in.Order
	}
	return nil, nil
}

func delCorpTag(c *call) (answer, error) {
	var in struct {
		Tags   []string `json:"tag_id"`
		Groups []string `json:"group_id"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(in.Tags)+len(in.Groups) == 0 {
		return nil, refuseOn(40058, "tag_id and group_id are both empty")
	}
	for _, id := range in.Tags {
		if c.corp.tags[id] == nil {
			return nil, refuse(40068)
		}
	}
	for _, id := range in.Groups {
		if c.corp.tagGroup(func(g *TagGroup) bool { return g.ID == id }) == nil {
			return nil, refuse(40068)
		}
	}
	c.corp.dropTags(func(t *Tag) bool { return slices.Contains(in.Tags, t.ID) || slices.Contains(in.Groups, t.group.ID) })
	return nil, nil
}

// dropTags takes tags away, from the customers too; a group that is left empty
// goes with them, as on the platform.
func (c *Corp) dropTags(gone func(*Tag) bool) {
	ids := map[string]bool{}
	for _, g := range c.TagGroups {
		g.Tags = slices.DeleteFunc(g.Tags, func(t *Tag) bool {
			if !gone(t) {
				return false
			}
			ids[t.ID] = true
			delete(c.tags, t.ID)
			return true
		})
	}
	c.TagGroups = slices.DeleteFunc(c.TagGroups, func(g *TagGroup) bool { return len(g.Tags) == 0 })
	for _, f := range c.Friends {
		f.Tags = slices.DeleteFunc(f.Tags, func(id string) bool { return ids[id] })
	}
}

func markTag(c *call) (answer, error) {
	var in struct {
		User     string   `json:"userid"`
		External string   `json:"external_userid"`
		Add      []string `json:"add_tag"`
		Remove   []string `json:"remove_tag"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	f, err := c.relation(in.User, in.External)
	if err != nil {
		return nil, err
	}
	if len(in.Add)+len(in.Remove) == 0 {
		return nil, refuseOn(40063, "add_tag and remove_tag are both empty")
	}
	for _, id := range slices.Concat(in.Add, in.Remove) {
		if c.corp.tags[id] == nil {
			return nil, refuse(40068)
		}
	}
	f.Tags = slices.DeleteFunc(f.Tags, func(id string) bool { return slices.Contains(in.Remove, id) })
	for _, id := range in.Add {
		if !slices.Contains(f.Tags, id) {
			f.Tags = append(f.Tags, id)
		}
	}
	return nil, nil
}
