package dictionary

import (
	"context"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/event/veil"
)

// known is what the learner goes by: the plan, the bounds, and which samples
// there are already. It is read anew when somebody edits.
type known struct {
	version    int64
	planned    bool // somebody expects events: then others are unexpected
	events     map[string]*knownEvent
	properties int
}

type knownEvent struct {
	state   State
	seen    bool
	plan    bool // has expected properties: then others are unexpected
	props   map[string]*knownProp
	require []string // expected and required
}

type knownProp struct {
	state    State
	expected string // type, "" any
	samples  []string
	seen     bool
}

// delta is what a batch of facts adds.
type delta struct {
	events     map[string]*eventDelta
	violations map[violationKey]*violationDelta
	newProps   int
	newEvents  int
	overEvents int64
	overProps  int64
}

type eventDelta struct {
	n           int64
	first, last int64
	known       *knownEvent // nil: new
	props       map[string]*propDelta
	fresh       int // properties not known before
}

type propDelta struct {
	types       [typeCount]int64
	first, last int64
	samples     []string // new ones
	known       *knownProp
	fact        int // the last fact that had it, not null; from 1
}

type violationKey struct {
	event, property string
	kind            Kind
}

type violationDelta struct {
	n              int64
	first, last    int64
	sample, source string
}

// Name implements event.Subscriber.
func (s *Service) Name() string { return "dictionary" }

// Handle implements event.Subscriber: it counts a batch in memory and writes
// what it adds up to, in the transaction that also moves the cursor, so that
// every fact counts exactly once.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.current(ctx)
	if err != nil {
		return err
	}
	d := &delta{events: map[string]*eventDelta{}, violations: map[violationKey]*violationDelta{}}
	for i := range facts {
		d.learn(k, &facts[i], i+1)
	}
	if err := s.write(ctx, d); err != nil {
		return err
	}
	s.deps.DB.After(ctx, func() { s.adopt(k, d) })
	return nil
}

func (d *delta) learn(k *known, f *event.Stored, nth int) {
	e := d.event(k, f.Name)
	if e == nil {
		d.overEvents++
		return
	}
	e.n++
	e.first, e.last = spread(e.first, e.last, f.Timestamp)
	raw, person := f.Properties, false
	if f.Type == event.Identify || f.Type == event.Group {
		raw, person = f.Traits, true
	}
	if len(raw) > 0 {
		// What cannot be read as an object has no properties: the doors let nothing else in.
		_ = jsonscan.Members(raw, func(name []byte, v jsonscan.Value) bool {
			d.property(k, e, f, name, v, person, nth)
			return true
		})
	}
	d.check(k, e, f, nth)
}

// spread widens [first, last] to at; zero means never.
func spread(first, last, at int64) (int64, int64) {
	if first == 0 || at < first {
		first = at
	}
	return first, max(last, at)
}

func (d *delta) event(k *known, name string) *eventDelta {
	if e := d.events[name]; e != nil {
		return e
	}
	e := &eventDelta{known: k.events[name], props: map[string]*propDelta{}}
	if e.known == nil {
		if len(k.events)+d.newEvents >= MaxEvents {
			return nil
		}
		d.newEvents++
	}
	d.events[name] = e
	return e
}

func (d *delta) property(k *known, e *eventDelta, f *event.Stored, name []byte, v jsonscan.Value, person bool, nth int) {
	p := e.props[string(name)]
	if p == nil {
		p = &propDelta{}
		known := 0
		if e.known != nil {
			p.known, known = e.known.props[string(name)], len(e.known.props)
		}
		if p.known == nil {
			if known+e.fresh >= MaxPropertiesPerEvent || k.properties+d.newProps >= maxProperties || len(name) > maxPropertyName || len(name) == 0 {
				d.overProps++
				return
			}
			d.newProps++
			e.fresh++
		}
		e.props[string(name)] = p
	}
	t := typeOf(v)
	p.types[t]++
	p.first, p.last = spread(p.first, p.last, f.Timestamp)
	if t != tNull {
		p.fact = nth
	}
	sample := p.sample(string(name), t, v, person)
	if p.known == nil {
		return
	}
	if p.known.state == Expected && p.known.expected != "" && t != tNull && p.known.expected != typeNames[t] {
		d.violate(f, string(name), WrongType, sample)
	}
}

