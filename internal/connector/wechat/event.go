package wechat

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// The names of what the platform tells. A message is "message." with its form:
// message.text, message.image, …
const (
	EventSubscribe      = "subscribe"
	EventUnsubscribe    = "unsubscribe"
	EventScan           = "SCAN"
	EventClick          = "CLICK"
	EventView           = "VIEW"
	EventViewMini       = "view_miniprogram"
	EventLocation       = "LOCATION"
	EventTemplateDone   = "TEMPLATESENDJOBFINISH"
	EventMassDone       = "MASSSENDJOBFINISH"
	EventSubscribePopup = "subscribe_msg_popup_event"
	EventSubscribeMove  = "subscribe_msg_change_event"
	EventSubscribeSent  = "subscribe_msg_sent_event"
	MessageText         = "message.text"
)

// Event is a callback, taken apart: what its sort has no use for is empty.
type Event struct {
	Name   string
	At     time.Time
	OpenID string // the customer
	MsgID  string // of a message; of what was sent, when the platform tells what became of it
	Text   string // what the customer wrote, or said as the platform heard it
	Media  string // id of what they sent
	Key    string // of a button, or its address; of a word that a menu in a message said, the line's id
	Scene  string // of the code that was scanned
	Ticket string
	Status string // of what was sent: "success", "failed:user block", …
	// Lat and Lng are where the customer is, as far as they let the account know.
	Lat, Lng float64
	Wishes   []Wish
	Mass     MassResult

	key string
}

// Wish is what a customer says of one template of subscribe messages, or what became
// of such a message.
type Wish struct {
	Template string
	State    string // accept, reject, ban
	MsgID    string // of one that was sent
	Code     string // 0: it arrived
	Reason   string
}

// MassResult is what became of a mass message.
type MassResult struct {
	ID                          string
	Status                      string // sendsuccess, err(10001), …
	Total, Filtered, Sent, Lost int
}

var errNoEvent = errors.New("no message of an official account or a mini-program")

// ParseEvent reads a callback: XML, or JSON as mini-programs may be set to.
func ParseEvent(plain []byte) (Event, error) {
	doc, err := parse(plain)
	if err != nil {
		return Event{}, err
	}
	form, from := doc.Get("MsgType"), doc.Get("FromUserName")
	seconds, err := strconv.ParseInt(doc.Get("CreateTime"), 10, 64)
	if form == "" || from == "" || err != nil || seconds <= 0 || seconds > 1<<40 {
		return Event{}, connector.ErrMalformed.Wrap(errNoEvent)
	}
	e := Event{Name: "message." + wxcall.Clip(form, 60), At: time.Unix(seconds, 0).UTC(), OpenID: wxcall.Clip(from, 128), MsgID: cmp.Or(doc.Get("MsgId"), doc.Get("MsgID")),
		Text: cmp.Or(doc.Get("Content"), doc.Get("Recognition")), Media: doc.Get("MediaId"), Key: cmp.Or(doc.Get("EventKey"), doc.Get("bizmsgmenuid")), Ticket: doc.Get("Ticket"), Status: doc.Get("Status")}
	if form == "event" {
		if e.Name = wxcall.Clip(doc.Get("Event"), 100); e.Name == "" {
			return Event{}, connector.ErrMalformed.Wrap(errNoEvent)
		}
	}
	e.details(doc)
	e.key = e.repeat(doc)
	return e, nil
}

func (e *Event) details(doc wxcrypto.Node) {
	switch e.Name {
	case EventSubscribe:
		e.Scene, _ = strings.CutPrefix(e.Key, "qrscene_")
		if e.Scene == e.Key { // followed from an article or a search: no code of ours
			e.Scene = ""
		}
	case EventScan:
		e.Scene = e.Key
	case EventLocation:
		e.Lat, e.Lng = degrees(doc.Get("Latitude"), 90), degrees(doc.Get("Longitude"), 180)
	case EventMassDone:
		e.Mass = MassResult{ID: e.MsgID, Status: e.Status, Total: whole(doc.Get("TotalCount")), Filtered: whole(doc.Get("FilterCount")), Sent: whole(doc.Get("SentCount")), Lost: whole(doc.Get("ErrorCount"))}
	case EventSubscribePopup, EventSubscribeMove, EventSubscribeSent:
		lists := doc.All("List")
		for _, in := range []string{"SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"} {
			for _, n := range doc.All(in) {
				lists = append(lists, n.All("List")...)
			}
		}
		for _, n := range lists[:min(len(lists), maxWishes)] {
			e.Wishes = append(e.Wishes, Wish{Template: n.Get("TemplateId"), State: n.Get("SubscribeStatusString"), MsgID: n.Get("MsgID"), Code: n.Get("ErrorCode"), Reason: n.Get("ErrorStatus")})
		}
	}
}

