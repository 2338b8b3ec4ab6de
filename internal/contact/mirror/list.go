package mirror

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

// list makes the tags themselves agree: names that changed on one side change on
// the other, new ones of theirs are made here, and of those that are gone somebody
// is asked. When a name changed on both sides, theirs wins: all colleagues see it.
func (s *Service) list(ctx context.Context, account string, takeNew bool) error {
	theirs, err := s.Platform.Tags(ctx, account)
	if err != nil {
		return err
	}
	rows, err := s.linkRows(ctx, account)
	if err != nil {
		return err
	}
	known := make(map[string]linkRow, len(rows))
	for _, l := range rows {
		known[l.id] = l
	}
	places, err := s.Contacts.TagPlaces(ctx)
	if err != nil {
		return err
	}
	own := map[string]contact.TagPlace{}
	for _, p := range places {
		own[p.ID] = p
	}
	there := map[string]bool{}
	groups := map[string]bool{} // of theirs, by id: their name is looked at once
	for _, t := range theirs {
		there[t.ID] = true
		l, ok := known[t.ID]
		switch {
		case !ok && takeNew:
			if err := s.bring(ctx, account, t); err != nil {
				return err
			}
		case !ok || l.state == Off || l.state == OursGone:
		case l.state == TheirsGone: // it is back
			if err := s.bring(ctx, account, t); err != nil {
				return err
			}
		case own[l.tag].ID == "":
			if err := s.setState(ctx, account, t.ID, OursGone); err != nil {
				return err
			}
		default:
			if err := s.names(ctx, account, l, t, own[l.tag], groups); err != nil {
				return err
			}
		}
	}
	for _, l := range rows {
		if l.state == On && !there[l.id] {
			if err := s.setState(ctx, account, l.id, TheirsGone); err != nil {
				return err
			}
		}
	}
	return nil
}

// names makes the names of a link agree.
func (s *Service) names(ctx context.Context, account string, l linkRow, t Theirs, p contact.TagPlace, groups map[string]bool) error {
	fault := ""
	name, ours := l.name, p.Name
	switch {
	case t.Name != l.name && t.Name != p.Name:
		err := s.Contacts.ChangeTag(ctx, p.ID, contact.TagChange{Name: &t.Name})
		if fault = clash(err); err != nil && fault == "" {
			return err
		}
		if fault == "" {
			name, ours = t.Name, t.Name
		}
	case t.Name != l.name: // both changed it alike
		name, ours = t.Name, p.Name
	case p.Name != l.tagName && p.Name != t.Name:
		err := s.Platform.Rename(ctx, account, t.ID, p.Name)
		switch m := s.meaning(err); {
		case err == nil:
			name, ours = p.Name, p.Name
		case !m.Until.IsZero() || m.Stop || !m.Final:
			return err
		default:
			fault = "mirror.rename_refused"
		}
	}
	group, err := s.groupName(ctx, account, l, t, p, groups)
	if err != nil {
		return err
	}
	if name == l.name && ours == l.tagName && group == l.group && fault == l.fault && t.GroupID == l.groupID {
		return nil
	}
	if fault != "" {
		ours = l.tagName
	}
	_, err = s.DB.Exec(ctx, "update mirror_tags set name = $3, tag_name = $4, group_name = $5, group_id = $6, fault = $7, fault_name = $8 where account = $1 and id = $2",
		account, l.id, name, ours, group, t.GroupID, fault, t.Name)
	if err != nil {
		return fmt.Errorf("note names: %w", err)
	}
	return nil
}

// groupName lets the name of our group follow theirs, when ours was called the same.
// The other way round only the tags' own names go: their groups hold tags of others,
// too.
func (s *Service) groupName(ctx context.Context, _ string, l linkRow, t Theirs, p contact.TagPlace, done map[string]bool) (string, error) {
	if t.Group == l.group {
		return l.group, nil
	}
	if !done[p.GroupID] && contact.SameTagName(p.Group, l.group) {
		done[p.GroupID] = true
		if _, err := s.Contacts.ChangeGroup(ctx, p.GroupID, contact.GroupChange{Name: &t.Group}); err != nil && clash(err) == "" {
			return l.group, err
		}
	}
	return t.Group, nil
}

// clash gives the code of a name that the other side's names do not go with, "" for
// another error or none.
func clash(err error) string {
	switch errs.CodeOf(err) {
	case "contact.tag_exists", "contact.tag_group_exists", "request.invalid":
		return "mirror.name_taken"
	}
	return ""
}

func (s *Service) meaning(err error) Meaning {
	if err == nil {
		return Meaning{}
	}
	return s.Platform.Means(err)
}

// listed notes that the tags were looked at.
func (s *Service) listed(ctx context.Context, account string, due int64) error {
	_, err := s.DB.Exec(ctx, "update mirror_accounts set listed_at = $2, list_due = case when list_due = $3 then 0 else list_due end where account = $1", account, clock.Ms(s.Clock.Now()), due)
	if err != nil {
		return fmt.Errorf("note the look at tags: %w", err)
	}
	return nil
}
