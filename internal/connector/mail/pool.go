package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/koipond/koipond/internal/connector"
)

const (
	// atOnce is how many connections an account has: providers end those beyond a few.
	atOnce = 4
	// perConn is how many mails go over one, and idleFor how long it waits for more.
	perConn = 100
	idleFor = 30 * time.Second
	answer  = 25 * time.Second
)

// pool keeps connections open: a handshake and a sign-in for each mail would cost
// more than the mail.
type pool struct {
	c     *Client
	slots chan struct{}
	mu    sync.Mutex
	idle  []*wire
}

// wire is a connection that is signed in.
type wire struct {
	*smtp.Client
	sent  int
	until time.Time
}

func (p *pool) init(c *Client) { p.c, p.slots = c, make(chan struct{}, atOnce) }

// send hands one mail to the server.
func (p *pool) send(ctx context.Context, from, to string, raw []byte) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return connector.Unsent(ctx.Err())
	}
	for {
		w, kept, err := p.get(ctx)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = w.Close() })
		begun, err := w.deliver(from, to, raw)
		stop()
		if err != nil && kept && !begun && broken(err) && ctx.Err() == nil {
			_ = w.Close() // it ended while nobody looked: nothing left
			continue
		}
		p.put(w, err)
		return err
	}
}

// deliver sends one mail; begun tells that the server was told of it.
func (w *wire) deliver(from, to string, raw []byte) (begun bool, err error) {
	fail := func(about string, begun bool, err error) (bool, error) {
		if e := refusal(about, err); e != nil {
			return true, e
		}
		if about == aboutData && begun {
			return begun, errLost.Wrap(fmt.Errorf("%s: %w", about, err)) // it may have been taken
		}
		return begun, connector.Unsent(errUnreachable.Wrap(fmt.Errorf("%s: %w", about, err)))
	}
	if err := w.Mail(from, nil); err != nil {
		return fail(aboutSender, false, err)
	}
	if err := w.Rcpt(to, nil); err != nil {
		return fail(aboutRecipient, true, err)
	}
	d, err := w.Data()
	if err != nil {
		return fail(aboutData, false, err)
	}
	if _, err := d.Write(raw); err != nil {
		return true, connector.Unsent(errUnreachable.Wrap(fmt.Errorf("%s: %w", aboutData, err))) // without its end nobody takes it
	}
	if err := d.Close(); err != nil {
		return fail(aboutData, true, err)
	}
	w.sent++
	return true, nil
}

// get gives a connection that is kept, or a new one.
func (p *pool) get(ctx context.Context) (w *wire, kept bool, err error) {
	p.mu.Lock()
	for len(p.idle) > 0 && w == nil {
		last := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if p.c.env.Clock.Now().Before(last.until) {
			w = last
		} else {
			_ = last.Close() // it is old: the server may have ended it
		}
	}
	p.mu.Unlock()
	if w != nil {
		return w, true, nil
	}
	w, err = p.c.dial(ctx)
	return w, false, err
}

// put keeps a connection for the next mail, unless it is broken or used up.
func (p *pool) put(w *wire, err error) {
	var refused *Error
	fine := err == nil
	if errors.As(err, &refused) && refused.Status != "421" && !strings.HasPrefix(refused.Status, "4.3.2") {
		fine = w.Reset() == nil
	}
	if !fine || w.sent >= perConn {
		if fine {
			_ = w.Quit() // a server that is gone needs no goodbye
		}
		_ = w.Close()
		return
	}
	w.until = p.c.env.Clock.Now().Add(idleFor)
	p.mu.Lock()
	p.idle = append(p.idle, w)
	p.mu.Unlock()
	time.AfterFunc(idleFor+time.Second, p.sweep)
}

// sweep ends connections that nobody used for a while.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, keep := p.c.env.Clock.Now(), p.idle[:0]
	for _, w := range p.idle {
		if now.Before(w.until) {
			keep = append(keep, w)
			continue
		}
		_ = w.Close()
	}
	clear(p.idle[len(keep):])
	p.idle = keep
}

// dial connects, protects the connection and signs in.
func (c *Client) dial(ctx context.Context) (*wire, error) {
	ctx, cancel := context.WithTimeout(ctx, sendWait)
	defer cancel()
	conn, err := c.env.Dial(ctx, "tcp", net.JoinHostPort(c.host, c.port))
	if err != nil {
		return nil, unreachable(err)
	}
	// What follows has no context of its own: the connection ends with ours.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	w, err := c.greet(ctx, conn)
	if !stop() && err == nil {
		err = unreachable(ctx.Err())
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return w, nil
}

func (c *Client) greet(ctx context.Context, conn net.Conn) (*wire, error) {
	settings := &tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12}
	var s *smtp.Client
	switch c.security {
	case secureTLS:
		t := tls.Client(conn, settings)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, connector.Unsent(errTLS.Wrap(err))
		}
		s = smtp.NewClient(t)
	case secureStartTLS:
		var err error
		if s, err = smtp.NewClientStartTLS(conn, settings); err != nil {
			return nil, connector.Unsent(errTLS.Wrap(err))
		}
	default:
		s = smtp.NewClient(conn)
	}
	s.CommandTimeout, s.SubmissionTimeout = answer, answer
	if err := s.Hello(domainOf(c.from)); err != nil {
		if e := refusal(aboutLogin, err); e != nil && e.act == later {
			return nil, e
		}
		return nil, unreachable(err)
	}
	if c.user != "" {
		if err := s.Auth(sasl.NewPlainClient("", c.user, c.password)); err != nil {
			if e := refusal(aboutLogin, err); e != nil {
				return nil, e
			}
			return nil, unreachable(err)
		}
	}
	return &wire{Client: s}, nil
}
