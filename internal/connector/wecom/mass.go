package wecom

import (
	"context"
	"time"
)

// The kinds of a mass message.
const (
	ToCustomers = "single"
	ToGroups    = "group"
)

// Mass is a message that colleagues send to many, each to their own: they confirm
// it in their app. For customers name the customers, or Tags; for groups the
// groups, or a sender whose groups these are.
type Mass struct {
	To          string
	Customers   []string   // who get it; with a Sender, of that colleague
	Tags        [][]string // any of each list, and of all lists
	Groups      []string
	Sender      string
	AllowSelect bool // the sender may leave people out
	Content     Content
}

func (m Mass) check() error {
	var k checker
	m.Content.check(&k)
	k.count("customers", "mass.customers", len(m.Customers))
	k.count("groups", "mass.groups", len(m.Groups))
	switch m.To {
	case ToCustomers:
		k.Need("customers", len(m.Customers) > 0 || m.Sender != "" || len(m.Tags) > 0)
	case ToGroups:
		k.Need("sender", m.Sender != "")
	default:
		k.Fault("to", "wecom.no_such_form")
	}
	return k.Err()
}

// SendMass makes a mass message. It gives its id, and those who will not get it:
// nobody's friends any more, or at their limit. When the answer is lost (see
// Lost), look for it in Masses before making another.
func (c *Client) SendMass(ctx context.Context, m Mass) (id string, failed []string, err error) {
	if err := m.check(); err != nil {
		return "", nil, err
	}
	in := m.Content.into(map[string]any{"chat_type": m.To})
	set := func(key string, v any, have bool) {
		if have {
			in[key] = v
		}
	}
	set("external_userid", m.Customers, len(m.Customers) > 0)
	set("chat_id_list", m.Groups, len(m.Groups) > 0)
	set("sender", m.Sender, m.Sender != "")
	set("allow_select", true, m.AllowSelect)
	if len(m.Tags) > 0 {
		var groups []map[string]any
		for _, list := range m.Tags {
			groups = append(groups, map[string]any{"tag_list": list})
		}
		in["tag_filter"] = map[string]any{"group_list": groups}
	}
	var out struct {
		ID     string   `json:"msgid"`
		Failed []string `json:"fail_list"`
	}
	err = c.post(ctx, "externalcontact/add_msg_template", in, &out)
	return out.ID, out.Failed, err
}

// MassMade is a mass message that was made.
type MassMade struct {
	ID        string   `json:"msgid"`
	Creator   string   `json:"creator"`
	CreatedAt number64 `json:"create_time"` // seconds
	By        int      `json:"create_type"` // 0 the corp, 1 a colleague
	Text      struct {
		Content string `json:"content"`
	} `json:"text"`
	Parts []Part `json:"attachments"`
}

// Masses lists mass messages made between two times at most a month apart.
func (c *Client) Masses(ctx context.Context, to string, from, until time.Time, cursor string, most int) ([]MassMade, string, error) {
	var k checker
	k.Need("to", to == ToCustomers || to == ToGroups)
	k.Need("from", until.After(from))
	k.count("until", "mass.span", int(until.Sub(from)/time.Second))
	if err := k.Err(); err != nil {
		return nil, "", err
	}
	in := map[string]any{"chat_type": to, "start_time": from.Unix(), "end_time": until.Unix(), "limit": page("mass.page", most)}
	var out struct {
		List []MassMade `json:"group_msg_list"`
		Next string     `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/get_groupmsg_list_v2", paged(in, cursor), &out)
	return out.List, out.Next, err
}

// The states of a colleague's part in a mass message, and of one that a customer
// or group was to get.
const (
	Unsent      = 0
	Sent        = 1
	NoFriend    = 2
	AtTheirEnds = 3 // they had as many as they may have
)

// MassTask is a colleague's part: 0 not yet sent, 2 sent.
type MassTask struct {
	UserID string `json:"userid"`
	Status int    `json:"status"`
	SentAt int64  `json:"send_time"`
}

// MassTasks lists the colleagues who are to send a mass message.
func (c *Client) MassTasks(ctx context.Context, id, cursor string, most int) ([]MassTask, string, error) {
	var out struct {
		List []MassTask `json:"task_list"`
		Next string     `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/get_groupmsg_task", paged(map[string]any{"msgid": id, "limit": page("result.page", most)}, cursor), &out)
	return out.List, out.Next, err
}

// MassResult is what became of a mass message at one customer or group.
type MassResult struct {
	Customer string `json:"external_userid"`
	Group    string `json:"chat_id"`
	UserID   string `json:"userid"`
	Status   int    `json:"status"` // Unsent, Sent, NoFriend, AtTheirEnds
	SentAt   int64  `json:"send_time"`
}

// MassResults lists what became of a colleague's part.
func (c *Client) MassResults(ctx context.Context, id, user, cursor string, most int) ([]MassResult, string, error) {
	var out struct {
		List []MassResult `json:"send_list"`
		Next string       `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/get_groupmsg_send_result", paged(map[string]any{"msgid": id, "userid": user, "limit": page("result.page", most)}, cursor), &out)
	return out.List, out.Next, err
}

// RemindMass reminds those who have not sent it; three times in 24 hours at most.
func (c *Client) RemindMass(ctx context.Context, id string) error {
	if err := c.env.Quota(ctx, "message.remind", id, 1); err != nil {
		return err
	}
	return c.post(ctx, "externalcontact/remind_groupmsg_send", map[string]any{"msgid": id}, nil)
}

// CancelMass stops a mass message: those who have not sent it no longer can.
func (c *Client) CancelMass(ctx context.Context, id string) error {
	return c.post(ctx, "externalcontact/cancel_groupmsg_send", map[string]any{"msgid": id}, nil)
}

// paged adds where to go on.
func paged(in map[string]any, cursor string) map[string]any {
	if cursor != "" {
		in["cursor"] = cursor
	}
	return in
}
