package contact

import (
	"bytes"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/koipond/koipond/internal/event"
)

// Clue is what a fact says of where its contact came from.
type Clue struct {
	Channel  string // named outright
	Source   string
	Medium   string
	Campaign string
	Referrer string // host of the page that led here
	Code     string // live code that was scanned
	Link     string // short link that was opened
	Import   string // import that brought it
}

// ChannelTree is the tree of channels that the company keeps (package acquire
// implements it). It answers from memory: every fact asks it.
type ChannelTree interface {
	// Known tells whether there is a channel of this id, archived ones too.
	Known(id string) bool
	// Place is the channel that the company's own rules give a clue, "" when none does.
	Place(c *Clue) string
	// Below lists a channel and all that are below it.
	Below(id string) []string
	// Name is what the company calls a channel, "" for one that goes by the name it came with.
	Name(id string) string
	// Path lists the channels from the top down to this one.
	Path(id string) []string
	// Offered lists the channels to choose from, each after the one above it.
	Offered() []string
}

// channelBook knows the channels: the fixed ones and, when there is one, the
// company's tree. One meaning of "source" for facts, lists, rules and figures.
type channelBook struct{ tree ChannelTree }

// ChannelsFrom names who keeps the tree of channels. Call it while wiring.
func (s *Service) ChannelsFrom(t ChannelTree) { s.engine.channels.tree = t }

func (b *channelBook) known(id string) bool {
	if b != nil && b.tree != nil {
		return b.tree.Known(id)
	}
	return slices.Contains(Channels(), id)
}

func (b *channelBook) place(c *Clue) string {
	if b == nil || b.tree == nil {
		return ""
	}
	return b.tree.Place(c)
}

// ids lists the channels to choose from.
func (b *channelBook) ids() []string {
	if b == nil || b.tree == nil {
		return Channels()
	}
	return b.tree.Offered()
}

// below replaces each channel by itself and all below it.
func (b *channelBook) below(ids []string) []string {
	if b == nil || b.tree == nil {
		return ids
	}
	var out []string
	for _, id := range ids {
		out = append(out, b.tree.Below(id)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// name is what a channel is called, behind those above it: by the company, else
// by the catalogue.
func (b *channelBook) name(id string, say func(code string) string) string {
	path := []string{id}
	if b != nil && b.tree != nil {
		path = b.tree.Path(id)
	}
	names := make([]string, len(path))
	for i, at := range path {
		names[i] = b.own(at, say)
	}
	return strings.Join(names, " / ")
}

func (b *channelBook) own(id string, say func(code string) string) string {
	if b != nil && b.tree != nil {
		if name := b.tree.Name(id); name != "" {
			return name
		}
	}
	if slices.Contains(Channels(), id) {
		return say("contact.channel." + id)
	}
	return id
}

// carriers are the facts whose properties name a channel, a live code or a link.
var carriers = map[string]bool{
	event.NameCodeScanned: true, event.NameLinkClicked: true, event.NameFriendAdded: true,
}

// contextParts are what clueOf looks for; facts without any skip the parser.
var contextParts = [][]byte{[]byte(`"campaign"`), []byte(`"channel"`), []byte(`"referrer"`)}

// touchOf tells how a contact came by a fact. In this order count: a channel that
// is named outright, the company's rules, and the words that every company
// shares. ok is false when the fact says nothing of where the contact came from.
func (b *channelBook) touchOf(f *event.Fact, p *fastjson.Parser) (t Touch, ok bool) {
	in := slices.ContainsFunc(contextParts, func(w []byte) bool { return bytes.Contains(f.Context, w) })
	if !in && !carriers[f.Name] && f.ImportID == "" {
		return Touch{}, false
	}
	if p == nil {
		p = &fastjson.Parser{}
	}
	c := Clue{Import: f.ImportID}
	var built string // what the shared words say of a referrer
	if in {
		v, err := p.ParseBytes(f.Context)
		if err != nil { // intake lets only objects through; a broken one says nothing
			return Touch{}, false
		}
		built = readContext(v, &c)
	}
	if carriers[f.Name] {
		if v, err := p.ParseBytes(f.Properties); err == nil {
			c.Code, c.Link = word(v, "code"), word(v, "link")
			if own := word(v, "channel"); own != "" {
				c.Channel = own
			}
		}
	}
	return b.touch(c, built, f.Timestamp)
}

// readContext reads context.channel, context.campaign (utm) and the referrer.
func readContext(v *fastjson.Value, c *Clue) (built string) {
	if utm := v.Get("campaign"); utm != nil && utm.Type() == fastjson.TypeObject {
		c.Source, c.Medium, c.Campaign = word(utm, "source"), word(utm, "medium"), word(utm, "name")
		if c.Campaign == "" {
			c.Campaign = word(utm, "campaign")
		}
	}
	c.Channel = word(v, "channel")
	built, c.Referrer = referrerChannel(v)
	return built
}

// touch settles on one channel.
func (b *channelBook) touch(c Clue, built string, at int64) (Touch, bool) {
	t := Touch{Source: c.Source, Medium: c.Medium, Campaign: c.Campaign, At: at}
	for _, id := range []string{c.Channel, strings.ToLower(c.Channel)} {
		if id != "" && b.known(id) {
			t.Channel = id
			return t, true
		}
	}
	named := t.Source != "" || t.Medium != "" || t.Campaign != ""
	if !named {
		t.Source = c.Referrer
	}
	if t.Channel = b.place(&c); t.Channel != "" {
		return t, true
	}
	switch {
	case named:
		t.Channel = campaignChannel(strings.ToLower(t.Source), strings.ToLower(t.Medium))
	case built != "":
		t.Channel = built
	default:
		return Touch{}, false
	}
	return t, true
}

// SharedChannel is the channel that the words which every company shares give a
// clue, "" when they say nothing.
func SharedChannel(c Clue) string {
	switch {
	case c.Source != "" || c.Medium != "" || c.Campaign != "":
		return campaignChannel(strings.ToLower(c.Source), strings.ToLower(c.Medium))
	case c.Referrer != "":
		if id, ok := sources[site(strings.ToLower(c.Referrer))]; ok {
			return id
		}
		return Unknown
	}
	return ""
}
