package wecom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// The forms of messages that Send takes.
const (
	// FormService is an answer in customer service: From is the service account,
	// To the customer. It is the Text, or a menu when there are Choices, or the one
	// of Parts. With a Ticket, the code of an event, it goes without the window of
	// 48 hours, once, and can be a text or a menu.
	FormService = "service"
	// FormMass is a message that colleagues send, when they confirm it: to customers
	// or groups named in Many. Its receipt follows when all have done so.
	FormMass = "mass"
	// FormMoment is a post that colleagues publish.
	FormMoment = "moment"
	// FormTell is a message of the app to colleagues: To is a colleague.
	FormTell = "tell"
)

var errForm = errs.New(errs.Invalid, "wecom.no_such_form")

// Send implements connector.Sender.
func (c *Client) Send(ctx context.Context, m connector.Message) (connector.Receipt, error) {
	id, err := c.sendForm(ctx, m)
	var refusal *Error
	got := connector.Receipt{ID: id, State: connector.Accepted}
	if errors.As(err, &refusal) {
		got.Code = strconv.Itoa(refusal.Code)
	}
	return got, sendError(err)
}

func (c *Client) sendForm(ctx context.Context, m connector.Message) (string, error) {
	switch m.Form {
	case FormService:
		if m.Ticket != "" {
			return c.SendOnEvent(ctx, m.Ticket, ownID(m), saidOf(m))
		}
		return c.SendService(ctx, m.From, m.To, ownID(m), saidOf(m))
	case FormMass:
		id, _, err := c.SendMass(ctx, massOf(m))
		return id, err
	case FormMoment:
		return c.AddMoment(ctx, momentOf(m))
	case FormTell:
		_, err := c.Tell(ctx, []string{m.To}, m.Text)
		return "", err
	default:
		return "", connector.GiveUp(errForm)
	}
}

// Repeats implements connector.Repeater: customer service knows a message by the id
// that we give it, and the code of an event can be used once.
func (c *Client) Repeats(m connector.Message) bool { return m.Form == FormService }

// ownID is the id of a message on the platform: the same each time it is sent.
func ownID(m connector.Message) string {
	if m.Key == "" {
		return ""
	}
	h := sha256.Sum256([]byte(m.Key))
	return hex.EncodeToString(h[:16])
}

// sendError says of an error what it means for a message: it never left, or no try
// helps, or nobody knows.
func sendError(err error) error {
	var e *errs.Error
	switch {
	case err == nil || connector.GivenUp(err) || connector.NotSent(err) || Lost(err):
		return err
	case errors.Is(err, errUnreachable):
		return connector.Unsent(err)
	case errors.As(err, &e) && e.Kind == errs.Invalid: // it was not even asked for
		return connector.GiveUp(err)
	case CodeOf(err) != 0: // the platform refused it, and another time it may not
		return connector.Unsent(err)
	}
	return err
}

func massOf(m connector.Message) Mass {
	out := Mass{To: ToCustomers, Sender: m.From, Content: contentOf(m)}
	if m.Many != nil {
		out.Customers, out.Groups, out.Tags, out.AllowSelect = m.Many.People, m.Many.Groups, m.Many.Tags, m.Many.Choose
		if m.Many.InGroups {
			out.To = ToGroups
		}
	}
	if m.To != "" {
		out.Customers = append(out.Customers, m.To)
	}
	return out
}

func momentOf(m connector.Message) Moment {
	out := Moment{Text: m.Text, Parts: contentOf(m).Parts}
	if m.From != "" {
		out.Users = []string{m.From}
	}
	if m.Many != nil {
		out.Users = append(out.Users, m.Many.Senders...)
		for _, list := range m.Many.Tags {
			out.CustomerTag = append(out.CustomerTag, list...)
		}
	}
	return out
}

func contentOf(m connector.Message) Content {
	out := Content{Text: m.Text}
	for _, p := range m.Parts {
		out.Parts = append(out.Parts, Part{Form: p.Form, Media: p.Media, Picture: p.Picture, Title: p.Title, Desc: p.Text, URL: p.URL, AppID: p.AppID, Page: p.Page})
	}
	return out
}
