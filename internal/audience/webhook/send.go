package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// waits are how long to wait after each try that failed; after the last there is no other.
var waits = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour}

const (
	lookEvery = 2 * time.Second
	leaseTime = 2 * time.Minute
	// inARow is how many deliveries of one webhook go out before the others have their turn.
	inARow = 50
	// atOnce is how many webhooks are delivered to at the same time.
	atOnce = 4
)

// Start begins to deliver. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(auth.With(ctx, auth.System("webhooks")), func(ctx context.Context) {
		rounds.Every(ctx, lookEvery, s.wake, func(ctx context.Context) {
			if err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "webhooks cannot be delivered", "error", err)
			}
		})
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	s.client.CloseIdleConnections()
	return nil
}

// Deliver sends what is due, of several webhooks at once and of each in order.
func (s *Service) Deliver(ctx context.Context) error {
	now := clock.Ms(s.Clock.Now())
	list, err := s.hooks(ctx, "where state = $1 and lease < $2 and exists (select 1 from webhook_deliveries d where d.webhook = webhooks.id and d.state = $3)", Active, now, waiting)
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	faults := make([]error, len(list))
	for i, h := range list {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			faults[i] = s.deliverTo(ctx, h)
		})
	}
	wait.Wait()
	return errors.Join(faults...)
}

// deliverTo sends the next deliveries of one webhook until one fails.
func (s *Service) deliverTo(ctx context.Context, h hook) error {
	now := s.Clock.Now()
	n, err := s.DB.ExecN(ctx, "update webhooks set lease = $2 where id = $1 and lease < $3", h.ID, clock.Ms(now.Add(leaseTime)), clock.Ms(now))
	if err != nil || n == 0 { // another node delivers
		return err
	}
	defer func() {
		if _, err := s.DB.Exec(context.WithoutCancel(ctx), "update webhooks set lease = 0 where id = $1", h.ID); err != nil {
			s.Log.ErrorContext(ctx, "a webhook cannot be given back", "webhook", h.ID, "error", err)
		}
	}()
	end := now.Add(leaseTime / 2)
	for range inARow {
		d, ok, err := s.next(ctx, h.ID)
		if err != nil || !ok || d.next > clock.Ms(s.Clock.Now()) || s.Clock.Now().After(end) {
			return err
		}
		status, fault := s.post(ctx, h, d.id, []byte(d.body))
		if ctx.Err() != nil {
			return nil // the program ends: it was no try
		}
		on, err := s.settle(ctx, h, d, status, fault)
		if err != nil || !on {
			return err
		}
	}
	s.nudge()
	return nil
}

type due struct {
	n, tries, next, events int64
	id, body               string
}

// next is the first delivery that waits, whether or not its time has come: those
// behind it wait for it.
func (s *Service) next(ctx context.Context, hook string) (d due, ok bool, err error) {
	err = s.DB.QueryRow(ctx, "select n, id, body, tries, next_at, events from webhook_deliveries where webhook = $1 and state = $2 order by n limit 1", hook, waiting).
		Scan(&d.n, &d.id, &d.body, &d.tries, &d.next, &d.events)
	if db.NoRows(err) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read delivery: %w", err)
	}
	return d, true, nil
}

// settle keeps what became of a try; on tells whether to go on with the next.
func (s *Service) settle(ctx context.Context, h hook, d due, status int, fault string) (on bool, err error) {
	now := s.Clock.Now()
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		exec := func(query string, args ...any) error {
			if _, err := s.DB.Exec(ctx, query, args...); err != nil {
				return fmt.Errorf("keep what became of a delivery: %w", err)
			}
			return nil
		}
		switch {
		case fault == "":
			on = true
			return errors.Join(exec("delete from webhook_deliveries where n = $1", d.n),
				exec("update webhooks set sent_at = $2, sent = sent + $3, fault = '' where id = $1", h.ID, clock.Ms(now), d.events))
		case status == http.StatusGone: // the receiver wants no more
			return errors.Join(exec("update webhook_deliveries set tries = tries + 1, status = $2, fault = $3 where n = $1", d.n, status, fault), s.pause(ctx, h.ID, "webhook.gone"))
		case int(d.tries) >= len(waits):
			on = true
			return errors.Join(exec("update webhook_deliveries set state = $2, tries = tries + 1, status = $3, fault = $4 where n = $1", d.n, dead, status, fault),
				exec("update webhooks set fault = $2 where id = $1", h.ID, fault))
		}
		return errors.Join(exec("update webhook_deliveries set tries = tries + 1, status = $2, fault = $3, next_at = $4 where n = $1", d.n, status, fault, clock.Ms(now.Add(waits[d.tries]))),
			exec("update webhooks set fault = $2 where id = $1", h.ID, fault))
	})
	return on, err
}

