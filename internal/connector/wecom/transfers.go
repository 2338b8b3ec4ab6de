package wecom

import "context"

// Transfer hands customers of one colleague to another.
type Transfer struct {
	From, To  string
	Customers []string
	Message   string // what the customers read; in service only
	Left      bool   // the colleague left the company
}

// Handed is how one customer's hand-over began: Err is set when it did not.
type Handed struct {
	Customer string
	Err      error
}

// Hand begins to hand over up to 100 customers. Those who do not refuse are the
// other's after 24 hours: see Transfers for what becomes of each.
func (c *Client) Hand(ctx context.Context, t Transfer) ([]Handed, error) {
	var k checker
	k.Need("from", t.From != "")
	k.Need("to", t.To != "" && t.To != t.From)
	k.Need("customers", len(t.Customers) > 0)
	k.count("customers", "transfer.customers", len(t.Customers))
	k.text("message", "transfer.message", t.Message)
	if err := k.Err(); err != nil {
		return nil, err
	}
	in := map[string]any{"handover_userid": t.From, "takeover_userid": t.To, "external_userid": t.Customers}
	api := "externalcontact/transfer_customer"
	if t.Left {
		api = "externalcontact/resigned/transfer_customer"
	} else if t.Message != "" {
		in["transfer_success_msg"] = t.Message
	}
	var out struct {
		Customers []struct {
			ID   string `json:"external_userid"`
			Code int    `json:"errcode"`
		} `json:"customer"`
	}
	if err := c.post(ctx, api, in, &out); err != nil {
		return nil, err
	}
	list := make([]Handed, len(out.Customers))
	for i, x := range out.Customers {
		list[i].Customer = x.ID
		if x.Code != 0 {
			list[i].Err = refused(api, x.Code, "")
		}
	}
	return list, nil
}

// What becomes of a hand-over.
const (
	TransferDone    = 1
	TransferWaiting = 2
	TransferRefused = 3 // by the customer
	TransferFull    = 4 // the other has as many customers as may be
	TransferNone    = 5 // nobody handed this one over
)

// Transferred is one customer's hand-over.
type Transferred struct {
	Customer string `json:"external_userid"`
	Status   int    `json:"status"`
	At       int64  `json:"takeover_time"` // seconds; of one that waits: when it will be done
}

// Transfers lists what becomes of the customers handed from one to another.
func (c *Client) Transfers(ctx context.Context, from, to string, left bool, cursor string) ([]Transferred, string, error) {
	api := "externalcontact/transfer_result"
	if left {
		api = "externalcontact/resigned/transfer_result"
	}
	var out struct {
		List []Transferred `json:"customer"`
		Next string        `json:"next_cursor"`
	}
	err := c.read(ctx, api, paged(map[string]any{"handover_userid": from, "takeover_userid": to}, cursor), &out)
	return out.List, out.Next, err
}

// Unassigned is a customer whose colleague left.
type Unassigned struct {
	From     string `json:"handover_userid"`
	Customer string `json:"external_userid"`
	LeftAt   int64  `json:"dimission_time"`
}

// UnassignedCustomers lists the customers of colleagues who left.
func (c *Client) UnassignedCustomers(ctx context.Context, cursor string, most int) ([]Unassigned, string, error) {
	var out struct {
		List []Unassigned `json:"info"`
		Next string       `json:"next_cursor"`
		Last bool         `json:"is_last"`
	}
	err := c.read(ctx, "externalcontact/get_unassigned_list", paged(map[string]any{"page_size": page("unassigned.page", most)}, cursor), &out)
	if out.Last {
		out.Next = ""
	}
	return out.List, out.Next, err
}

// HandGroups hands groups to another owner; of one who left, or in service. An
// owner takes 300 a day. Those that cannot be handed over come back.
func (c *Client) HandGroups(ctx context.Context, groups []string, to string, left bool) ([]Handed, error) {
	var k checker
	k.Need("groups", len(groups) > 0)
	k.count("groups", "transfer.groups", len(groups))
	k.Need("to", to != "")
	if err := k.Err(); err != nil {
		return nil, err
	}
	if err := c.env.Quota(ctx, "transfer.group", to, int64(len(groups))); err != nil {
		return nil, err
	}
	api := "externalcontact/groupchat/onjob_transfer"
	if left {
		api = "externalcontact/groupchat/transfer"
	}
	var out struct {
		Failed []struct {
			ID   string `json:"chat_id"`
			Code int    `json:"errcode"`
			Msg  string `json:"errmsg"`
		} `json:"failed_chat_list"`
	}
	if err := c.post(ctx, api, map[string]any{"chat_id_list": groups, "new_owner": to}, &out); err != nil {
		return nil, err
	}
	bad := make([]Handed, len(out.Failed))
	for i, x := range out.Failed {
		bad[i] = Handed{x.ID, refused(api, x.Code, x.Msg)}
	}
	return bad, nil
}