// sample keeps a short value that tells nobody who it was. It returns the
// value as it may be shown.
func (p *propDelta) sample(name string, t int, v jsonscan.Value, person bool) string {
	if t >= tArray || len(v.Raw) > maxSampleLength+2 {
		return ""
	}
	text := string(v.Raw)
	if v.Kind == jsonscan.String {
		text = string(jsonscan.Text(nil, v))
	}
	if text == "" || veil.Personal(name, text) || person && (name == "name" || name == "id") {
		return ""
	}
	have := len(p.samples)
	if p.known != nil {
		have += len(p.known.samples)
	}
	if have < maxSamples && !slices.Contains(p.samples, text) && (p.known == nil || !slices.Contains(p.known.samples, text)) {
		p.samples = append(p.samples, text)
	}
	return text
}

// check compares a fact with the plan.
func (d *delta) check(k *known, e *eventDelta, f *event.Stored, nth int) {
	if Builtin(f.Name) {
		return
	}
	switch {
	case e.known == nil || e.known.state == Learned:
		if k.planned {
			d.violate(f, "", UnexpectedEvent, "")
		}
		return
	case e.known.state == Hidden:
		return
	}
	for _, name := range e.known.require {
		if p := e.props[name]; p == nil || p.fact != nth {
			d.violate(f, name, MissingProperty, "")
		}
	}
	if !e.known.plan {
		return
	}
	for name, p := range e.props {
		if p.fact == nth && (p.known == nil || p.known.state == Learned) {
			d.violate(f, name, UnexpectedProperty, "")
		}
	}
}

func (d *delta) violate(f *event.Stored, property string, kind Kind, sample string) {
	key := violationKey{f.Name, property, kind}
	v := d.violations[key]
	if v == nil {
		v = &violationDelta{}
		d.violations[key] = v
	}
	v.n++
	v.first, v.last = spread(v.first, v.last, f.Timestamp)
	v.source = f.Source
	if sample != "" {
		v.sample = sample
	}
}

func typeOf(v jsonscan.Value) int {
	switch v.Kind {
	case jsonscan.Number:
		return tNumber
	case jsonscan.Bool:
		return tBoolean
	case jsonscan.Array:
		return tArray
	case jsonscan.Object:
		return tObject
	case jsonscan.String:
		if readsAsTime(v.Raw[1 : len(v.Raw)-1]) {
			return tTime
		}
		return tString
	}
	return tNull
}

// readsAsTime knows dates and times as ISO 8601 writes them: 2026-03-02, also
// with a time behind it.
func readsAsTime(s []byte) bool {
	if len(s) < 10 || len(s) > 35 || s[4] != '-' || s[7] != '-' {
		return false
	}
	for _, i := range [...]int{0, 1, 2, 3, 5, 6, 8, 9} {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 10 || (s[10] == 'T' || s[10] == ' ') && len(s) >= 16 && s[13] == ':'
}

// adopt makes a committed delta part of what is known.
func (s *Service) adopt(k *known, d *delta) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range d.events {
		ke := k.events[name]
		if ke == nil {
			ke = &knownEvent{state: Learned, props: map[string]*knownProp{}}
			k.events[name] = ke
		}
		ke.seen = true
		for pname, p := range e.props {
			kp := ke.props[pname]
			if kp == nil {
				kp = &knownProp{state: Learned}
				ke.props[pname] = kp
				k.properties++
			}
			kp.seen = true
			kp.samples = append(kp.samples, p.samples...)
		}
	}
}
