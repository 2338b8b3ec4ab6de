package contact

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Entry is one fact on a contact's timeline.
type Entry struct {
	ID         string            `json:"id" doc:"The event's messageId"`
	Timestamp  time.Time         `json:"timestamp"`
	ReceivedAt time.Time         `json:"receivedAt"`
	Name       string            `json:"name"`
	Title      string            `json:"title" doc:"Readable, in the caller's language"`
	Type       event.Type        `json:"type"`
	Source     string            `json:"source"`
	Properties map[string]any    `json:"properties"`
	Labels     map[string]string `json:"labels,omitempty" doc:"What people call the properties, in the caller's language"`
	Context    map[string]any    `json:"context,omitempty"`
	ImportID   string            `json:"importId,omitempty"`
}

// TimelineQuery narrows a timeline. Zero values mean any.
type TimelineQuery struct {
	Names    []string
	From, To time.Time
	Cursor   string
	Limit    int
}

type timelineCursor struct {
	T int64  `json:"t"`
	S uint64 `json:"s"`
	I uint32 `json:"i"`
}

// TimelineOf reads a contact's facts, newest first.
func (s *Service) TimelineOf(ctx context.Context, id string, q TimelineQuery) (entries []Entry, next string, err error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(q.Limit)
	ask := analytics.TimelineQuery{Limit: limit + 1}
	ask.Contact, ask.Events, ask.Range = num, q.Names, analytics.Range{From: q.From, To: q.To}
	if q.Cursor != "" {
		var c timelineCursor
		if err := httpx.DecodeCursor(q.Cursor, &c); err != nil {
			return nil, "", err
		}
		ask.Before = &analytics.TimelineCursor{Timestamp: c.T, Position: event.Position{Seq: c.S, Idx: c.I}}
	}
	rows, err := s.Timeline.Timeline(ctx, ask)
	if err != nil {
		return nil, "", fmt.Errorf("read timeline: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		end := rows[limit-1]
		next = httpx.EncodeCursor(timelineCursor{end.Timestamp, end.Position.Seq, end.Position.Idx})
	}
	words, err := s.wordsFor(ctx, rows)
	if err != nil {
		return nil, "", err
	}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, "", err
	}
	entries = make([]Entry, len(rows))
	for i := range rows {
		entries[i] = entry(ctx, &rows[i], words, defs.named)
	}
	return entries, next, nil
}

// words is how a page of the timeline calls things.
type words struct {
	events     map[string]string
	properties map[string]map[string]string
	staff      map[string]string            // names of users by id
	purposes   map[string]string            // names of purposes of consent by id
	states     map[string]map[string]string // names of stages and pools by machine and id
}

// NamePurposes says what purposes of consent are called, by id and in the language
// of the request: an app that sends consent knows their ids alone. Call it while wiring.
func (s *Service) NamePurposes(names func(ctx context.Context) (map[string]string, error)) {
	s.purposes = names
}

func (s *Service) wordsFor(ctx context.Context, rows []analytics.Row) (w words, err error) {
	names, users, consents, moves := map[string]bool{}, map[string]bool{}, false, false
	for i := range rows {
		names[rows[i].Name] = true
		consents = consents || rows[i].Name == event.NameConsentGranted || rows[i].Name == event.NameConsentWithdrawn
		moves = moves || rows[i].Name == event.NameLifecycleChanged || rows[i].Name == event.NamePoolChanged
		if rows[i].Name == event.NameOwnerChanged {
			p := plain(rows[i].Properties)
			users[firstWord(p, "from")], users[firstWord(p, "to")] = true, true
		}
	}
	delete(users, "")
	if s.People != nil && len(users) > 0 {
		w.staff = s.People.Names(ctx, sortedKeys(users))
	}
	if s.purposes != nil && consents {
		if w.purposes, err = s.purposes(ctx); err != nil {
			return w, fmt.Errorf("read purposes: %w", err)
		}
	}
	if s.standings != nil && moves {
		if w.states, err = s.standings.StateNames(ctx); err != nil {
			return w, fmt.Errorf("read names of stages and pools: %w", err)
		}
	}
	if s.Titles == nil || len(rows) == 0 {
		return w, nil
	}
	if w.events, err = s.Titles.Titles(ctx, sortedKeys(names)); err != nil {
		return w, fmt.Errorf("read display names: %w", err)
	}
	if w.properties, err = s.Titles.PropertyTitles(ctx, sortedKeys(names)); err != nil {
		return w, fmt.Errorf("read display names: %w", err)
	}
	return w, nil
}

