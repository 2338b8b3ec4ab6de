package acquire

import (
	"time"

	"github.com/koipond/koipond/internal/contact"
)

// Limits of the tree, the rules and the costs.
const (
	maxChannels = 1000
	maxDepth    = 5
	maxRules    = 500
	maxName     = 60
	maxPattern  = 128
	maxCells    = 4000           // of the grid, in one change
	maxAmount   = 1_000_000_0000 // a hundred million in units, for a channel's day
	maxGridDays = 100
	maxSpread   = 800 // days
)

// The channels that stay where they are: what no rule places, and who came by themselves.
var anchored = map[string]bool{contact.Unknown: true, contact.Direct: true}

// Channel is one of the ways by which people come.
type Channel struct {
	ID       string       `json:"id"`
	Parent   string       `json:"parent,omitempty"`
	Name     string       `json:"name" doc:"As shown, in the reader's language"`
	OwnName  string       `json:"ownName,omitempty" doc:"What the company calls it; none: the name it came with"`
	Path     []string     `json:"path" doc:"Names from the top down to this one"`
	Owner    *contact.Ref `json:"owner,omitempty" doc:"Who answers for it"`
	Archived bool         `json:"archived,omitempty" doc:"No longer offered; its people and figures stay"`
	Anchored bool         `json:"anchored,omitempty" doc:"Can be neither moved nor archived"`
	Place    int64        `json:"place" doc:"Its order among its siblings"`
	Changed  time.Time    `json:"changedAt,omitzero"`
}

// ChannelInput is what a channel is made of.
type ChannelInput struct {
	Name     string `json:"name" maxLength:"240" doc:"Empty for a channel that came with Koipond: its own name"`
	Parent   string `json:"parent,omitempty" maxLength:"60" doc:"None: at the top"`
	Owner    string `json:"owner,omitempty" maxLength:"60" doc:"User id"`
	Archived bool   `json:"archived,omitempty"`
	Place    int64  `json:"place,omitempty" minimum:"0" maximum:"100000" doc:"Its order among its siblings; 0: last"`
}

// Rule gives a channel to what facts carry. Every part that is not empty must
// fit; * stands for any text, case does not count.
type Rule struct {
	ID       string `json:"id,omitempty" readOnly:"true"`
	Channel  string `json:"channel" maxLength:"60"`
	Source   string `json:"source,omitempty" maxLength:"500" doc:"utm_source, or the channel column of an import"`
	Medium   string `json:"medium,omitempty" maxLength:"500" doc:"utm_medium"`
	Campaign string `json:"campaign,omitempty" maxLength:"500" doc:"utm_campaign"`
	Referrer string `json:"referrer,omitempty" maxLength:"500" doc:"Host of the page that led here; those below it count too"`
	Code     string `json:"code,omitempty" maxLength:"500" doc:"Live code"`
	Link     string `json:"link,omitempty" maxLength:"500" doc:"Short link"`
	Import   string `json:"import,omitempty" maxLength:"500" doc:"Import id"`
}

// Cost is what a channel cost on a day.
type Cost struct {
	Channel string `json:"channel" maxLength:"60"`
	Day     string `json:"day" maxLength:"10" doc:"YYYY-MM-DD, a day of the company's calendar"`
	Amount  int64  `json:"amount" doc:"In the smallest unit of the currency; 0 takes it away"`
}
