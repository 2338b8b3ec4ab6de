package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// grantShare is how many agree to marketing when they join, by what kind of
// channel brought them: at a till more say yes than behind an advertisement.
func grantShare(channel string) float64 {
	switch channel {
	case "offline", "referral", "partner":
		return .82
	case "paid_search", "feed_ads", "short_video":
		return .62
	}
	return .71
}

// consented is what one person said of consent, as the mini-program sends it.
func (o Options) consented(p *person) []call {
	r := stream(o.Seed, 9, uint64(p.No))
	var out []call
	say := func(at time.Time, state, purpose string, channels ...string) {
		if !at.Before(o.End) {
			return
		}
		props := call{"purpose": purpose, "wording": 1}
		if len(channels) > 0 {
			props["channels"] = channels
		}
		out = append(out, call{"type": "track", "event": "consent." + state, "userId": p.UserID, "properties": props,
			"messageId": fmt.Sprintf("demo-consent-%d-%d-%d", o.Seed, p.No, len(out)), "timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z")})
	}
	later := func() time.Time { return p.Joined.Add(time.Duration(r.IntN(120*24)+24) * time.Hour) }
	granted := r.Float64() < grantShare(p.Channel.ID)
	if granted {
		if r.Float64() < .7 {
			say(p.Joined, "granted", "marketing")
		} else {
			say(p.Joined, "granted", "marketing", "wecom", "mini_program")
		}
	}
	if r.Float64() < .55 {
		say(p.Joined, "granted", "recommendation")
	}
	switch x := r.Float64(); {
	case granted && x < .07:
		say(later(), "withdrawn", "marketing", "sms")
	case granted && x < .10:
		say(later(), "withdrawn", "marketing")
	case x > .993:
		say(later(), "withdrawn", "everything")
	}
	if r.Float64() < .12 {
		say(later(), "granted", "surveys")
	}
	return out
}

// consents sends what people said, and lets staff write down a few words and addresses.
func (f *filler) consents(ctx context.Context) error {
	var b batch
	send := func() error {
		if b.n == 0 {
			return nil
		}
		err := f.send(ctx, b.close())
		b = batch{}
		return err
	}
	for n := range f.o.Contacts {
		for _, c := range f.o.consented(f.o.makePerson(n)) {
			if err := b.add(c); err != nil {
				return err
			}
		}
		if b.buf.Len() > batchBytes {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := send(); err != nil {
		return err
	}
	for i := range min(12, f.o.Contacts/30) {
		p := f.o.makePerson(i*11 + 3)
		var found struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		if _, err := f.call(ctx, http.MethodGet, "/api/contacts?limit=1&q="+url.QueryEscape(p.MemberNo), nil, &found); err != nil {
			return err
		}
		if len(found.Items) == 0 {
			continue
		}
		if i%4 == 3 && p.Phone != "" {
			status, err := f.call(ctx, http.MethodPost, "/api/consent/suppressions", map[string]any{"kind": "phone", "value": p.Phone, "reason": "客户投诉骚扰短信，工单已登记"}, nil)
			if err != nil && status != http.StatusConflict { // there since an earlier try
				return err
			}
			continue
		}
		if _, err := f.call(ctx, http.MethodPost, "/api/contacts/"+found.Items[0].ID+"/consents", map[string]any{"reason": "来电说明只想收企业微信消息",
			"changes": []map[string]any{{"purpose": "marketing", "channel": "phone", "state": "withdrawn"}}}, nil); err != nil {
			return err
		}
	}
	return nil
}
