package pipeline

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/vault"
)

// The stages that may set a fact aside.
const (
	stageDecode  = "decode"
	stageResolve = "resolve"
	stageStore   = "store"
	stageReact   = "react"
)

// asideFact is a fact that a stage could not digest.
type asideFact struct {
	stage, subscriber string
	fact              event.Fact
	raw               []byte // of a message that could not be read: the fact is empty then
	at                event.Position
	err               *errs.Error
}

// unreadable is a whole message that could not be decoded.
func unreadable(m bus.Message) asideFact {
	return asideFact{stage: stageDecode, raw: m.Data, at: event.Position{Seq: m.Seq}, err: errs.New(errs.Invalid, "facts.unreadable", "bytes", len(m.Data)),
		fact: event.Fact{MessageID: fmt.Sprintf("stream:%d", m.Seq)}}
}

// States of a fact that was set aside. Only open ones can be acted on.
const (
	StateOpen      = "open"
	StateRetried   = "retried"
	StateDiscarded = "discarded"
)

// asideStore is the table set_aside.
type asideStore struct {
	db    *db.DB
	clock clock.Clock
	ids   *id.Source
	keys  Keyring // nil: facts stay clear
}

// asideField is under which name set-aside facts are sealed.
const asideField = "set_aside.fact"

// seal hides a fact while it lies here; open reads also what an older program left clear.
func (s *asideStore) seal(fact []byte) (string, error) {
	if s.keys == nil {
		return string(fact), nil
	}
	return s.keys.Seal(asideField, string(fact))
}

func (s *asideStore) open(text string) (json.RawMessage, error) {
	if s.keys == nil {
		return json.RawMessage(text), nil
	}
	plain, err := s.keys.OpenOrClear(asideField, text)
	return json.RawMessage(plain), err
}

// keepAside is how long settled rows stay to be looked at.
const keepAside = 30 * 24 * time.Hour

func (s *asideStore) tidy(ctx context.Context) error {
	_, err := s.db.Exec(ctx, "delete from set_aside where state <> $1 and updated_at < $2", StateOpen, s.clock.Now().Add(-keepAside).UnixMilli())
	if err != nil {
		return fmt.Errorf("tidy set-aside facts: %w", err)
	}
	return nil
}

// put joins the transaction of ctx. The same fact failing at the same place
// again (a replay after a crash) changes nothing; failing anew opens it again.
func (s *asideStore) put(ctx context.Context, a asideFact) error {
	now := s.clock.Now().UnixMilli()
	payload, err := json.Marshal(a.fact)
	if a.raw != nil {
		payload, err = json.Marshal(map[string]string{"message": base64.StdEncoding.EncodeToString(a.raw)})
	}
	if err != nil {
		return fmt.Errorf("encode fact to set aside: %w", err)
	}
	fact, err := s.seal(payload)
	if err != nil {
		return err
	}
	params := []byte("{}")
	if len(a.err.Params) > 0 {
		if params, err = json.Marshal(a.err.Params); err != nil {
			return fmt.Errorf("encode reason: %w", err)
		}
	}
	_, err = s.db.Exec(ctx, `insert into set_aside (id, at, stage, subscriber, code, params, name, message_id, source, fact, contact, seq, idx, tries, state, updated_at)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,1,$14,$2)
		on conflict (stage, subscriber, message_id) do update set code = excluded.code, params = excluded.params, fact = excluded.fact,
			tries = set_aside.tries + 1, state = excluded.state, updated_at = excluded.updated_at, seq = excluded.seq, idx = excluded.idx
		where set_aside.seq <> excluded.seq or set_aside.idx <> excluded.idx`,
		s.ids.New("sa"), now, a.stage, a.subscriber, a.err.Code, string(params), a.fact.Name, a.fact.MessageID, a.fact.Source, fact,
		a.fact.Contact, int64(a.at.Seq), int64(a.at.Idx), StateOpen)
	if err != nil {
		return fmt.Errorf("set a fact aside: %w", err)
	}
	return nil
}

// remove takes rows back that were put at exactly this position.
func (s *asideStore) remove(ctx context.Context, list []asideFact) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		for _, a := range list {
			_, err := s.db.Exec(ctx, "delete from set_aside where stage = $1 and subscriber = $2 and message_id = $3 and seq = $4 and idx = $5 and tries = 1",
				a.stage, a.subscriber, a.fact.MessageID, int64(a.at.Seq), int64(a.at.Idx))
			if err != nil {
				return fmt.Errorf("take set-aside facts back: %w", err)
			}
		}
		return nil
	})
}

// countOpen is how many wait for a person.
func (s *asideStore) countOpen(ctx context.Context) (int64, error) {
	var n int64
	err := s.db.QueryRow(ctx, "select count(*) from set_aside where state = $1", StateOpen).Scan(&n)
	return n, err
}

// Sealed are the columns of this package that hold sealed values, for key rotation.
func Sealed() []vault.Column {
	return []vault.Column{{Table: "set_aside", Key: "id", Column: "fact", Field: asideField, Clear: true}}
}
