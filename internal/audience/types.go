package audience

import (
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/rule"
)

// The two kinds of segments.
const (
	Dynamic = "dynamic" // whom a rule means, now and later
	Static  = "static"  // a list that somebody made
)

// The states of a segment.
const (
	Working  = "working"  // its definition is being worked out; the old members serve
	Ready    = "ready"    //
	Failed   = "failed"   // its rule cannot be answered; see fault
	Archived = "archived" // put away: members stay as they were
)

// Limits of segments.
const (
	maxSegments   = 1_000
	maxName       = 60
	maxNote       = 500
	maxFolder     = 60
	maxNesting    = 5 // segments that rest on segments
	maxKeep       = 366
	maxSnapshots  = 400
	maxLines      = 10_000
	maxOverlap    = 5
	leastOverlap  = 2
	leastTypical  = 20 // people that a comparison speaks of at least
	maxReported   = 200
	historyAtOnce = 50
)

// Segment is a group of people that is kept and named.
type Segment struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Note       string       `json:"note,omitempty"`
	Folder     string       `json:"folder,omitempty"`
	Kind       string       `json:"kind" enum:"dynamic,static"`
	Status     string       `json:"status" enum:"working,ready,failed,archived"`
	Progress   float64      `json:"progress,omitempty" doc:"From 0 to 1 while a definition is worked out"`
	Fault      string       `json:"fault,omitempty" doc:"Why it failed, in words"`
	JobID      string       `json:"jobId,omitempty" doc:"The job that works on it, when there is one"`
	Rule       *rule.Rule   `json:"rule,omitempty" doc:"Of dynamic ones"`
	Sentence   string       `json:"sentence,omitempty" doc:"The rule in the caller's language"`
	Version    int64        `json:"version" doc:"Of the definition, counted from 1"`
	Members    int64        `json:"members" doc:"Those whom the caller may see"`
	Owner      *contact.Ref `json:"owner,omitempty" doc:"Who looks after it"`
	CreatedBy  contact.Ref  `json:"createdBy"`
	CreatedAt  time.Time    `json:"createdAt"`
	ChangedAt  time.Time    `json:"changedAt" doc:"When its definition, name or list was changed last"`
	CountedAt  *time.Time   `json:"countedAt,omitempty" doc:"When members came or went last"`
	ArchivedAt *time.Time   `json:"archivedAt,omitempty"`
	Schedule   *Schedule    `json:"schedule,omitempty" doc:"Snapshots that are made by themselves"`
}

// Schedule says when snapshots are made, at midnight of the company, and how
// many are kept.
type Schedule struct {
	Every string     `json:"every" enum:"day,week,month" doc:"Weeks begin on Monday, months on the first"`
	Keep  int64      `json:"keep" minimum:"1" maximum:"366" doc:"Older ones that were made by themselves are dropped"`
	Next  *time.Time `json:"next,omitempty" readOnly:"true"`
}

// segment is a row of the table.
type segment struct {
	id, name, note, folder, kind string
	rule                         *rule.Rule
	version, readyVersion        int64
	owner, by                    contact.Ref
	created, changed, archived   int64
	state, fault, job            string
	members, counted             int64
	snapEvery                    string
	snapKeep, snapNext           int64
}

func (s *segment) dynamic() bool { return s.kind == Dynamic }

// Event is one thing that was done to a segment.
type Event struct {
	ID       string       `json:"id"`
	At       time.Time    `json:"at"`
	Action   string       `json:"action" enum:"created,defined,changed,archived,restored,added,removed,uploaded,undone,recounted"`
	By       *contact.Ref `json:"by,omitempty"`
	Version  int64        `json:"version,omitempty" doc:"Of the definition, when this made one"`
	Rule     *rule.Rule   `json:"rule,omitempty"`
	Sentence string       `json:"sentence,omitempty"`
	Detail   *EventDetail `json:"detail,omitempty"`
	Came     *int64       `json:"came,omitempty" doc:"How many it brought; only for those who see everybody, once it is worked out"`
	Went     *int64       `json:"went,omitempty"`
	Size     *int64       `json:"size,omitempty" doc:"Members afterwards"`
	CanUndo  bool         `json:"canUndo,omitempty"`
	UndoneAt *time.Time   `json:"undoneAt,omitempty"`
	UndoneBy string       `json:"undoneBy,omitempty"`
}

// EventDetail is what else is known of a change.
type EventDetail struct {
	Name    string `json:"name,omitempty" doc:"The name it got, of a file, or of what it was made from"`
	Was     string `json:"was,omitempty" doc:"What it was called before"`
	Unknown int64  `json:"unknown,omitempty" doc:"Lines that named nobody"`
	Of      string `json:"of,omitempty" doc:"The change that was undone"`
}
