package connector_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestOfOneSubjectInOrder(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		fail := true
		p.On("fake", "thing.*", func(_ context.Context, _ connector.Account, in connector.Incoming) error {
			if in.Key == "k1" && fail {
				return errors.New("away")
			}
			h.note(in)
			return nil
		})
		p.tell(contract.FakeCall{Subject: "c1"})
		p.tell(contract.FakeCall{Subject: "c1"})
		p.tell(contract.FakeCall{Subject: "c2"})
		p.work()
		require.Equal(t, []string{"k3"}, h.all(), "others do not wait for it")
		fail = false
		p.work()
		require.Equal(t, []string{"k3"}, h.all(), "its time has not come")
		p.clock.Advance(connector.Pauses[0])
		p.work()
		require.Equal(t, []string{"k3", "k1", "k2"}, h.all())
	})
}

func TestUrgentOnesComeFirst(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		p.On("fake", "*", func(_ context.Context, _ connector.Account, in connector.Incoming) error {
			if in.Key == "k1" {
				return errors.New("away")
			}
			h.note(in)
			return nil
		})
		welcomed := 0
		p.First("fake", "friend.added", func(_ context.Context, _ connector.Account, in connector.Incoming) error {
			welcomed++
			in.Key = "first " + in.Key
			h.note(in)
			return nil
		})
		p.tell(contract.FakeCall{Subject: "c1"})
		p.work()
		p.tell(contract.FakeCall{Subject: "c1", Name: "friend.added", Urgent: true})
		p.tell(contract.FakeCall{Subject: "c2", Name: "friend.added"})
		p.work()
		require.ElementsMatch(t, []string{"first k2", "k3"}, h.all(), "at once, although one of the same subject waits; and only what is urgent")
		list := p.list(connector.InboxQuery{State: connector.Waiting})
		require.Len(t, list, 2, "its other handlers keep the order")
		for range connector.Pauses {
			p.clock.Advance(2 * time.Hour)
			p.work()
		}
		require.Len(t, h.all(), 3)
		require.Equal(t, "k2", h.all()[2])
		require.Equal(t, 1, welcomed)
	})
}

// What cannot wait is tried each second while it can help, and then no more.
func TestUrgentOnesAreGivenUpSoon(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tries, handled := 0, 0
		p.First("fake", "*", func(context.Context, connector.Account, connector.Incoming) error {
			tries++
			return errs.New(errs.Unavailable, "connector.not_kept")
		})
		p.On("fake", "*", func(context.Context, connector.Account, connector.Incoming) error { handled++; return nil })
		p.tell(contract.FakeCall{Urgent: true})
		for range 40 {
			p.work()
			p.clock.Advance(connector.UrgentPause)
		}
		require.Equal(t, 21, tries)
		require.Equal(t, 1, handled)
		got := p.list(connector.InboxQuery{})[0]
		require.Equal(t, []string{connector.Done, "connector.not_kept"}, []string{got.State, got.FirstWhy})
	})
}

func TestGivenUpAndReplayed(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		var fault error = errors.New("away")
		tries := 0
		p.On("fake", "thing.happened", func(_ context.Context, _ connector.Account, in connector.Incoming) error {
			tries++
			if fault != nil {
				return fault
			}
			h.note(in)
			return nil
		})
		p.tell(contract.FakeCall{})
		for range 20 {
			p.work()
			p.clock.Advance(2 * time.Hour)
		}
		require.Equal(t, len(connector.Pauses)+1, tries)
		dead := p.list(connector.InboxQuery{State: connector.Dead})
		require.Len(t, dead, 1)
		require.Equal(t, "connector.handler_failed", dead[0].Fault, "words for people, the cause in the log")
		require.EqualValues(t, 1, p.view().Inbox.Dead)

		fault = connector.GiveUp(errs.New(errs.Conflict, "connector.paused", "name", "13812341234"))
		p.tell(contract.FakeCall{})
		p.work()
		require.Equal(t, len(connector.Pauses)+2, tries, "what no try mends is not tried again")
		dead = p.list(connector.InboxQuery{State: connector.Dead})
		require.Len(t, dead, 2)
		require.Equal(t, "connector.paused", dead[0].Fault)
		var stored string
		require.NoError(t, p.DB.QueryRow(p.ctx, "select fault from connector_inbox where id = $1", dead[0].ID).Scan(&stored))
		require.NotContains(t, stored, "13812341234")

		fault = nil
		n, err := p.Replay(p.ctx, []string{dead[1].ID}, connector.InboxQuery{})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		p.work()
		require.Equal(t, []string{"k1"}, h.all())
		n, err = p.Replay(p.ctx, nil, connector.InboxQuery{Kind: "other"})
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = p.Replay(p.ctx, nil, connector.InboxQuery{Kind: "fake", Name: "thing.*"})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		p.work()
		require.Equal(t, []string{"k1", "k2"}, h.all())
		require.Contains(t, p.audit.actions, "connector.replayed")
		_, err = p.Replay(p.ctx, []string{"cb_none"}, connector.InboxQuery{})
		require.Equal(t, errs.NotFound, errs.As(err).Kind)
	})
}

