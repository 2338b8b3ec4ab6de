package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/vault"
)

// Sealed are the columns of this package that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	locked := func(ctx context.Context) error { return lock(ctx, s.DB) }
	return []vault.Column{
		{Table: "identities", Key: "kind lookup", Column: "value_enc", FieldOf: field},
		{Table: "identity_conflicts", Key: "kind lookup contact:n", Column: "value_enc", FieldOf: field},
		{Table: "identity_blocked", Key: "kind id", Column: "value_enc", FieldOf: field},
		{Table: "contacts", Key: "num:n", Column: "attributes", Inside: s.sealAttributesAnew, Lock: locked},
		{Table: "contacts", Key: "num:n", Column: "own", Inside: s.sealPartsAnew, Lock: locked},
		{Table: "contact_notes", Key: "id", Column: "body", Field: noteField, Clear: true},
		{Table: "contact_merges", Key: "id", Column: "before", Inside: s.sealPartsAnew, Lock: locked},
		{Table: "contact_attribute_history", Key: "contact:n attr nth:n", Column: "old", InsideOf: s.sealValueAnew, Named: 1, Lock: locked},
		{Table: "contact_attribute_history", Key: "contact:n attr nth:n", Column: "new", InsideOf: s.sealValueAnew, Named: 1, Lock: locked},
		{Table: "contact_views", Key: "id", Column: "definition", Inside: s.inside(viewField).Anew},
		{Table: "tag_runs", Key: "id", Column: "spec", Inside: s.inside(runField).Anew},
		{Table: "contact_import_changes", Key: "import_id contact:n", Column: "before", Inside: s.sealPartsAnew, Lock: locked},
	}
}

// Under these names filters that may hold personal values are sealed.
const (
	viewField = "contact_views.definition"
	runField  = "tag_runs.spec"
)

// inside seals what is personal in filters that are kept.
func (s *Service) inside(field string) veil.Inside {
	return veil.Inside{Keys: withStale{s.Keys}, Field: field}
}

// withStale lets a ring that cannot tell old keys, as in tests, pass for one that can.
type withStale struct{ Keyring }

// Stale implements veil.Keys.
func (k withStale) Stale(sealed string) bool {
	keys, ok := k.Keyring.(staler)
	return ok && keys.Stale(sealed)
}

// sealedPart is a sealed attribute inside JSON, with its key.
var sealedPart = regexp.MustCompile(`("(?:[^"\\]|\\.)*"):\{"\$sealed":"(s1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+)"\}`)

// staler tells whether an older key sealed a text (package secret implements it).
type staler interface{ Stale(sealed string) bool }

// sealPartsAnew seals the sealed attributes inside a JSON text with the newest key.
func (s *Service) sealPartsAnew(text string) (string, error) {
	keys, ok := s.Keys.(staler)
	if !ok {
		return text, nil
	}
	var fault error
	out := sealedPart.ReplaceAllStringFunc(text, func(part string) string {
		m := sealedPart.FindStringSubmatch(part)
		if !keys.Stale(m[2]) {
			return part
		}
		var key string
		if err := json.Unmarshal([]byte(m[1]), &key); err != nil {
			fault = err
			return part
		}
		plain, err := s.Keys.Open(field("attribute."+key), m[2])
		if err == nil {
			var raw json.RawMessage
			if raw, err = s.engine.sealAttribute(key, json.RawMessage(plain)); err == nil {
				return m[1] + ":" + string(raw)
			}
		}
		fault = err
		return part
	})
	return out, fault
}

// sealValueAnew seals one value of an attribute with the newest key.
func (s *Service) sealValueAnew(key, text string) (string, error) {
	var v sealedText
	keys, ok := s.Keys.(staler)
	if !ok || !isSealed(json.RawMessage(text)) || json.Unmarshal([]byte(text), &v) != nil || !keys.Stale(v.Sealed) {
		return text, nil
	}
	plain, err := s.Keys.Open(field("attribute."+key), v.Sealed)
	if err != nil {
		return "", err
	}
	raw, err := s.engine.sealAttribute(key, json.RawMessage(plain))
	return string(raw), err
}

// sealAttributesAnew also seals what an older program left in clear.
func (s *Service) sealAttributesAnew(text string) (string, error) {
	text, err := s.sealPartsAnew(text)
	if err != nil {
		return "", err
	}
	m, err := decodeMap[json.RawMessage](text)
	if err != nil {
		return "", err
	}
	changed := false
	for key, v := range m {
		if isSealed(v) || !sealsAttribute(key, v) {
			continue
		}
		if m[key], err = s.engine.sealAttribute(key, v); err != nil {
			return "", err
		}
		changed = true
	}
	if !changed {
		return text, nil
	}
	return encodeMap(m)
}

// identitiesSealed marks, in contact_cursor, that SealIdentities has been through.
const identitiesSealed = "identities_sealed"

// SealIdentities brings identities that an older program kept in clear, though
// they look personal, under their blind index. It must have run before anything
// resolves: a value is looked up in one form only. It runs once; later starts
// find its mark.
func (s *Service) SealIdentities(ctx context.Context) error {
	var n int64
	if err := s.DB.QueryRow(ctx, "select count(*) from contact_cursor where name = $1", identitiesSealed).Scan(&n); err != nil {
		return fmt.Errorf("seal identities: %w", err)
	}
	if n > 0 {
		return nil
	}
	var last idKey
	for {
		rows, err := s.DB.Query(ctx, `select kind, lookup from identities where value_enc = '' and (kind, lookup) > ($1, $2) order by kind, lookup limit 5000`, last.kind, last.lookup)
		if err != nil {
			return fmt.Errorf("seal identities: %w", err)
		}
		page, err := db.Collect(rows, err, scanIDKey)
		if err != nil {
			return fmt.Errorf("seal identities: %w", err)
		}
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			if err := lock(ctx, s.DB); err != nil {
				return err
			}
			for _, k := range page {
				if err := s.sealIdentity(ctx, k); err != nil {
					return err
				}
			}
			if len(page) > 0 {
				return nil
			}
			if err := s.engine.moved(ctx); err != nil {
				return err
			}
			_, err := s.DB.Exec(ctx, "insert into contact_cursor (name, seq, idx) values ($1, 0, 0) on conflict (name) do nothing", identitiesSealed)
			return err
		})
		if err != nil {
			return fmt.Errorf("seal identities: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		last = page[len(page)-1]
	}
}

func (s *Service) sealIdentity(ctx context.Context, k idKey) error {
	if !keptSealed(k.kind, k.lookup) {
		return nil
	}
	text, err := s.Keys.Seal(field(k.kind), k.lookup)
	if err != nil {
		return err
	}
	index := s.Keys.Index(field(k.kind), k.lookup)
	if _, err := s.DB.Exec(ctx, "update identities set lookup = $1, value_enc = $2 where kind = $3 and lookup = $4", index, text, k.kind, k.lookup); err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, "update identity_conflicts set lookup = $1 where kind = $2 and lookup = $3", index, k.kind, k.lookup)
	return err
}

func scanIDKey(r *sql.Rows) (k idKey, err error) { return k, r.Scan(&k.kind, &k.lookup) }
