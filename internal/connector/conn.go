package connector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"
)

// Conn speaks with one account's platform. A kind's own client has many methods
// beyond this one; whoever needs them asks the Conn for a small interface.
type Conn interface {
	// Check is the doctor's list: it makes the calls that show whether the account
	// works, and says of each what was found and how to mend it.
	Check(ctx context.Context) []Finding
}

// The states of a finding, from good to bad.
const (
	OK      = "ok"
	Warn    = "warn"    // works, but look at it
	Unknown = "unknown" // could not be found out, or not yet
	Fail    = "fail"
)

// Finding is one line of the doctor's list. Check, Code and Mend are codes of the
// message catalogue; Params fill in both Code and Mend.
type Finding struct {
	Check  string         `json:"check"` // what was looked at
	State  string         `json:"state"`
	Code   string         `json:"code"`             // what was found
	Mend   string         `json:"mend,omitempty"`   // how to mend it
	Params map[string]any `json:"params,omitempty"` // never a secret
	Link   string         `json:"link,omitempty"`   // where on the platform
}

// Request is a call from a platform, its body read and bounded.
type Request struct {
	Method string
	Query  url.Values
	Header http.Header
	Body   []byte
	IP     string
}

// Answer is what the platform gets. The zero Answer is an empty 200.
type Answer struct {
	Status int
	Type   string // content type; "": text/plain
	Body   []byte
}

// Receiver is a Conn that its platform calls. Receive proves that a call is the
// platform's, decrypts it and takes it apart; it must be quick, calls nobody and
// writes nothing. What it refuses it refuses with ErrSignature, ErrReceiver,
// ErrDecrypt or ErrMalformed (wrapped as it likes). The calls that only prove the
// address (GET with echostr) give an answer and nothing incoming.
type Receiver interface {
	Receive(ctx context.Context, r Request) (Answer, []Incoming, error)
}

// Replier is a Receiver whose platform takes a reply in its answer. Reply puts one
// into the form, and under the encryption, of the call it answers.
type Replier interface {
	Reply(ctx context.Context, r Request, in Incoming, m Message) (Answer, error)
}

// Incoming is one thing a platform told.
type Incoming struct {
	// Key tells repeats: the platform's MsgId, or else sender, time and event.
	Key string
	// Subject is whom it is about: those of one subject are worked on in the order
	// of arrival. A customer's id, a group's; "": the account itself.
	Subject string
	// Name is what happened, such as "change_external_contact.add_external_contact".
	Name string
	// Urgent tells that the platform gives little time: the handlers of First are
	// run at once, and before those of any that is not urgent.
	Urgent bool
	At     time.Time // when it happened, by the platform's clock
	Body   []byte    // the plain message
	// Receipt, when set, is what became of a message that was sent (see Send).
	Receipt *Receipt

	// The rest is set when it is handed to a handler.

	ID         string // in the inbox
	ReceivedAt time.Time
	Try        int // 1 for the first
}

// MessageID is the id for a fact that a handler states from this callback of an
// account: the same whenever the callback is handled again, so that the fact counts
// once. part tells several facts of one callback apart.
func (in Incoming) MessageID(a Account, part string) string {
	h := sha256.New()
	for _, s := range []string{a.ID, in.Key, part} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return "cb-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Handler works on something incoming. It may run again for the same one, after a
// crash or because a later handler failed. An error has it tried again after a
// while: see Later and GiveUp.
type Handler func(ctx context.Context, a Account, in Incoming) error

// Passive gives what to say in the answer itself, or at once after it (see
// Service.Answer), nil for nothing. It looks into memory alone: the platform waits.
type Passive func(ctx context.Context, a Account, in Incoming) *Message

// Sender is a Conn that sends messages. It sends m each time it is asked: sending
// once is the work of Service.Send.
type Sender interface {
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Repeater is a Sender whose platform takes messages under an id of ours: one that is
// sent again, because nobody knows whether it left, arrives once all the same.
type Repeater interface {
	Repeats(m Message) bool
}

// Message is something to send to one person.
type Message struct {
	Key     string // the sender's own: a message of the same key is sent once
	Ticket  string // lets this one message leave, where the platform gives such a thing: the code of a welcome
	To      string // id on the platform, phone number, address
	From    string // who sends, where there is a choice: a member, a signature, an address
	Form    string // text, image, link, miniprogram, file, template, mail, …
	Title   string // subject of a mail, title of a link
	Text    string // text or HTML
	URL     string // of a link, of a file or an image
	Media   string // id of something uploaded to the platform before
	AppID   string // of a mini-program
	Page    string // of a mini-program
	Picture string // of a link or a mini-program card: an address or a media id
	// Template with its parameters, in the order and by the names the platform knows.
	Template string
	Params   []Param
	Parts    []Message // what goes with it: attachments of a welcome
	Choices  []Choice  // of a menu: its lines, below Text and above Title
	Many     *Many     // whom one for many goes to, where the platform spreads it
	Headers  map[string]string
	// Marketing tells an advertisement from what somebody asked for, such as a code.
	Marketing bool
}

// Many are those whom a message for many goes to, as the platform itself spreads it:
// colleagues send it, each to their own.
type Many struct {
	People   []string   // ids on the platform; none: all that Tags leave
	Tags     [][]string // the platform's own: any of each list, and of all lists
	InGroups bool       // to groups, not to people
	Groups   []string   // these; none: all of the sender
	Senders  []string   // who publish a post; none: all who may
	Choose   bool       // the sender may leave some out
}

// Choice is one line of a menu in a message. Tapped it says its words, and the
// platform tells by the ID which line it was; or it opens a page or a mini-program.
type Choice struct {
	ID    string
	Text  string
	URL   string
	AppID string
	Page  string // of the mini-program
}

// Param is one parameter of a template.
type Param struct{ Name, Value string }

// The states of a receipt.
const (
	Accepted  = "accepted"  // the platform took it
	Delivered = "delivered" // it arrived
	Read      = "read"
	Refused   = "refused"  // by the platform or its owner's rules: nobody got it
	Bounced   = "bounced"  // taken, and did not arrive
	Doubtful  = "doubtful" // the answer got lost: it may have arrived
)

// Receipt is what became of a message.
type Receipt struct {
	ID     string    `json:"id"` // the platform's
	State  string    `json:"state"`
	Code   string    `json:"code,omitempty"`   // the platform's own
	Reason string    `json:"reason,omitempty"` // code of the message catalogue
	At     time.Time `json:"at,omitzero"`
}
