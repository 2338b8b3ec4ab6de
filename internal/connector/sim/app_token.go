package sim

import (
	"time"
)

// entrance finds the app of credentials.
func (c *appCall) entrance(id, secret string) error {
	switch {
	case id == "":
		return noTo(41002, "appid missing")
	case secret == "":
		return noTo(41004, "appsecret missing")
	}
	if c.app = c.w.app(id); c.app == nil || c.app.ID != id {
		return no(40013)
	}
	if c.app.Secret != secret {
		return no(40125)
	}
	return c.place()
}

// stableToken gives the living token to all who ask, and another one when it is
// forced, for which an app has few a day.
func stableToken(c *appCall) (answer, error) {
	var in struct {
		Grant  string `json:"grant_type"`
		App    string `json:"appid"`
		Secret string `json:"secret"`
		Force  bool   `json:"force_refresh"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.Grant != "client_credential" {
		return nil, no(40002)
	}
	if err := c.entrance(in.App, in.Secret); err != nil {
		return nil, err
	}
	l := c.s.limits.WeChat
	if !c.s.within("token "+c.app.ID, c.now, l.TokenPerMinute, 0) {
		return nil, no(45011)
	}
	if in.Force {
		today := c.app.Forced[:0]
		for _, t := range c.app.Forced {
			if wechatDay(t) == wechatDay(c.now) {
				today = append(today, t)
			}
		}
		c.app.Forced = today
		switch n := len(today); {
		case n >= l.ForcePerDay:
			return nil, no(45009)
		case n > 0 && c.now.Sub(today[n-1]) < seconds(l.ForceSeconds):
			return nil, no(45011)
		}
		c.app.Forced = append(c.app.Forced, c.now)
	}
	return c.tokenOf(in.Force), nil
}

func plainToken(c *appCall) (answer, error) {
	if c.q.Get("grant_type") != "client_credential" {
		return nil, no(40002)
	}
	if err := c.entrance(c.q.Get("appid"), c.q.Get("secret")); err != nil {
		return nil, err
	}
	c.app.turn(c.now)
	if c.app.Calls["token"] >= c.s.limits.WeChat.PlainTokensPerDay {
		return nil, no(45009)
	}
	c.app.Calls["token"]++
	return c.tokenOf(false), nil
}

func (c *appCall) tokenOf(fresh bool) answer {
	for text, t := range c.s.tokens {
		switch {
		case t.corp != c.app.ID || t.ended || !c.now.Before(t.until):
			if c.now.Sub(t.until) > 24*time.Hour {
				delete(c.s.tokens, text)
			}
		case fresh || t.secret != c.app.Secret:
			t.ended = true
		default:
			return answer{"access_token": text, "expires_in": int(t.until.Sub(c.now) / time.Second)}
		}
	}
	text := c.w.next("", 86)
	life := seconds(c.s.limits.WeChat.TokenSeconds)
	c.s.tokens[text] = &token{corp: c.app.ID, secret: c.app.Secret, until: c.now.Add(life)}
	return answer{"access_token": text, "expires_in": int(life / time.Second)}
}

// clearQuota forgets the day's counts, a few times a month.
func clearQuota(c *appCall) (answer, error) {
	var in struct {
		App string `json:"appid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.App != c.app.ID {
		return nil, no(40013)
	}
	if c.app.Cleared >= c.s.limits.WeChat.ClearsPerMonth {
		return nil, no(48006)
	}
	c.app.Cleared++
	c.app.Calls = map[string]int{}
	return nil, nil
}

func domainIPs(*appCall) (answer, error) { return answer{"ip_list": []string{"127.0.0.1"}}, nil }
