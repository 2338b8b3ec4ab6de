package reply

import (
	"time"
)

// Limits, of the platforms and of what a person can survey.
const (
	maxRules    = 5000 // of an account
	maxWords    = 50   // of a rule
	maxWord     = 200  // characters
	maxName     = 60   // characters
	maxContents = 3    // what an official account may send after a click or a follow
	maxText     = 2048 // bytes, by the platform
	maxAround   = 1024 // bytes above and below a menu
	maxLines    = 10   // of a menu
	maxTap      = 128  // bytes that a line of a menu says
	maxTags     = 20
	maxHours    = 720 // how long "once in so many hours" can be
	maxWindows  = 50
	maxDates    = 200
	maxMessage  = 2000 // characters of a message that are looked at
	maxPattern  = 600  // characters of a message that patterns look at
	maxPatterns = 200  // patterns of an account
	maxProgram  = 1000 // steps of one pattern when it is compiled
	maxRows     = 5000 // of a file
)

// The kinds of rules.
const (
	Follow   = "follow"    // somebody follows, or begins a session
	Keyword  = "keyword"   // a message holds a word
	Chosen   = "chosen"    // a menu button or a scene code chose it
	OffHours = "off_hours" // a message that no keyword fits comes outside working hours
	Default  = "default"   // nothing else fits
)

var kinds = []string{Follow, Keyword, Chosen, OffHours, Default}

// The ways in which a word fits a message.
const (
	Exact    = "exact"    // it is the message
	Contains = "contains" // it stands in it
	Pattern  = "regex"    // a regular expression finds something
)

// Word is what a message is looked at for. Width, letter case and spaces at the
// ends make no difference but to a pattern.
type Word struct {
	Text  string `json:"text" minLength:"1" maxLength:"800"`
	Match string `json:"match,omitempty" enum:"exact,contains,regex" default:"exact"`
}

// The kinds of contents.
const (
	PartText  = "text"
	PartImage = "image"
	PartLink  = "link"
	PartApp   = "miniprogram"
	PartMenu  = "menu" // lines that can be tapped
)

// Content is one thing that is said.
type Content struct {
	Kind    string `json:"kind" enum:"text,image,link,miniprogram,menu"`
	Text    string `json:"text,omitempty" maxLength:"2048" doc:"At most 2,048 bytes; of a menu what stands above its lines, 1,024; {word}, {date}, {time} and {account} are filled in"`
	File    string `json:"file,omitempty" maxLength:"60" doc:"Id of an uploaded picture: the image, or that of a mini-program; in customer service also of a link"`
	Title   string `json:"title,omitempty" maxLength:"128" doc:"Of a link or mini-program"`
	Note    string `json:"note,omitempty" maxLength:"512" doc:"Of a link: a line below the title"`
	URL     string `json:"url,omitempty" maxLength:"2000" doc:"Of a link"`
	Picture string `json:"picture,omitempty" maxLength:"2000" doc:"Of an official account's link: address of its picture, where everybody can read it"`
	AppID   string `json:"appId,omitempty" maxLength:"60" doc:"Of a mini-program"`
	AppPath string `json:"appPath,omitempty" maxLength:"1000" doc:"Page of the mini-program"`
	Lines   []Line `json:"lines,omitempty" maxItems:"10" doc:"Of a menu"`
	Tail    string `json:"tail,omitempty" maxLength:"1024" doc:"Of a menu: what stands below its lines, 1,024 bytes"`
}

// Line is one line of a menu. Tapped, it says its words, as if the customer had
// written them; or it opens a page or a mini-program, in customer service alone.
type Line struct {
	Text    string `json:"text" maxLength:"1024" doc:"128 bytes; of one that opens something 1,024"`
	Reply   string `json:"reply,omitempty" maxLength:"60" doc:"Id of the auto-reply that answers; left out: the one that fits the words"`
	URL     string `json:"url,omitempty" maxLength:"2000" doc:"Of a page"`
	AppID   string `json:"appId,omitempty" maxLength:"60" doc:"Of a mini-program"`
	AppPath string `json:"appPath,omitempty" maxLength:"1000"`
}

