package sim

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// shards is how many callbacks are on their way at once. What concerns one
// customer goes one after the other, until a fault mixes it up.
const shards = 64

// callback is an event on its way.
type callback struct {
	name, subject, staff string
	url                  string
	to, agent            string
	seal                 *wxcrypto.Cipher
	body                 []byte
	nonce                string
	tries                int
	forged               bool
	app                  *appCallback // of WeChat: other signatures, and answers that are read
}

// courier posts callbacks.
type courier struct {
	mu      sync.Mutex
	cond    *sync.Cond
	queues  [shards][]*callback
	busy    [shards]bool
	pending int
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	closed  bool
}

func (p *courier) init() {
	p.cond = sync.NewCond(&p.mu)
	p.ctx, p.cancel = context.WithCancel(context.Background())
}

func (p *courier) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
}

// tell queues an event for every app of the corp that is called back. It is
// called inside the world.
func (s *Sim) tell(c *Corp, now time.Time, name, subject, staff string, parts ...wxcrypto.Node) {
	event, change, _ := cutEvent(name)
	nodes := []wxcrypto.Node{wxcrypto.Elem("ToUserName", c.ID), wxcrypto.Elem("FromUserName", "sys"), wxcrypto.Raw("CreateTime", strconv.FormatInt(now.Unix(), 10)),
		wxcrypto.Elem("MsgType", "event"), wxcrypto.Elem("Event", event)}
	if change != "" {
		nodes = append(nodes, wxcrypto.Elem("ChangeType", change))
	}
	body := wxcrypto.Write("xml", append(nodes, parts...)...)
	for _, a := range c.Agents {
		if a.CallbackURL == "" || !a.Customer {
			continue
		}
		seal, err := c.cipher(a)
		if err != nil {
			s.log.Error("a callback cannot be sealed", "error", err)
			continue
		}
		cb := &callback{name: name, subject: subject, staff: staff, url: a.CallbackURL, to: c.ID, agent: strconv.Itoa(a.ID), seal: seal, body: body, nonce: s.world.digits(10)}
		s.send(cb)
	}
}

// cutEvent takes "change_external_contact.add_external_contact" apart.
func cutEvent(name string) (event, change string, ok bool) {
	for i := range name {
		if name[i] == '.' {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

func (c *Corp) cipher(a *Agent) (*wxcrypto.Cipher, error) {
	key := a.Token + "\x00" + a.AESKey
	if have, ok := c.ciphers[key]; ok {
		return have, nil
	}
	made, err := wxcrypto.New(a.Token, a.AESKey, c.ID, nil)
	if err == nil {
		c.ciphers[key] = made
	}
	return made, err
}

// digits are for nonces and echoes.
func (w *World) digits(n int) string {
	s := w.next("", n)
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + s[i]%10
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

// send lets a callback go its way, or go wrong on it.
func (s *Sim) send(cb *callback) {
	times, late := 1, time.Duration(0)
	for _, f := range s.draw(cb.name, true) {
		switch f.Kind {
		case FaultTwice:
			times++
		case FaultLate:
			late = time.Duration(f.Ms) * time.Millisecond
		case FaultNever:
			s.diary.callback(cb, "never", 0, 0, s.clock.Now())
			return
		case FaultForged:
			cb.forged = true
		}
	}
	for i := range times {
		one := *cb
		if i > 0 {
			one.nonce, one.forged = s.world.digits(10), false
		}
		s.post.later(s, &one, late)
	}
}

// later queues a callback after a pause.
func (p *courier) later(s *Sim, cb *callback, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.pending++
	p.wg.Add(1)
	if d <= 0 {
		p.push(s, cb)
		return
	}
	go func() {
		err := wait(p.ctx, d)
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil {
			p.done()
			return
		}
		p.push(s, cb)
	}()
}

// push and done are called with the lock held.
func (p *courier) push(s *Sim, cb *callback) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(cb.to + cb.subject)) // a hash takes everything
	n := h.Sum32() % shards
	p.queues[n] = append(p.queues[n], cb)
	if !p.busy[n] {
		p.busy[n] = true
		go p.work(s, n)
	}
}

func (p *courier) done() {
	p.pending--
	p.wg.Done()
	p.cond.Broadcast()
}

func (p *courier) work(s *Sim, n uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queues[n]) > 0 {
		cb := p.queues[n][0]
		p.queues[n] = p.queues[n][1:]
		p.mu.Unlock()
		again := s.deliver(p.ctx, cb)
		if again {
			// What comes behind waits: one customer's events stay in order.
			again = wait(p.ctx, s.pause) == nil
		}
		p.mu.Lock()
		if again {
			p.queues[n] = append([]*callback{cb}, p.queues[n]...)
			continue
		}
		p.done()
	}
	p.queues[n] = nil
	p.busy[n] = false
}

// deliver posts a callback once and tells whether it is to be repeated.
func (s *Sim) deliver(ctx context.Context, cb *callback) (again bool) {
	start := s.clock.Now()
	began := time.Now()
	limit := seconds(s.limits.WeCom.CallbackSeconds)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var status int
	var said []byte
	var err error
	if cb.app != nil {
		status, said, err = s.postApp(ctx, cb, start)
	} else {
		status, err = s.postSealed(ctx, cb, start)
	}
	note := ""
	switch {
	case ctx.Err() != nil:
		note = "timeout"
	case err != nil:
		note = "unreachable"
	case status != http.StatusOK:
		note = "refused"
	}
	s.diary.callback(cb, note, status, time.Since(began), start)
	if note == "" {
		if cb.app != nil {
			s.answered(cb, said)
		}
		return false
	}
	cb.tries++
	cb.forged = false
	again = cb.tries <= s.limits.WeCom.CallbackRetries
	if !again && cb.app != nil {
		s.unanswered(cb)
	}
	return again
}

func (s *Sim) postSealed(ctx context.Context, cb *callback, now time.Time) (int, error) {
	sealed, err := cb.seal.Seal(cb.body, strconv.FormatInt(now.Unix(), 10), cb.nonce)
	if err != nil {
		return 0, err
	}
	if cb.forged {
		sealed.Signature = wxcrypto.Signature("forged", sealed.Timestamp, sealed.Nonce, sealed.Encrypt)
	}
	status, _, err := s.postTo(ctx, cb.url, sealed.Query(), "text/xml", sealed.Callback(cb.to, cb.agent))
	return status, err
}

// postTo posts and reads what is answered, up to a megabyte.
func (s *Sim) postTo(ctx context.Context, address string, q url.Values, kind string, body []byte) (int, []byte, error) {
	to, err := withQuery(address, q)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", kind)
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }() // read below
	said, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, said, err
}

