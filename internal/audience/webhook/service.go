package webhook

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of webhooks.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "webhook", FS: sub}
}

// Segments knows which segments there are (package audience implements it).
type Segments interface {
	// Known tells which of the ids are segments.
	Known(ctx context.Context, ids []string) ([]string, error)
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Log      *slog.Logger
	Keys     veil.Keys
	Audit    audit.Recorder
	Segments Segments
	Guard    outbound.Guard
	Timeout  time.Duration // of one call; 0: 10 s
}

// Service keeps webhooks and delivers.
type Service struct {
	Deps
	client *http.Client
	wake   chan struct{}

	run rounds.Runner
}

// NewService builds the service.
func NewService(d Deps) *Service {
	if d.Timeout <= 0 {
		d.Timeout = 10 * time.Second
	}
	return &Service{Deps: d, client: d.Guard.Client(d.Timeout), wake: make(chan struct{}, 1)}
}

const (
	urlField    = "webhooks.url"
	secretField = "webhooks.secret"
)

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{
		{Table: "webhooks", Key: "id", Column: "url_enc", Field: urlField},
		{Table: "webhooks", Key: "id", Column: "secret_enc", Field: secretField},
	}
}

// The states of a webhook.
const (
	Active = "active"
	Paused = "paused" // by a person, or because the receiver said it is gone
)

// Limits of webhooks.
const (
	maxWebhooks = 50
	maxName     = 60
	maxWaiting  = 20_000 // deliveries; beyond it the webhook is paused
	perDelivery = 100    // events
)

// The events that can be told.
var kinds = []string{event.NameSegmentEntered, event.NameSegmentLeft}

// Webhook is an address that is told.
type Webhook struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	URL       string    `json:"url" doc:"Its host alone for those who may not change it: the rest often carries a key"`
	Segments  []string  `json:"segments" doc:"Ids; none: all of them"`
	Events    []string  `json:"events" doc:"segment.entered, segment.left"`
	LiveOnly  bool      `json:"liveOnly,omitempty" doc:"Nothing that old facts caused: imports, late arrivals"`
	State     string    `json:"state" enum:"active,paused"`
	Fault     string    `json:"fault,omitempty" doc:"Why it was paused, or what went wrong last; a code"`
	Words     string    `json:"message,omitempty" doc:"The fault in words"`
	Waiting   int64     `json:"waiting" doc:"Deliveries that are still to go out"`
	Dead      int64     `json:"dead" doc:"Deliveries that were given up"`
	Sent      int64     `json:"sent" doc:"Events that arrived"`
	SentAt    time.Time `json:"sentAt,omitzero" doc:"When one arrived last"`
	CreatedAt time.Time `json:"createdAt"`
	ChangedAt time.Time `json:"changedAt"`
}

// Input is what a webhook is made of.
type Input struct {
	Name     string   `json:"name" maxLength:"240"`
	URL      string   `json:"url" maxLength:"2000" doc:"http or https; addresses inside the network are refused unless the installation allows them"`
	Segments []string `json:"segments,omitempty" maxItems:"200"`
	Events   []string `json:"events,omitempty" maxItems:"2" doc:"segment.entered, segment.left; both when left out"`
	LiveOnly bool     `json:"liveOnly,omitempty"`
	Paused   bool     `json:"paused,omitempty"`
}

type hook struct {
	Webhook
	secret string
	lease  int64
}

const hookColumns = "id, name, url_enc, secret_enc, segments, events, live_only, state, fault, created_at, changed_at, sent_at, sent, lease"

func (s *Service) scan(r *sql.Rows) (h hook, err error) {
	var url, secret, segments, events string
	var live, created, changed, sent int64
	if err := r.Scan(&h.ID, &h.Name, &url, &secret, &segments, &events, &live, &h.State, &h.Fault, &created, &changed, &sent, &h.Sent, &h.lease); err != nil {
		return h, err
	}
	h.LiveOnly, h.CreatedAt, h.ChangedAt = live == 1, clock.FromMs(created), clock.FromMs(changed)
	if sent > 0 {
		h.SentAt = clock.FromMs(sent)
	}
	if err := errors.Join(json.Unmarshal([]byte(segments), &h.Segments), json.Unmarshal([]byte(events), &h.Events)); err != nil {
		return h, fmt.Errorf("decode webhook: %w", err)
	}
	if h.URL, err = s.Keys.Open(urlField, url); err != nil {
		return h, fmt.Errorf("open webhook: %w", err)
	}
	if h.secret, err = s.Keys.Open(secretField, secret); err != nil {
		return h, fmt.Errorf("open webhook: %w", err)
	}
	return h, nil
}

