package wecom

import (
	"context"
	"net/url"
	"time"
)

// Customer is somebody outside whom a colleague has as a friend.
type Customer struct {
	ID       string `json:"external_userid"`
	Name     string `json:"name"`
	Avatar   string `json:"avatar"`
	Type     int    `json:"type"` // 1 WeChat, 2 WeCom
	Gender   int    `json:"gender"`
	UnionID  string `json:"unionid"`
	Corp     string `json:"corp_name"`
	Position string `json:"position"`
}

// Follow is the friendship of one colleague and one customer.
type Follow struct {
	UserID      string   `json:"userid"`
	Remark      string   `json:"remark"`
	Description string   `json:"description"`
	CreatedAt   int64    `json:"createtime"` // seconds
	State       string   `json:"state"`
	AddWay      int      `json:"add_way"`
	Operator    string   `json:"oper_userid"`
	Mobiles     []string `json:"remark_mobiles"`
	Company     string   `json:"remark_corp_name"`
	TagIDs      []string `json:"tag_id"`
	Tags        []struct {
		ID   string `json:"tag_id"`
		Type int    `json:"type"`
	} `json:"tags"`
}

// CorpTags are the ids of the corp's tags on this friendship, however the call
// wrote them. The colleague's own tags (type 2) have no id.
func (f Follow) CorpTags() []string {
	out := append([]string{}, f.TagIDs...)
	for _, t := range f.Tags {
		if t.ID != "" && t.Type != 3 {
			out = append(out, t.ID)
		}
	}
	return out
}

// Since is when they became friends.
func (f Follow) Since() time.Time { return time.Unix(f.CreatedAt, 0).UTC() }

// CustomersOf lists the ids of a colleague's customers. One who has none is no error.
func (c *Client) CustomersOf(ctx context.Context, user string) ([]string, error) {
	var out struct {
		IDs []string `json:"external_userid"`
	}
	err := c.get(ctx, "externalcontact/list", url.Values{"userid": {user}}, &out)
	if CodeOf(err) == 84061 {
		return nil, nil
	}
	return out.IDs, err
}

// CustomerPage is one page of Customer: who follows may be more than one page.
type CustomerPage struct {
	Customer Customer `json:"external_contact"`
	Follows  []Follow `json:"follow_user"`
	Next     string   `json:"next_cursor"`
}

// Customer gives a customer with all who follow, page after page (at most 20:
// 10,000 colleagues).
func (c *Client) Customer(ctx context.Context, id string) (CustomerPage, error) {
	var all CustomerPage
	for cursor, n := "", 0; n < 20; n++ {
		q := url.Values{"external_userid": {id}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		var p CustomerPage
		if err := c.get(ctx, "externalcontact/get", q, &p); err != nil {
			return CustomerPage{}, err
		}
		if n == 0 {
			all.Customer = p.Customer
		}
		all.Follows = append(all.Follows, p.Follows...)
		if p.Next == "" || p.Next == cursor {
			break
		}
		cursor = p.Next
	}
	return all, nil
}

// Friend is a customer with the friendship of one colleague.
type Friend struct {
	Customer Customer `json:"external_contact"`
	Follow   Follow   `json:"follow_info"`
}

// FriendsOf gives a page of the customers of up to 100 colleagues, and where the
// next page begins ("": this was the last).
func (c *Client) FriendsOf(ctx context.Context, users []string, cursor string, most int) ([]Friend, string, error) {
	var k checker
	k.Need("users", len(users) > 0)
	k.count("users", "customers.users", len(users))
	if err := k.Err(); err != nil {
		return nil, "", err
	}
	in := map[string]any{"userid_list": users, "limit": page("customers.page", most)}
	if cursor != "" {
		in["cursor"] = cursor
	}
	var out struct {
		List []Friend `json:"external_contact_list"`
		Next string   `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/batch/get_by_user", in, &out)
	return out.List, out.Next, err
}

// Remark is what a colleague notes of a customer. nil leaves as it is.
type Remark struct {
	Remark, Description, Company *string
	Mobiles                      []string // nil leaves as it is
}

// SetRemark writes it. It changes what the colleague sees of the customer: Remark
// is the name, Description the note; the platform keeps them apart.
func (c *Client) SetRemark(ctx context.Context, user, customer string, r Remark) error {
	var k checker
	k.Need("user", user != "")
	k.Need("customer", customer != "")
	in := map[string]any{"userid": user, "external_userid": customer}
	for _, f := range []struct {
		key, limit string
		v          *string
	}{{"remark", "remark.remark", r.Remark}, {"description", "remark.description", r.Description}, {"remark_company", "remark.company", r.Company}} {
		if f.v != nil {
			k.text(f.key, f.limit, *f.v)
			in[f.key] = *f.v
		}
	}
	if r.Mobiles != nil {
		k.count("remark_mobiles", "remark.mobiles", len(r.Mobiles))
		in["remark_mobiles"] = r.Mobiles
	}
	if err := k.Err(); err != nil {
		return err
	}
	return c.post(ctx, "externalcontact/remark", in, nil)
}

// ExternalID gives the customer behind a unionid and openid, or the pending id
// that stands for them until they are one.
func (c *Client) ExternalID(ctx context.Context, unionID, openID string) (id, pending string, err error) {
	var out struct {
		ID      string `json:"external_userid"`
		Pending string `json:"pending_id"`
	}
	err = c.read(ctx, "idconvert/unionid_to_external_userid", map[string]any{"unionid": unionID, "openid": openID, "subject_type": 1}, &out)
	return out.ID, out.Pending, err
}
