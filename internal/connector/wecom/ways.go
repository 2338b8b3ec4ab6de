package wecom

import (
	"context"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Way is a contact way: a code that customers scan to add a colleague.
type Way struct {
	ID         string   // config_id; "" when it is to be made
	Users      []string // whom a scan meets: one of them at random
	Parties    []int64  // departments besides
	State      string   // comes back with the customer
	Remark     string   // for those who keep the codes
	SkipVerify bool     // customers are friends at once
	Single     bool     // of one colleague
	MiniApp    bool     // for a button in a mini-program instead of a code
	Style      int      // of that button
	Exclusive  bool     // one customer is always given the same colleague
	ExpiresIn  int64    // seconds; above 0 the code is temporary
	QR         string   // address of the picture, set by the platform
}

type wayJSON struct {
	ID         string   `json:"config_id,omitempty"`
	Type       int      `json:"type,omitempty"`
	Scene      int      `json:"scene,omitempty"`
	Style      int      `json:"style,omitempty"`
	Remark     string   `json:"remark"`
	SkipVerify bool     `json:"skip_verify"`
	State      string   `json:"state"`
	Users      []string `json:"user,omitempty"`
	Parties    []int64  `json:"party,omitempty"`
	Exclusive  bool     `json:"is_exclusive,omitempty"`
	Temp       bool     `json:"is_temp,omitempty"`
	ExpiresIn  int64    `json:"expires_in,omitempty"`
	QR         string   `json:"qr_code,omitempty"`
}

func (w Way) check() error {
	var k checker
	k.text("remark", "way.remark", w.Remark)
	k.text("state", "way.state", w.State)
	k.Need("users", len(w.Users)+len(w.Parties) > 0)
	k.count("users", "way.users", len(w.Users))
	k.count("parties", "way.parties", len(w.Parties))
	k.count("expiresIn", "way.expires", int(w.ExpiresIn))
	if w.Single && (len(w.Users) != 1 || len(w.Parties) > 0) {
		k.Fault("users", "wecom.way_of_one")
	}
	return k.Err()
}

func (w Way) json() wayJSON {
	j := wayJSON{ID: w.ID, Type: 2, Scene: 2, Remark: w.Remark, SkipVerify: w.SkipVerify, State: w.State, Users: w.Users, Parties: w.Parties, Exclusive: w.Exclusive,
		Temp: w.ExpiresIn > 0, ExpiresIn: w.ExpiresIn}
	if w.Single {
		j.Type = 1
	}
	if w.MiniApp {
		j.Scene, j.Style = 1, max(w.Style, 1)
	}
	return j
}

// AddWay makes a contact way and gives its id and picture.
func (c *Client) AddWay(ctx context.Context, w Way) (id, qr string, err error) {
	if err := w.check(); err != nil {
		return "", "", err
	}
	j := w.json()
	j.ID = ""
	var out wayJSON
	err = c.post(ctx, "externalcontact/add_contact_way", j, &out)
	return out.ID, out.QR, err
}

// Way gives a contact way.
func (c *Client) Way(ctx context.Context, id string) (Way, error) {
	var out struct {
		W wayJSON `json:"contact_way"`
	}
	err := c.read(ctx, "externalcontact/get_contact_way", map[string]any{"config_id": id}, &out)
	j := out.W
	return Way{ID: j.ID, Users: j.Users, Parties: j.Parties, State: j.State, Remark: j.Remark, SkipVerify: j.SkipVerify, Single: j.Type == 1, MiniApp: j.Scene == 1, Style: j.Style,
		Exclusive: j.Exclusive, ExpiresIn: j.ExpiresIn, QR: j.QR}, err
}

// UpdateWay changes whom a contact way leads to, its state, remark and whether
// customers are friends at once. The picture stays. Type and scene cannot change.
func (c *Client) UpdateWay(ctx context.Context, w Way) error {
	if w.ID == "" {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("id", "request.field_required"))
	}
	if err := w.check(); err != nil {
		return err
	}
	j := w.json()
	j.Type, j.Scene, j.Temp = 0, 0, false
	return c.post(ctx, "externalcontact/update_contact_way", j, nil)
}

// DeleteWay deletes a contact way: scans of its picture lead nowhere any more.
func (c *Client) DeleteWay(ctx context.Context, id string) error {
	return c.post(ctx, "externalcontact/del_contact_way", map[string]any{"config_id": id}, nil)
}

// Ways lists the ids of the contact ways made between two times (seconds).
func (c *Client) Ways(ctx context.Context, from, to int64, cursor string) (ids []string, next string, err error) {
	in := map[string]any{"start_time": from, "end_time": to, "limit": 1000}
	if cursor != "" {
		in["cursor"] = cursor
	}
	var out struct {
		Ways []wayJSON `json:"contact_way"`
		Next string    `json:"next_cursor"`
	}
	err = c.read(ctx, "externalcontact/list_contact_way", in, &out)
	for _, w := range out.Ways {
		ids = append(ids, w.ID)
	}
	return ids, out.Next, err
}
