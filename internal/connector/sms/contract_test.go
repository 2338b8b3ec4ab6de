package sms_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/sms"
)

const token = "abcdefghijklmnopqrstuvwxyz012345"

// simulated is a simulator that counts what it is asked.
type simulated struct {
	*sim.Sim
	url   string
	calls atomic.Int64
}

func newSim(t *testing.T) *simulated {
	s := &simulated{Sim: sim.New(sim.Options{Seed: 7, Pause: time.Millisecond, People: 3})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.calls.Add(1); s.ServeHTTP(w, r) }))
	t.Cleanup(func() { s.Close(); server.Close() })
	s.url = server.URL
	return s
}

func (s *simulated) account(platform string) connector.Input {
	a := s.SMSAccess(platform)
	in := connector.Input{Settings: map[string]string{"accessKeyId": a.KeyID, "signName": a.Sign, connector.SettingBase: s.url + "/sms/" + platform},
		Secrets: map[string]string{"accessKeySecret": a.Secret, "token": token}}
	if platform == sim.SMSTencent {
		in.Settings["sdkAppId"], in.Settings["signId"] = a.App, strconv.FormatInt(a.SignID, 10)
	}
	return in
}

// numberOf is a number for a name: the same one each time.
func numberOf(name string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("138%08d", h.Sum64()%100_000_000)
}

// Both kinds keep the promises of a connector, against the simulator.
func TestContract(t *testing.T) {
	for _, kind := range sms.Kinds() {
		platform := strings.TrimPrefix(kind.Name, "sms.")
		t.Run(platform, func(t *testing.T) {
			contract.Run(t, func(t *testing.T) contract.Subject { return subject(t, kind, platform) })
		})
	}
}

func subject(t *testing.T, kind connector.Kind, platform string) contract.Subject {
	s := newSim(t)
	access := s.SMSAccess(platform)
	list := map[string]string{sim.SMSAliyun: "QuerySmsTemplateList", sim.SMSTencent: "DescribeSmsTemplateList"}[platform]
	fault := func(kind string, left int) {
		_, err := s.AddFault(sim.Fault{Kind: kind, Path: list, Left: left})
		require.NoError(t, err)
	}
	call := func(body any) connector.Request {
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		return connector.Request{Method: http.MethodPost, Query: url.Values{"token": {token}}, Body: raw}
	}
	// The n-th reply of somebody.
	reply := func(n int, subject string) connector.Request {
		if platform == sim.SMSTencent {
			return call(map[string]any{"mobile": numberOf(subject), "nationcode": "86", "sign": "锦池商城", "text": "第几条", "time": 1_772_424_000 + n})
		}
		return call([]any{map[string]any{"phone_number": numberOf(subject), "send_time": "2026-03-02 12:00:00", "content": "第几条", "sequence_id": 1000 + n}})
	}
	message := func(key string) connector.Message {
		m := connector.Message{Key: key, To: numberOf(key), Template: access.Templates[1], Params: []connector.Param{{Name: "name", Value: "小明"}, {Name: "item", Value: "锦鲤"}}}
		if platform == sim.SMSTencent {
			m.Params[0].Name, m.Params[1].Name = "", ""
		}
		return m
	}
	return contract.Subject{
		Kind: kind, Account: s.account(platform),
		Call: func(ctx context.Context, c connector.Conn) error {
			return sms.Fresh(ctx, c.(*sms.Client))
		},
		Calls: func() int { return int(s.calls.Load()) },
		Busy: func(n int) {
			s.RemoveFault("")
			if n > 0 {
				fault(sim.FaultBusy, n)
			}
		},
		Limit:      func() { fault(sim.FaultRate, 0) },
		BadSecrets: map[string]string{"accessKeySecret": "AnotherSecretThatIsWrong"},
		Callback:   reply,
		Forged: func() connector.Request {
			r := reply(1, "x")
			r.Query.Set("token", strings.ToUpper(token))
			return r
		},
		Message: message,
		Refused: func(key string) connector.Message {
			m := message(key)
			m.Template = access.Templates[3]
			return m
		},
		Sent: func(key string) int { return len(s.TextsOf("+86"+numberOf(key), 100)) },
		Receipt: func(id string) connector.Request {
			if platform == sim.SMSTencent {
				return call([]any{map[string]any{"user_receive_time": "2026-03-02 12:00:00", "nationcode": "86", "mobile": numberOf("k1"), "report_status": "SUCCESS", "errmsg": "DELIVRD", "sid": id}})
			}
			biz, _, _ := strings.Cut(id, ".")
			return call([]any{map[string]any{"phone_number": numberOf("k1"), "report_time": "2026-03-02 12:00:00", "success": true, "err_code": "DELIVERED", "biz_id": biz}})
		},
	}
}
