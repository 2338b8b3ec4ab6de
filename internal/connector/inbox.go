package connector

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/platform/clock"
)

// The states of a callback.
const (
	Waiting = "waiting" // to be worked on, now or later
	Held    = "held"    // until its account goes on
	Done    = "done"
	Ignored = "ignored" // nobody asked for its name
	Dead    = "dead"    // given up: a person looks, mends, and replays it
)

// inbox is the part of the service that keeps callbacks and works on them.
type inbox struct {
	wake    chan struct{}
	arrived *gather[arrival]
	settled *gather[settlement]

	received, handled *prometheus.CounterVec
	lag               prometheus.Histogram
}

func (b *inbox) init(s *Service, reg prometheus.Registerer) {
	b.wake = make(chan struct{}, 1)
	b.arrived = &gather[arrival]{most: 200, write: s.store}
	b.settled = &gather[settlement]{most: 200, write: s.settle}
	b.received = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koipond_connector_calls_total", Help: "Calls from platforms, by kind and outcome."}, []string{"kind", "outcome"})
	b.handled = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koipond_connector_callbacks_total", Help: "Callbacks worked on, by kind and what became of them."}, []string{"kind", "outcome"})
	b.lag = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "koipond_connector_urgent_seconds", Help: "From receiving an urgent callback to the end of its first handlers.",
		Buckets: []float64{.02, .05, .1, .2, .5, 1, 2, 5, 10, 20}})
	if reg != nil {
		reg.MustRegister(b.received, b.handled, b.lag)
	}
}

func (b *inbox) nudge() {
	select {
	case b.wake <- struct{}{}:
	default: // somebody has
	}
}

// arrival is what one call brought.
type arrival struct {
	account Account
	in      []Incoming
}

// kept is what lies sealed in the inbox.
type kept struct {
	Key     string   `json:"key"`
	Subject string   `json:"subject"`
	Body    string   `json:"body"`
	Raw     bool     `json:"raw,omitempty"` // the body is in base64: it was no text
	Receipt *Receipt `json:"receipt,omitempty"`
}

func (s *Service) sealBody(in Incoming) (string, error) {
	k := kept{Key: in.Key, Subject: in.Subject, Body: string(in.Body), Receipt: in.Receipt}
	if !utf8.Valid(in.Body) {
		k.Body, k.Raw = base64.StdEncoding.EncodeToString(in.Body), true
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("encode callback: %w", err)
	}
	return s.Keys.Seal(bodyField, string(raw))
}

func (s *Service) openBody(sealed string) (k kept, body []byte, err error) {
	plain, err := s.Keys.Open(bodyField, sealed)
	if err != nil {
		return k, nil, fmt.Errorf("open callback: %w", err)
	}
	if err := json.Unmarshal([]byte(plain), &k); err != nil {
		return k, nil, fmt.Errorf("decode callback: %w", err)
	}
	body = []byte(k.Body)
	if k.Raw {
		if body, err = base64.StdEncoding.DecodeString(k.Body); err != nil {
			return k, nil, fmt.Errorf("decode callback: %w", err)
		}
	}
	return k, body, nil
}

// subjectIndex is what stands for a subject in the records: the same text for the
// same subject, from which nobody reads it back.
func (s *Service) subjectIndex(subject string) string {
	if subject == "" {
		return ""
	}
	return s.Keys.Index(subjectField, subject)
}