// anything is the purpose of do not contact, which stands above those that have
// names: to withdraw from it is to ask for no contact of any kind.
const anything = "everything"

// purpose is what a consent is about: as the purpose is called today, else as the fact says.
func (w words) purpose(p map[string]any) string {
	return cmp.Or(w.purposes[firstWord(p, "purpose")], firstWord(p, "purposeName", "purpose"), "…")
}

// state is one end of a move between stages or pools: as it is called today, else
// as the fact says.
func (w words) state(machine string, p map[string]any, end string) string {
	return cmp.Or(w.states[machine][firstWord(p, end)], firstWord(p, end+"Name", end), "…")
}

// moved says who went from where to where; whoever put them there by hand is named.
func (w words) moved(machine string, p map[string]any, say func(code string, params ...any) string) string {
	from, to, by := w.state(machine, p, "from"), w.state(machine, p, "to"), firstWord(p, "byName")
	hand := by != "" && firstWord(p, "reason") == "hand"
	switch {
	case hand && machine == machinePools:
		return say("timeline.pool_by_hand", "by", by, "from", from, "to", to)
	case hand:
		return say("timeline.lifecycle_by_hand", "by", by, "from", from, "to", to)
	case machine == machinePools:
		return say("timeline.pool_changed", "from", from, "to", to)
	}
	return say("timeline.lifecycle_changed", "from", from, "to", to)
}

// labels names the properties of an entry that have a name.
func (w words) labels(e *Entry) map[string]string {
	out := map[string]string{}
	for k := range e.Properties {
		if t := cmp.Or(w.properties[e.Name][k], w.properties[""][k]); t != "" {
			out[k] = t
		}
	}
	return out
}

func entry(ctx context.Context, r *analytics.Row, w words, sealed func(key string) bool) Entry {
	e := Entry{ID: r.MessageID, Timestamp: clock.FromMs(r.Timestamp), ReceivedAt: clock.FromMs(r.ReceivedAt), Name: r.Name,
		Type: r.Type, Source: r.Source, Properties: veiled(r.Properties), Context: veiled(r.Context), ImportID: r.ImportID}
	if len(r.Traits) > 2 && len(e.Properties) == 0 {
		e.Properties = maskTraits(veiled(r.Traits), sealed)
	}
	e.Title, e.Labels = title(ctx, &e, w), w.labels(&e)
	if len(e.Context) == 0 {
		e.Context = nil
	}
	return e
}

// veiled decodes with personal values hidden: what is sealed in the profile must
// not stand open in the events that brought it.
func veiled(raw json.RawMessage) map[string]any { return plain(veil.Object(raw, false)) }

// plain decodes an object; anything else gives an empty one.
func plain(raw json.RawMessage) map[string]any {
	m := map[string]any{}
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil || m == nil {
		return map[string]any{}
	}
	return m
}

// maskTraits hides what a profile hides.
func maskTraits(m map[string]any, sealed func(key string) bool) map[string]any {
	for k, v := range m {
		canon, _ := canonicalKind(k)
		if s, ok := v.(string); ok && Personal(canon) {
			m[k] = Mask(canon, s)
		} else if sealed(k) {
			m[k] = "****"
		}
	}
	return m
}

