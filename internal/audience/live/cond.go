package live

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// cond is one condition, shared by all rules in which it stands.
type cond struct {
	key   string // how it is written
	node  rule.Node
	base  numset.Choice // whom it holds for
	known bool          // base was worked out
	plans []owning      // that serve

	on       []string // what it rests on of what follows from rules
	field    dependence
	names    map[string]bool  // behaviour: the events it looks at
	probes   []rule.Behaviour // behaviour: a fact that none of these hold for changes nothing
	trend    trend
	span     time.Duration // behaviour: a window of minutes or hours, out of which facts fall
	daily    bool          // its meaning changes with the day
	said     *answer       // in the step under way
	retry    time.Time     // when it is tried again, if it is broken
	failures int

	broken error   // why it could not be worked out; guarded by the engine's mu
	share  float64 // how much of it is worked out; guarded by the engine's mu
}

// owning is a plan and whose it is.
type owning struct {
	owner *owned
	plan  *plan
}

// trend is what more facts can do to a condition on behaviour.
type trend byte

const (
	either  trend = iota
	rising        // it may begin to hold, and not cease
	falling       // it may cease to hold, and not begin
)

func newCond(key string, n *rule.Node) *cond {
	c := &cond{key: key, node: *n}
	if n.Field != "" {
		c.field, c.on = dependenceOf(n), loops.On(&rule.Rule{V: 1, Node: *n})
		c.daily = c.field.daily
		return c
	}
	c.names = map[string]bool{}
	for _, name := range n.Behaviour.Names() {
		c.names[name] = true
	}
	c.read(&n.Behaviour)
	return c
}

func (c *cond) behaviour() bool { return c.names != nil }

// read finds out how a condition on behaviour changes.
func (c *cond) read(b *rule.Behaviour) {
	var w *rule.Window
	probe := func(name string, where []rule.Where, w *rule.Window) {
		c.probes = append(c.probes, rule.Behaviour{Event: &rule.Event{Name: name, Where: where, Within: w}})
	}
	switch {
	case b.Event != nil:
		d := b.Event.Default()
		w = d.Within
		c.trend = trendOf(d.Measure, d.Op)
		if d.Measure == "firstTime" { // a first time before the window counts
			probe(d.Name, d.Where, nil)
		} else {
			probe(d.Name, d.Where, d.Within)
		}
	case b.Sequence != nil:
		w = b.Sequence.Within
		c.trend = rising
		for _, s := range b.Sequence.Steps {
			probe(s.Name, s.Where, w)
		}
	case b.Habit != nil:
		c.daily = true
		if b.Habit.Kind == "regularly" {
			c.trend = rising
		}
		probe(b.Habit.Name, b.Habit.Where, nil)
	}
	if w == nil || w.Last == 0 {
		return
	}
	switch w.Unit {
	case "minute":
		c.span = time.Duration(w.Last) * time.Minute
	case "hour":
		c.span = time.Duration(w.Last) * time.Hour
	default:
		c.daily = true
	}
}

func trendOf(measure, op string) trend {
	up, down := op == "gte" || op == "gt", op == "lte" || op == "lt"
	switch measure {
	case "count", "distinct":
		if up {
			return rising
		}
		if down {
			return falling
		}
	case "max":
		if up {
			return rising
		}
	case "min":
		if down {
			return rising
		}
	}
	return either
}

// dependence is what may change a condition on a field.
type dependence struct {
	facts  []string                           // names; those that end with a dot stand for all that begin with them
	when   func(f *event.Stored) bool         // or facts of which this is true
	stays  func(c *cond, is, admin bool) bool // an answer that such facts do not change; nil: none
	daily  bool                               // and the day
	polled bool                               // and what no fact speaks of
	kept   bool                               // and what owners of rules keep without a word
}

var (
	aboutContact = []string{"contact."}
	ofOrders     = []string{"contact.", "order."}
	ofStages     = []string{"contact.", "lifecycle."}
	ofPools      = []string{"contact.", "pool."}
	// bringsTraits: such facts may say something about the person.
	bringsTraits = func(f *event.Stored) bool { return f.Type == event.Identify || len(f.Traits) > 2 }
	saysChannel  = func(f *event.Stored) bool { return f.Channel != "" }
	signOfLife   = func(f *event.Stored) bool { return !event.Administrative(f.Name) }
	administers  = func(f *event.Stored) bool { return event.Administrative(f.Name) }
)