// post makes one call. fault is "" when the receiver took it.
func (s *Service) post(ctx context.Context, h hook, id string, body []byte) (status int, fault string) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return 0, "outbound.bad_url"
	}
	at := strconv.FormatInt(s.Clock.Now().Unix(), 10)
	for k, v := range map[string]string{"Content-Type": "application/json", "User-Agent": "Koipond-Webhook/1", "webhook-id": id, "webhook-timestamp": at, "webhook-signature": Sign(h.secret, id, at, body)} {
		req.Header.Set(k, v)
	}
	res, err := s.client.Do(req)
	switch {
	case errors.Is(err, outbound.ErrPrivate):
		return 0, "outbound.private"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return 0, "webhook.slow"
	case err != nil:
		return 0, "webhook.unreachable"
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return res.StatusCode, ""
	case res.StatusCode == http.StatusGone:
		return res.StatusCode, "webhook.gone"
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return res.StatusCode, "webhook.redirects"
	}
	return res.StatusCode, "webhook.refused"
}

// Sign makes the signature of a delivery, as the header has it.
func Sign(secret, id, timestamp string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		key = []byte(secret)
	}
	m := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(m, "%s.%s.", id, timestamp) // a hash never fails
	_, _ = m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// Tried is what became of a test.
type Tried struct {
	OK     bool   `json:"ok"`
	Status int    `json:"status,omitempty" doc:"Of the receiver's answer"`
	Fault  string `json:"fault,omitempty" doc:"Code of what went wrong"`
	Words  string `json:"message,omitempty" doc:"The same in words"`
	Ms     int64  `json:"ms"`
}

// Test posts an empty delivery now, beside the queue.
func (s *Service) Test(ctx context.Context, id string) (Tried, error) {
	h, err := s.get(ctx, id)
	if err != nil {
		return Tried{}, err
	}
	began := time.Now()
	status, fault := s.post(ctx, h, s.IDs.New("wd"), []byte(`{"type":"test","events":[]}`))
	return Tried{OK: fault == "", Status: status, Fault: fault, Ms: time.Since(began).Milliseconds()}, s.record(ctx, "webhook.tested", h.ID, h.Name)
}

// Delivery is one that waits, or was given up.
type Delivery struct {
	ID     string     `json:"id"`
	State  string     `json:"state" enum:"waiting,dead"`
	Events int64      `json:"events"`
	At     time.Time  `json:"at"`
	Tries  int64      `json:"tries"`
	Next   *time.Time `json:"next,omitempty" doc:"When it is tried again"`
	Status int        `json:"status,omitempty"`
	Fault  string     `json:"fault,omitempty"`
	Words  string     `json:"message,omitempty" doc:"The fault in words"`
	n      int64
}

// Deliveries lists those of a webhook in one state beyond n, in order.
func (s *Service) Deliveries(ctx context.Context, id, state string, after int64, limit int) ([]Delivery, error) {
	if _, err := s.get(ctx, id); err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select n, id, events, at, tries, next_at, status, fault from webhook_deliveries where webhook = $1 and state = $2 and n > $3 order by n limit %d", limit), id, state, after)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (d Delivery, err error) {
		var at, next int64
		err = r.Scan(&d.n, &d.ID, &d.Events, &at, &d.Tries, &next, &d.Status, &d.Fault)
		d.State, d.At = state, clock.FromMs(at)
		if state == waiting && next > 0 {
			t := clock.FromMs(next)
			d.Next = &t
		}
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

// Retry sends deliveries again that were given up: those named, or all. One that
// waits can be named too, and is tried at once. They come before what happened later.
func (s *Service) Retry(ctx context.Context, id string, deliveries []string) (n int64, err error) {
	h, err := s.get(ctx, id)
	if err != nil {
		return 0, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		query, args := "update webhook_deliveries set state = $2, tries = 0, next_at = 0 where webhook = $1", []any{id, waiting}
		if len(deliveries) > 0 {
			for _, d := range deliveries {
				args = append(args, d)
			}
			query += " and id in (" + db.In(3, len(deliveries)) + ")"
		} else {
			query, args = query+" and state = $3", append(args, dead)
		}
		if n, err = s.DB.ExecN(ctx, query, args...); err != nil {
			return fmt.Errorf("send again: %w", err)
		}
		s.DB.After(ctx, s.nudge)
		return s.record(ctx, "webhook.retried", h.ID, h.Name)
	})
	return n, err
}
