package wecom_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// simulated is a simulator that counts what it is asked.
type simulated struct {
	*sim.Sim
	url           string
	tokens, calls atomic.Int64
}

func newSim(t *testing.T) *simulated {
	s := &simulated{Sim: sim.New(sim.Options{Seed: 7, Pause: time.Millisecond, Friends: 6})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/gettoken") {
			s.tokens.Add(1)
		} else {
			s.calls.Add(1)
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { s.Close(); server.Close() })
	s.url = server.URL
	return s
}

func (s *simulated) account() connector.Input {
	a := s.Access(0)
	return connector.Input{Settings: map[string]string{"corpId": a.CorpID, "agentId": strconv.Itoa(a.AgentID), connector.SettingBase: s.url},
		Secrets: map[string]string{"secret": a.Secret, "token": a.Token, "aesKey": a.AESKey}}
}

// WeCom keeps the promises of a connector, against the simulator.
func TestContract(t *testing.T) {
	contract.Run(t, func(t *testing.T) contract.Subject {
		s := newSim(t)
		a := s.Access(0)
		seal := func(receiver, key string, message []byte) connector.Request {
			c, err := wxcrypto.New(a.Token, key, receiver, nil)
			require.NoError(t, err)
			sealed, err := c.Seal(message, "1772424000", "n1")
			require.NoError(t, err)
			return connector.Request{Method: http.MethodPost, Query: sealed.Query(), Body: sealed.Callback(a.CorpID, strconv.Itoa(a.AgentID))}
		}
		event := func(n int, subject string) []byte {
			return wxcrypto.Write("xml", wxcrypto.Elem("ToUserName", a.CorpID), wxcrypto.Elem("FromUserName", "sys"), wxcrypto.Raw("CreateTime", fmt.Sprint(1_772_424_000+n)), wxcrypto.Elem("MsgType", "event"),
				wxcrypto.Elem("Event", "change_external_contact"), wxcrypto.Elem("ChangeType", "add_external_contact"), wxcrypto.Elem("UserID", "zhiqiu"), wxcrypto.Elem("ExternalUserID", subject))
		}
		fault := func(f sim.Fault) {
			_, err := s.AddFault(f)
			require.NoError(t, err)
		}
		return contract.Subject{
			Kind: wecom.Kind(), Account: s.account(),
			Call: func(ctx context.Context, c connector.Conn) error {
				_, err := c.(*wecom.Client).Departments(ctx)
				return err
			},
			Fetched: func() int { return int(s.tokens.Load()) }, Calls: func() int { return int(s.calls.Load()) },
			Stale: func() { fault(sim.Fault{Kind: sim.FaultExpired, Path: "department/list", Left: 1}) },
			Busy: func(n int) {
				s.RemoveFault("")
				if n > 0 {
					fault(sim.Fault{Kind: sim.FaultBusy, Path: "department/list", Left: n})
				}
			},
			Limit:      func() { fault(sim.Fault{Kind: sim.FaultRate, Path: "department/list"}) },
			BadSecrets: map[string]string{"secret": "another-secret-that-is-wrong"},
			Callback:   func(n int, subject string) connector.Request { return seal(a.CorpID, a.AESKey, event(n, subject)) },
			Prove: func() (connector.Request, string) {
				r := seal(a.CorpID, a.AESKey, []byte("8423984729384"))
				doc, err := wxcrypto.Parse(r.Body)
				require.NoError(t, err)
				r.Query.Set("echostr", doc.Get("Encrypt"))
				return connector.Request{Method: http.MethodGet, Query: r.Query}, "8423984729384"
			},
			Forged: func() connector.Request {
				r := seal(a.CorpID, a.AESKey, event(1, "x"))
				r.Query.Set("nonce", "n2")
				return r
			},
			Foreign: func() connector.Request { return seal("wwanother", a.AESKey, event(1, "x")) },
			Garbled: func() connector.Request {
				c, err := wxcrypto.New(a.Token, a.AESKey, a.CorpID, nil)
				require.NoError(t, err)
				s := wxcrypto.Sealed{Encrypt: "AAAA", Signature: c.Sign("1", "2", "AAAA"), Timestamp: "1", Nonce: "2"}
				return connector.Request{Method: http.MethodPost, Query: s.Query(), Body: s.Callback(a.CorpID, "1")}
			},
		}
	})
}