// dependences says it of the fields that are known here. Changes of contacts'
// rows by staff, imports and merges are stated as contact.…, those by facts come
// with the facts.
var dependences = map[string]dependence{
	"name":       {facts: aboutContact, when: bringsTraits},
	"city":       {facts: aboutContact, when: bringsTraits},
	"gender":     {facts: aboutContact, when: bringsTraits},
	"birthday":   {facts: aboutContact, when: bringsTraits, daily: true},
	"attr":       {facts: aboutContact, when: bringsTraits, daily: true, polled: true},
	"tag":        {facts: []string{"contact.", "tag."}},
	"owner":      {facts: []string{"contact.", "owner."}},
	"department": {facts: []string{"contact.", "owner."}, polled: true},
	"ownerTouch": {facts: aboutContact, when: administers, daily: true},
	"channel":    {facts: aboutContact, when: saysChannel},
	"source":     {facts: aboutContact, when: saysChannel},
	"medium":     {facts: aboutContact, when: saysChannel},
	"campaign":   {facts: aboutContact, when: saysChannel},
	"created":    {facts: aboutContact, when: func(f *event.Stored) bool { return f.Timestamp < f.ReceivedAt }, daily: true, stays: bornStays},
	"lastSeen":   {facts: aboutContact, when: signOfLife, daily: true, stays: seenStays},
	"firstOrder": {facts: ofOrders, daily: true},
	"lastOrder":  {facts: ofOrders, daily: true},
	"orders":     {facts: ofOrders},
	"revenue":    {facts: ofOrders},
	"identity": {facts: aboutContact, when: func(f *event.Stored) bool { return f.UserID != "" || f.AnonymousID != "" || len(f.Identifiers) > 0 },
		stays: func(c *cond, is, admin bool) bool { return is && !admin && c.node.Op == "in" }},
	"import":     {facts: aboutContact, when: func(f *event.Stored) bool { return f.ImportID != "" }, polled: true},
	"consent":    {facts: []string{"contact.", "consent."}, daily: true, polled: true},
	"followUp":   {facts: []string{"contact.", "followup."}, daily: true},
	"bucket":     {facts: aboutContact},
	"segment":    {facts: []string{"contact.", "segment."}, kept: true},
	"rfm":        {facts: aboutContact, daily: true, polled: true}, // late purchases are told by Refresh
	"tier":       {facts: aboutContact, daily: true, polled: true},
	"rfmScore":   {facts: aboutContact, daily: true, polled: true},
	"rfmMove":    {facts: aboutContact, daily: true, polled: true},
	"stage":      {facts: ofStages, kept: true},
	"stageSince": {facts: ofStages, kept: true, daily: true},
	"stageMove":  {facts: ofStages, kept: true, daily: true},
	"stageHand":  {facts: ofStages, kept: true, daily: true},
	"pool":       {facts: ofPools, kept: true},
	"poolSince":  {facts: ofPools, kept: true, daily: true},
	"poolMove":   {facts: ofPools, kept: true, daily: true},
	"poolHand":   {facts: ofPools, kept: true, daily: true},
}

// dependenceOf gives what a field depends on; of one that is not known here, what
// staff or the program did and the day, and it is read whole now and then.
func dependenceOf(n *rule.Node) dependence {
	if d, ok := dependences[n.Field]; ok {
		return d
	}
	return dependence{facts: aboutContact, when: administers, daily: true, polled: true}
}

// seenStays: a sign of life makes nobody less lately seen.
func seenStays(c *cond, is, admin bool) bool {
	if admin {
		return false
	}
	switch c.node.Op {
	case "within", "after", "set":
		return is
	case "olderThan", "before", "notSet":
		return !is
	}
	return false
}

// bornStays: a fact from before makes a contact older, and none makes it younger.
func bornStays(c *cond, is, admin bool) bool {
	if admin {
		return false
	}
	switch c.node.Op {
	case "within", "after":
		return !is
	case "olderThan", "before":
		return is
	}
	return false
}

// concerns tells whether facts of a name may change the condition; those of
// fields depend on the fact itself, see touches.
func (c *cond) concerns(name string) bool {
	if c.behaviour() {
		return c.names[name]
	}
	return c.field.when != nil || c.field.named(name)
}

func (d *dependence) named(name string) bool {
	for _, f := range d.facts {
		if name == f || strings.HasSuffix(f, ".") && strings.HasPrefix(name, f) {
			return true
		}
	}
	return false
}

// touches tells whether a fact may change a condition on a field.
func (c *cond) touches(f *event.Stored) bool {
	return c.field.named(f.Name) || c.field.when != nil && c.field.when(f)
}

// concerned are the conditions that facts of a name may change.
func (e *Engine) concerned(name string) []*cond {
	list, ok := e.byName[name]
	if !ok {
		for _, c := range e.conds {
			if c.known && c.concerns(name) {
				list = append(list, c)
			}
		}
		if len(e.byName) > 10_000 { // names are the senders': bounded
			e.byName = map[string][]*cond{}
		}
		e.byName[name] = list
	}
	return list
}

// quiet tells, of facts that this program states, whether nothing live was behind
// them: what owners of rules say was not, and merges that an import made.
func quiet(f *event.Stored) bool {
	if !event.Reserved(f.Name) || len(f.Properties) == 0 {
		return false
	}
	var p struct {
		Live *bool  `json:"live"`
		By   string `json:"by"`
	}
	if json.Unmarshal(f.Properties, &p) != nil {
		return false
	}
	return p.Live != nil && !*p.Live || f.Name == event.NameContactMerged && p.By == "import"
}
