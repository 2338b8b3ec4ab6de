package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
)

// addAttributes puts attributes into rows, as people read them and masked as on
// the profile. Keys that nobody defined are left out.
func (s *Service) addAttributes(ctx context.Context, rows []Row, keys []string) error {
	if len(rows) == 0 || len(keys) == 0 {
		return nil
	}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { d := defs.get(k); return d == nil || d.archived })
	at, nums := map[int64]*Row{}, make([]int64, len(rows))
	for i := range rows {
		nums[i], at[rows[i].num] = rows[i].num, &rows[i]
	}
	return selectIn(ctx, s.DB, "read attributes of a list", "select num, attributes from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var num int64
		var encoded string
		if err := r.Scan(&num, &encoded); err != nil {
			return err
		}
		kept, err := decodeMap[json.RawMessage](encoded)
		if err != nil {
			return err
		}
		out := map[string]string{}
		for _, k := range keys {
			text, err := s.attributeWords(defs, k, kept[k])
			if err != nil {
				return err
			}
			if text != "" {
				out[k] = text
			}
		}
		if row := at[num]; row != nil && len(out) > 0 {
			row.Attributes = out
		}
		return nil
	})
}

// attributeWords is a kept value as people read it; "" is none.
func (s *Service) attributeWords(defs *definitions, key string, kept json.RawMessage) (string, error) {
	if kept == nil {
		return "", nil
	}
	raw, masked, fits, err := s.engine.shown(defs, key, kept)
	switch {
	case err != nil || raw == nil || masked != "":
		return masked, err
	case fits:
		return defs.get(key).Show(raw), nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", fmt.Errorf("decode attribute %s: %w", key, err)
	}
	return attributeText(v), nil
}
