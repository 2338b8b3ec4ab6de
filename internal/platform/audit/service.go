package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Deps is what the service is built from.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Key seals the chain: at least 32 bytes that are kept outside the database.
	// The command line must use the same key as the server.
	Key []byte
	// Anchor is a file outside the database that remembers the end of the chain;
	// "" for none. A backup copies it before the database, or not at all;
	// whoever restores an older database removes it.
	Anchor string
	// Veil hides personal values in what people typed, in the details of entries
	// under reason, note, rule, text and why; nil: none. Entries cannot be changed later.
	Veil func(text string) string
}

// Service keeps the log. It implements Recorder.
type Service struct {
	store  store
	db     *db.DB
	clock  clock.Clock
	log    *slog.Logger
	seal   sealer
	anchor *anchor
	veil   func(string) string
}

var _ Recorder = (*Service)(nil)

// New makes the service and reads the anchor file. An anchor that cannot be
// read or was not written with this key is an error: someone should look.
func New(deps Deps) (*Service, error) {
	if len(deps.Key) < 32 {
		return nil, errors.New("audit: the key must have at least 32 bytes")
	}
	s := &Service{store: store{deps.DB}, db: deps.DB, clock: deps.Clock, log: deps.Log, seal: sealer{deps.Key}, veil: deps.Veil}
	a, err := openAnchor(deps.Anchor, s.seal)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	s.anchor = a
	return s, nil
}

// Close writes the anchor file a last time. Call it when nothing records any more.
func (s *Service) Close() error { return s.anchor.flush() }

// maxDetail bounds the detail of one entry, in bytes of JSON.
const maxDetail = 16 << 10

// Record implements Recorder.
func (s *Service) Record(ctx context.Context, action string, obj Object, detail map[string]any) error {
	raw := []byte("{}")
	if len(detail) > 0 {
		var err error
		if raw, err = json.Marshal(s.veiled(detail)); err != nil {
			return fmt.Errorf("audit %s: encode detail: %w", action, err)
		}
		if len(raw) > maxDetail {
			return fmt.Errorf("audit %s: the detail is %d bytes, more than %d", action, len(raw), maxDetail)
		}
	}
	e := Entry{
		Actor: actor(ctx), Action: clean(action, 100), Detail: raw,
		Object: Object{Type: clean(obj.Type, 50), ID: clean(obj.ID, 200), Name: clean(obj.Name, 300)},
		IP:     clean(httpx.ClientIP(ctx), 64), RequestID: clean(httpx.RequestID(ctx), 64),
	}
	if err := s.append(ctx, &e); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// typed are the details that hold words of people.
var typed = []string{"reason", "note", "rule", "text", "why"}

func (s *Service) veiled(detail map[string]any) map[string]any {
	if s.veil == nil {
		return detail
	}
	out := maps.Clone(detail)
	for _, k := range typed {
		if text, ok := out[k].(string); ok {
			out[k] = s.veil(text)
		}
	}
	return out
}

func actor(ctx context.Context) Actor {
	p := auth.From(ctx)
	if p == nil {
		return Actor{ID: "system", Name: "system", Kind: "system"}
	}
	a := Actor{ID: clean(p.ID, 200), Name: clean(p.Name, 200), Kind: "system"}
	switch p.Via {
	case auth.ViaSession:
		a.Kind = "user"
	case auth.ViaToken:
		a.Kind = "token"
	case auth.ViaCLI:
		a.Kind = "cli"
	}
	return a
}

// append puts e at the end of the chain, in the transaction of ctx. The row of
// the head is locked first: the chain never forks.
func (s *Service) append(ctx context.Context, e *Entry) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		h, err := s.store.lockHead(ctx)
		if err != nil {
			return err
		}
		sound := s.sound(h)
		if !sound {
			s.log.ErrorContext(ctx, "audit log: the end of the chain was tampered with; run koipond audit verify", "seq", h.seq)
		}
		e.Seq, e.Prev = h.seq+1, h.hash
		// Times never run backwards in the log, even when the clock does.
		e.At = time.UnixMilli(max(clock.Ms(s.clock.Now()), h.at)).UTC()
		e.Hash = e.digest()
		e.seal = s.seal.sign(sealEntry, e.Seq, e.Hash)
		next := head{seq: e.Seq, at: clock.Ms(e.At), hash: e.Hash}
		if sound {
			next.seal = s.seal.sign(sealHead, next.seq, next.hash)
		}
		if err := s.store.insert(ctx, e); err != nil {
			return err
		}
		if err := s.store.setHead(ctx, next); err != nil {
			return err
		}
		if sound {
			s.db.After(ctx, func() { s.anchored(ctx, next) })
		}
		return nil
	})
}

// sound tells whether the end of the chain is as this program left it: sealed
// (or empty), and not before what was already seen.
func (s *Service) sound(h head) bool {
	seen := s.anchor.last()
	if h.seq < seen.seq || (h.seq == seen.seq && h.hash != seen.hash) {
		return false
	}
	if h.seq == 0 {
		return h.hash == "" && h.seal == ""
	}
	return s.seal.holds(sealHead, h.seq, h.hash, h.seal)
}

func (s *Service) anchored(ctx context.Context, h head) {
	if err := s.anchor.advance(h, s.clock.Now()); err != nil {
		s.log.WarnContext(ctx, "audit log: anchor file not written", "error", err)
	}
}

// List gives entries, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Entry, error) {
	f.Limit = min(max(f.Limit, 1), 1000)
	out, err := s.store.list(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list audit log: %w", err)
	}
	return out, nil
}
