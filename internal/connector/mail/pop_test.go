package mail

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

// mailbox is a POP3 server (RFC 1939): what was deleted is gone once the client
// says good-bye, and only then.
type mailbox struct {
	mu       sync.Mutex
	mails    []string
	password string
	hangUp   bool // instead of taking leave
}

func (m *mailbox) serve(t *testing.T) (host string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wait sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); wait.Wait() })
	wait.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			m.talk(conn)
		}
	})
	return ln.Addr().String()
}

func (m *mailbox) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in, out := bufio.NewScanner(conn), textproto.NewWriter(bufio.NewWriter(conn))
	say := func(format string, args ...any) { _ = out.PrintfLine(format, args...) }
	say("+OK ready")
	deleted := map[int]bool{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for in.Scan() {
		verb, arg, _ := strings.Cut(in.Text(), " ")
		n := 0
		_, _ = fmt.Sscan(arg, &n)
		switch {
		case verb == "PASS" && arg != m.password:
			say("-ERR no such user or password")
			return
		case verb == "STAT":
			say("+OK %d 1000", len(m.mails))
		case verb == "RETR":
			say("+OK")
			w := out.DotWriter()
			_, _ = w.Write([]byte(m.mails[n-1]))
			_ = w.Close()
		case verb == "DELE":
			deleted[n-1] = true
			say("+OK")
		case verb == "QUIT" && m.hangUp:
			return
		case verb == "QUIT":
			var left []string
			for i, text := range m.mails {
				if !deleted[i] {
					left = append(left, text)
				}
			}
			m.mails = left
			say("+OK bye")
			return
		default:
			say("+OK")
		}
	}
}

// Reports in a mailbox come in once, whatever happens in between, and the mailbox is
// empty afterwards.
func TestReportsAreFetchedFromAMailbox(t *testing.T) {
	box := &mailbox{password: "right"}
	var told []connector.Incoming
	var fault error
	host := box.serve(t)
	open := func(password string) *Client {
		a := connector.Account{ID: "ac_1", Kind: Name, Settings: map[string]string{settingHost: "smtp.example.com", settingPort: "465", settingSecurity: secureTLS, settingFrom: "news@mail.example.com",
			settingReturn: "bounce@mail.example.com", settingPOPHost: host, settingPOPUser: "bounce"}}
		env := connector.Env{Clock: clock.NewFake(now), Dial: (&net.Dialer{}).DialContext, Told: func(_ context.Context, in ...connector.Incoming) error {
			if fault == nil {
				told = append(told, in...)
			}
			return fault
		}}
		c, err := Open(a, connector.Secrets{secretToken: theToken, secretPOP: password}, env)
		require.NoError(t, err)
		return c.(*Client)
	}
	c := open("right")
	to := func(key string) string { return c.returnPath(c.marks.mark(c.marks.idOf(key), "ming@example.com")) }
	box.mails = []string{dsn(to("k1"), "ming@example.com", "5.1.1", "failed"), "no mail at all", "Subject: hello\r\n\r\n.a line that begins with a dot\r\n", dsn(to("k2"), "ming@example.com", "5.2.2", "failed")}

	fault = errs.New(errs.Unavailable, "connector.not_kept")
	_, err := c.ReadReports(t.Context())
	require.ErrorIs(t, err, fault, "what cannot be kept stays in the mailbox")
	require.Len(t, box.mails, 4)
	fault, box.hangUp = nil, true
	_, err = c.ReadReports(t.Context())
	require.Error(t, err, "the connection broke before they were taken out")
	require.Len(t, told, 2)
	box.hangUp = false
	n, err := c.ReadReports(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Empty(t, box.mails)
	require.Len(t, told, 4)
	require.Equal(t, told[:2], told[2:], "told again under the same keys, which the inbox notices")
	require.NotEqual(t, told[0].Key, told[1].Key)
	n, err = c.ReadReports(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)

	_, err = open("wrong").ReadReports(t.Context())
	require.Equal(t, "mail.mailbox_refuses", errs.As(err).Code)
}
