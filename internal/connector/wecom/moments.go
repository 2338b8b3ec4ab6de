package wecom

import (
	"context"
	"net/url"
	"time"
)

// Moment is a post that colleagues publish to their customers.
type Moment struct {
	Text        string
	Parts       []Part   // nine images, or one video, or one link
	Users       []string // who publish; none and no parties: all who may
	Parties     []int64
	CustomerTag []string // who see it: customers with any of these tags; none: all
}

func (m Moment) check() error {
	var k checker
	k.Need("text", m.Text != "" || len(m.Parts) > 0)
	k.text("text", "moment.text", m.Text)
	k.count("parts", "moment.images", len(m.Parts))
	k.count("users", "moment.senders", len(m.Users))
	k.count("tags", "moment.tags", len(m.CustomerTag))
	for i, p := range m.Parts {
		path := at("parts", i)
		switch {
		case p.Form != Image && p.Form != Video && p.Form != Link:
			k.Fault(path+".form", "wecom.no_such_form")
		case p.Form != m.Parts[0].Form || p.Form != Image && len(m.Parts) > 1:
			k.Fault(path, "wecom.moment_parts")
		case p.Media == "":
			k.Need(path+".media", false)
		}
		if p.Form == Link {
			k.Need(path+".url", p.URL != "")
			k.text(path+".title", "link.title", p.Title)
		}
	}
	return k.Err()
}

// AddMoment asks for a post. It is made in the background: see MomentJob.
func (c *Client) AddMoment(ctx context.Context, m Moment) (job string, err error) {
	if err := m.check(); err != nil {
		return "", err
	}
	in := map[string]any{}
	if m.Text != "" {
		in["text"] = map[string]string{"content": m.Text}
	}
	if len(m.Parts) > 0 {
		var parts []map[string]any
		for _, p := range m.Parts {
			body := map[string]string{"media_id": p.Media}
			if p.Form == Link {
				body["title"], body["url"] = p.Title, p.URL
			}
			parts = append(parts, map[string]any{"msgtype": p.Form, p.Form: body})
		}
		in["attachments"] = parts
	}
	seen := map[string]any{}
	if len(m.Users)+len(m.Parties) > 0 {
		seen["sender_list"] = map[string]any{"user_list": m.Users, "department_list": m.Parties}
	}
	if len(m.CustomerTag) > 0 {
		seen["external_contact_list"] = map[string]any{"tag_list": m.CustomerTag}
	}
	if len(seen) > 0 {
		in["visible_range"] = seen
	}
	var out struct {
		Job string `json:"jobid"`
	}
	err = c.post(ctx, "externalcontact/add_moment_task", in, &out)
	return out.Job, err
}

// MomentJob is how far a post is.
type MomentJob struct {
	Status   int // 1 begun, 2 under way, 3 done
	MomentID string
	Bad      []string // senders who cannot
	Err      error    // when the platform refuses the post
}

// MomentJob tells how far the making of a post is.
func (c *Client) MomentJob(ctx context.Context, job string) (MomentJob, error) {
	var out struct {
		Status int `json:"status"`
		Result struct {
			Code     int    `json:"errcode"`
			Msg      string `json:"errmsg"`
			MomentID string `json:"moment_id"`
			Senders  struct {
				Users []string `json:"user_list"`
			} `json:"invalid_sender_list"`
		} `json:"result"`
	}
	if err := c.get(ctx, "externalcontact/get_moment_task_result", url.Values{"jobid": {job}}, &out); err != nil {
		return MomentJob{}, err
	}
	j := MomentJob{Status: out.Status, MomentID: out.Result.MomentID, Bad: out.Result.Senders.Users}
	if out.Result.Code != 0 {
		j.Err = refused("externalcontact/add_moment_task", out.Result.Code, out.Result.Msg)
	}
	return j, nil
}

// MomentMade is a post that exists.
type MomentMade struct {
	ID        string   `json:"moment_id"`
	Creator   string   `json:"creator"`
	CreatedAt number64 `json:"create_time"` // seconds
	By        int      `json:"create_type"` // 0 the corp, 1 a colleague
	Text      struct {
		Content string `json:"content"`
	} `json:"text"`
}

// Moments lists the posts made between two times at most a month apart.
func (c *Client) Moments(ctx context.Context, from, until time.Time, cursor string, most int) ([]MomentMade, string, error) {
	var k checker
	k.Need("from", until.After(from))
	k.count("until", "mass.span", int(until.Sub(from)/time.Second))
	if err := k.Err(); err != nil {
		return nil, "", err
	}
	var out struct {
		List []MomentMade `json:"moment_list"`
		Next string       `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/get_moment_list", paged(map[string]any{"start_time": from.Unix(), "end_time": until.Unix(), "limit": page("moment.page", most)}, cursor), &out)
	return out.List, out.Next, err
}

// MomentTask is a colleague's part in a post: 0 not yet published, 1 published.
type MomentTask struct {
	UserID string `json:"userid"`
	Status int    `json:"publish_status"`
}

// MomentTasks lists who are to publish a post.
func (c *Client) MomentTasks(ctx context.Context, id, cursor string, most int) ([]MomentTask, string, error) {
	var out struct {
		List []MomentTask `json:"task_list"`
		Next string       `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/get_moment_task", paged(map[string]any{"moment_id": id, "limit": page("result.page", most)}, cursor), &out)
	return out.List, out.Next, err
}

// MomentSeen lists the customers to whom a colleague's post was shown.
func (c *Client) MomentSeen(ctx context.Context, id, user, cursor string, most int) ([]string, string, error) {
	return c.momentPeople(ctx, "externalcontact/get_moment_send_result", id, user, cursor, most)
}

// MomentMeant lists the customers who are to see a colleague's post.
func (c *Client) MomentMeant(ctx context.Context, id, user, cursor string, most int) ([]string, string, error) {
	return c.momentPeople(ctx, "externalcontact/get_moment_customer_list", id, user, cursor, most)
}

func (c *Client) momentPeople(ctx context.Context, api, id, user, cursor string, most int) ([]string, string, error) {
	var out struct {
		List []struct {
			ID string `json:"external_userid"`
		} `json:"customer_list"`
		Next string `json:"next_cursor"`
	}
	err := c.read(ctx, api, paged(map[string]any{"moment_id": id, "userid": user, "limit": page("result.page", most)}, cursor), &out)
	ids := make([]string, len(out.List))
	for i, p := range out.List {
		ids[i] = p.ID
	}
	return ids, out.Next, err
}

// Reaction is a comment on a post, or that somebody likes it: by a customer or a
// colleague.
type Reaction struct {
	Customer string `json:"external_userid"`
	UserID   string `json:"userid"`
	At       int64  `json:"create_time"`
}

// MomentReactions gives the comments and likes of a colleague's post.
func (c *Client) MomentReactions(ctx context.Context, id, user string) (comments, likes []Reaction, err error) {
	var out struct {
		Comments []Reaction `json:"comment_list"`
		Likes    []Reaction `json:"like_list"`
	}
	err = c.read(ctx, "externalcontact/get_moment_comments", map[string]any{"moment_id": id, "userid": user}, &out)
	return out.Comments, out.Likes, err
}

// CancelMoment stops a post that not all have published.
func (c *Client) CancelMoment(ctx context.Context, id string) error {
	return c.post(ctx, "externalcontact/cancel_moment_task", map[string]any{"moment_id": id}, nil)
}
