package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/importer/table"
)

// OpenTable opens an uploaded file for reading row by row. Whoever brought the
// file may, and whoever may see personal values.
func (s *Service) OpenTable(ctx context.Context, uploadID string) (*contact.Table, error) {
	u, err := s.upload(ctx, uploadID)
	if err != nil {
		return nil, err
	}
	if err := mayLook(ctx, u.by); err != nil {
		return nil, err
	}
	r, err := table.Open(s.source(ctx, u), u.Info)
	if err != nil {
		return nil, err
	}
	next := func() (int64, []string, error) {
		row, err := r.Next()
		if err != nil || row.Err != nil {
			return row.Line, nil, err
		}
		return row.Line, row.Cells, nil
	}
	return &contact.Table{Name: u.Name, Columns: u.Info.Columns, Next: next, Close: r.Close}, nil
}

// ParseTime reads a point in time as people write it; one without a zone is of loc.
func ParseTime(text string, loc *time.Location) (ms int64, ok bool) {
	ms, code := dates{loc, orderAuto}.parse(text)
	return ms, code == ""
}

// names tells whether an entry of the options, `tag` or `group:tag`, means a tag.
func namesTag(entry string, t contact.TagRef) bool {
	group, name, ok := strings.Cut(strings.ReplaceAll(entry, "：", ":"), ":")
	if !ok {
		group, name = t.Group, entry
	}
	return strings.EqualFold(strings.TrimSpace(group), t.Group) && strings.EqualFold(strings.TrimSpace(name), t.Name)
}

// TagUses implements contact.TagUser: saved mappings whose options give a tag.
func (s *Service) TagUses(ctx context.Context, t contact.TagRef) ([]contact.TagUse, error) {
	saved, err := s.Mappings(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []contact.TagUse
	for _, m := range saved {
		if slices.ContainsFunc(m.Options.Tags, func(e string) bool { return namesTag(e, t) }) {
			out = append(out, contact.TagUse{Kind: "mapping", ID: m.ID, Name: m.Name, Link: "/imports/new"})
		}
	}
	return out, nil
}

// TagMoved implements contact.TagUser: saved mappings give the tag that another
// was merged into, and no longer one that is deleted.
func (s *Service) TagMoved(ctx context.Context, t contact.TagRef, into *contact.TagRef) error {
	saved, err := s.Mappings(ctx, "")
	if err != nil {
		return err
	}
	for _, m := range saved {
		var tags []string
		for _, e := range m.Options.Tags {
			switch {
			case !namesTag(e, t):
				tags = append(tags, e)
			case into != nil && !slices.ContainsFunc(m.Options.Tags, func(e string) bool { return namesTag(e, *into) }):
				tags = append(tags, into.Group+":"+into.Name)
			}
		}
		if slices.Equal(tags, m.Options.Tags) {
			continue
		}
		m.Options.Tags = tags
		if _, err := s.DB.Exec(ctx, "update import_mappings set options = $1 where id = $2", mustJSON(m.Options), m.ID); err != nil {
			return fmt.Errorf("follow tag in mapping: %w", err)
		}
	}
	return nil
}
