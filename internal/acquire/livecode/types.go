package livecode

import (
	"time"
)

// Limits, of the platform and of what a person can survey.
const (
	maxCodes       = 20_000 // of the platform's 500,000 ways: what one list and one memory hold
	maxName        = 40     // characters
	maxMembers     = 100    // of one way, by the platform
	maxWindows     = 50
	maxTags        = 20
	maxTimed       = 20
	maxText        = 4000 // bytes of a welcome, by the platform
	maxParts       = 9    // attachments of a welcome, by the platform
	maxRemark      = 20   // characters, by the platform
	maxFolders     = 200
	maxBatch       = 500
	maxFile        = 10 << 20
	maxWeight      = 100
	maxCap         = 10_000
	maxPoolDays    = 730
	wayRemark      = 30 // characters, by the platform
	welcomeTime    = 20 * time.Second
	nameTime       = 3 * time.Second
	fallbackPerson = "您"
)

// Window is a stretch of some days of the week, in the company's time. One that
// ends before it begins goes over midnight and belongs to the day it begins on.
type Window struct {
	Days []int  `json:"days" minItems:"1" maxItems:"7" doc:"1 Monday to 7 Sunday"`
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"HH:MM"`
	To   string `json:"to" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"HH:MM, excluded; 24:00 is the end of the day"`
}

// Member is a colleague in a code's staff pool.
type Member struct {
	Staff   string   `json:"staff" minLength:"1" maxLength:"64" doc:"The platform's id"`
	Weight  int      `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"Share of those who come, beside the others' weights; 0 is 1"`
	Shifts  []Window `json:"shifts,omitempty" maxItems:"50" doc:"When they are on duty; none: always"`
	Offline bool     `json:"offline,omitempty" doc:"Taken out by hand"`
	Cap     int      `json:"cap,omitempty" minimum:"0" maximum:"10000" doc:"New customers a day by this code; 0: no end"`
}

// The ways in which customers are confirmed.
const (
	VerifySkip    = "skip"    // nobody has to
	VerifyAsk     = "ask"     // the colleague confirms each
	VerifyWindows = "windows" // skipped in windows, asked outside
)

// The welcomes that a code gives.
const (
	GreetOwn     = "own"
	GreetGeneral = "general" // what friends without a code get
	GreetNone    = "none"
)

// The kinds of attachments.
const (
	PartImage = "image"
	PartLink  = "link"
	PartApp   = "miniprogram"
	PartFile  = "file"
)

// Attachment is what goes along with a welcome.
type Attachment struct {
	Kind    string `json:"kind" enum:"image,link,miniprogram,file"`
	File    string `json:"file,omitempty" maxLength:"60" doc:"Id of an uploaded file: the image, the file, the picture of a link or mini-program"`
	Title   string `json:"title,omitempty" maxLength:"128" doc:"Of a link or mini-program"`
	Note    string `json:"note,omitempty" maxLength:"512" doc:"Of a link: a line below the title"`
	URL     string `json:"url,omitempty" maxLength:"2000" doc:"Of a link"`
	AppID   string `json:"appId,omitempty" maxLength:"60" doc:"Of a mini-program"`
	AppPath string `json:"appPath,omitempty" maxLength:"1000" doc:"Page of the mini-program"`
}

// Welcome is a message; {customer}, {staff} and {code} in its text are names.
type Welcome struct {
	Text        string       `json:"text,omitempty" maxLength:"4000" doc:"At most 4,000 bytes; {customer}, {staff}, {code} and {date} are filled in"`
	Attachments []Attachment `json:"attachments,omitempty" maxItems:"9"`
}

// Timed is a welcome for some times.
type Timed struct {
	Windows []Window `json:"windows" minItems:"1" maxItems:"50"`
	Welcome
}

// Hook is what a newcomer gets, once: a text and a thing, with the welcome.
type Hook struct {
	Name       string      `json:"name" minLength:"1" maxLength:"160" doc:"What colleagues call it, and what tells it: whoever had a gift of this name by another code does not get it again; a name of its own gives it once more"`
	Text       string      `json:"text,omitempty" maxLength:"1000" doc:"Added to the welcome"`
	Attachment *Attachment `json:"attachment,omitempty"`
}

// Expiry is what happens once a code is over.
type Expiry struct {
	At    time.Time `json:"at"`
	Staff []string  `json:"staff" maxItems:"100" doc:"Who meets people from then on, by the platform's ids; at least one"`
	Text  string    `json:"text,omitempty" maxLength:"4000" doc:"Their welcome; without one the general welcome"`
}

// Definition is what people say of a code.
type Definition struct {
	Name     string   `json:"name" minLength:"1" maxLength:"160"`
	Account  string   `json:"account" minLength:"1" maxLength:"60" doc:"Id of the WeCom account; stays"`
	Channel  string   `json:"channel,omitempty" maxLength:"60" doc:"Where people who scan it come from: a channel's id"`
	Folder   string   `json:"folder,omitempty" maxLength:"60" doc:"Id of the folder"`
	Members  []Member `json:"members" minItems:"1" maxItems:"100"`
	Backups  []string `json:"backups,omitempty" maxItems:"100" doc:"Who meets people when all members are off or full, by the platform's ids"`
	Verify   string   `json:"verify,omitempty" enum:"skip,ask,windows" default:"skip"`
	Skip     []Window `json:"skip,omitempty" maxItems:"50" doc:"verify windows: when nobody has to confirm"`
	Tags     []string `json:"tags,omitempty" maxItems:"20" doc:"Ids of tags that newcomers get"`
	Remark   string   `json:"remark,omitempty" maxLength:"80" doc:"How colleagues' address books call newcomers: {name}, {code}, {date}; 20 characters at most, the name gives way"`
	Pool     string   `json:"pool,omitempty" maxLength:"40" doc:"Pool that newcomers are placed in"`
	PoolDays int      `json:"poolDays,omitempty" minimum:"0" maximum:"730" doc:"How many days they stay there whatever the rules say; 0 is 7"`
	Greet    string   `json:"greet,omitempty" enum:"own,general,none" default:"own"`
	Welcome  Welcome  `json:"welcome,omitempty" doc:"When no timed one is due"`
	Timed    []Timed  `json:"timed,omitempty" maxItems:"20" doc:"The first whose time it is"`
	Person   string   `json:"person,omitempty" maxLength:"40" doc:"What {customer} says when the name is not known in time"`
	Hook     *Hook    `json:"hook,omitempty"`
	Expiry   *Expiry  `json:"expiry,omitempty"`
}

// The states of a code.
const (
	Active   = "active"
	Archived = "archived"
)

// Code is a live code as it is kept.
type Code struct {
	ID  string
	Key string // the platform's state: see key.go
	Definition
	State     string
	ByID, By  string
	CreatedAt time.Time
	ChangedAt time.Time
	way       way
	rev       int64
}

// way is what the platform knows of a code, as far as it told us.
type way struct {
	id, qr, text, sum string
	users             []string
	skip              bool
	why               string // backup, expired, nobody
	at                int64
	fault             string
	faultCode         int
	faultAt           int64
	tries             int
	nextAt            int64
}

// Over tells whether the code is over at a time.
func (c *Code) Over(now time.Time) bool { return c.Expiry != nil && !now.Before(c.Expiry.At) }

// named lists all colleagues that a code speaks of.
func (d *Definition) named() (out []string) {
	for _, m := range d.Members {
		out = append(out, m.Staff)
	}
	out = append(out, d.Backups...)
	if d.Expiry != nil {
		out = append(out, d.Expiry.Staff...)
	}
	return out
}

// attachments lists all that a definition sends.
func (d *Definition) attachments() (out []*Attachment) {
	take := func(w *Welcome) {
		for i := range w.Attachments {
			out = append(out, &w.Attachments[i])
		}
	}
	take(&d.Welcome)
	for i := range d.Timed {
		take(&d.Timed[i].Welcome)
	}
	if d.Hook != nil && d.Hook.Attachment != nil {
		out = append(out, d.Hook.Attachment)
	}
	return out
}