// Waiting for a quota is no failure.
func TestLaterIsNotAFailure(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tries := 0
		p.On("fake", "*", func(context.Context, connector.Account, connector.Incoming) error {
			if tries++; tries <= 20 {
				return connector.Wait(p.clock.Now().Add(time.Hour), errs.New(errs.TooMany, "connector.quota_spent"))
			}
			return nil
		})
		p.tell(contract.FakeCall{})
		for range 20 {
			p.work()
			p.clock.Advance(59 * time.Minute)
			p.work()
			p.clock.Advance(time.Minute)
		}
		require.Equal(t, 20, tries, "not before its time")
		require.Zero(t, p.list(connector.InboxQuery{})[0].Tries)
		p.work()
		require.Equal(t, connector.Done, p.list(connector.InboxQuery{})[0].State)
	})
}

func TestRepeatsAreCounted(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		p.On("fake", "*", func(_ context.Context, _ connector.Account, in connector.Incoming) error { h.note(in); return nil })
		for range 3 {
			p.tell(contract.FakeCall{Key: "same"})
		}
		p.work()
		p.tell(contract.FakeCall{Key: "same"})
		p.work()
		require.Equal(t, []string{"same"}, h.all())
		require.Equal(t, 3, p.list(connector.InboxQuery{})[0].Repeats)
	})
}

func TestNobodyAsked(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.tell(contract.FakeCall{Name: "odd"})
		p.work()
		require.Equal(t, connector.Ignored, p.list(connector.InboxQuery{})[0].State)
		p.clock.Advance(connector.Kept + time.Hour)
		require.NoError(t, p.Sweep(p.ctx))
		require.Empty(t, p.list(connector.InboxQuery{}))
	})
}

func TestAPanicIsAFailure(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.On("fake", "*", func(context.Context, connector.Account, connector.Incoming) error { panic("oh") })
		p.tell(contract.FakeCall{})
		p.work()
		require.Equal(t, "connector.handler_failed", p.list(connector.InboxQuery{})[0].Fault)
	})
}

// Two nodes on one database: each callback is handed to one of them, and of one
// subject to one at a time.
func TestTwoNodesShareTheWork(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		other := p.service(p.DB, "b")
		h := &heard{}
		var at [5]atomic.Int64
		var clash atomic.Bool
		do := func(_ context.Context, _ connector.Account, in connector.Incoming) error {
			i := in.Subject[0] - '0'
			if at[i].Add(1) > 1 {
				clash.Store(true)
			}
			h.note(in)
			time.Sleep(time.Millisecond)
			at[i].Add(-1)
			return nil
		}
		p.On("fake", "*", do)
		other.On("fake", "*", do)
		want := map[byte][]string{}
		for i := range 60 {
			subject := byte('0' + i%5)
			want[subject] = append(want[subject], p.tell(contract.FakeCall{Subject: string(subject)}))
		}
		done := make(chan error, 2)
		for _, s := range []*connector.Service{p.Service, other} {
			go func() { done <- s.Work(p.ctx) }()
		}
		require.NoError(t, errors.Join(<-done, <-done))
		p.work()
		got := h.all()
		require.Len(t, got, 60, "each once")
		require.False(t, clash.Load(), "one at a time")
		for _, keys := range want {
			var of []string
			for _, k := range got {
				if slices.Contains(keys, k) {
					of = append(of, k)
				}
			}
			require.Equal(t, keys, of)
		}
	})
}

