package wecom

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
)

// Department is one of the corp's departments. Parent is 0 for the corp itself.
type Department struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Parent int64  `json:"parentid"`
	Order  int64  `json:"order"`
}

// Departments gives those the app may see. Apps made since 2022 get ids and
// parents only: names are then empty.
func (c *Client) Departments(ctx context.Context) ([]Department, error) {
	var out struct {
		Department []Department `json:"department"`
	}
	err := c.get(ctx, "department/list", nil, &out)
	return out.Department, err
}

// The states of a member.
const (
	MemberActive   = 1
	MemberDisabled = 2
	MemberInvited  = 4 // not yet activated
	MemberLeft     = 5
)

// Member is a colleague. Mobile and mail are there for apps alone that may see them.
type Member struct {
	UserID      string  `json:"userid"`
	Name        string  `json:"name"`
	Departments []int64 `json:"department"`
	Main        int64   `json:"main_department"`
	Position    string  `json:"position"`
	Mobile      string  `json:"mobile"`
	Email       string  `json:"email"`
	BizMail     string  `json:"biz_mail"`
	Avatar      string  `json:"avatar"`
	Alias       string  `json:"alias"`
	Status      int     `json:"status"`
}

// Members gives those directly in a department.
func (c *Client) Members(ctx context.Context, department int64) ([]Member, error) {
	var out struct {
		List []Member `json:"userlist"`
	}
	err := c.get(ctx, "user/list", url.Values{"department_id": {strconv.FormatInt(department, 10)}}, &out)
	return out.List, err
}

// Member gives one colleague.
func (c *Client) Member(ctx context.Context, user string) (Member, error) {
	var out Member
	err := c.get(ctx, "user/get", url.Values{"userid": {user}}, &out)
	return out, err
}

// Followers gives the ids of the members who may have customers.
func (c *Client) Followers(ctx context.Context) ([]string, error) {
	var out struct {
		Users []string `json:"follow_user"`
	}
	err := c.get(ctx, "externalcontact/get_follow_user_list", nil, &out)
	return out.Users, err
}

// App is the self-built app itself.
type App struct {
	Name    string
	Domain  string // trusted
	Closed  bool
	Users   []string // it may see
	Parties []int64
}

// App gives the app whose secret is used.
func (c *Client) App(ctx context.Context) (App, error) {
	var out struct {
		Name   string `json:"name"`
		Domain string `json:"redirect_domain"`
		Close  int    `json:"close"`
		Users  struct {
			User []struct {
				ID string `json:"userid"`
			} `json:"user"`
		} `json:"allow_userinfos"`
		Parties struct {
			ID []int64 `json:"partyid"`
		} `json:"allow_partys"`
	}
	err := c.get(ctx, "agent/get", url.Values{"agentid": {strconv.FormatInt(c.agent, 10)}}, &out)
	a := App{Name: out.Name, Domain: out.Domain, Closed: out.Close == 1, Parties: out.Parties.ID}
	for _, u := range out.Users.User {
		a.Users = append(a.Users, u.ID)
	}
	return a, err
}

// number reads what the platform writes as a number in one call and as a text in
// another.
type number64 int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number64) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		b = []byte(s)
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil { // a stamp that is no number is none
		v = 0
	}
	*n = number64(v)
	return nil
}
