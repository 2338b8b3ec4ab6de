package wecom

import (
	"cmp"
	"context"
	"strings"
)

// Service is a customer service account of the corp.
type Service struct {
	ID   string `json:"open_kfid"`
	Name string `json:"name"`
}

// Services lists the customer service accounts the app may use.
func (c *Client) Services(ctx context.Context) ([]Service, error) {
	var all []Service
	const step = 100
	for off := 0; off < 10_000; off += step {
		var out struct {
			List []Service `json:"account_list"`
		}
		if err := c.read(ctx, "kf/account/list", map[string]any{"offset": off, "limit": step}, &out); err != nil {
			return nil, err
		}
		all = append(all, out.List...)
		if len(out.List) < step {
			break
		}
	}
	return all, nil
}

// Who a service message is from.
const (
	FromCustomer = 3
	FromSystem   = 4 // an event: see ServiceMessage.Event
	FromAgent    = 5
)

// ServiceMessage is a message or an event of customer service.
type ServiceMessage struct {
	ID       string `json:"msgid"`
	Service  string `json:"open_kfid"`
	Customer string `json:"external_userid"`
	SentAt   int64  `json:"send_time"`
	Origin   int    `json:"origin"`
	UserID   string `json:"servicer_userid"`
	Form     string `json:"msgtype"`
	Text     struct {
		Content string `json:"content"`
		MenuID  string `json:"menu_id"`
	} `json:"text"`
	Link struct {
		Title string `json:"title"`
	} `json:"link"`
	Location struct {
		Name string `json:"name"`
	} `json:"location"`
	Event struct {
		Type     string `json:"event_type"` // enter_session, msg_send_fail, session_status_change, …
		Service  string `json:"open_kfid"`
		Customer string `json:"external_userid"`
		Scene    string `json:"scene"`
		Param    string `json:"scene_param"`
		Welcome  string `json:"welcome_code"`        // for SendOnEvent, within 20 seconds
		Change   int    `json:"change_type"`         // of a session: 1 and 4 a colleague takes it, 2 another does, 3 it ends
		NewUser  string `json:"new_servicer_userid"` // who
		OldUser  string `json:"old_servicer_userid"` // who did before
		FailedID string `json:"fail_msgid"`          // of msg_send_fail
		FailType int    `json:"fail_type"`
	} `json:"event"`
}

// customer is whom it is about, however the call wrote it.
func (m ServiceMessage) customer() string { return cmp.Or(m.Customer, m.Event.Customer) }

// ServiceMessages gives what was said since the cursor. token comes with the
// callback and lives ten minutes; without it the platform allows few calls.
func (c *Client) ServiceMessages(ctx context.Context, service, cursor, token string) (list []ServiceMessage, next string, more bool, err error) {
	in := map[string]any{"open_kfid": service, "limit": page("service.page", 0)}
	if token != "" {
		in["token"] = token
	}
	var out struct {
		List []ServiceMessage `json:"msg_list"`
		Next string           `json:"next_cursor"`
		More int              `json:"has_more"`
	}
	err = c.read(ctx, "kf/sync_msg", paged(in, cursor), &out)
	return out.List, out.Next, out.More == 1, err
}

// ServiceCustomers gives what customer service knows of customers who are nobody's
// friends: a hundred at most.
func (c *Client) ServiceCustomers(ctx context.Context, ids []string) ([]Customer, error) {
	var k checker
	k.Need("ids", len(ids) > 0)
	k.count("ids", "service.customers", len(ids))
	if err := k.Err(); err != nil {
		return nil, err
	}
	var out struct {
		List []struct {
			Customer
			Nickname string `json:"nickname"`
		} `json:"customer_list"`
	}
	err := c.read(ctx, "kf/customer/batchget", map[string]any{"external_userid_list": ids}, &out)
	list := make([]Customer, len(out.List))
	for i, x := range out.List {
		list[i] = x.Customer
		list[i].Name = cmp.Or(x.Nickname, x.Name)
	}
	return list, err
}

// ServiceState is who answers a customer: 0 nobody yet, 1 the program, 2 waiting
// for a person, 3 a person, 4 it is over.
func (c *Client) ServiceState(ctx context.Context, service, customer string) (state int, user string, err error) {
	var out struct {
		State int    `json:"service_state"`
		User  string `json:"servicer_userid"`
	}
	err = c.read(ctx, "kf/service_state/get", map[string]any{"open_kfid": service, "external_userid": customer}, &out)
	return out.State, out.User, err
}

// SetServiceState changes it; user is the person of state 3.
func (c *Client) SetServiceState(ctx context.Context, service, customer string, state int, user string) error {
	in := map[string]any{"open_kfid": service, "external_userid": customer, "service_state": state}
	if user != "" {
		in["servicer_userid"] = user
	}
	return c.post(ctx, "kf/service_state/trans", in, nil)
}

// Tell sends colleagues a message from the app. It gives those whom it could not
// reach.
func (c *Client) Tell(ctx context.Context, users []string, text string) (missed []string, err error) {
	var k checker
	k.Need("users", len(users) > 0)
	k.count("users", "agent.users", len(users))
	k.Need("text", text != "")
	k.text("text", "agent.text", text)
	if err := k.Err(); err != nil {
		return nil, err
	}
	for _, u := range users {
		if err := c.env.Quota(ctx, "message.app", u, 1); err != nil {
			return nil, err
		}
	}
	var out struct {
		Missed string `json:"invaliduser"`
	}
	err = c.post(ctx, "message/send", map[string]any{"touser": strings.Join(users, "|"), "msgtype": "text", "agentid": c.agent, "text": map[string]string{"content": text},
		"enable_duplicate_check": 1, "duplicate_check_interval": 1800}, &out)
	if out.Missed != "" {
		missed = strings.Split(out.Missed, "|")
	}
	return missed, err
}