// maxWishes bounds what one popup asks for; the platform has three to five.
const maxWishes = 20

func degrees(s string, most float64) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= -most && f <= most) {
		return 0
	}
	return f
}

func whole(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// repeat is the key that tells repeats: the message's own id, or who, when and what.
func (e Event) repeat(doc wxcrypto.Node) string {
	if strings.HasPrefix(e.Name, "message.") && e.MsgID != "" {
		return "m:" + wxcall.Clip(e.MsgID, 80)
	}
	h := sha256.New()
	put := func(all ...string) {
		for _, s := range all {
			h.Write([]byte(s))
			h.Write([]byte{0})
		}
	}
	put(e.OpenID, doc.Get("CreateTime"), e.Name, e.Key, e.MsgID, e.Ticket, e.Status, doc.Get("Latitude"), doc.Get("Longitude"))
	for _, w := range e.Wishes {
		put(w.Template, w.State, w.MsgID)
	}
	return "e:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// incoming is the event as the inbox keeps it: what is about one customer goes in
// the order of arrival. What became of several messages is several.
func (e Event) incoming(plain []byte) []connector.Incoming {
	in := connector.Incoming{Key: e.key, Name: e.Name, At: e.At, Body: plain, Subject: wxcall.Clip(e.OpenID, 150)}
	switch e.Name {
	case EventMassDone: // its sender is nobody
		in.Subject = ""
	case EventTemplateDone:
		in.Receipt = receipt(e.MsgID, e.Status == "success", e.Status, e.At)
	case EventSubscribeSent:
		out := make([]connector.Incoming, 0, len(e.Wishes))
		for i, w := range e.Wishes {
			one := in
			one.Key += ":" + strconv.Itoa(i)
			one.Receipt = receipt(w.MsgID, w.Code == "0", cmp.Or(w.Code, w.Reason), e.At)
			out = append(out, one)
		}
		if len(out) > 0 {
			return out
		}
	}
	return []connector.Incoming{in}
}

// receipt is what became of a message that the platform had taken.
func receipt(id string, arrived bool, said string, at time.Time) *connector.Receipt {
	r := &connector.Receipt{ID: wxcall.Clip(id, 100), State: connector.Delivered, At: at}
	if !arrived {
		r.State, r.Code, r.Reason = connector.Bounced, wxcall.Clip(said, 60), "wechat.not_arrived"
		if strings.Contains(said, "user block") {
			r.Reason = "wechat.blocked_by_person"
		}
	}
	return r
}

// parse reads XML, or JSON as the same tree.
func parse(body []byte) (wxcrypto.Node, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
	if !bytes.HasPrefix(body, []byte("{")) {
		return wxcrypto.Parse(body)
	}
	if len(body) > wxcrypto.MaxBody {
		return wxcrypto.Node{}, connector.ErrMalformed
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return wxcrypto.Node{}, connector.ErrMalformed.Wrap(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return wxcrypto.Node{}, connector.ErrMalformed
	}
	left := maxNodes
	return wxcrypto.Node{Name: "xml", Nodes: nodesOf(doc, maxDepth, &left)}, nil
}

// Bounds of what is read of JSON; the largest real callbacks stay far below.
const (
	maxDepth = 8
	maxNodes = 5000
)

func nodesOf(doc map[string]any, depth int, left *int) []wxcrypto.Node {
	names := make([]string, 0, len(doc))
	for name := range doc {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []wxcrypto.Node
	add := func(name string, v any) {
		if *left--; *left < 0 || depth == 0 {
			return
		}
		switch v := v.(type) {
		case map[string]any:
			out = append(out, wxcrypto.Group(name, nodesOf(v, depth-1, left)...))
		case string:
			out = append(out, wxcrypto.Elem(name, strings.TrimSpace(v)))
		case json.Number:
			out = append(out, wxcrypto.Elem(name, v.String()))
		}
	}
	for _, name := range names {
		if list, ok := doc[name].([]any); ok {
			for _, v := range list {
				add(name, v)
			}
			continue
		}
		add(name, doc[name])
	}
	return out
}
