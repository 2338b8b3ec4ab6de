package conformance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// Model answers the port's questions over slices, as plainly as the words of
// the port allow. It shares no code with any engine.
type Model struct {
	pos      event.Position
	rows     []analytics.Row // Contact is as stored
	leader   map[int64]int64
	profiles map[int64]event.Profile
}

// NewModel is an empty store.
func NewModel() *Model {
	return &Model{leader: map[int64]int64{}, profiles: map[int64]event.Profile{}}
}

func (m *Model) root(contact int64) int64 {
	if l, ok := m.leader[contact]; ok {
		return l
	}
	return contact
}

// Append is Store.Append.
func (m *Model) Append(b analytics.Batch) {
	if !analytics.Beyond(b.Position, m.pos) {
		return
	}
	for _, r := range b.Rows {
		if analytics.Beyond(r.Position, m.pos) {
			m.rows = append(m.rows, r)
		}
	}
	m.pos = b.Position
	for _, p := range b.Profiles {
		if _, ok := m.leader[p.Contact]; !ok {
			m.leader[p.Contact], m.profiles[p.Contact] = p.Contact, p
		}
	}
	for _, k := range b.Rekeys {
		m.rekey(k)
	}
	for _, p := range b.Profiles {
		for c, l := range m.leader {
			if l == p.Contact {
				m.profiles[c] = p
			}
		}
	}
}

func (m *Model) split(k event.Rekey) {
	for _, c := range append([]int64{k.From}, k.Split...) {
		if _, ok := m.leader[c]; !ok {
			m.leader[c] = c
		}
	}
	profile := m.profiles[k.From]
	all := append([]int64{k.From}, k.Split...)
	for c, l := range m.leader {
		if slices.Contains(all, c) || slices.Contains(all, l) {
			m.leader[c], m.profiles[c] = k.From, profile
		}
	}
}

func (m *Model) rekey(k event.Rekey) {
	if len(k.Split) > 0 {
		m.split(k)
		return
	}
	for _, c := range []int64{k.From, k.Into} {
		if _, ok := m.leader[c]; !ok {
			m.leader[c] = c
		}
	}
	if m.leader[k.From] != k.From {
		return
	}
	into := m.leader[k.Into]
	if into == k.From {
		into = k.Into
	}
	for c, l := range m.leader {
		if l == k.From {
			m.leader[c], m.profiles[c] = into, m.profiles[into]
		}
	}
}

// EraseContacts is Store.EraseContacts.
func (m *Model) EraseContacts(contacts []int64) int64 {
	gone := func(c int64) bool { return slices.Contains(contacts, m.root(c)) }
	before := len(m.rows)
	m.rows = slices.DeleteFunc(m.rows, func(r analytics.Row) bool { return gone(r.Contact) })
	for c := range m.leader {
		if gone(c) && m.leader[c] != c {
			delete(m.profiles, c)
			delete(m.leader, c)
		}
	}
	for _, c := range contacts {
		if m.root(c) == c {
			delete(m.profiles, c)
			delete(m.leader, c)
		}
	}
	return int64(before - len(m.rows))
}

// EraseImport is Store.EraseImport.
func (m *Model) EraseImport(id string) int64 {
	before := len(m.rows)
	m.rows = slices.DeleteFunc(m.rows, func(r analytics.Row) bool { return r.ImportID == id })
	return int64(before - len(m.rows))
}

// match returns the matching rows, their Contact as it is now.
func (m *Model) match(f analytics.Filter) []analytics.Row {
	var out []analytics.Row
	for _, r := range m.rows {
		profile := m.profiles[r.Contact]
		when := time.UnixMilli(r.Timestamp)
		switch {
		case !f.From.IsZero() && when.Before(f.From),
			!f.To.IsZero() && !when.Before(f.To),
			len(f.Events) > 0 && !slices.Contains(f.Events, r.Name),
			slices.Contains(f.ExceptEvents, r.Name),
			len(f.Sources) > 0 && !slices.Contains(f.Sources, r.Source),
			f.ImportID != "" && f.ImportID != r.ImportID,
			f.Contact != 0 && f.Contact != m.root(r.Contact),
			f.ContactKind != "" && f.ContactKind != profile.Kind,
			f.FirstChannel != "" && f.FirstChannel != profile.Channel,
			len(f.FirstChannels) > 0 && !slices.Contains(f.FirstChannels, profile.Channel),
			!arrived(profile, f.Arrived),
			f.Currency != "" && f.Currency != text(r, "currency"),
			slices.ContainsFunc(f.Where, func(e analytics.Equal) bool { return m.key(r, e.Property) != e.Value }),
			slices.Contains(f.Except, m.root(r.Contact)):
			continue
		}
		out = append(out, r)
	}
	return out
}

