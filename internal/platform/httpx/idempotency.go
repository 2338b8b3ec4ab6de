package httpx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "httpx", FS: sub}
}

const (
	keepAnswers = 24 * time.Hour
	// abandoned: after this a request that never ended (the process died) may
	// be done again under its key. Longer than any idempotent operation runs.
	abandoned   = 2 * time.Minute
	sealedField = "http_idempotency.body"
)

// idempotency gives the first answer again when a caller repeats a POST with
// the same Idempotency-Key. Only successes are kept: a request that failed had
// no effect and may be tried again. The answer is stored after the operation
// committed; a crash in between lets a repeat run twice.
type idempotency struct {
	db     *db.DB
	clock  clock.Clock
	seal   Sealer
	log    *slog.Logger
	claims atomic.Uint64
}

// SealedTable and the others say where kept answers lie, for key rotation: table, primary key, column, field.
const (
	SealedTable  = "http_idempotency"
	SealedKey    = "principal key"
	SealedColumn = "body"
	SealedField  = sealedField
)

// claim is one key of one caller, for one request.
type claim struct {
	principal, key, hash string
	at                   int64
}

func (s *idempotency) wrap(route Route, h http.Handler) http.Handler {
	limit := route.MaxBody
	if limit <= 0 {
		limit = defaultMaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, q := r.Header.Get("Idempotency-Key"), requestOf(r.Context())
		if key == "" || q.principal == nil {
			h.ServeHTTP(w, r)
			return
		}
		if !saneKey(key) {
			WriteError(w, r, errs.New(errs.Invalid, "request.idempotency_key"))
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
		if err != nil || int64(len(body)) > limit { // huma refuses it in its own words
			h.ServeHTTP(w, r)
			return
		}
		sum := sha256.New()
		fmt.Fprintf(sum, "%s %s\n", r.Method, r.URL.RequestURI())
		sum.Write(body)
		c := claim{q.principal.ID, key, hex.EncodeToString(sum.Sum(nil)), clock.Ms(s.clock.Now())}
		if err := s.serve(w, r, h, c); err != nil {
			WriteError(w, r, err)
		}
	})
}

// serve answers from the store, or runs h and stores. An error means that nothing was sent.
func (s *idempotency) serve(w http.ResponseWriter, r *http.Request, h http.Handler, c claim) error {
	mine, err := s.claim(r.Context(), c)
	if err != nil {
		return err
	}
	if !mine {
		return s.replay(w, r, c)
	}
	// The operation's effect outlives the caller's patience; so must its record.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), abandoned)
	defer cancel()
	buf := &buffer{header: http.Header{}}
	kept := false
	defer func() {
		if !kept { // refused, failed or panicked: the key is free again
			if _, err := s.db.Exec(ctx, "delete from http_idempotency where principal = $1 and key = $2 and created_at = $3", c.principal, c.key, c.at); err != nil {
				s.log.WarnContext(ctx, "idempotency key not released", "error", err)
			}
		}
	}()
	h.ServeHTTP(buf, r)
	if buf.status/100 == 2 && buf.header.Get("Set-Cookie") == "" {
		if err := s.keep(ctx, c, buf); err != nil {
			s.log.ErrorContext(ctx, "answer not kept for its idempotency key", "error", err)
		} else {
			kept = true
		}
	}
	for k, v := range buf.header {
		w.Header()[k] = v
	}
	w.WriteHeader(buf.code())
	_, _ = w.Write(buf.Bytes()) // the caller is gone: nobody is left to tell
	return nil
}

// claim takes the key for this request; false when another request has it.
func (s *idempotency) claim(ctx context.Context, c claim) (bool, error) {
	if s.claims.Add(1)%256 == 0 {
		if _, err := s.db.Exec(ctx, "delete from http_idempotency where created_at < $1", c.at-keepAnswers.Milliseconds()); err != nil {
			return false, fmt.Errorf("forget old idempotency keys: %w", err)
		}
	}
	n, err := s.db.ExecN(ctx, `insert into http_idempotency (principal, key, request_hash, created_at, status, content_type, location, body)
		values ($1,$2,$3,$4,0,'','','')
		on conflict (principal, key) do update set request_hash = $3, created_at = $4, status = 0, content_type = '', location = '', body = ''
		where http_idempotency.created_at < $5 or (http_idempotency.status = 0 and http_idempotency.created_at < $6)`,
		c.principal, c.key, c.hash, c.at, c.at-keepAnswers.Milliseconds(), c.at-abandoned.Milliseconds())
	if err != nil {
		return false, fmt.Errorf("claim idempotency key: %w", err)
	}
	return n == 1, nil
}

func (s *idempotency) keep(ctx context.Context, c claim, b *buffer) error {
	body := b.String()
	if s.seal != nil {
		sealed, err := s.seal.Seal(sealedField, body)
		if err != nil {
			return fmt.Errorf("seal answer: %w", err)
		}
		body = sealed
	}
	_, err := s.db.Exec(ctx, `update http_idempotency set status = $1, content_type = $2, location = $3, body = $4
		where principal = $5 and key = $6 and created_at = $7`,
		b.status, b.header.Get("Content-Type"), b.header.Get("Location"), body, c.principal, c.key, c.at)
	return err
}

func (s *idempotency) replay(w http.ResponseWriter, r *http.Request, c claim) error {
	var hash, contentType, location, body string
	var status int
	err := s.db.QueryRow(r.Context(), "select request_hash, status, content_type, location, body from http_idempotency where principal = $1 and key = $2",
		c.principal, c.key).Scan(&hash, &status, &contentType, &location, &body)
	busy := errs.New(errs.Conflict, "request.in_progress")
	busy.RetryAfter = 1
	switch {
	case db.NoRows(err): // its first request failed just now and freed the key
		return busy
	case err != nil:
		return fmt.Errorf("read idempotency key: %w", err)
	case hash != c.hash:
		return errs.New(errs.Invalid, "request.idempotency_mismatch")
	case status == 0:
		return busy
	}
	if s.seal != nil {
		if body, err = s.seal.Open(sealedField, body); err != nil {
			return fmt.Errorf("open kept answer: %w", err)
		}
	}
	h := w.Header()
	h.Set("Idempotency-Replayed", "true")
	for k, v := range map[string]string{"Content-Type": contentType, "Location": location} {
		if v != "" {
			h.Set(k, v)
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the caller is gone: nobody is left to tell
	return nil
}

func saneKey(k string) bool {
	if len(k) > 200 {
		return false
	}
	for i := range len(k) {
		if k[i] < '!' || k[i] > '~' {
			return false
		}
	}
	return true
}

// buffer holds an answer back until it is stored.
type buffer struct {
	bytes.Buffer
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (b *buffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

// Write implements http.ResponseWriter.
func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.Buffer.Write(p)
}

func (b *buffer) code() int {
	if b.status == 0 {
		return http.StatusOK
	}
	return b.status
}
