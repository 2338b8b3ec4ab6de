package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// shares say whose customers people become: by where they live and how they
// came. Who came by an advertisement alone belongs to nobody yet.
var shares = []struct {
	why              string
	cities, channels []string
	to               map[string]int // e-mail name or "" (the brand's first user): weight
	order            []string
}{
	{"门店客户归门店跟进", []string{"杭州", "上海", "苏州", "南京", "宁波", "无锡", "合肥"}, []string{"offline", "referral", "partner"},
		map[string]int{"": 2, "jianlu": 2, "zhiqiu": 4, "ruyan": 4}, []string{"", "jianlu", "zhiqiu", "ruyan"}},
	{"门店客户归门店跟进", []string{"深圳", "广州", "厦门", "福州", "长沙"}, []string{"offline", "referral", "partner"},
		map[string]int{"xiaoman": 1, "nianan": 3}, []string{"xiaoman", "nianan"}},
	{"线上客户归客服跟进", nil, []string{"ecommerce", "social"},
		map[string]int{"yuan": 1, "mingyue": 3, leaver: 2}, []string{"yuan", "mingyue", leaver}},
}

// outcomesOf what staff did, the commonest first.
var outcomesOf = []string{"reached", "interested", "no_answer", "reached", "deal", "not_interested"}

// work gives customers to staff and lets them work: departments, owners, a
// colleague who left, follow-ups in every state, each in the name of who did it.
func (f *filler) work(ctx context.Context) error {
	ids, err := f.seat(ctx)
	if err != nil {
		return err
	}
	for i, s := range shares {
		where := []map[string]any{{"field": "channel", "key": "first", "op": "in", "value": s.channels}}
		if s.cities != nil {
			where = append(where, map[string]any{"field": "city", "op": "in", "value": s.cities})
		}
		to := []map[string]any{}
		for _, mail := range s.order {
			to = append(to, map[string]any{"user": ids[mail], "weight": s.to[mail]})
		}
		filter := map[string]any{"owner": "none", "where": map[string]any{"v": 1, "all": where}}
		if err := f.reassign(ctx, fmt.Sprintf("share-%d", i), filter, to, s.why); err != nil {
			return err
		}
	}
	// a session for each: the address behind them signs in a dozen times, which is few
	for i, m := range staff {
		if m.Role != "sales" && m.Role != "service" && m.Role != "community" {
			continue
		}
		who, err := f.signIn(ctx, ids[m.Mail], m.Mail+"@shanyue.example", f.passwords[m.Mail])
		if err != nil {
			return err
		}
		if err := f.promise(ctx, who, ids[m.Mail], uint64(i)+1); err != nil {
			return err
		}
	}
	who, err := f.signIn(ctx, "", f.to.Email, f.to.Password)
	if err != nil {
		who = caller{} // the password was changed since the filling began
	}
	if err := f.promise(ctx, who, ids[""], 0); err != nil {
		return err
	}
	filter := map[string]any{"owner": ids[leaver], "where": map[string]any{"v": 1, "all": []map[string]any{{"field": "orders", "op": "gte", "value": 1}}}}
	if err := f.reassign(ctx, "leaver", filter, []map[string]any{{"user": ids["mingyue"]}}, "白若溪离职，成交客户先交给明月"); err != nil {
		return err
	}
	_, err = f.call(ctx, http.MethodPatch, "/api/users/"+ids[leaver], map[string]any{"state": "disabled"}, nil)
	return err
}

// seat makes the departments and puts the staff into them. It tells everybody's
// id by e-mail name; the brand's first user is "".
func (f *filler) seat(ctx context.Context) (ids map[string]string, err error) {
	var users struct {
		Items []struct{ ID, Email string }
	}
	if _, err := f.call(ctx, http.MethodGet, "/api/users", nil, &users); err != nil {
		return nil, err
	}
	ids = map[string]string{}
	for _, u := range users.Items {
		if u.Email == AdminEmail {
			ids[""] = u.ID
			continue
		}
		mail, _, _ := strings.Cut(u.Email, "@")
		ids[mail] = u.ID
	}
	var there struct {
		Items []struct{ ID, Name string }
	}
	if _, err := f.call(ctx, http.MethodGet, "/api/departments", nil, &there); err != nil {
		return nil, err
	}
	desks := map[string]string{}
	for _, d := range there.Items {
		desks[d.Name] = d.ID
	}
	for _, d := range departments {
		if desks[d.Name] != "" { // there since an earlier try
			continue
		}
		var made struct{ ID string }
		if _, err := f.call(ctx, http.MethodPost, "/api/departments", map[string]any{"name": d.Name, "parent": desks[d.Parent], "lead": ids[d.Lead]}, &made); err != nil {
			return nil, err
		}
		desks[d.Name] = made.ID
	}
	for _, m := range staff {
		if _, err := f.call(ctx, http.MethodPatch, "/api/users/"+ids[m.Mail], map[string]any{"departments": []string{desks[m.Department]}}, nil); err != nil {
			return nil, err
		}
	}
	_, err = f.call(ctx, http.MethodPatch, "/api/users/"+ids[""], map[string]any{"departments": []string{desks["华东门店"]}}, nil)
	return ids, err
}

