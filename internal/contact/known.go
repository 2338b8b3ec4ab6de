package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
)

// Known is what is known of a person, in clear. It is for comparing people in
// memory: never write any of it down, log it, or answer a request with it.
type Known struct {
	Num                          int64
	Name, Gender, Birthday, City string
	Phones, Emails, Numbers      []string // numbers of identity cards and passports
	Address                      string
	// Unique are the kinds, of which a person has at most one, that this one carries.
	Unique []string
}

// Where an address and an identity number may be found among the attributes.
var (
	addressKeys = []string{"address", "street", "地址"}
	numberKeys  = []string{"id_number", "idNumber", "id_card", "idcard", "passport", "身份证"}
)

// Known opens what is known of the people with these numbers. Visitors, merged
// contacts and those that are gone are left out.
func (s *Service) Known(ctx context.Context, nums []int64) (map[int64]*Known, error) {
	out := make(map[int64]*Known, len(nums))
	rules, err := s.engine.rules(ctx)
	if err != nil {
		return nil, err
	}
	err = selectIn(ctx, s.DB, "read people", "select num, name, gender, birthday, city, attributes from contacts where shown = 1 and num in (%s)", nil, nums, func(r *sql.Rows) error {
		k := &Known{}
		var attrs string
		if err := r.Scan(&k.Num, &k.Name, &k.Gender, &k.Birthday, &k.City, &attrs); err != nil {
			return err
		}
		out[k.Num] = k
		return s.openAttributes(k, attrs)
	})
	if err != nil {
		return nil, err
	}
	query := "select contact, kind, value_enc from identities" + s.DB.Pick(" indexed by identities_by_contact", "") + " where contact in (%s)"
	err = selectIn(ctx, s.DB, "read identities", query, nil, nums, func(r *sql.Rows) error {
		var num int64
		var kind, sealed string
		if err := r.Scan(&num, &kind, &sealed); err != nil {
			return err
		}
		k := out[num]
		switch {
		case k == nil:
			return nil
		case rules.unique(kind):
			if !slices.Contains(k.Unique, kind) {
				k.Unique = append(k.Unique, kind)
			}
			return nil
		case sealed == "":
			return nil
		}
		plain, err := s.Keys.Open(field(kind), sealed)
		if err != nil {
			return fmt.Errorf("open %s: %w", kind, err)
		}
		switch kind {
		case KindPhone:
			k.Phones = append(k.Phones, plain)
		case KindEmail:
			k.Emails = append(k.Emails, plain)
		case KindIDNumber:
			k.Numbers = append(k.Numbers, plain)
		}
		return nil
	})
	return out, err
}

func (s *Service) openAttributes(k *Known, encoded string) error {
	m, err := decodeMap[json.RawMessage](encoded)
	if err != nil {
		return err
	}
	open := func(key string) (string, error) {
		raw, ok := m[key]
		if !ok {
			return "", nil
		}
		if raw, err = s.engine.openAttribute(key, raw); err != nil {
			return "", fmt.Errorf("open attribute %s: %w", key, err)
		}
		return allWords(raw), nil
	}
	for _, key := range addressKeys {
		if k.Address, err = open(key); err != nil || k.Address != "" {
			break
		}
	}
	if err != nil {
		return err
	}
	for _, key := range numberKeys {
		n, err := open(key)
		if err != nil {
			return err
		}
		if n != "" && !slices.Contains(k.Numbers, n) {
			k.Numbers = append(k.Numbers, n)
		}
	}
	return nil
}

// allWords joins the texts of a value: an address may be an object with its parts.
func allWords(raw json.RawMessage) string {
	if t := text(raw); t != "" {
		return t
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	var out []string
	for _, key := range sortedKeys(parts) {
		if t := text(parts[key]); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, " ")
}

// WalkPeople gives the numbers of people beyond after, ascending, at most limit
// of them, who were changed at or after a time (UTC ms; 0: all).
func (s *Service) WalkPeople(ctx context.Context, changedFrom, after int64, limit int) ([]int64, error) {
	var out []int64
	// in the order of the table itself: an index on the time of change would cost
	// every write, for one walk a night
	rows, err := s.DB.Query(ctx, "select num from contacts"+s.DB.Pick(" not indexed", "")+" where shown = 1 and updated_at >= $1 and num > $2 order by num limit $3", changedFrom, after, limit)
	err = scanAll(rows, err, "walk people", func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		out = append(out, n)
		return err
	})
	return out, err
}

// CountPeople tells how many people there are.
func (s *Service) CountPeople(ctx context.Context) (int64, error) {
	return s.Count(ctx, Selection{Query: Query{Kind: event.Person}})
}

// CountNamed tells how many people have a name that reads so in pinyin or Latin
// letters, without spaces; at most `most` are counted.
func (s *Service) CountNamed(ctx context.Context, reading string, most int) (int64, error) {
	var n int64
	err := s.DB.QueryRow(ctx, "select count(*) from (select 1 from contacts where shown = 1 and name_pinyin = $1 limit $2) as named", reading, most).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count people of a name: %w", err)
	}
	return n, nil
}

// Face is a person as they are shown beside another: everything personal is masked.
type Face struct {
	Row
	Gender     string     `json:"gender,omitempty"`
	Birthday   string     `json:"birthday,omitempty" format:"date"`
	Address    string     `json:"address,omitempty" doc:"Masked"`
	Identities []Identity `json:"identities"`
}

// Faces shows contacts by number, for comparing them by eye. Merged ones stand
// for their survivors; those that are gone are left out.
func (s *Service) Faces(ctx context.Context, nums []int64) (map[int64]Face, error) {
	rows, err := s.ListByNums(ctx, nums)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]Face, len(rows))
	for _, row := range rows {
		f := Face{Row: row}
		var attrs string
		if err := s.DB.QueryRow(ctx, "select gender, birthday, attributes from contacts where num = $1", row.num).Scan(&f.Gender, &f.Birthday, &attrs); err != nil {
			return nil, fmt.Errorf("read contact: %w", err)
		}
		list, err := s.attributes(ctx, attrs)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			if shown, ok := a.Value.(string); ok && f.Address == "" && slices.Contains(addressKeys, a.Key) {
				f.Address = shown
			}
		}
		if f.Identities, err = s.identities(ctx, row.num); err != nil {
			return nil, err
		}
		out[row.num] = f
	}
	return out, nil
}