// Definition is what people say of a rule.
type Definition struct {
	Account    string    `json:"account" minLength:"1" maxLength:"60" doc:"Id of the account; stays"`
	Name       string    `json:"name" minLength:"1" maxLength:"240"`
	Kind       string    `json:"kind" enum:"follow,keyword,chosen,off_hours,default" doc:"Stays"`
	Words      []Word    `json:"words,omitempty" maxItems:"50" doc:"Of a keyword rule"`
	Contents   []Content `json:"contents" minItems:"1" maxItems:"3" doc:"What is said, in this order"`
	Tags       []string  `json:"tags,omitempty" maxItems:"20" doc:"Ids of tags that whoever is answered gets"`
	Off        bool      `json:"off,omitempty"`
	From       time.Time `json:"from,omitzero" doc:"It answers from then on"`
	Until      time.Time `json:"until,omitzero" doc:"It answers until then, excluded"`
	EveryHours int       `json:"everyHours,omitempty" minimum:"0" maximum:"720" doc:"Each person is answered once in so many hours; 0: each time"`
}

// holds tells whether the rule is on and its time is now.
func (d *Definition) holds(now time.Time) bool {
	return !d.Off && (d.From.IsZero() || !now.Before(d.From)) && (d.Until.IsZero() || now.Before(d.Until))
}

// Rule is a rule as it is kept.
type Rule struct {
	ID string
	Definition
	Place     int64 // among those of its account and kind: the lowest that fits answers
	By        string
	CreatedAt time.Time
	ChangedAt time.Time
	gone      bool
	rev       int64
}

// Window is a stretch of some days of the week, in the company's time. One that
// ends before it begins goes over midnight and belongs to the day it begins on.
type Window struct {
	Days []int  `json:"days" minItems:"1" maxItems:"7" doc:"1 Monday to 7 Sunday"`
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"HH:MM"`
	To   string `json:"to" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"HH:MM, excluded; 24:00 is the end of the day"`
}

// Day is a day that is not as its day of the week.
type Day struct {
	Date string `json:"date" minLength:"10" maxLength:"10" doc:"YYYY-MM-DD"`
	From string `json:"from,omitempty" maxLength:"5" doc:"HH:MM; without it nobody works that day"`
	To   string `json:"to,omitempty" maxLength:"5" doc:"HH:MM, excluded"`
	Note string `json:"note,omitempty" maxLength:"120" doc:"Such as the name of the holiday"`
}

// Hours are when an account has people who answer.
type Hours struct {
	Windows []Window `json:"windows" maxItems:"50" doc:"None: always, and off-hours rules never answer"`
	Days    []Day    `json:"days" maxItems:"200" doc:"Holidays, and days that are worked on instead"`
	rev     int64
}

// The things that can be answered.
const (
	AskMessage = "message" // somebody wrote; Text is empty for a picture and the like
	AskFollow  = "follow"  // somebody follows, or begins a session
	AskClick   = "click"   // on a menu button; Choice is its rule
	AskScan    = "scan"    // of a scene code by one who follows already; Choice is its rule
)

// Ask is something that came in.
type Ask struct {
	Key     string // tells repeats: the fact's message id
	Account string
	Person  string // id on the platform
	Kind    string
	Text    string
	Choice  string // id of the rule that the button, the menu's line, or the scene code chose
	At      time.Time
}

// Why a rule answers, or none does.
const (
	WhyKeyword  = "keyword"
	WhyFollow   = "follow"
	WhyChosen   = "chosen"
	WhyOffHours = "off_hours"
	WhyDefault  = "default"
	WhyNone     = "none"    // no rule fits
	WhyRecent   = "recent"  // the rule that fits answered this person a while ago
	WhyResting  = "resting" // the rule that was chosen is off, gone, or its time is over
)

// Verdict is who answers. Rule is also set for WhyRecent and WhyResting, where known.
type Verdict struct {
	Rule *Rule
	Word Word   // that fitted
	Said string // the part of the message that it found
	Why  string
}

// Silent tells that nothing is said.
func (v Verdict) Silent() bool {
	return v.Rule == nil || v.Why == WhyRecent || v.Why == WhyResting || v.Why == WhyNone
}