// title says in words what happened, in the language of the request.
func title(ctx context.Context, e *Entry, w words) string {
	say := func(code string, params ...any) string {
		m := map[string]any{}
		for i := 0; i+1 < len(params); i += 2 {
			m[fmt.Sprint(params[i])] = params[i+1]
		}
		return httpx.Say(ctx, code, m)
	}
	p := e.Properties
	switch e.Name {
	case event.NamePageViewed:
		return say("timeline.page_viewed", "what", cmp.Or(firstWord(p, "title", "name", "path"), path(firstWord(p, "url")), "…"))
	case event.NameScreenViewed:
		return say("timeline.screen_viewed", "what", cmp.Or(firstWord(p, "name", "title"), "…"))
	case event.NameIdentified:
		return say("timeline.identified")
	case event.NameAliased:
		return say("timeline.aliased")
	case event.NameGroupJoined:
		what := cmp.Or(firstWord(p, "groupName", "name"), "…")
		if by := firstWord(p, "invitorName"); by != "" {
			return say("timeline.group_joined_by", "what", what, "by", by)
		}
		return say("timeline.group_joined", "what", what)
	case event.NameGroupLeft:
		if what := firstWord(p, "groupName"); what != "" {
			return say("timeline.group_left", "what", what)
		}
	case event.NameMessageReceived, event.NameMessageSent, event.NameMessageDelivered, event.NameMessageFailed, event.NameServiceStarted, event.NameServiceTaken, event.NameServiceEnded:
		return talked(e.Name, p, say)
	case event.NameContactCreated:
		return say("timeline.contact_created", "by", cmp.Or(firstWord(p, "by"), "…"))
	case event.NameContactUpdated:
		return say("timeline.contact_updated")
	case event.NameContactImport:
		return say("timeline.contact_imported")
	case event.NameContactMerged:
		return say("timeline.contact_merged")
	case event.NameContactSplit:
		return say("timeline.contact_split")
	case event.NameTagAdded:
		return say("timeline.tag_added", "tag", cmp.Or(firstWord(p, "name", "tag"), "…"))
	case event.NameTagRemoved:
		return say("timeline.tag_removed", "tag", cmp.Or(firstWord(p, "name", "tag"), "…"))
	case event.NameTagMerged:
		return say("timeline.tag_merged", "from", cmp.Or(firstWord(p, "fromName", "from"), "…"), "tag", cmp.Or(firstWord(p, "name", "tag"), "…"))
	case event.NameNoteAdded:
		return say("timeline.note_added", "by", cmp.Or(firstWord(p, "by"), "…"))
	case event.NameFileAdded:
		return say("timeline.file_added", "by", cmp.Or(firstWord(p, "by"), "…"))
	case event.NameRelationAdded:
		return say("timeline.relation_added", "by", cmp.Or(firstWord(p, "by"), "…"))
	case event.NameLifecycleChanged:
		return w.moved(machineLifecycle, p, say)
	case event.NamePoolChanged:
		return w.moved(machinePools, p, say)
	case event.NameConsentGranted:
		if firstWord(p, "purpose") == anything {
			return say("timeline.contact_allowed")
		}
		return say("timeline.consent_granted", "what", w.purpose(p))
	case event.NameConsentWithdrawn:
		if firstWord(p, "purpose") == anything {
			return say("timeline.contact_refused")
		}
		return say("timeline.consent_withdrawn", "what", w.purpose(p))
	case event.NameOwnerChanged:
		by, from, to := cmp.Or(firstWord(p, "by"), "…"), firstWord(p, "from"), firstWord(p, "to")
		switch {
		case from == "":
			return say("timeline.owner_given", "by", by, "to", cmp.Or(w.staff[to], "…"))
		case to == "":
			return say("timeline.owner_taken", "by", by, "from", cmp.Or(w.staff[from], "…"))
		}
		return say("timeline.owner_moved", "by", by, "from", cmp.Or(w.staff[from], "…"), "to", cmp.Or(w.staff[to], "…"))
	case event.NameFollowUpPlanned:
		return say("timeline.followup_planned", "by", cmp.Or(firstWord(p, "by"), "…"))
	case event.NameFollowUpDone:
		return say("timeline.followup_done", "by", cmp.Or(firstWord(p, "by"), "…"))
	case event.NameSegmentEntered:
		return say("timeline.segment_entered", "what", cmp.Or(firstWord(p, "segmentName", "segment"), "…"))
	case event.NameSegmentLeft:
		return say("timeline.segment_left", "what", cmp.Or(firstWord(p, "segmentName", "segment"), "…"))
	case event.NameOrderPaid:
		return say("timeline.order_paid", "number", cmp.Or(firstWord(p, "orderNumber", "number"), "…"))
	case event.NameOrderRefunded:
		return say("timeline.order_refunded", "number", cmp.Or(firstWord(p, "refundOf", "orderNumber", "number"), "…"))
	}
	name := cmp.Or(w.events[e.Name], e.Name)
	if what := firstWord(p, "title", "name", "product_name", "productName", "productTitle"); what != "" {
		return name + " · " + what
	}
	return name
}

// firstWord is the first of the properties that is a text or a number.
func firstWord(p map[string]any, keys ...string) string {
	for _, k := range keys {
		switch v := p[k].(type) {
		case string:
			if s := strings.TrimSpace(v); s != "" {
				return clip(s, 200)
			}
		case float64:
			return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
		}
	}
	return ""
}

func path(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Path == "" {
		return raw
	}
	return u.Path
}
