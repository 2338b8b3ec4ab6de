package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

const (
	heartbeat = 15 * time.Second
	// writeTimeout cuts off a watcher whose connection takes nothing any more.
	writeTimeout = 20 * time.Second
)

// apiFact is a fact as the live debugger shows it.
type apiFact struct {
	Position    string           `json:"position"`
	ReceivedAt  time.Time        `json:"receivedAt"`
	Timestamp   time.Time        `json:"timestamp"`
	Type        event.Type       `json:"type"`
	Name        string           `json:"name"`
	MessageID   string           `json:"messageId"`
	Source      string           `json:"source"`
	Identifiers []apiIdentifier  `json:"identifiers"`
	Contact     *apiContact      `json:"contact,omitempty"`
	Outcome     pipeline.Outcome `json:"outcome"`
	Reason      string           `json:"reason,omitempty"`
	Properties  json.RawMessage  `json:"properties"`
	Traits      json.RawMessage  `json:"traits,omitempty"`
	Context     json.RawMessage  `json:"context,omitempty"`
}

type apiIdentifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

type apiContact struct {
	ID   string     `json:"id"`
	Name string     `json:"name"`
	Kind event.Kind `json:"kind"`
}

// follow answers with an event stream until the caller or the program goes.
func (s *Service) follow(stopping <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		watcher, first := s.watch(filter{name: q.Get("name"), typ: event.Type(q.Get("type")), contact: q.Get("contact"), source: q.Get("source")}, callerID(r.Context()))
		if watcher == nil {
			httpx.WriteError(w, r, &errs.Error{Kind: errs.TooMany, Code: "facts.too_many_watchers", Params: map[string]any{"limit": maxWatchers}, RetryAfter: 30})
			return
		}
		defer s.leave(watcher)
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would hold facts back
		out := &stream{w: w, rc: http.NewResponseController(w)}
		_ = out.rc.SetReadDeadline(time.Time{}) // a writer without deadlines is a test's
		out.text(": facts as they arrive\nretry: 3000\n\n")
		s.send(r.Context(), out, first)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for out.err == nil {
			select {
			case c := <-watcher.facts:
				s.send(r.Context(), out, drain(c, watcher.facts))
				if n := s.takeSkipped(watcher); n > 0 {
					out.text(fmt.Sprintf("event: skipped\ndata: {\"count\":%d}\n\n", n))
				}
			case <-tick.C:
				out.text(": still here\n\n")
			case <-watcher.gone:
				out.text("event: slow\ndata: {}\n\n")
				return
			case <-stopping:
				return
			case <-r.Context().Done():
				return
			}
		}
	}
}

func callerID(ctx context.Context) string {
	if p := auth.From(ctx); p != nil {
		return p.ID
	}
	return ""
}

// drain takes along what else waits, so that names are looked up together.
func drain(c *seen, more <-chan *seen) []*seen {
	list := []*seen{c}
	for len(list) < queued {
		select {
		case c := <-more:
			list = append(list, c)
		default:
			return list
		}
	}
	return list
}

type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	err error
}

func (o *stream) text(s string) {
	if o.err != nil {
		return
	}
	_ = o.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer without deadlines is a test's
	if _, o.err = o.w.Write([]byte(s)); o.err == nil {
		o.err = o.rc.Flush()
	}
}

func (s *Service) send(ctx context.Context, out *stream, facts []*seen) {
	if len(facts) == 0 {
		return
	}
	names := s.names(ctx, facts)
	var b []byte
	for _, c := range facts {
		data, err := httpx.MarshalJSON(toAPI(ctx, c, names))
		if err != nil { // not storable JSON cannot have come this far
			continue
		}
		b = append(b, "event: fact\ndata: "...)
		b = append(append(b, data...), "\n\n"...)
	}
	out.text(string(b))
}

// names looks contacts up; without an answer they are shown by their id.
func (s *Service) names(ctx context.Context, facts []*seen) map[int64]pipeline.Contact {
	if s.deps.Contacts == nil {
		return nil
	}
	var numbers []int64
	asked := map[int64]bool{0: true}
	for _, c := range facts {
		if !asked[c.Contact] {
			asked[c.Contact] = true
			numbers = append(numbers, c.Contact)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	who, err := s.deps.Contacts.Describe(ctx, numbers)
	if err != nil {
		return nil
	}
	return who
}

func toAPI(ctx context.Context, c *seen, names map[int64]pipeline.Contact) apiFact {
	f := &c.Stored
	out := apiFact{Position: fmt.Sprintf("%d.%d", f.Position.Seq, f.Position.Idx), ReceivedAt: clock.FromMs(f.ReceivedAt), Timestamp: clock.FromMs(f.Timestamp),
		Type: f.Type, Name: f.Name, MessageID: f.MessageID, Source: f.Source, Outcome: c.outcome, Identifiers: []apiIdentifier{},
		Properties: veil.Object(f.Properties, false), Traits: veil.Object(f.Traits, f.Type == event.Identify), Context: veil.Object(f.Context, false)}
	if out.Properties == nil {
		out.Properties = json.RawMessage("{}")
	}
	for _, id := range []event.Identifier{{Kind: "user_id", Value: f.UserID}, {Kind: "anonymous_id", Value: f.AnonymousID}, {Kind: "previous_id", Value: f.PreviousID}} {
		if id.Value != "" {
			out.Identifiers = append(out.Identifiers, apiIdentifier{id.Kind, veil.Identifier(id.Kind, id.Value)})
		}
	}
	for _, id := range f.Identifiers {
		out.Identifiers = append(out.Identifiers, apiIdentifier{id.Kind, veil.Identifier(id.Kind, id.Value)})
	}
	if f.ContactID != "" {
		out.Contact = &apiContact{ID: f.ContactID, Name: names[f.Contact].Name, Kind: f.ContactKind}
		if k := names[f.Contact].Kind; k != "" {
			out.Contact.Kind = k
		}
	}
	if c.why != nil {
		out.Reason = httpx.Say(ctx, c.why.Code, c.why.Params)
	}
	return out
}