var errNone = errs.New(errs.NotFound, "webhook.not_found")

func (s *Service) hooks(ctx context.Context, where string, args ...any) ([]hook, error) {
	rows, err := s.DB.Query(ctx, "select "+hookColumns+" from webhooks "+where+" order by created_at, id", args...)
	list, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	return list, nil
}

func (s *Service) get(ctx context.Context, id string) (hook, error) {
	list, err := s.hooks(ctx, "where id = $1", id)
	if err != nil {
		return hook{}, err
	}
	if len(list) == 0 {
		return hook{}, errNone
	}
	return list[0], nil
}

// List gives all webhooks with what waits for them.
func (s *Service) List(ctx context.Context) ([]Webhook, error) {
	list, err := s.hooks(ctx, "")
	if err != nil {
		return nil, err
	}
	out := make([]Webhook, len(list))
	at := map[string]int{}
	for i, h := range list {
		out[i], at[h.ID] = h.Webhook, i
	}
	rows, err := s.DB.Query(ctx, "select webhook, state, count(*) from webhook_deliveries group by webhook, state")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id, state string
		var n int64
		err = r.Scan(&id, &state, &n)
		if i, ok := at[id]; ok {
			if state == waiting {
				out[i].Waiting = n
			} else {
				out[i].Dead = n
			}
		}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return out, nil
}

// Naming lists the webhooks that name a segment; those that tell of all of them are not among them.
func (s *Service) Naming(ctx context.Context, segment string) ([]Webhook, error) {
	list, err := s.hooks(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []Webhook
	for _, h := range list {
		if slices.Contains(h.Segments, segment) {
			out = append(out, h.Webhook)
		}
	}
	return out, nil
}

// Get gives one webhook.
func (s *Service) Get(ctx context.Context, id string) (Webhook, error) {
	list, err := s.List(ctx)
	if err != nil {
		return Webhook{}, err
	}
	if i := slices.IndexFunc(list, func(w Webhook) bool { return w.ID == id }); i >= 0 {
		return list[i], nil
	}
	return Webhook{}, errNone
}

// check cleans an input and tells what is wrong with it.
func (s *Service) check(ctx context.Context, in *Input) error {
	bad := func(field, code string, params ...any) error {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
	}
	in.Name = veil.Text(strings.Join(strings.Fields(in.Name), " "))
	switch {
	case in.Name == "":
		return bad("name", "request.field_required")
	case utf8.RuneCountInString(in.Name) > maxName:
		return bad("name", "request.too_long", "limit", maxName)
	}
	if err := s.Guard.Check("url", in.URL); err != nil {
		return err
	}
	if len(in.Events) == 0 {
		in.Events = kinds
	}
	for i, e := range in.Events {
		if !slices.Contains(kinds, e) {
			return bad(fmt.Sprintf("events[%d]", i), "webhook.no_such_event")
		}
	}
	known, err := s.Segments.Known(ctx, in.Segments)
	if err != nil {
		return err
	}
	for i, id := range in.Segments {
		if !slices.Contains(known, id) {
			return bad(fmt.Sprintf("segments[%d]", i), "audience.no_such_segment")
		}
	}
	if in.Segments == nil {
		in.Segments = []string{}
	}
	return nil
}

// newSecret makes a secret in the form that the specification gives it.
func newSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// Create makes a webhook. Its secret is shown this once.
func (s *Service) Create(ctx context.Context, in Input) (w Webhook, secret string, err error) {
	if err := s.check(ctx, &in); err != nil {
		return w, "", err
	}
	secret = newSecret()
	who, now := auth.From(ctx), clock.Ms(s.Clock.Now())
	if who == nil {
		who = auth.System("webhooks")
	}
	sealed, err := s.Keys.Seal(secretField, secret)
	if err != nil {
		return w, "", fmt.Errorf("seal secret: %w", err)
	}
	id := s.IDs.New("wh")
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from webhooks").Scan(&n); err != nil {
			return fmt.Errorf("count webhooks: %w", err)
		}
		if n >= maxWebhooks {
			return errs.New(errs.Conflict, "webhook.too_many", "limit", maxWebhooks)
		}
		if _, err := s.DB.Exec(ctx, `insert into webhooks (id, name, url_enc, secret_enc, segments, events, live_only, state, fault, by_id, by_name, created_at, changed_at, sent_at, sent, lease)
			values ($1, '', '', $2, '[]', '[]', 0, '', '', $3, $4, $5, $5, 0, 0, 0)`, id, sealed, who.ID, who.Name, now); err != nil {
			return fmt.Errorf("make webhook: %w", err)
		}
		if err := s.save(ctx, id, in); err != nil {
			return err
		}
		return s.record(ctx, "webhook.created", id, in.Name)
	})
	if err != nil {
		return w, "", err
	}
	w, err = s.Get(ctx, id)
	return w, secret, err
}