// store writes what several calls brought, in one transaction. What came before
// under the same key is counted as a repeat.
func (s *Service) store(ctx context.Context, list []arrival) error {
	var n int64
	for _, a := range list {
		n += int64(len(a.in))
	}
	if n == 0 {
		return nil
	}
	type row struct {
		Incoming
		account Account
		body    string
		urgent  int
	}
	rows := make([]row, 0, n)
	for _, a := range list {
		for _, in := range a.in {
			body, err := s.sealBody(in)
			if err != nil {
				return err
			}
			r := row{in, a.account, body, 0}
			if in.Urgent && len(s.handlers(a.account.Kind, in.Name, true)) > 0 {
				r.urgent = 1
			}
			rows = append(rows, r)
		}
	}
	now := clock.Ms(s.Clock.Now())
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		first, err := s.DB.Reserve(ctx, "connector_inbox", n)
		if err != nil {
			return err
		}
		insert, err := s.DB.Prepare(ctx, `insert into connector_inbox (n, id, account, kind, key_index, subject_index, name, state, urgent, body_enc, happened_at, at, next_at, lease, holder, tries, urgent_tries, repeats, fault, urgent_fault, done_at)
			values ($1, $2, $3, $4, $5, $6, $7, case when exists (select 1 from connector_accounts where id = $3 and state = 'paused') then 'held' else 'waiting' end,
			$8, $9, $10, $11, 0, 0, '', 0, 0, 0, '', '', 0)
			on conflict (account, key_index) do update set repeats = connector_inbox.repeats + 1`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for i, r := range rows {
			if _, err := insert.ExecContext(ctx, first+int64(i), s.IDs.New("cb"), r.account.ID, r.account.Kind, s.Keys.Index(keyField, r.Key), s.subjectIndex(r.Subject),
				r.Name, r.urgent, r.body, clock.Ms(r.At), now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep callbacks: %w", err)
	}
	s.inbox.nudge()
	return nil
}

// Put keeps something incoming as if the platform had called: for what a connector
// learns by asking (messages that are fetched, receipts in a list). It returns when
// it is safe; the same key again is not worked on twice. Not for use inside a
// transaction: what comes from several callers is written in one of its own.
func (s *Service) Put(ctx context.Context, a Account, in ...Incoming) error {
	for i := range in {
		if err := in[i].check(); err != nil {
			return err
		}
	}
	return s.inbox.arrived.do(ctx, arrival{a, in})
}

// Limits of what is kept.
const (
	maxBody    = 256 << 10
	maxInName  = 120
	maxInCount = 1000 // of one call
)

func (in *Incoming) check() error {
	switch {
	case in.Key == "" || in.Name == "":
		return ErrMalformed.Wrap(errors.New("a callback needs a key and a name"))
	case len(in.Name) > maxInName || !utf8.ValidString(in.Name):
		return ErrMalformed.Wrap(errors.New("the name is no name"))
	case len(in.Body) > maxBody:
		return ErrMalformed.Wrap(errors.New("the message is too long"))
	}
	return nil
}

// How long what is over is kept.
const (
	keepDone = 14 * 24 * time.Hour
	keepDead = 90 * 24 * time.Hour
	keepSent = 90 * 24 * time.Hour
)

// Sweep forgets what is over: callbacks that were done two weeks ago or given up
// three months ago, counts of quotas, receipts. It works in short steps.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Clock.Now()
	if err := s.letGo(ctx, heldMost); err != nil {
		return err
	}
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"delete from connector_inbox where n in (select n from connector_inbox where state in ('done', 'ignored') and done_at < $1 limit 1000)", []any{clock.Ms(now.Add(-keepDone))}},
		{"delete from connector_inbox where n in (select n from connector_inbox where state = 'dead' and done_at < $1 limit 1000)", []any{clock.Ms(now.Add(-keepDead))}},
		{"delete from connector_inbox where n in (select n from connector_inbox where account not in (select id from connector_accounts) limit 1000)", nil},
		{"delete from connector_quotas where gone < $1", []any{clock.Ms(now.Add(-time.Minute))}},
		{"delete from connector_halts where until < $1", []any{clock.Ms(now)}},
		{"delete from connector_sends where claimed_at < $1", []any{clock.Ms(now.Add(-keepSent))}},
	} {
		for {
			n, err := s.DB.ExecN(ctx, step.query, step.args...)
			if err != nil {
				return fmt.Errorf("forget what is over: %w", err)
			}
			if n < 1000 {
				break
			}
		}
	}
	return nil
}
