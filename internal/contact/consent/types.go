package consent

import (
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
)

// Channel is a way to reach somebody.
type Channel string

// The channels. All stands for each of them, and for the use of data itself
// where a purpose has no channels.
const (
	All             Channel = "all"
	WeCom           Channel = "wecom"
	OfficialAccount Channel = "official_account"
	MiniProgram     Channel = "mini_program"
	SMS             Channel = "sms"
	Email           Channel = "email"
	Phone           Channel = "phone"
	InApp           Channel = "in_app"
)

// channels in the order they are shown. A channel's place is its bit in the
// table of states, so the order of the first seven never changes.
var channels = []Channel{WeCom, OfficialAccount, MiniProgram, SMS, Email, Phone, InApp}

// Channels lists the channels, without All.
func Channels() []Channel { return slices.Clone(channels) }

// mask is a set of channels; the last bit is the use of data itself.
type mask uint8

const (
	useBit   mask = 1 << 7
	allBits  mask = 1<<8 - 1
	maskBits      = 8
)

// bitOf is the bit that a question about a channel looks at.
func bitOf(c Channel) (mask, bool) {
	if c == All {
		return useBit, true
	}
	i := slices.Index(channels, c)
	if i < 0 {
		return 0, false
	}
	return 1 << i, true
}

// covers are the bits that a row of the ledger speaks for.
func (c Channel) covers() mask {
	if c == All {
		return allBits
	}
	m, _ := bitOf(c)
	return m
}

// State is what somebody said.
type State string

// The states. Unknown is never in the ledger; voided is in the ledger alone.
const (
	Granted   State = "granted"
	Withdrawn State = "withdrawn"
	Unknown   State = "unknown"

	voided State = "voided"
)

// Source says from where a row came.
type Source string

// The sources.
const (
	FromPage        Source = "page"        // the preference page
	FromUnsubscribe Source = "unsubscribe" // one click in a mail program
	FromStaff       Source = "staff"
	FromAPI         Source = "api"
	FromSDK         Source = "sdk"
	FromImport      Source = "import"
	FromReply       Source = "reply"     // an answer such as TD
	FromComplaint   Source = "complaint" // reported as an annoyance in a mail program
	FromBulk        Source = "bulk"
	FromDeletion    Source = "erasure"
)

// Everything is the purpose of do not contact: withdrawn, nothing that has a
// channel is allowed, whatever else was said.
const Everything = "everything"

// Basis is why processing is lawful (PIPL art. 13).
type Basis string

// The bases. Without consent nothing is allowed under Consent; the other two
// allow until somebody objects.
const (
	Consent            Basis = "consent"
	Contract           Basis = "contract"
	LegitimateInterest Basis = "legitimate_interest"
)

// Text is something in both languages.
type Text struct {
	ZH string `json:"zh" maxLength:"4000"`
	EN string `json:"en" maxLength:"4000"`
}

// Purpose is what data is used for.
type Purpose struct {
	ID          string    `json:"id"`
	Name        Text      `json:"name"`
	Description Text      `json:"description"`
	Basis       Basis     `json:"basis" enum:"consent,contract,legitimate_interest"`
	Default     bool      `json:"default" doc:"Allowed while nobody said anything: follows from the basis"`
	Channels    []Channel `json:"channels" doc:"Empty: about the use of data alone; asked with channel all"`
	Separate    bool      `json:"separate" doc:"Needs a consent of its own (PIPL art. 14, 23, 29): no SDK may grant it"`
	SelfGrant   bool      `json:"selfGrant" doc:"People may grant it on the preference page; else only withdraw"`
	Order       int64     `json:"order"`
	Archived    bool      `json:"archived"`
	Builtin     bool      `json:"builtin"`
	Wordings    []Wording `json:"wordings" doc:"Newest first"`
	Current     int64     `json:"current" doc:"Version that is shown today"`
}

// Wording is what people are shown, in one version.
type Wording struct {
	Version     int64     `json:"version"`
	Text        Text      `json:"text"`
	EffectiveAt time.Time `json:"effectiveAt"`
	CreatedAt   time.Time `json:"createdAt"`
	By          string    `json:"by,omitempty"`
}

// uses tells whether the purpose may use the channel at all.
func (p *Purpose) uses(c Channel) bool {
	if len(p.Channels) == 0 {
		return c == All
	}
	return slices.Contains(p.Channels, c)
}

// wording gives the text of a version, the current one for 0.
func (p *Purpose) wording(version int64) (Wording, bool) {
	if version == 0 {
		version = p.Current
	}
	for _, w := range p.Wordings {
		if w.Version == version {
			return w, true
		}
	}
	return Wording{}, false
}

// Proof is what shows that somebody said it.
type Proof struct {
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	Link      string `json:"link,omitempty" doc:"Preference link that was used: the first characters of its id"`
	StaffID   string `json:"staffId,omitempty"`
	StaffName string `json:"staffName,omitempty"`
	Note      string `json:"note,omitempty"`
	ImportID  string `json:"importId,omitempty"`
	MessageID string `json:"messageId,omitempty" doc:"Event or message that said it"`
	File      string `json:"file,omitempty" doc:"Name of the file that proves it"`
	SHA256    string `json:"sha256,omitempty" doc:"Of that file"`
	From      string `json:"from,omitempty" doc:"Source of the event"`
}

// Said is one thing that a person said, to be written to the ledger.
type Said struct {
	Contact int64
	Purpose string
	Channel Channel
	State   State
	At      time.Time // zero: now
	Source  Source
	Wording int64 // 0: the one of that day
	Batch   string
	Proof   Proof
}

// Row is one row of the ledger as it is shown.
type Row struct {
	Seq        int64        `json:"seq"`
	ID         string       `json:"id"`
	Contact    *contact.Ref `json:"contact,omitempty"`
	Purpose    string       `json:"purpose"`
	Channel    Channel      `json:"channel"`
	State      State        `json:"state" enum:"granted,withdrawn,voided"`
	At         time.Time    `json:"at"`
	RecordedAt time.Time    `json:"recordedAt"`
	Source     Source       `json:"source"`
	Wording    int64        `json:"wording,omitempty" doc:"Version of the wording"`
	Batch      string       `json:"batch,omitempty" doc:"Bulk change or import it belongs to"`
	Voids      int64        `json:"voids,omitempty" doc:"Row that it takes back"`
	Proof      Proof        `json:"proof"`
	Hash       string       `json:"hash"`
}

// Decision answers May.
type Decision struct {
	Allowed bool       `json:"allowed"`
	State   State      `json:"state" enum:"granted,withdrawn,unknown" doc:"What the person said of this purpose and channel"`
	Reason  Reason     `json:"reason" enum:"granted,withdrawn,unknown,contract,legitimate_interest,do_not_contact,suppressed,archived,no_channel"`
	Since   *time.Time `json:"since,omitempty"`
	Row     int64      `json:"row,omitempty" doc:"Ledger row that decides"`
}

// Reason says why something is allowed or not.
type Reason string

// The reasons.
const (
	ByGrant      Reason = "granted"
	ByWithdrawal Reason = "withdrawn"
	ByUnknown    Reason = "unknown"
	ByContract   Reason = "contract"
	ByInterest   Reason = "legitimate_interest"
	ByDoNot      Reason = "do_not_contact"
	BySuppressed Reason = "suppressed"
	ByArchived   Reason = "archived"
	ByNoChannel  Reason = "no_channel"
)
