package care

import (
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
)

// The states of a follow-up.
const (
	Open      = "open"
	Done      = "done"
	Cancelled = "cancelled"
)

// The buckets of the board. Today holds all that is due on this day of the
// company's, whatever the hour; overdue what was due before.
const (
	Today    = "today"
	Overdue  = "overdue"
	Upcoming = "upcoming"
)

// FollowUp is one promise to speak with a contact.
type FollowUp struct {
	ID       string       `json:"id"`
	Contact  *contact.Ref `json:"contact,omitempty" doc:"Left out when the contact is outside the caller's data scope"`
	Assignee contact.Ref  `json:"assignee"`
	Type     string       `json:"type" enum:"call,wecom,visit,other"`
	Text     string       `json:"text"`
	Due      time.Time    `json:"due"`
	AllDay   bool         `json:"allDay" doc:"Due on the day, at no hour"`
	Repeat
	State     string       `json:"state" enum:"open,done,cancelled"`
	Outcome   string       `json:"outcome,omitempty" enum:"reached,no_answer,interested,not_interested,deal"`
	Note      string       `json:"note,omitempty" doc:"What was said when it was done"`
	CreatedBy contact.Ref  `json:"createdBy"`
	CreatedAt time.Time    `json:"createdAt"`
	EndedBy   *contact.Ref `json:"endedBy,omitempty"`
	EndedAt   *time.Time   `json:"endedAt,omitempty"`

	num    int64
	remind int64
}

// Plan asks for a follow-up. An empty Assignee is the caller, an empty Type a call.
type Plan struct {
	Assignee string    `json:"assignee,omitempty" doc:"User id; empty: the caller"`
	Type     string    `json:"type,omitempty" enum:"call,wecom,visit,other" default:"call"`
	Text     string    `json:"text,omitempty" maxLength:"2000"`
	Due      time.Time `json:"due"`
	AllDay   bool      `json:"allDay,omitempty" doc:"Due on the day of this moment, at no hour"`
	Repeat
}

// Repeat says that the next one is planned when one is done: so many days later
// or, which is another thing, so many months.
type Repeat struct {
	RepeatDays   int        `json:"repeatDays,omitempty" minimum:"0" maximum:"366" doc:"Planned again so many days after it is done; 0: not"`
	RepeatMonths int        `json:"repeatMonths,omitempty" minimum:"0" maximum:"24" doc:"Or so many months after it is done"`
	RepeatUntil  *time.Time `json:"repeatUntil,omitempty" doc:"Not beyond this day; left out: without end"`
}

// after is when the next of a series is due, from now on. There is none when the
// series is over, or the follow-up stands alone.
func (r Repeat) after(now time.Time) (time.Time, bool) {
	if r.RepeatDays == 0 && r.RepeatMonths == 0 {
		return time.Time{}, false
	}
	due := now.AddDate(0, 0, r.RepeatDays)
	if m := r.RepeatMonths; m > 0 { // the 31st is followed by the last day of a shorter month
		first := time.Date(now.Year(), now.Month()+time.Month(m), 1, now.Hour(), now.Minute(), now.Second(), 0, now.Location())
		due = first.AddDate(0, 0, min(now.Day(), first.AddDate(0, 1, -1).Day())-1)
	}
	return due, r.RepeatUntil == nil || !due.After(*r.RepeatUntil)
}

// Change changes what is not nil of an open follow-up.
type Change struct {
	Assignee *string    `json:"assignee,omitempty"`
	Type     *string    `json:"type,omitempty" enum:"call,wecom,visit,other"`
	Text     *string    `json:"text,omitempty" maxLength:"2000"`
	Due      *time.Time `json:"due,omitempty"`
	AllDay   *bool      `json:"allDay,omitempty"`
}

// BulkChange is what is done with many open follow-ups.
type BulkChange struct {
	PostponeDays int     `json:"postponeDays,omitempty" minimum:"0" maximum:"366" doc:"Overdue ones count from today"`
	Assignee     *string `json:"assignee,omitempty" doc:"User id"`
	Outcome      string  `json:"outcome,omitempty" enum:"reached,no_answer,interested,not_interested,deal" doc:"Ends them with this; then the rest does not count"`
}

// Completion says what came of a follow-up, and what comes next.
type Completion struct {
	Outcome string `json:"outcome" enum:"reached,no_answer,interested,not_interested,deal"`
	Note    string `json:"note,omitempty" maxLength:"2000"`
	Next    *Plan  `json:"next,omitempty" doc:"The next follow-up, planned in the same step"`
}

// Notification is one thing that a user is told.
type Notification struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind" enum:"followup.due,followup.assigned,followup.digest,owner.stale,owner.stale_team,owner.left,link.opened,traffic.abnormal"`
	Contact   *contact.Ref `json:"contact,omitempty"`
	Ref       string       `json:"ref,omitempty" doc:"Id of the follow-up"`
	User      *contact.Ref `json:"user,omitempty" doc:"Who has left and still owns contacts"`
	Count     int64        `json:"count,omitempty" doc:"How many are due, of a digest; how many contacts, of what is told of owners"`
	CreatedAt time.Time    `json:"createdAt"`
	Read      bool         `json:"read"`

	num int64
}

// Counts are the numbers of the board's buckets.
type Counts struct {
	Today    int64 `json:"today"`
	Overdue  int64 `json:"overdue"`
	Upcoming int64 `json:"upcoming"`
}

var (
	errInput    = errs.New(errs.Invalid, "request.invalid")
	errNotFound = errs.New(errs.NotFound, "followup.not_found")
	errEnded    = errs.New(errs.Conflict, "followup.ended")
)
