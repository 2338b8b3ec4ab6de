package sim

import (
	"strconv"
	"time"
)

// token is an access token that was given out.
type token struct {
	corp   string
	agent  int
	secret string
	until  time.Time
	ended  bool // before its time: a fault, or a newer one
}

// gettoken gives an app its token: the one it has while that is good, as the
// platform does, a new one afterwards.
func gettoken(c *call) (answer, error) {
	id, secret := c.q.Get("corpid"), c.q.Get("corpsecret")
	switch {
	case id == "":
		return nil, refuse(41002)
	case secret == "":
		return nil, refuse(41004)
	}
	corp := c.w.corp(id)
	if corp == nil {
		return nil, refuse(40013)
	}
	for _, a := range corp.Agents {
		if a.Secret == secret {
			c.corp, c.agent = corp, a
			text, t := c.s.issue(corp, a, c.now)
			return answer{"access_token": text, "expires_in": int(t.until.Sub(c.now) / time.Second)}, nil
		}
	}
	return nil, refuse(40001)
}

func (s *Sim) issue(c *Corp, a *Agent, now time.Time) (string, *token) {
	for text, t := range s.tokens {
		if t.corp == c.ID && t.agent == a.ID && t.secret == a.Secret && !t.ended && now.Before(t.until) {
			return text, t
		}
		if now.Sub(t.until) > 24*time.Hour {
			delete(s.tokens, text)
		}
	}
	text := s.world.next("", 64)
	t := &token{corp: c.ID, agent: a.ID, secret: a.Secret, until: now.Add(seconds(s.limits.WeCom.TokenSeconds))}
	s.tokens[text] = t
	return text, t
}

// holder tells whose token it is.
func (s *Sim) holder(text string, now time.Time) (*token, error) {
	if text == "" {
		return nil, refuse(41001)
	}
	t, ok := s.tokens[text]
	switch {
	case !ok:
		return nil, refuse(40014)
	case t.ended || !now.Before(t.until):
		return nil, refuse(42001)
	}
	return t, nil
}

// endToken makes a token expire before its time.
func (s *Sim) endToken(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[text]; t != nil {
		t.ended = true
	}
}

// rate counts the calls of a minute and of an hour.
type rate struct {
	minute, hour   time.Time
	inMinute, inHr int
}

func (s *Sim) within(key string, now time.Time, perMinute, perHour int) bool {
	r := s.rates[key]
	if r == nil {
		r = &rate{}
		s.rates[key] = r
	}
	if m := now.Truncate(time.Minute); m.After(r.minute) {
		r.minute, r.inMinute = m, 0
	}
	if h := now.Truncate(time.Hour); h.After(r.hour) {
		r.hour, r.inHr = h, 0
	}
	if perMinute > 0 && r.inMinute >= perMinute || perHour > 0 && r.inHr >= perHour {
		return false
	}
	r.inMinute++
	r.inHr++
	return true
}

// spend counts a call against the rates of its API and of its address.
func (c *call) spend(name string) error {
	l := c.s.limits.WeCom
	minute := l.PerMinute
	if n, ok := l.APIPerMinute[name]; ok {
		minute = n
	}
	if !c.s.within("api "+c.corp.ID+" "+name, c.now, minute, l.PerHour) ||
		!c.s.within("ip "+ipOf(c.r), c.now, l.IPPerMinute, l.IPPerHour) {
		return refuseOn(45009, "agentid "+strconv.Itoa(c.agent.ID))
	}
	return nil
}
