package wecom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// Receive implements connector.Receiver: GET proves the address, POST brings a
// callback. The empty answer tells the platform that it need not call again.
func (c *Client) Receive(_ context.Context, r connector.Request) (connector.Answer, []connector.Incoming, error) {
	if c.cipher == nil {
		return connector.Answer{}, nil, connector.ErrSignature
	}
	if r.Method == http.MethodGet {
		plain, err := c.cipher.Echo(r.Query)
		return connector.Answer{Body: plain}, nil, refusal(err)
	}
	plain, err := c.cipher.Open(r.Query, r.Body)
	if err != nil {
		return connector.Answer{}, nil, refusal(err)
	}
	e, err := ParseEvent(plain)
	if err != nil {
		return connector.Answer{}, nil, refusal(err)
	}
	return connector.Answer{}, []connector.Incoming{e.incoming(plain)}, nil
}

// refusal turns a reason of the cipher into one of the connector's.
func refusal(err error) error {
	switch wxcrypto.ReasonOf(err) {
	case "":
		return err
	case wxcrypto.BadSignature:
		return connector.ErrSignature.Wrap(err)
	case wxcrypto.BadReceiver:
		return connector.ErrReceiver.Wrap(err)
	case wxcrypto.BadBody, wxcrypto.TooLarge:
		return connector.ErrMalformed.Wrap(err)
	default:
		return connector.ErrDecrypt.Wrap(err)
	}
}

// Event is a callback, taken apart: what its sort has no use for is empty.
type Event struct {
	Name        string // "change_external_contact.add_external_contact", "message.text"
	At          time.Time
	MsgID       string
	From        string
	UserID      string // the colleague
	CustomerID  string
	State       string // of the contact way that was scanned
	WelcomeCode string
	Source      string // DELETE_BY_TRANSFER
	FailReason  string // customer_refused, customer_limit_exceed
	ChatID      string
	Detail      string   // of a group's update: add_member, del_member, change_owner, …
	Members     []string // who joined or left; older callbacks do not say
	JoinScene   string
	QuitScene   string
	TagID       string
	TagType     string // tag, tag_group
	NewUserID   string // a colleague's id changed
	PartyID     string
	Token       string // of customer service, for ServiceMessages
	ServiceID   string

	key string
}

var errNoEvent = errors.New("no event of a self-built app")

// ParseEvent reads a decrypted callback.
func ParseEvent(plain []byte) (Event, error) {
	doc, err := wxcrypto.Parse(plain)
	if err != nil {
		return Event{}, err
	}
	kind := doc.Get("MsgType")
	seconds, err := strconv.ParseInt(doc.Get("CreateTime"), 10, 64)
	if kind == "" || err != nil || seconds <= 0 || seconds > 1<<40 {
		return Event{}, connector.ErrMalformed.Wrap(errNoEvent)
	}
	e := Event{Name: "message." + kind, At: time.Unix(seconds, 0).UTC(), MsgID: doc.Get("MsgId"), From: doc.Get("FromUserName"), UserID: doc.Get("UserID"),
		CustomerID: doc.Get("ExternalUserID"), State: doc.Get("State"), WelcomeCode: doc.Get("WelcomeCode"), Source: doc.Get("Source"), FailReason: doc.Get("FailReason"),
		ChatID: doc.Get("ChatId"), Detail: doc.Get("UpdateDetail"), JoinScene: doc.Get("JoinScene"), QuitScene: doc.Get("QuitScene"), TagID: doc.Get("Id"), TagType: doc.Get("TagType"),
		NewUserID: doc.Get("NewUserID"), Token: doc.Get("Token"), ServiceID: doc.Get("OpenKfId")}
	for _, n := range doc.All("MemChangeList") {
		for _, item := range n.All("Item") {
			e.Members = append(e.Members, item.Text)
		}
	}
	if kind == "event" {
		event := doc.Get("Event")
		if event == "" {
			return Event{}, connector.ErrMalformed.Wrap(errNoEvent)
		}
		e.Name = event
		if change := doc.Get("ChangeType"); change != "" {
			e.Name += "." + change
		}
		if strings.HasPrefix(e.Name, "change_contact.") && strings.HasSuffix(e.Name, "_party") {
			e.PartyID = doc.Get("Id")
		}
	}
	e.key = e.repeat(doc)
	return e, nil
}

// repeat is the key that tells repeats: the message's own id, or who, when and
// what. Corps' events are all from "sys", within one second there may be many:
// whom they are about is part of it.
func (e Event) repeat(doc wxcrypto.Node) string {
	if e.MsgID != "" {
		return "m:" + wxcall.Clip(e.MsgID, 80)
	}
	h := sha256.New()
	for _, s := range []string{e.From, doc.Get("CreateTime"), e.Name, e.UserID, e.CustomerID, e.ChatID, e.Detail, strings.Join(e.Members, ","), doc.Get("CurMemVer"), e.TagID, e.TagType,
		e.NewUserID, e.ServiceID, e.Token, doc.Get("EventKey"), doc.Get("JobId")} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return "e:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// incoming is the event as the inbox keeps it. In the order of arrival go: what is
// about one customer, one group, all tags, all colleagues, one service account.
func (e Event) incoming(plain []byte) connector.Incoming {
	in := connector.Incoming{Key: e.key, Name: wxcall.Clip(e.Name, 100), At: e.At, Body: plain, Urgent: e.WelcomeCode != "" || e.Name == nameService}
	switch {
	case e.CustomerID != "":
		in.Subject = e.CustomerID
	case e.ChatID != "":
		in.Subject = "group:" + e.ChatID
	case strings.HasPrefix(e.Name, "change_external_tag"):
		in.Subject = "tags"
	case strings.HasPrefix(e.Name, "change_contact"):
		in.Subject = "staff"
	case e.ServiceID != "":
		in.Subject = "service:" + e.ServiceID
	case e.From != "" && e.From != "sys":
		in.Subject = "member:" + e.From
	}
	in.Subject = wxcall.Clip(in.Subject, 150)
	return in
}
