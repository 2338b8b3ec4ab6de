package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// The states of a delivery; one that arrived is gone.
const (
	waiting = "waiting"
	dead    = "dead"
)

// told is one thing in a delivery.
type told struct {
	Event   string    `json:"event"` // segment.entered, segment.left
	Segment ref       `json:"segment"`
	Contact string    `json:"contactId"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason"` // fact, lapse, midnight, merge, start
	Live    bool      `json:"live"`
}

type ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// delivery is what is posted.
type delivery struct {
	Type   string `json:"type"` // segment.members, or test
	Events []told `json:"events"`
}

// Name implements event.Subscriber.
func (s *Service) Name() string { return "webhooks" }

// Idle implements event.Idler: nobody is to be told.
func (s *Service) Idle(ctx context.Context) bool {
	var n int
	err := s.DB.QueryRow(ctx, "select count(*) from webhooks where state = $1", Active).Scan(&n)
	return err == nil && n == 0 // in doubt the facts are read
}

// Handle implements event.Subscriber: it queues what the facts say, in the
// transaction that moves its place.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	var news []told
	for i := range facts {
		if t, ok := readFact(&facts[i]); ok {
			news = append(news, t)
		}
	}
	if len(news) == 0 {
		return nil
	}
	list, err := s.hooks(ctx, "where state = $1", Active)
	if err != nil {
		return err
	}
	for _, h := range list {
		var mine []told
		for _, t := range news {
			if slices.Contains(h.Events, t.Event) && (len(h.Segments) == 0 || slices.Contains(h.Segments, t.Segment.ID)) && (t.Live || !h.LiveOnly) {
				mine = append(mine, t)
			}
		}
		for some := range slices.Chunk(mine, perDelivery) {
			if err := s.queue(ctx, h.ID, delivery{Type: "segment.members", Events: some}); err != nil {
				return err
			}
		}
		if len(mine) > 0 {
			if err := s.bound(ctx, h.ID); err != nil {
				return err
			}
		}
	}
	s.DB.After(ctx, s.nudge)
	return nil
}

func readFact(f *event.Stored) (told, bool) {
	if f.Name != event.NameSegmentEntered && f.Name != event.NameSegmentLeft {
		return told{}, false
	}
	var p struct {
		Segment     string `json:"segment"`
		SegmentName string `json:"segmentName"`
		Reason      string `json:"reason"`
		Live        bool   `json:"live"`
	}
	if json.Unmarshal(f.Properties, &p) != nil || p.Segment == "" || f.ContactID == "" {
		return told{}, false
	}
	return told{Event: f.Name, Segment: ref{p.Segment, p.SegmentName}, Contact: f.ContactID, At: clock.FromMs(f.Timestamp), Reason: p.Reason, Live: p.Live}, true
}

func (s *Service) queue(ctx context.Context, hook string, d delivery) error {
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode delivery: %w", err)
	}
	n, err := s.DB.Reserve(ctx, "webhook_deliveries", 1)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, "insert into webhook_deliveries (n, id, webhook, state, body, events, at, tries, next_at, status, fault) values ($1,$2,$3,$4,$5,$6,$7,0,0,0,'')",
		n, s.IDs.New("wd"), hook, waiting, string(body), len(d.Events), clock.Ms(s.Clock.Now()))
	if err != nil {
		return fmt.Errorf("queue delivery: %w", err)
	}
	return nil
}

// bound pauses a webhook for which too much waits: its receiver has been away
// for long, and the records must not fill up for it.
func (s *Service) bound(ctx context.Context, hook string) error {
	var n int64
	if err := s.DB.QueryRow(ctx, "select count(*) from webhook_deliveries where webhook = $1 and state = $2", hook, waiting).Scan(&n); err != nil {
		return fmt.Errorf("count deliveries: %w", err)
	}
	if n < maxWaiting {
		return nil
	}
	return s.pause(ctx, hook, "webhook.too_far_behind")
}

func (s *Service) pause(ctx context.Context, hook, why string) error {
	if _, err := s.DB.Exec(ctx, "update webhooks set state = $2, fault = $3 where id = $1", hook, Paused, why); err != nil {
		return fmt.Errorf("pause webhook: %w", err)
	}
	return nil
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // somebody has
	}
}
