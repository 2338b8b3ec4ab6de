package mail_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/connector/mail"
	"github.com/koipond/koipond/internal/connector/sim"
)

const token = "abcdefghijklmnopqrstuvwxyz012345"

// simulated is a mail server that counts who connects.
type simulated struct {
	*sim.Sim
	port  string
	conns atomic.Int64
}

// counting is a listener that counts.
type counting struct {
	net.Listener
	n *atomic.Int64
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

func newSim(t *testing.T) *simulated {
	s := &simulated{Sim: sim.New(sim.Options{Seed: 7, Pause: time.Millisecond, People: 3})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := s.MailServer()
	over := make(chan error, 1)
	go func() { over <- s.ServeMail(server, counting{ln, &s.conns}) }()
	t.Cleanup(func() { s.Close(); _ = ln.Close(); _ = server.Close(); require.NoError(t, <-over) })
	s.port = strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	return s
}

func (s *simulated) account() connector.Input {
	a := s.MailAccess()
	return connector.Input{Settings: map[string]string{"host": "127.0.0.1", "port": s.port, "security": "none", "username": a.User, "from": a.From, "fromName": "锦池商城", "returnPath": a.ReturnPath, "dkimSelector": a.Selector},
		Secrets: map[string]string{"password": a.Password, "dkimKey": a.Key, "token": token}}
}

func posted(kind, body string) connector.Request {
	return connector.Request{Method: http.MethodPost, Query: url.Values{"token": {token}}, Header: http.Header{"Content-Type": {kind}}, Body: []byte(body)}
}

// Mail keeps the promises of a connector, against the simulator.
func TestContract(t *testing.T) {
	contract.Run(t, func(t *testing.T) contract.Subject {
		s := newSim(t)
		report := func(n int, subject string) connector.Request {
			return posted("application/json", `{"event":"complaint","recipient":"`+subject+`@mail.example","at":"`+time.Now().UTC().Add(-time.Duration(n)*time.Minute).Format(time.RFC3339)+`"}`)
		}
		at := map[string]connector.Request{} // the same report has the same time
		kept := func(n int, subject string) connector.Request {
			k := strconv.Itoa(n) + subject
			if _, ok := at[k]; !ok {
				at[k] = report(n, subject)
			}
			return at[k]
		}
		return contract.Subject{
			Kind: mail.Kind(), Account: s.account(),
			LookupTXT: func(_ context.Context, name string) ([]string, error) {
				texts, _ := s.LookupTXT(name)
				return texts, nil
			},
			Call:       func(ctx context.Context, c connector.Conn) error { return mail.Knock(ctx, c.(*mail.Client)) },
			BadSecrets: map[string]string{"password": "another-password"},
			Callback:   kept,
			Forged: func() connector.Request {
				r := report(1, "x")
				r.Query.Set("token", strings.ToUpper(token))
				return r
			},
			Message: func(key string) connector.Message {
				return connector.Message{Key: key, To: key + "@mail.example", Title: "会员日", Text: "<p>您好</p>"}
			},
			Refused: func(key string) connector.Message {
				require.NoError(t, s.SetMailBox("nobody@mail.example", sim.BoxAbsent))
				return connector.Message{Key: key, To: "nobody@mail.example", Title: "会员日", Text: "您好"}
			},
			Sent: func(key string) int { return len(s.LettersOf(key+"@mail.example", 100)) },
			Receipt: func(id string) connector.Request {
				return posted("application/json", `[{"event":"delivered","recipient":"k1@mail.example","messageId":"<`+id+`.0123456789abcdef@mail.jinchi.example>"}]`)
			},
		}
	})
}