func TestWorksByItself(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		p.On("fake", "*", func(_ context.Context, _ connector.Account, in connector.Incoming) error { h.note(in); return nil })
		require.NoError(t, p.Start(p.ctx))
		require.NoError(t, p.Start(p.ctx))
		p.tell(contract.FakeCall{})
		require.Eventually(t, func() bool { return len(h.all()) == 1 }, 30*time.Second, time.Millisecond)
		require.NoError(t, p.Stop(p.ctx))
		require.NoError(t, p.Stop(p.ctx))
	})
}

func TestBodiesAreMasked(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		ask := p.served()
		p.tell(contract.FakeCall{Subject: "somebody-in-particular", Text: "打 13812341234"})
		id := p.list(connector.InboxQuery{})[0].ID
		var stored string
		require.NoError(t, p.DB.QueryRow(p.ctx, "select body_enc || key_index || subject_index from connector_inbox").Scan(&stored))
		require.NotContains(t, stored, "somebody")
		require.NotContains(t, stored, "13812341234")
		var got connector.Opened
		require.Equal(t, 200, ask(p.ctx, "GET", "/api/connectors/inbox/"+id, nil, &got))
		require.Contains(t, got.Body, "138****1234")
		require.NotContains(t, got.Body, "13812341234")
		require.NotContains(t, p.audit.actions, "connector.callback_read")
		reveal, why := "/api/connectors/inbox/"+id+"/reveal", map[string]string{"reason": "客户来电"}
		require.Equal(t, 422, ask(p.ctx, "POST", reveal, map[string]string{"reason": " "}, nil))
		require.NotContains(t, p.audit.actions, "connector.callback_read")
		require.Equal(t, 200, ask(p.ctx, "POST", reveal, why, &got))
		require.Contains(t, got.Body, "13812341234")
		require.Contains(t, p.audit.actions, "connector.callback_read")
		for _, lacks := range []auth.Permission{auth.ContactUnmask, auth.ConnectorRead} {
			who := testkit.Principal("admin")
			delete(who.Permissions, lacks)
			require.Equal(t, 403, ask(auth.With(t.Context(), who), "POST", reveal, why, nil), lacks)
		}
		require.Equal(t, 404, ask(p.ctx, "GET", "/api/connectors/inbox/cb_none", nil, nil))
	})
	masked := connector.VeilBody(`<xml><Name><![CDATA[王小明明明]]></Name><Content><![CDATA[我住在人民路一号楼三单元]]></Content><UserID>zhang</UserID></xml>`)
	require.NotContains(t, masked, "小明")
	require.NotContains(t, masked, "一号楼")
	require.Contains(t, masked, "<UserID>zhang</UserID>")
}

func TestInboxPages(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		ask := p.served()
		for i := range 7 {
			p.tell(contract.FakeCall{Subject: string(rune('a' + i%2)), Name: []string{"thing.one", "thing.two"}[i%2]})
		}
		var page struct {
			Items []connector.Callback
			Next  string
		}
		var seen []string
		for next := ""; ; {
			page.Next = ""
			require.Equal(t, 200, ask(p.ctx, "GET", "/api/connectors/inbox?limit=3&cursor="+next, nil, &page))
			for _, c := range page.Items {
				seen = append(seen, c.ID)
			}
			if next = page.Next; next == "" {
				break
			}
		}
		require.Len(t, seen, 7)
		require.Len(t, p.list(connector.InboxQuery{Name: "thing.*"}), 7)
		require.Len(t, p.list(connector.InboxQuery{Name: "thing.two"}), 3)
		require.Len(t, p.list(connector.InboxQuery{Subject: "a", Account: p.account.ID, Kind: "fake", State: connector.Waiting}), 4)
		require.Empty(t, p.list(connector.InboxQuery{To: p.clock.Now()}))
		require.Len(t, p.list(connector.InboxQuery{From: p.clock.Now()}), 7)
	})
}

func TestCallsOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		ask := p.served()
		good := contract.FakeCall{Corp: "corp1", Key: "k", Name: "thing"}.Sign(sign)
		at := "/hooks/fake/" + p.account.ID
		var text string
		require.Equal(t, 200, ask(t.Context(), "POST", at+"?"+good.Query.Encode(), good.Body, &text), "nobody is signed in")
		require.Empty(t, text)
		require.Equal(t, 403, ask(t.Context(), "POST", at+"?sig=x", good.Body, nil))
		require.Equal(t, 404, ask(t.Context(), "POST", "/hooks/fake/ac_none?"+good.Query.Encode(), good.Body, nil))
		require.Equal(t, 404, ask(t.Context(), "POST", "/hooks/none/"+p.account.ID, good.Body, nil))
		require.Equal(t, 413, ask(t.Context(), "POST", at, make([]byte, connector.MaxBody+1), nil))
		require.Equal(t, 200, ask(t.Context(), "GET", at+"?echo=hi&sig="+contract.FakeSign(sign, "hi"), nil, &text))
		require.Equal(t, "hi", text)
		outcomes := map[string]int64{}
		for _, c := range p.view().Calls {
			outcomes[c.Outcome] = c.Count
		}
		require.Equal(t, map[string]int64{"verified": 1, "proved": 1, "connector.bad_signature": 1}, outcomes)
	})
}

// Whoever calls wrongly again and again is not listened to for a while, but never
// an address from which right calls came.
func TestWrongCallersAreBarred(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		call := func(ip, with string) string {
			r := contract.FakeCall{Corp: "corp1", Key: "k" + ip, Name: "thing"}.Sign(with)
			r.IP = ip
			_, err := p.Receive(p.ctx, "fake", p.account.ID, r)
			return errs.CodeOf(err)
		}
		require.Empty(t, call("192.0.2.1", sign))
		for range connector.BadMost {
			require.Equal(t, "connector.bad_signature", call("192.0.2.1", "wrong"))
			require.Equal(t, "connector.bad_signature", call("192.0.2.9", "wrong"))
		}
		require.Equal(t, "connector.bad_signature", call("192.0.2.1", "wrong"))
		require.Empty(t, call("192.0.2.1", sign))
		require.Equal(t, "connector.too_many_bad_calls", call("192.0.2.9", sign))
		require.Empty(t, call("192.0.2.2", sign), "others are heard")
		p.clock.Advance(connector.BadWithin + time.Second)
		require.Empty(t, call("192.0.2.9", sign))
	})
}

func TestDoctorTellsWhatWasWrongWithCalls(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		finding := func() connector.Found {
			for _, f := range p.view().Findings {
				if f.Check == "connector.check.callback" {
					return f
				}
			}
			t.Fatal("no finding")
			return connector.Found{}
		}
		require.Equal(t, []string{connector.Unknown, "connector.no_call_yet"}, []string{finding().State, finding().Code})
		p.clock.Advance(time.Second)
		bad := contract.FakeCall{Corp: "corp2", Key: "k", Name: "thing"}.Sign(sign)
		_, err := p.Receive(p.ctx, "fake", p.account.ID, bad)
		require.ErrorIs(t, err, connector.ErrReceiver)
		require.Equal(t, []string{connector.Fail, "connector.bad_receiver", "connector.mend_receiver"}, []string{finding().State, finding().Code, finding().Mend})
		p.clock.Advance(time.Second)
		p.tell(contract.FakeCall{})
		require.Equal(t, connector.OK, finding().State)
		p.clock.Advance(8 * 24 * time.Hour)
		require.Equal(t, connector.Warn, finding().State)
	})
}

func TestRepliesGoIntoTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.Reply("fake", func(_ context.Context, _ connector.Account, in connector.Incoming) *connector.Message {
			if in.Name != "message" {
				return nil
			}
			return &connector.Message{Text: "您好"}
		})
		for name, want := range map[string]string{"message": `{"say":"您好"}`, "other": ""} {
			a, err := p.Receive(p.ctx, "fake", p.account.ID, contract.FakeCall{Corp: "corp1", Key: name, Name: name}.Sign(sign))
			require.NoError(t, err)
			require.Equal(t, want, string(a.Body))
		}
		require.Len(t, p.list(connector.InboxQuery{}), 2, "and it is kept all the same")
	})
}

func TestHostileCallbacks(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for _, c := range []contract.FakeCall{{Name: "no key"}, {Key: "no name"}, {Key: "k", Name: strings.Repeat("x", 200)}} {
			c.Corp = "corp1"
			_, err := p.Receive(p.ctx, "fake", p.account.ID, c.Sign(sign))
			require.ErrorIs(t, err, connector.ErrMalformed)
		}
		_, err := p.Receive(p.ctx, "fake", p.account.ID, connector.Request{Method: http.MethodPost})
		require.Error(t, err)
		require.Empty(t, p.list(connector.InboxQuery{}))
	})
}
