package machine

import (
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/rule"
)

// The machines.
const (
	Lifecycle = "lifecycle"
	Pools     = "pools"
)

// Machines lists them.
func Machines() []string { return []string{Lifecycle, Pools} }

// fact is the name under which moves of a machine are told.
var fact = map[string]string{Lifecycle: event.NameLifecycleChanged, Pools: event.NamePoolChanged}

// Words is a text in both languages; where one is empty the other serves.
type Words struct {
	ZH string `json:"zh,omitempty" maxLength:"600"`
	EN string `json:"en,omitempty" maxLength:"600"`
}

// State is one of a machine.
type State struct {
	ID    string     `json:"id" pattern:"^[a-z][a-z0-9_]{0,31}$" doc:"Stands in rules and facts; stays when the name changes"`
	Name  Words      `json:"name"`
	Color string     `json:"color" pattern:"^#[0-9a-fA-F]{6}$"`
	Note  Words      `json:"note,omitempty" doc:"What it means, in a sentence"`
	Rule  *rule.Rule `json:"rule,omitempty" doc:"Who belongs to it; exactly one state has none and takes the rest"`
	From  []string   `json:"from,omitempty" maxItems:"30" doc:"States from which it may be entered; empty: from all. A state that names others is left when its stay is over, unless it names itself too"`
	Stay  int        `json:"stay,omitempty" minimum:"0" maximum:"3650" doc:"Days that somebody remains at least"`
	// Carriers is for pools.
	Carriers Words `json:"carriers,omitempty" doc:"Pools: which channels fit these people"`
}

// Definition is one version of a machine.
type Definition struct {
	Machine string
	Version int64
	States  []State
	At      time.Time
	By      contact.Ref
	Job     string // that sorts everybody by it
	Worked  bool   // it has: the version is in force
	Moved   int64  // how many it moved
}

// state finds one by its id; nil when there is none.
func (d *Definition) state(id string) *State {
	if i := slices.IndexFunc(d.States, func(s State) bool { return s.ID == id }); i >= 0 {
		return &d.States[i]
	}
	return nil
}

// rest is the state that takes whom no rule takes.
func (d *Definition) rest() string {
	for _, s := range d.States {
		if s.Rule.Empty() {
			return s.ID
		}
	}
	return ""
}

// asked lists the states with a rule in the order in which they are looked at:
// those that can only be entered from others first.
func (d *Definition) asked() []*State {
	var special, general []*State
	for i := range d.States {
		s := &d.States[i]
		switch {
		case s.Rule.Empty():
		case len(s.From) > 0:
			special = append(special, s)
		default:
			general = append(general, s)
		}
	}
	return append(special, general...)
}

// Reasons why somebody moved, beside those of the live engine.
const (
	byFact       = "fact"
	byLapse      = "lapse" // a minimum stay, or a colleague's choice, is over
	byDefinition = "definition"
	byStart      = "start"
	byHand       = "hand"
	byMerge      = "merge"
)