// arrived tells whether a contact was made within the range.
func arrived(p event.Profile, in analytics.Range) bool {
	if in.From.IsZero() && in.To.IsZero() {
		return true
	}
	at := time.UnixMilli(p.CreatedAt)
	return p.Kind != "" && (in.From.IsZero() || !at.Before(in.From)) && (in.To.IsZero() || at.Before(in.To))
}

func (m *Model) key(r analytics.Row, by string) string {
	switch by {
	case "":
		return ""
	case analytics.ByChannel:
		return m.profiles[r.Contact].Channel
	case analytics.BySource:
		return r.Source
	case analytics.ByEvent:
		return r.Name
	default:
		return text(r, by)
	}
}

// text is a property as a breakdown shows it.
func text(r analytics.Row, property string) string {
	var all map[string]json.RawMessage
	if json.Unmarshal(r.Properties, &all) != nil {
		return ""
	}
	v := string(bytes.TrimSpace(all[property]))
	switch {
	case v == "" || v == "null":
		return ""
	case v[0] == '"':
		var s string
		if json.Unmarshal([]byte(v), &s) != nil {
			return ""
		}
		return s
	default:
		return v
	}
}

func number(r analytics.Row, property string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text(r, property)), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// Totals is Store.Totals.
func (m *Model) Totals(q analytics.TotalsQuery) []analytics.GroupRow {
	groups := map[string]*analytics.GroupRow{}
	each := map[string]map[int64]int{}
	for _, r := range m.match(q.Filter) {
		k := m.key(r, q.GroupBy)
		if groups[k] == nil {
			groups[k], each[k] = &analytics.GroupRow{Key: k}, map[int64]int{}
		}
		groups[k].Count++
		if q.Property != "" {
			groups[k].Sum += number(r, q.Property)
		}
		if c := m.root(r.Contact); c > 0 {
			each[k][c]++
		}
	}
	out := []analytics.GroupRow{}
	for k, g := range groups {
		g.People = int64(len(each[k]))
		for _, n := range each[k] {
			if n >= 2 {
				g.Repeat++
			}
		}
		out = append(out, *g)
	}
	if len(out) == 0 && q.GroupBy == "" {
		out = append(out, analytics.GroupRow{})
	}
	slices.SortFunc(out, func(a, b analytics.GroupRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// Summary is Store.Summary.
func (m *Model) Summary(f analytics.Filter) (total, people int64, byEvent []analytics.EventCount) {
	all := m.Totals(analytics.TotalsQuery{Filter: f})[0]
	for _, g := range m.Totals(analytics.TotalsQuery{Filter: f, GroupBy: analytics.ByEvent}) {
		byEvent = append(byEvent, analytics.EventCount{Name: g.Key, Count: g.Count, People: g.People})
	}
	return all.Count, all.People, byEvent
}

// People is Store.People.
func (m *Model) People(q analytics.PeopleQuery) []int64 {
	n := map[int64]int64{}
	for _, r := range m.match(q.Filter) {
		n[m.root(r.Contact)]++
	}
	var out []int64
	for c, k := range n {
		if c > max(q.After, 0) && k >= q.MinCount {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out
}

// Timeline is Store.Timeline.
func (m *Model) Timeline(q analytics.TimelineQuery) []analytics.Row {
	older := func(a, b analytics.Row) int { // negative: a comes first
		return cmp.Or(cmp.Compare(b.Timestamp, a.Timestamp), cmp.Compare(b.Position.Seq, a.Position.Seq), cmp.Compare(b.Position.Idx, a.Position.Idx))
	}
	var out []analytics.Row
	for _, r := range m.match(q.Filter) {
		if c := q.Before; c != nil {
			cursor := analytics.Row{Position: c.Position}
			cursor.Timestamp = c.Timestamp
			if older(r, cursor) <= 0 {
				continue
			}
		}
		r.Contact = m.root(r.Contact)
		out = append(out, r)
	}
	slices.SortFunc(out, older)
	return out[:min(q.Limit, len(out))]
}