// reassign gives contacts to staff and waits until it is done.
func (f *filler) reassign(ctx context.Context, key string, filter map[string]any, to []map[string]any, why string) error {
	var out struct {
		Reassignment struct{ Job string }
	}
	if _, err := f.callAs(ctx, caller{key: fmt.Sprintf("demo-%d-%s", f.o.Seed, key)}, http.MethodPost, "/api/contacts/reassign",
		map[string]any{"filter": filter, "to": to, "reason": why}, &out); err != nil {
		return err
	}
	for {
		var job struct{ State string }
		if _, err := f.call(ctx, http.MethodGet, "/api/jobs/"+out.Reassignment.Job, nil, &job); err != nil {
			return err
		}
		switch job.State {
		case "succeeded":
			return nil
		case "failed", "cancelled":
			return fmt.Errorf("giving customers to staff ended %s", job.State)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// signIn opens a session. Without a password the user gets a new one, which
// nobody keeps: an administrator of the demo gives another to look through their eyes.
func (f *filler) signIn(ctx context.Context, user, email, password string) (caller, error) {
	if password == "" {
		var out struct{ Password string }
		if _, err := f.call(ctx, http.MethodPost, "/api/users/"+user+"/password", nil, &out); err != nil {
			return caller{}, err
		}
		password = out.Password
	}
	cookie, err := f.session(ctx, email, password)
	return caller{cookie: cookie}, err
}

// session signs in and gives the cookie.
func (f *filler) session(ctx context.Context, email, password string) (string, error) {
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.to.URL+"/api/session", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := f.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || len(res.Cookies()) == 0 {
		return "", fmt.Errorf("signing %s in answered %d", email, res.StatusCode)
	}
	c := res.Cookies()[0]
	return c.Name + "=" + c.Value, nil
}

// promised is one follow-up of the demo: due so many days from the end, at an hour
// or (hour 0) all day, and done or still open.
type promised struct {
	day, hour, repeat int
	done              bool
}

var week = []promised{{day: -9, hour: 10, done: true}, {day: -6, done: true}, {day: -3, hour: 15, done: true}, {day: -1, hour: 11, done: true}, {day: 0, hour: 9, done: true},
	{day: -4, hour: 16}, {day: -1}, {day: 0, hour: 10}, {day: 0, hour: 16}, {day: 0}, {day: 0, hour: 19}, {day: 1, hour: 14}, {day: 2}, {day: 5, repeat: 30}}

// promise plans follow-ups with some of a user's customers, those who bought
// most first, ends some with what came of it, and writes a few notes.
func (f *filler) promise(ctx context.Context, who caller, user string, n uint64) error {
	r := stream(f.o.Seed, 11, n)
	var page struct{ Items []struct{ ID string } }
	if _, err := f.callAs(ctx, who, http.MethodGet, "/api/contacts?limit=40&sort=revenue&owner="+url.QueryEscape(user), nil, &page); err != nil {
		return err
	}
	if len(page.Items) == 0 {
		return nil
	}
	for i, p := range week {
		c := page.Items[(i*3+r.IntN(3))%len(page.Items)].ID
		said := promises[r.IntN(len(promises))]
		body := map[string]any{"type": said.Type, "text": said.Text, "assignee": user, "due": f.at(r, p), "allDay": p.hour == 0, "repeatDays": p.repeat}
		who.key = fmt.Sprintf("demo-%d-%d-%d", f.o.Seed, n, i)
		var made struct{ ID string }
		if _, err := f.callAs(ctx, who, http.MethodPost, "/api/contacts/"+c+"/follow-ups", body, &made); err != nil {
			return err
		}
		who.key = ""
		if !p.done {
			continue
		}
		outcome := outcomesOf[r.IntN(len(outcomesOf))]
		note := said.Said
		switch outcome {
		case "no_answer":
			note = "没接，晚上再发条企微。"
		case "not_interested":
			note = "最近在控制开销，过一阵再说。"
		}
		status, err := f.callAs(ctx, who, http.MethodPost, "/api/follow-ups/"+made.ID+"/done", map[string]any{"outcome": outcome, "note": note}, nil)
		if err != nil && status != http.StatusConflict { // done in an earlier try
			return err
		}
	}
	for i := range min(4, len(page.Items)) {
		who.key = fmt.Sprintf("demo-note-%d-%d-%d", f.o.Seed, n, i)
		if _, err := f.callAs(ctx, who, http.MethodPost, "/api/contacts/"+page.Items[i*2%len(page.Items)].ID+"/notes", map[string]any{"text": notes[r.IntN(len(notes))]}, nil); err != nil {
			return err
		}
	}
	return nil
}

// at is when a follow-up is due: some minutes after the hour.
func (f *filler) at(r *rand.Rand, p promised) time.Time {
	hour := p.hour
	if hour == 0 {
		hour = 12
	}
	return f.o.midnight(f.o.End).AddDate(0, 0, p.day).Add(time.Duration(hour)*time.Hour + time.Duration(r.IntN(6)*10)*time.Minute).UTC()
}
