package page

import "time"

// Path begins the address of every page; FilePath that of every picture.
const (
	Path     = "/p/"
	FilePath = "/p-files/"
)

// Limits of pages.
const (
	maxPages    = 2_000
	maxTitle    = 80
	maxSlug     = 60
	maxBlocks   = 40
	maxFields   = 20
	maxText     = 4_000
	maxLine     = 200
	maxDesign   = 100 << 10
	maxFile     = 5 << 20
	maxConsents = 12
)

// Kind is what a block is.
type Kind string

// The kinds of blocks.
const (
	Headline Kind = "headline"
	Text     Kind = "text"
	Picture  Kind = "picture"
	Form     Kind = "form"
)

// Block is one part of a page, from top to bottom.
type Block struct {
	Kind     Kind         `json:"kind" enum:"headline,text,picture,form"`
	Text     string       `json:"text,omitempty" maxLength:"16000" doc:"Of headline and text; a picture's words for those who cannot see it"`
	File     string       `json:"file,omitempty" maxLength:"60" doc:"Of picture"`
	Fields   []Field      `json:"fields,omitempty" maxItems:"20" doc:"Of form"`
	Consents []AskConsent `json:"consents,omitempty" maxItems:"12" doc:"Of form"`
	Button   string       `json:"button,omitempty" maxLength:"800" doc:"Of form: what the button says"`
}

// Field is what the form asks: phone, email, or an attribute of the dictionary.
type Field struct {
	Key      string `json:"key" maxLength:"64"`
	Label    string `json:"label,omitempty" maxLength:"800" doc:"Empty: the attribute's name"`
	Hint     string `json:"hint,omitempty" maxLength:"800"`
	Required bool   `json:"required,omitempty"`
}

// AskConsent is a box to tick. It is never ticked beforehand.
type AskConsent struct {
	Purpose  string   `json:"purpose" maxLength:"40"`
	Channels []string `json:"channels,omitempty" maxItems:"7" doc:"None: all that the purpose uses"`
	Required bool     `json:"required,omitempty" doc:"The form is not taken without it: only where what is promised cannot be given otherwise"`
}

// Gift is what a newcomer gets, once for each person and name.
type Gift struct {
	Name string `json:"name" maxLength:"320" doc:"Whoever had a gift of this name, from any page, does not get it again"`
	Text string `json:"text" maxLength:"4000" doc:"What is shown: how to use it, a voucher's number"`
	URL  string `json:"url,omitempty" maxLength:"2000"`
}

// Thanks is what is shown, or where it leads, once the form was sent.
type Thanks struct {
	Title    string `json:"title,omitempty" maxLength:"800"`
	Text     string `json:"text,omitempty" maxLength:"4000"`
	Gift     *Gift  `json:"gift,omitempty"`
	LiveCode string `json:"liveCode,omitempty" maxLength:"60" doc:"Its QR code is shown, to add a colleague"`
	Redirect string `json:"redirect,omitempty" maxLength:"2000" doc:"https address, instead of the page"`
}

// Design is what a page shows.
type Design struct {
	Lang   string  `json:"lang" enum:"zh-CN,en" doc:"Of the page's own words"`
	Color  string  `json:"color,omitempty" maxLength:"7" doc:"#rrggbb"`
	Blocks []Block `json:"blocks" maxItems:"40"`
	Thanks Thanks  `json:"thanks"`
}

// Settings are where a page is found and to which channel its visitors count.
type Settings struct {
	Title     string    `json:"title" maxLength:"320"`
	Slug      string    `json:"slug" maxLength:"60" doc:"The end of its address: small letters, digits and hyphens"`
	Channel   string    `json:"channel,omitempty" maxLength:"60" doc:"Of visitors who come without utm fields or a link of another channel"`
	Source    string    `json:"source,omitempty" maxLength:"400"`
	Medium    string    `json:"medium,omitempty" maxLength:"400"`
	Campaign  string    `json:"campaign,omitempty" maxLength:"400"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// Input is what the editor saves.
type Input struct {
	Settings
	Design Design `json:"design"`
}

// Page is a landing page as the console shows it.
type Page struct {
	ID string `json:"id"`
	Settings
	Design    Design    `json:"design" doc:"As the editor has it"`
	Path      string    `json:"path"`
	URL       string    `json:"url,omitempty"`
	State     string    `json:"state" enum:"draft,live,stopped,expired"`
	Version   int64     `json:"version" doc:"That strangers see, 0 for none"`
	Changed   bool      `json:"changed" doc:"The editor has what is not published"`
	CreatedAt time.Time `json:"createdAt"`
	ChangedAt time.Time `json:"changedAt"`
	By        string    `json:"by,omitempty"`
}

// Row is a page in the list.
type Row struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Slug      string    `json:"slug"`
	Path      string    `json:"path"`
	URL       string    `json:"url,omitempty"`
	Channel   string    `json:"channel,omitempty"`
	State     string    `json:"state" enum:"draft,live,stopped,expired"`
	Changed   bool      `json:"changed"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	CreatedAt time.Time `json:"createdAt"`
	By        string    `json:"by,omitempty"`
	Figures   Figures   `json:"figures" doc:"Of the last thirty days"`
}

// Figures are what came of a page. Rate is people who sent the form by visitors.
type Figures struct {
	Views    int64    `json:"views"`
	Visitors int64    `json:"visitors" doc:"People, known or not, each once"`
	Submits  int64    `json:"submits"`
	People   int64    `json:"people" doc:"Who sent the form"`
	Rate     *float64 `json:"rate,omitempty"`
}

func (f Figures) rated() Figures {
	if f.Visitors > 0 {
		r := float64(f.People) / float64(f.Visitors)
		f.Rate = &r
	}
	return f
}

// Line is figures of one channel or day.
type Line struct {
	Key  string `json:"key" doc:"Channel, or day YYYY-MM-DD"`
	Name string `json:"name,omitempty" doc:"Of the channel"`
	Figures
}

// Stats are the books of a page over a period.
type Stats struct {
	Total    Figures `json:"total"`
	Channels []Line  `json:"channels" doc:"By the channel of the very visit"`
	Days     []Line  `json:"days"`
	Seconds  float64 `json:"seconds" doc:"How long visitors looked until they first turned away, half of them longer; 0 when nobody told"`
	Told     int64   `json:"told" doc:"Of how many visits that is known"`
	Noise    []Noise `json:"noise" doc:"What programs did, which counts nowhere, by why"`
}

// Noise is how often programs came, and how they were told apart.
type Noise struct {
	Why string `json:"why" enum:"head,prefetch,agent,bare,trap,quick,forged,flood"`
	N   int64  `json:"n"`
}

// Choices are what the editor offers.
type Choices struct {
	Fields   []FieldChoice   `json:"fields"`
	Purposes []PurposeChoice `json:"purposes"`
	Codes    []CodeChoice    `json:"codes"`
}

// FieldChoice is something a form may ask.
type FieldChoice struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// PurposeChoice is a purpose that a form may ask consent for.
type PurposeChoice struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Text     string   `json:"text" doc:"The wording of today"`
	Version  int64    `json:"version"`
	Channels []string `json:"channels"`
	Separate bool     `json:"separate"`
}

// CodeChoice is a live code that the thank-you may show.
type CodeChoice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// File is a picture that was uploaded.
type File struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Path string `json:"path"`
}
