package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/shop"
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

// refersTo tells whether a saved mapping is about a term.
func refersTo(m SavedMapping, of contact.Term) bool {
	if of.Tag != nil {
		return slices.ContainsFunc(m.Options.Tags, func(e string) bool { return namesTag(e, *of.Tag) })
	}
	if of.Option != "" { // files name options by their labels, which are looked up row by row
		return false
	}
	own := attrPrefix + of.Attribute
	if contact.IsBuiltIn(of.Attribute) {
		if own = of.Attribute; own == "memberNo" {
			own = "member_no"
		}
	}
	for _, field := range m.Mapping.Columns {
		if field == own {
			return true
		}
	}
	return false
}

// Uses implements contact.Referrer: saved mappings that fill an attribute, or
// whose options give a tag.
func (s *Service) Uses(ctx context.Context, of contact.Term) ([]contact.Use, error) {
	saved, err := s.Mappings(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []contact.Use
	for _, m := range saved {
		if refersTo(m, of) {
			out = append(out, contact.Use{Kind: "mapping", ID: m.ID, Name: m.Name, Link: "/imports/new"})
		}
	}
	return out, nil
}

// Moved implements contact.Referrer: saved mappings give the tag that another
// was merged into, and no longer one that is deleted; they fill the attribute
// that another was merged into.
func (s *Service) Moved(ctx context.Context, from contact.Term, into *contact.Term) error {
	saved, err := s.Mappings(ctx, "")
	if err != nil {
		return err
	}
	for _, m := range saved {
		if !refersTo(m, from) {
			continue
		}
		switch {
		case from.Tag != nil:
			m.Options.Tags = movedTags(m.Options.Tags, *from.Tag, into)
		case into != nil:
			for column, field := range m.Mapping.Columns {
				if field == attrPrefix+from.Attribute {
					m.Mapping.Columns[column] = attrPrefix + into.Attribute
				}
			}
		}
		if _, err := s.DB.Exec(ctx, "update import_mappings set options = $1, mapping = $2 where id = $3", mustJSON(m.Options), mustJSON(m.Mapping), m.ID); err != nil {
			return fmt.Errorf("follow in mapping: %w", err)
		}
	}
	return nil
}

func movedTags(entries []string, from contact.TagRef, into *contact.Term) []string {
	var tags []string
	for _, e := range entries {
		switch {
		case !namesTag(e, from):
			tags = append(tags, e)
		case into != nil && !slices.ContainsFunc(entries, func(e string) bool { return namesTag(e, *into.Tag) }):
			tags = append(tags, into.Tag.Group+":"+into.Tag.Name)
		}
	}
	return tags
}

// ParseMoney reads a sum as people write it (¥1,234.50, 1.2万) into the smallest
// unit of the currency.
func ParseMoney(text, currency string) (minor int64, ok bool) {
	d, percent, code := parseNumber(text)
	if code != "" || percent {
		return 0, false
	}
	return d.Minor(shop.Exponent(currency))
}