func (s *Service) save(ctx context.Context, id string, in Input) error {
	url, err := s.Keys.Seal(urlField, in.URL)
	if err != nil {
		return fmt.Errorf("seal address: %w", err)
	}
	segments, _ := json.Marshal(in.Segments) // texts always encode
	events, _ := json.Marshal(in.Events)
	state, live := Active, 0
	if in.Paused {
		state = Paused
	}
	if in.LiveOnly {
		live = 1
	}
	n, err := s.DB.ExecN(ctx, "update webhooks set name = $2, url_enc = $3, segments = $4, events = $5, live_only = $6, state = $7, fault = '', changed_at = $8 where id = $1",
		id, in.Name, url, string(segments), string(events), live, state, clock.Ms(s.Clock.Now()))
	if err != nil {
		return fmt.Errorf("keep webhook: %w", err)
	}
	if n == 0 {
		return errNone
	}
	s.DB.After(ctx, s.nudge)
	return nil
}

// Update changes a webhook; one that was paused goes on where it stopped.
func (s *Service) Update(ctx context.Context, id string, in Input) (Webhook, error) {
	if err := s.check(ctx, &in); err != nil {
		return Webhook{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.save(ctx, id, in); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update webhook_deliveries set next_at = 0 where webhook = $1 and state = $2", id, waiting); err != nil {
			return fmt.Errorf("wake deliveries: %w", err)
		}
		return s.record(ctx, "webhook.updated", id, in.Name)
	})
	if err != nil {
		return Webhook{}, err
	}
	return s.Get(ctx, id)
}

// NewSecret replaces the secret, which is shown this once.
func (s *Service) NewSecret(ctx context.Context, id string) (string, error) {
	secret := newSecret()
	sealed, err := s.Keys.Seal(secretField, secret)
	if err != nil {
		return "", fmt.Errorf("seal secret: %w", err)
	}
	return secret, s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, "update webhooks set secret_enc = $2, changed_at = $3 where id = $1", id, sealed, clock.Ms(s.Clock.Now()))
		if err != nil {
			return fmt.Errorf("keep secret: %w", err)
		}
		if n == 0 {
			return errNone
		}
		return s.record(ctx, "webhook.secret_changed", id, "")
	})
}

// Delete forgets a webhook and what waits for it.
func (s *Service) Delete(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, "delete from webhooks where id = $1", id)
		if err != nil {
			return fmt.Errorf("delete webhook: %w", err)
		}
		if n == 0 {
			return errNone
		}
		if _, err := s.DB.Exec(ctx, "delete from webhook_deliveries where webhook = $1", id); err != nil {
			return fmt.Errorf("delete deliveries: %w", err)
		}
		return s.record(ctx, "webhook.deleted", id, "")
	})
}

func (s *Service) record(ctx context.Context, action, id, name string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "webhook", ID: id, Name: name}, nil)
}
