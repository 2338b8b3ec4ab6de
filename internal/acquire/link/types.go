package link

import (
	"time"

	"github.com/koipond/koipond/internal/contact"
)

// Limits of links.
const (
	maxLinks  = 100_000
	maxTitle  = 80
	maxTarget = 2000
	maxWord   = 100 // of a utm field
	maxBatch  = 2000
)

// Link is a short address that leads to a stored one.
type Link struct {
	Code      string       `json:"code"`
	Path      string       `json:"path" doc:"On this server: /l/…"`
	URL       string       `json:"url,omitempty" doc:"Whole address, when the server knows where customers reach it"`
	Title     string       `json:"title"`
	Target    string       `json:"target" doc:"Where it leads"`
	Leads     string       `json:"leads" doc:"The target with what is added to it"`
	Channel   string       `json:"channel,omitempty"`
	Source    string       `json:"source,omitempty"`
	Medium    string       `json:"medium,omitempty"`
	Campaign  string       `json:"campaign,omitempty"`
	Content   string       `json:"content,omitempty"`
	Owner     *contact.Ref `json:"owner,omitempty"`
	Notify    bool         `json:"notify,omitempty" doc:"The owner is told when a known person opens it"`
	Carry     bool         `json:"carry,omitempty" doc:"The visitor's id goes along as kp_v, for the site's own tracking"`
	ExpiresAt time.Time    `json:"expiresAt,omitzero"`
	Paused    bool         `json:"paused,omitempty"`
	State     string       `json:"state" enum:"active,paused,expired"`
	Opens     int64        `json:"opens" doc:"By people, until now"`
	People    int64        `json:"people" doc:"Known or not, each once"`
	LastOpen  time.Time    `json:"lastOpenAt,omitzero"`
	CreatedAt time.Time    `json:"createdAt"`
	By        string       `json:"by,omitempty"`
}

// Input is what a link is made of.
type Input struct {
	Title     string    `json:"title" maxLength:"320"`
	Target    string    `json:"target" maxLength:"2000" doc:"http or https, or a page of our own: /p/…"`
	Channel   string    `json:"channel,omitempty" maxLength:"60"`
	Source    string    `json:"source,omitempty" maxLength:"400" doc:"utm_source, added when the target has none"`
	Medium    string    `json:"medium,omitempty" maxLength:"400"`
	Campaign  string    `json:"campaign,omitempty" maxLength:"400"`
	Content   string    `json:"content,omitempty" maxLength:"400"`
	Owner     string    `json:"owner,omitempty" maxLength:"60" doc:"User id"`
	Notify    bool      `json:"notify,omitempty"`
	Carry     bool      `json:"carry,omitempty"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	Paused    bool      `json:"paused,omitempty"`
}

// Count is how often, and by how many.
type Count struct {
	Key    string `json:"key"`
	Opens  int64  `json:"opens"`
	People int64  `json:"people"`
}

// Stats are a link's figures of a period.
type Stats struct {
	Opens     int64   `json:"opens"`
	People    int64   `json:"people"`
	Known     int64   `json:"known" doc:"Of them, those whom we know"`
	Days      []Count `json:"days"`
	Devices   []Count `json:"devices"`
	Apps      []Count `json:"apps"`
	Systems   []Count `json:"systems"`
	Referrers []Count `json:"referrers"`
	Noise     []Noise `json:"noise" doc:"Openings by programs, which count nowhere, by why"`
	Lost      int64   `json:"lost" doc:"Openings by people that could not be recorded"`
}

// Noise is how many openings were programs', and why.
type Noise struct {
	Why string `json:"why" enum:"head,prefetch,agent,bare,network,burst"`
	N   int64  `json:"n"`
}

// Open is one opening, as the radar shows it.
type Open struct {
	Code     string       `json:"code"`
	Title    string       `json:"title"`
	At       time.Time    `json:"at"`
	Contact  *contact.Ref `json:"contact,omitempty" doc:"None: somebody whom we do not know, or whom the caller may not see"`
	Device   string       `json:"device"`
	App      string       `json:"app"`
	System   string       `json:"system"`
	Referrer string       `json:"referrer,omitempty"`
}

// Settings are how programs are told apart.
type Settings struct {
	Networks []string `json:"networks" maxItems:"200" doc:"Address ranges whose visits are programs', such as 203.0.113.0/24"`
	Burst    int      `json:"burst" minimum:"3" maximum:"1000" doc:"More openings a minute from one address and browser are a program's"`
}