func withQuery(address string, q url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	all := u.Query()
	for k, v := range q {
		all[k] = v
	}
	u.RawQuery = all.Encode()
	return u.String(), nil
}

// Settle waits until every callback is answered, or given up.
func (s *Sim) Settle(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.post.mu.Lock(); s.post.cond.Broadcast(); s.post.mu.Unlock() })
	defer stop()
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	for s.post.pending > 0 && ctx.Err() == nil {
		s.post.cond.Wait()
	}
	return ctx.Err()
}

// SetCallback gives an app the address it is called back at, as an administrator
// does in the platform's console: the address must answer the echo first. An
// empty address takes it away.
func (s *Sim) SetCallback(ctx context.Context, corp string, agent int, address, key, aesKey string) error {
	var to, echo, nonce string
	now := s.clock.Now()
	err := s.at(func(w *World, _ time.Time) error {
		c := w.corp(corp)
		if c == nil || c.agent(agent) == nil {
			return errs.New(errs.NotFound, "sim.corp_not_found")
		}
		to, echo, nonce = c.ID, w.digits(19), w.digits(10)
		return nil
	})
	if err != nil {
		return err
	}
	if address != "" {
		if err := s.echo(ctx, address, key, aesKey, to, echo, nonce, now); err != nil {
			return err
		}
	}
	return s.at(func(w *World, _ time.Time) error {
		a := w.corp(corp).agent(agent)
		a.CallbackURL, a.Token, a.AESKey = address, key, aesKey
		return nil
	})
}

func (s *Sim) echo(ctx context.Context, address, key, aesKey, to, echo, nonce string, now time.Time) error {
	bad := func(field string, cause error) error {
		return errs.New(errs.Invalid, "sim.callback_failed").On(errs.At(field, "sim.callback_failed")).Wrap(cause)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return bad("url", err)
	}
	seal, err := wxcrypto.New(key, aesKey, to, nil)
	if err != nil {
		return bad("aesKey", err)
	}
	sealed, err := seal.Seal([]byte(echo), strconv.FormatInt(now.Unix(), 10), nonce)
	if err != nil {
		return bad("aesKey", err)
	}
	q := sealed.Query()
	q.Set("echostr", sealed.Encrypt)
	if err := s.echoes(ctx, address, q, echo); err != nil {
		return bad("url", err)
	}
	return nil
}

// echoes tells whether an address answers the test with the echo.
func (s *Sim) echoes(ctx context.Context, address string, q url.Values, echo string) error {
	full, err := withQuery(address, q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, seconds(s.limits.WeCom.CallbackSeconds))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, full, nil)
	if err != nil {
		return err
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read below
	b, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil || res.StatusCode != http.StatusOK || string(b) != echo {
		return fmt.Errorf("it answered %d and not with the echo: %w", res.StatusCode, err)
	}
	return nil
}
