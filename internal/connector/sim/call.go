package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// errNowhere: there is no such API.
var errNowhere = errors.New("no such api")

// maxCall bounds the body of a call; uploads have their own bound.
const maxCall = 4 << 20

// answer is the body of an answer, besides errcode and errmsg.
type answer map[string]any

// call is one request to a platform, inside the world.
type call struct {
	s     *Sim
	r     *http.Request
	q     url.Values
	body  []byte
	base  string // address that the caller knows us by
	now   time.Time
	w     *World
	corp  *Corp
	agent *Agent
	about string // whom it speaks of, for the diary
	said  string // what it sent, for the diary
}

// route is one API of a platform.
type route struct {
	method string // "" any
	needs  string // customer, contacts, kf; "": any app; open: no token
	do     func(*call) (answer, error)
}

// in reads the body.
func (c *call) in(v any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return refuse(40035)
	}
	return nil
}

// serveWeCom answers one call: faults first, then token, rights and rates, as
// the platform's own gate stands before its handlers.
func (s *Sim) serveWeCom(w http.ResponseWriter, r *http.Request, name string) {
	start := time.Now()
	c := &call{s: s, r: r, q: r.URL.Query(), base: baseOf(r)}
	bound := int64(maxCall)
	if r.Method == http.MethodPost && slices.Contains(uploads, name) {
		bound = int64(s.limits.WeCom.FileBytes) + 1<<20
	}
	var err error
	if c.body, err = io.ReadAll(io.LimitReader(r.Body, bound+1)); err != nil {
		return // the caller went away
	}
	var out answer
	if int64(len(c.body)) > bound {
		err = refuse(45002)
	} else {
		var how verdict
		if how, err = s.fault(r, "wecom:"+name); how.cut {
			panic(http.ErrAbortHandler) // the connection just ends, as with a broken network
		}
		if err == nil {
			out, err = c.answer(name)
		}
		if how.lost {
			s.diary.call(c, name, 0, "lost", start)
			panic(http.ErrAbortHandler)
		}
	}
	if errors.Is(err, errNowhere) {
		http.NotFound(w, r)
		return
	}
	code, msg := 0, "ok"
	var no *refusal
	switch {
	case errors.As(err, &no):
		code, msg = no.Code, no.Msg
	case err != nil:
		code, msg = -1, words[-1]
		s.log.Error("a call of the simulator failed", "api", name, "error", err)
	}
	if out == nil {
		out = answer{}
	}
	out["errcode"], out["errmsg"] = code, msg
	s.diary.call(c, name, code, "", start)
	writeJSON(w, http.StatusOK, out)
}

func (c *call) answer(name string) (out answer, err error) {
	rt, ok := wecomRoutes[name]
	if !ok {
		return nil, errNowhere
	}
	if rt.method != "" && rt.method != c.r.Method {
		if rt.method == http.MethodPost {
			return nil, refuse(43002)
		}
		return nil, refuse(43001)
	}
	err = c.s.at(func(w *World, now time.Time) error {
		c.w, c.now = w, now
		if rt.needs != "open" {
			if err := c.admit(rt.needs); err != nil {
				return err
			}
			if err := c.spend(name); err != nil {
				return err
			}
		}
		out, err = rt.do(c)
		return err
	})
	return out, err
}

// admit checks the token, where the caller is, and what the app may.
func (c *call) admit(needs string) error {
	t, err := c.s.holder(c.q.Get("access_token"), c.now)
	if err != nil {
		return err
	}
	c.corp = c.w.corp(t.corp)
	if c.corp != nil {
		c.agent = c.corp.agent(t.agent)
	}
	if c.agent == nil || c.agent.Secret != t.secret { // the secret was replaced meanwhile
		return refuse(40014)
	}
	if len(c.agent.TrustedIPs) > 0 && !slices.Contains(c.agent.TrustedIPs, ipOf(c.r)) {
		return refuseOn(60020, "from ip: "+ipOf(c.r))
	}
	if (needs == "customer" || needs == "kf") && !c.agent.Customer {
		return refuse(48002)
	}
	return nil
}

// sees tells whether the app may know of a member.
func (c *call) sees(userid string) bool {
	return len(c.agent.Visible) == 0 || slices.Contains(c.agent.Visible, userid)
}

// member finds one of the staff that the app may see.
func (c *call) member(userid string) (*Member, error) {
	if userid == "" {
		return nil, refuse(41009)
	}
	m := c.corp.staff[userid]
	if m == nil || m.Status == left {
		return nil, refuseOn(60111, userid)
	}
	if !c.sees(userid) {
		return nil, refuse(60011)
	}
	return m, nil
}

// follower is a member who has customer contact.
func (c *call) follower(userid string) (*Member, error) {
	m, err := c.member(userid)
	if err != nil {
		return nil, err
	}
	if m.Status != active {
		return nil, refuse(41054)
	}
	if !m.Follows {
		return nil, refuse(84074)
	}
	return m, nil
}

// relation finds the live friendship that a call speaks of.
func (c *call) relation(userid, external string) (*Friend, error) {
	if external == "" {
		return nil, refuse(41035)
	}
	if _, err := c.member(userid); err != nil {
		return nil, err
	}
	if _, ok := c.corp.External[external]; !ok {
		return nil, refuse(40096)
	}
	c.about = external
	f := c.corp.liveFriend(userid, external)
	if f == nil {
		return nil, refuse(84061)
	}
	return f, nil
}

// page cuts a list for a cursor and a limit. The cursor is opaque to the caller.
func page[T any](list []T, cursor string, limit, most int) (cut []T, next string, err error) {
	from := 0
	if cursor != "" {
		if from, err = strconv.Atoi(cursorOf(cursor)); err != nil || from < 0 || from > len(list) {
			return nil, "", refuse(50100)
		}
	}
	if limit <= 0 || limit > most {
		limit = most
	}
	to := min(from+limit, len(list))
	if to < len(list) {
		next = "cur_" + strconv.Itoa(to)
	}
	return list[from:to], next, nil
}

func cursorOf(s string) string {
	if len(s) > 4 && s[:4] == "cur_" {
		return s[4:]
	}
	return "?"
}

func baseOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func ipOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		http.Error(w, "cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a caller that went away needs no answer
}
