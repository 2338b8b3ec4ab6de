package autotag

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/rule"
)

// Kinds of automatic tags.
const (
	ByRule  = "rule"
	ByScore = "score"
)

// Limits of a definition.
const (
	maxEvents    = 20
	maxHalfLife  = 3650 // days
	maxWeight    = 1e6
	maxThreshold = 1e9
)

// Definition says how a tag is given by itself: by a rule, or by a score.
type Definition struct {
	Kind  string     `json:"kind" enum:"rule,score"`
	Rule  *rule.Rule `json:"rule,omitempty" doc:"By rule: whom it holds for has the tag"`
	Keep  bool       `json:"keep,omitempty" doc:"By rule: once given, the tag stays when the rule no longer holds"`
	Score *Score     `json:"score,omitempty" doc:"By score: what contacts do adds up and fades"`
}

// Score says what facts are worth and how much a contact needs.
type Score struct {
	Events   []EventWeight `json:"events" minItems:"1" maxItems:"20"`
	HalfLife int           `json:"halfLife" minimum:"1" maximum:"3650" doc:"Days in which a score fades to half"`
	Have     float64       `json:"have" doc:"A contact gets the tag when a fact brings the score to this"`
	Lose     float64       `json:"lose,omitempty" doc:"And loses it below this; half of have by default"`
	Cap      float64       `json:"cap,omitempty" doc:"Scores are shown and compared as no more than this; 0: no limit"`
}

// EventWeight is what one sort of facts adds.
type EventWeight struct {
	Name   string       `json:"name" doc:"Name of the event, e.g. order.paid"`
	Where  []rule.Where `json:"where,omitempty" doc:"Only those whose properties fulfil all of these"`
	Weight float64      `json:"weight" doc:"Points each adds, more than 0"`
}

// lose is the threshold below which the tag goes.
func (s *Score) lose() float64 {
	if s.Lose > 0 {
		return s.Lose
	}
	return s.Have / 2
}

func (s *Score) half() time.Duration { return time.Duration(s.HalfLife) * 24 * time.Hour }

// shown is a score as it is shown and compared.
func (s *Score) shown(v float64) float64 {
	if s.Cap > 0 {
		return min(v, s.Cap)
	}
	return v
}

// Automation is an automatic tag as it is shown.
type Automation struct {
	Tag       contact.TagRef `json:"tag"`
	Version   int64          `json:"version"`
	By        contact.Ref    `json:"by"`
	CreatedAt time.Time      `json:"createdAt"`
	ChangedAt time.Time      `json:"changedAt"`
	Status    Status         `json:"status"`
	Definition
}

// Status tells how far an automatic tag is.
type Status struct {
	State      string  `json:"state" enum:"ready,preparing,working,faulty,archived" doc:"preparing: who it is for is worked out; working: tags are given and taken; archived: the tag may not be given"`
	Progress   float64 `json:"progress" minimum:"0" maximum:"1"`
	Total      int64   `json:"total" doc:"While working: people to change"`
	Done       int64   `json:"done"`
	Fault      string  `json:"fault,omitempty" doc:"Why it cannot go on, in words"`
	Have       int64   `json:"have" doc:"People who have the tag by itself"`
	ByHand     int64   `json:"byHand" doc:"People who have it otherwise: it is never taken from them"`
	Exceptions int64   `json:"exceptions" doc:"People from whom somebody took it by hand"`
	Losses     int64   `json:"losses" doc:"People who do not have it because of another tag of the group"`
}

// Preview tells what a definition would do.
type Preview struct {
	Matching int64         `json:"matching" doc:"People it is for"`
	Gain     int64         `json:"gain" doc:"People who would get the tag"`
	Lose     int64         `json:"lose" doc:"People who would lose it"`
	ByHand   int64         `json:"byHand" doc:"People who have it otherwise and keep it"`
	Excepted int64         `json:"excepted" doc:"People it is for from whom somebody took it by hand: they do not get it"`
	Sample   []contact.Ref `json:"sample" doc:"Some who would get it"`
	Scores   []Bucket      `json:"scores,omitempty" doc:"By score: how many people have how much"`
}

// Bucket is how many people have a score of at least From and less than the next one's.
type Bucket struct {
	From   float64 `json:"from"`
	People int64   `json:"people"`
}

// Exception is a contact who does not have an automatic tag, and why.
type Exception struct {
	Contact contact.Ref     `json:"contact"`
	Reason  string          `json:"reason" enum:"hand,group" doc:"hand: somebody took the tag off; group: another tag of the exclusive group stands above it"`
	At      time.Time       `json:"at"`
	By      *contact.Ref    `json:"by,omitempty" doc:"Who took it off"`
	Winner  *contact.TagRef `json:"winner,omitempty" doc:"The tag that stands above it"`
	Source  string          `json:"source,omitempty" enum:"manual,api,import,bulk,file,merge,undo,settle,delete,rule,score,model,code,outside" doc:"What gave that one"`
}

// Reasons that facts of automatic tags give, beside those of package live.
const (
	reasonFact       = "fact"
	reasonLapse      = "lapse"
	reasonMerge      = "merge"
	reasonDefinition = "definition"
	reasonModel      = "model"
)

// noTime is the one_at of a score of nothing.
const noTime = -1 << 62

// ownSources are those of tags that rules and scores may take again.
var ownSources = []string{contact.SourceRule, contact.SourceScore}

func versionName(version int64) string { return "v" + strconv.FormatInt(version, 10) }

// matches tells whether a fact of the name counts.
func (e *EventWeight) matches(properties json.RawMessage) bool {
	return rule.Matches(e.Where, properties)
}

// refersTo tells whether a definition asks for a term.
func refersTo(d Definition, of contact.Term) bool {
	found := false
	if d.Rule != nil {
		d.Rule.Each(func(n *rule.Node) { found = found || contact.RefersTo(n, of) })
	}
	return found
}
