package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/db"
)

// definition is an attribute as the engine works with it.
type definition struct {
	*attribute.Attribute
	settling bool                 // a change is being written
	before   *attribute.Attribute // while settling: of what type values may still be
	archived bool
	created  int64
	updated  int64
}

// read brings a kept value, opened, into the form of the definition.
func (d *definition) read(plain json.RawMessage) (json.RawMessage, *attribute.Fault) {
	if d.settling && d.before != nil {
		return attribute.Convert(d.before, d.Attribute, plain)
	}
	return d.Read(plain)
}

// indexed tells whether values go to contact_attribute_values.
func (d *definition) indexed() bool { return d.Indexed && !d.archived }

// definitions are all attributes that are defined, as of an epoch.
type definitions struct {
	epoch    int64
	byKey    map[string]*definition
	defaults []change // of people who are new
	unique   bool     // some attribute takes each value once
	indexed  bool     // some attribute is indexed
}

// get finds a definition, archived or not. A nil set has none.
func (d *definitions) get(key string) *definition {
	if d == nil {
		return nil
	}
	return d.byKey[key]
}

// sealed tells whether a value of the attribute is kept sealed: because its
// definition says so, or by its looks.
func (d *definitions) sealed(key string, plain json.RawMessage) bool {
	if def := d.get(key); def != nil && def.Personal.Sealed() {
		return true
	}
	return sealsAttribute(key, plain)
}

// named tells whether the attribute is personal whatever it holds.
func (d *definitions) named(key string) bool {
	if def := d.get(key); def != nil && def.Personal.Sealed() {
		return true
	}
	return sealedAttributes[key]
}

// definitionCache holds the definitions that were last read, until the epoch
// moves. It must not be asked inside a transaction that changes them: what is
// rolled back would stay.
type definitionCache struct {
	mu  sync.Mutex
	cur *definitions
}

// definitions gives the definitions as they are committed.
func (e *engine) definitions(ctx context.Context) (*definitions, error) {
	var epoch int64
	err := e.db.QueryRow(ctx, "select epoch from contact_cursor where name = 'attributes'").Scan(&epoch)
	if err != nil && !db.NoRows(err) {
		return nil, fmt.Errorf("read epoch of attributes: %w", err)
	}
	return e.definitionsAt(ctx, epoch)
}

// definitionsAt is definitions for those who know the epoch already.
func (e *engine) definitionsAt(ctx context.Context, epoch int64) (*definitions, error) {
	e.defs.mu.Lock()
	defer e.defs.mu.Unlock()
	if e.defs.cur != nil && e.defs.cur.epoch == epoch {
		return e.defs.cur, nil
	}
	set, err := e.readDefinitions(ctx)
	if err != nil {
		return nil, err
	}
	set.epoch = epoch
	e.defs.cur = set
	return set, nil
}

// readDefinitions reads past the cache.
func (e *engine) readDefinitions(ctx context.Context) (*definitions, error) {
	set := &definitions{byKey: map[string]*definition{}}
	rows, err := e.db.Query(ctx, "select key, definition, before, settling, archived_at, created_at, updated_at from contact_attributes order by key")
	err = scanAll(rows, err, "read attributes", func(r *sql.Rows) error {
		var key, text, before string
		var settling, archived int64
		d := &definition{}
		if err := r.Scan(&key, &text, &before, &settling, &archived, &d.created, &d.updated); err != nil {
			return err
		}
		var err error
		if d.Attribute, err = e.compile(key, text); err != nil {
			return err
		}
		if before != "" {
			if d.before, err = e.compile(key, before); err != nil {
				return err
			}
		}
		d.settling, d.archived = settling != 0, archived != 0
		set.byKey[key] = d
		if !d.archived {
			set.unique = set.unique || d.Unique
			set.indexed = set.indexed || d.Indexed
			if d.Default != nil {
				set.defaults = append(set.defaults, change{key, d.Default})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}

func (e *engine) compile(key, text string) (*attribute.Attribute, error) {
	var stated attribute.Definition
	if err := json.Unmarshal([]byte(text), &stated); err != nil {
		return nil, fmt.Errorf("decode attribute %s: %w", key, err)
	}
	a, f := attribute.Compile(stated, e.readers())
	if f != nil {
		return nil, fmt.Errorf("attribute %s is broken: %s", key, f.Code)
	}
	return a, nil
}

// readers lets attributes read phone numbers and addresses as identities are read.
func (e *engine) readers() attribute.Readers {
	read := func(kind string) func(string) (string, bool) {
		return func(s string) (string, bool) {
			v, refused := normalize(kind, s, e.country)
			return v, refused == ""
		}
	}
	return attribute.Readers{Phone: read(KindPhone), Email: read(KindEmail)}
}

// definitionsMoved lets every node read the definitions anew.
func (e *engine) definitionsMoved(ctx context.Context) error {
	_, err := e.db.Exec(ctx, `insert into contact_cursor (name, seq, idx, epoch) values ('attributes', 0, 0, 1)
		on conflict (name) do update set epoch = contact_cursor.epoch + 1`)
	if err != nil {
		return fmt.Errorf("move epoch of attributes: %w", err)
	}
	return nil
}
