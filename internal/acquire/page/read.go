package page

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event"
)

// trap is a field that people do not see.
const trap = "website"

// wrong is what keeps a field from being taken: a code of the catalogue, with what
// stands in its words.
type wrong struct {
	code   string
	params map[string]any
}

// answer is what somebody wrote, read by the dictionary.
type answer struct {
	typed    map[string][]string // as written, to be shown again
	faults   map[string]wrong
	ids      []event.Identifier
	traits   map[string]json.RawMessage
	given    []string // keys of fields that say something
	consents []agreed
}

// agreed is a box that was ticked.
type agreed struct {
	Purpose  string   `json:"purpose"`
	Channels []string `json:"channels"`
	Wording  int64    `json:"wording"`
}

// mostTyped bounds one value: longer ones are no answer.
const mostTyped = 4000

// readForm reads what was sent by the design that was shown.
func (k known) readForm(d *Design, form url.Values) answer {
	a := answer{typed: map[string][]string{}, faults: map[string]wrong{}, traits: map[string]json.RawMessage{}}
	for i := range d.Blocks {
		if b := &d.Blocks[i]; b.Kind == Form {
			for j := range b.Fields {
				k.readField(&a, &b.Fields[j], form["f."+b.Fields[j].Key])
			}
			for j := range b.Consents {
				k.readConsent(&a, &b.Consents[j], form)
			}
		}
	}
	return a
}

func (k known) readField(a *answer, f *Field, sent []string) {
	def := k.fields[f.Key]
	if def == nil { // gone from the dictionary since
		return
	}
	var words []string
	for _, v := range sent[:min(len(sent), 60)] {
		if v = strings.TrimSpace(v); v != "" && utf8.ValidString(v) && len(v) <= mostTyped {
			words = append(words, v)
		}
	}
	a.typed[f.Key] = words
	if len(words) == 0 {
		if f.Required {
			a.faults[f.Key] = wrong{code: "request.field_required"}
		}
		return
	}
	var value json.RawMessage
	var fault *attribute.Fault
	if def.Type == attribute.Multi {
		raw, _ := json.Marshal(words) // texts always encode
		value, fault = def.Read(raw)
	} else {
		value, fault = def.ReadText(words[0])
	}
	if fault != nil {
		w := wrong{code: fault.Code, params: map[string]any{}}
		for i := 0; i+1 < len(fault.Params); i += 2 {
			if name, ok := fault.Params[i].(string); ok {
				w.params[name] = fault.Params[i+1]
			}
		}
		a.faults[f.Key] = w
		return
	}
	if len(value) == 0 { // characters that nobody sees are no answer
		if f.Required {
			a.faults[f.Key] = wrong{code: "request.field_required"}
		}
		return
	}
	a.given = append(a.given, f.Key)
	if f.Key == "phone" || f.Key == "email" {
		var text string
		_ = json.Unmarshal(value, &text) // the reader gives a text
		a.ids = append(a.ids, event.Identifier{Kind: f.Key, Value: text})
		return
	}
	a.traits[f.Key] = value
}

func (k known) readConsent(a *answer, c *AskConsent, form url.Values) {
	p := k.purposes[c.Purpose]
	if p == nil { // archived since
		return
	}
	ticked := ""
	for _, v := range form["c"][:min(len(form["c"]), 2*maxConsents)] {
		if id, version, ok := strings.Cut(v, "/"); ok && id == c.Purpose {
			ticked = version
		}
	}
	if ticked == "" {
		if c.Required {
			a.faults["c."+c.Purpose] = wrong{code: "page.consent_needed"}
		}
		return
	}
	got := agreed{Purpose: c.Purpose, Channels: c.Channels, Wording: p.Current}
	for _, w := range p.Wordings { // the version that was shown, when it is one
		if ticked == number(w.Version) {
			got.Wording = w.Version
		}
	}
	if len(got.Channels) == 0 {
		for _, ch := range p.Channels {
			got.Channels = append(got.Channels, string(ch))
		}
	}
	if len(got.Channels) == 0 {
		got.Channels = []string{"all"}
	}
	a.consents = append(a.consents, got)
}
