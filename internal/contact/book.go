package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// book keeps, for one import, what contacts were before it and what it made of
// them: UndoImport reads it.
type book struct {
	importID string
	pages    map[int64]*page
}

// page is about one contact.
type page struct {
	num    int64
	made   bool // by the import
	known  bool // on record from an earlier part of the import
	before before
	after  after
}

// before is the image of a contact that the import found.
type before struct {
	imageOf
	Owner     string `json:"owner,omitempty"`
	CreatedAt int64  `json:"createdAt,omitempty"`
	First     *Touch `json:"first,omitempty"`
}

// after is what the import wrote: it is put back only where it still stands.
type after struct {
	Written   map[string]int64 `json:"written,omitempty"` // by attribute: when it was true
	Owner     string           `json:"owner,omitempty"`
	CreatedAt int64            `json:"createdAt,omitempty"`
	FirstAt   int64            `json:"firstAt,omitempty"`
}

func (a *after) wrote(key string, at int64) {
	if a.Written == nil {
		a.Written = map[string]int64{}
	}
	a.Written[key] = at
}

func (b *book) page(num int64) *page {
	if b.pages[num] == nil {
		b.pages[num] = &page{num: num}
	}
	return b.pages[num]
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// openBook takes the images of the stored contacts that the rows concern,
// before anything is written. Contacts on record keep their first image.
func (s *Service) openBook(ctx context.Context, w *world, takings []taking, importID string) (*book, error) {
	b := &book{importID: importID, pages: map[int64]*page{}}
	if importID == "" {
		return b, nil
	}
	var nums []int64
	for i := range takings {
		if st := takings[i].in.st; st != nil && takings[i].state != Unchanged {
			if st = st.root(); !st.fresh && b.pages[st.num] == nil {
				b.page(st.num)
				nums = append(nums, st.num)
			}
		}
	}
	err := selectIn(ctx, s.DB, "read changes of the import", "select contact, before, after from contact_import_changes where import_id = $1 and contact in (%s)", []any{importID}, nums, func(r *sql.Rows) error {
		p := &page{known: true}
		var bef, aft string
		if err := r.Scan(&p.num, &bef, &aft); err != nil {
			return err
		}
		b.pages[p.num] = p
		return decodePage(p, bef, aft)
	})
	if err != nil {
		return nil, err
	}
	err = selectIn(ctx, s.DB, "take images", "select num, name, gender, birthday, city, avatar, attributes, written, owner_id, created_at, channel, first_source, first_medium, first_campaign, first_at from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var num int64
		var img before
		var attrs, written string
		var t Touch
		err := r.Scan(&num, &img.Name, &img.Gender, &img.Birthday, &img.City, &img.Avatar, &attrs, &written, &img.Owner, &img.CreatedAt, &t.Channel, &t.Source, &t.Medium, &t.Campaign, &t.At)
		if err != nil || b.pages[num].known {
			return err
		}
		if img.Attributes, err = decodeMap[json.RawMessage](attrs); err != nil {
			return err
		}
		img.Written, err = decodeMap[int64](written)
		img.First = &t
		b.pages[num].before = img
		return err
	})
	return b, err
}

func decodePage(p *page, bef, aft string) error {
	p.made = bef == ""
	if bef != "" {
		if err := json.Unmarshal([]byte(bef), &p.before); err != nil {
			return fmt.Errorf("decode image: %w", err)
		}
	}
	if err := json.Unmarshal([]byte(aft), &p.after); err != nil {
		return fmt.Errorf("decode change: %w", err)
	}
	return nil
}

// closeBook notes what the rows wrote and puts the book on record.
func (s *Service) closeBook(ctx context.Context, b *book, takings []taking) error {
	if b.importID == "" {
		return nil
	}
	for i := range takings {
		t := &takings[i]
		if t.state == Refused || t.state == Unchanged {
			continue
		}
		st := t.in.st.root()
		p := b.page(st.num)
		p.made = p.made || st.fresh
		if t.in.changes != nil {
			for _, c := range t.in.changes() {
				if st.rec.written[c.key] != t.in.said { // somebody knew better
					continue
				}
				p.after.wrote(c.key, t.in.said)
			}
		}
		if st.fresh && st.rec != nil { // defaults came with the contact
			for key, at := range st.rec.written {
				if at == 0 {
					p.after.wrote(key, 0)
				}
			}
		}
		if st.createdAt != st.was.createdAt {
			p.after.CreatedAt = st.createdAt
		}
		if st.first != st.was.first {
			p.after.FirstAt = st.first.At
		}
	}
	pages := make([]*page, 0, len(b.pages))
	for _, num := range sortedKeys(b.pages) {
		pages = append(pages, b.pages[num])
	}
	var encodeErr error
	err := insertMany(ctx, s.DB, "contact_import_changes", columns("import_id contact:n before after"), len(pages), func(i int) []any {
		p := pages[i]
		bef := ""
		if !p.made {
			raw, err := json.Marshal(p.before)
			if err != nil {
				encodeErr = err
			}
			bef = string(raw)
		}
		aft, err := json.Marshal(p.after)
		if err != nil {
			encodeErr = err
		}
		return []any{b.importID, p.num, bef, string(aft)}
	}, "on conflict (import_id, contact) do update set after = excluded.after")
	if encodeErr != nil {
		return fmt.Errorf("encode images: %w", encodeErr)
	}
	return err
}
