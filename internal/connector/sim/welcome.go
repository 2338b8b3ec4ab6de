package sim

// sendWelcome says hello once, in time, and only as long as nobody has spoken.
func sendWelcome(c *call) (answer, error) {
	var in struct {
		Code string `json:"welcome_code"`
		content
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if in.Code == "" {
		return nil, refuse(41049)
	}
	h := c.corp.codes[in.Code]
	if h == nil || c.now.Sub(h.at) > seconds(c.s.limits.WeCom.WelcomeSeconds) {
		return nil, refuse(41050)
	}
	c.about = h.friend.External
	if h.used || h.friend.Chatted || !h.friend.live() {
		return nil, refuse(41051)
	}
	if err := c.check(in.content); err != nil {
		return nil, err
	}
	h.used = true
	p := c.w.people[c.corp.External[h.friend.External]]
	m := c.corp.staff[h.friend.Staff]
	p.chat("staff", c.corp.ID, m.UserID).say(in.lines(c.w, c.now, m.Name, "welcome")...)
	c.said = in.firstWords()
	return nil, nil
}
