package wecom_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// told keeps each fact once, as the stream does.
type told struct {
	mu    sync.Mutex
	seen  map[string]bool
	facts []event.Fact
	fail  error
}

func (s *told) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	for _, f := range facts {
		if !s.seen[f.MessageID] {
			s.seen[f.MessageID] = true
			s.facts = append(s.facts, f)
		}
	}
	return 0, nil
}
func (s *told) Wait(context.Context, uint64) error { return nil }

// names are the facts since the last look, with their texts.
func (s *told) names() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.facts {
		var p struct{ Text, Staff, Reason string }
		_ = json.Unmarshal(f.Properties, &p)
		out = append(out, strings.TrimSpace(f.Name+" "+p.Staff+p.Text+p.Reason))
	}
	s.facts = nil
	return out
}

// program is what package app builds of it, with a callback address.
type program struct {
	*connector.Service
	account connector.Account
	facts   *told
	talks   *wecom.Talks
	client  *wecom.Client
}

func (p *program) conn(ctx context.Context, id string) (*wecom.Client, error) {
	c, err := p.Conn(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.(*wecom.Client), nil
}

func newProgram(t *testing.T, s *simulated, d *db.DB) *program {
	t.Helper()
	p := &program{facts: &told{seen: map[string]bool{}}}
	p.Service = connector.NewService(connector.Deps{DB: d, Clock: clock.System{}, IDs: testkit.IDs(clock.System{}), Log: testkit.Logger(t), Keys: testkit.Ring(), Guard: outbound.Guard{Private: true}, PublicURL: "https://koi.example"})
	p.Register(wecom.Kind())
	p.talks = &wecom.Talks{DB: d, Clock: clock.System{}, Log: testkit.Logger(t), Conn: p.conn, Ingest: p.facts, Answer: func(ctx context.Context, a connector.Account, in connector.Incoming) (*connector.Message, error) {
		return p.Answer(ctx, a, in), nil
	}, Send: p.Send}
	p.talks.Register(p.Service)
	in := s.account()
	in.Kind, in.Name = wecom.Name, "锦池茶业"
	ctx := testkit.As(t.Context(), "admin")
	v, err := p.Create(ctx, in)
	require.NoError(t, err)
	list, err := p.Accounts(ctx, wecom.Name)
	require.NoError(t, err)
	p.account = list[0]
	p.client, err = p.conn(ctx, v.ID)
	require.NoError(t, err)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a, err := p.Receive(context.WithoutCancel(r.Context()), wecom.Name, v.ID, connector.Request{Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body})
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write(a.Body)
	}))
	t.Cleanup(hook.Close)
	a := s.Access(0)
	require.NoError(t, s.SetCallback(ctx, a.CorpID, a.AgentID, hook.URL, a.Token, a.AESKey))
	return p
}

// settle waits for all callbacks and works on them.
func (p *program) settle(t *testing.T, s *simulated) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Settle(ctx))
	require.NoError(t, p.Work(ctx))
}

func database(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	testkit.EachDatabase(t, fn, connector.Migrations(), wecom.Migrations())
}

func TestCustomerService(t *testing.T) {
	database(t, func(t *testing.T, d *db.DB) {
		s := newSim(t)
		p := newProgram(t, s, d)
		var asked []string
		p.Reply(wecom.Name, func(_ context.Context, _ connector.Account, in connector.Incoming) *connector.Message {
			m, err := wecom.ParseAsked(in)
			require.NoError(t, err)
			asked = append(asked, in.Name+" "+m.Text.Content)
			switch {
			case in.Name == wecom.AskedEntered:
				return &connector.Message{Text: "欢迎"}
			case m.Text.Content == "在吗":
				return &connector.Message{Text: "在的"}
			}
			return nil
		})
		who, err := s.Invent("沈小满", 2)
		require.NoError(t, err)
		require.NoError(t, s.Ask(who.ID, "", "在吗"))
		p.settle(t, s)
		require.ElementsMatch(t, []string{"service.started", "message.received 在吗", "friend.known", "message.sent 欢迎", "message.sent 在的"}, p.facts.names())
		require.Equal(t, []string{"kf.enter_session ", "kf.message.text 在吗"}, asked)
		phone, err := s.Phone(who.ID)
		require.NoError(t, err)
		require.Len(t, phone.Chats[0].Lines, 3, "each answer once")

		// A colleague takes over; what is told again is neither stated nor answered twice.
		require.NoError(t, s.Serve("mingyue", who.ID, "我来帮您"))
		require.NoError(t, s.EndService("mingyue", who.ID))
		_, err = d.Exec(t.Context(), "delete from wecom_cursors")
		require.NoError(t, err)
		p.settle(t, s)
		require.ElementsMatch(t, []string{"service.taken mingyue", "message.sent mingyue我来帮您", "service.ended"}, p.facts.names())
		phone, err = s.Phone(who.ID)
		require.NoError(t, err)
		require.Len(t, phone.Chats[0].Lines, 4)

		// A crash before the facts are safe: nothing is lost, nothing is answered before.
		p.facts.fail = io.ErrUnexpectedEOF
		require.NoError(t, s.Ask(who.ID, "", "在吗"))
		p.settle(t, s)
		p.facts.fail = nil
		_, err = d.Exec(t.Context(), "update connector_inbox set next_at = 0")
		require.NoError(t, err)
		p.settle(t, s)
		require.ElementsMatch(t, []string{"service.started", "message.received 在吗", "message.sent 欢迎", "message.sent 在的"}, p.facts.names())
	})
}

// The platform's window: five answers to one word.
func TestServiceWindow(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, testkit.SQLite(t, connector.Migrations(), wecom.Migrations()))
	services, err := p.client.Services(t.Context())
	require.NoError(t, err)
	who, err := s.Invent("沈小满", 2)
	require.NoError(t, err)
	require.NoError(t, s.Ask(who.ID, "", "在吗"))
	phone, err := s.Phone(who.ID)
	require.NoError(t, err)
	ctx := testkit.As(t.Context(), "admin")
	for i := range 6 {
		got, err := p.Send(ctx, p.account.ID, connector.Message{Key: string(rune('a' + i)), Form: wecom.FormService, To: phone.Externals[0], From: services[0].ID, Text: "答"})
		require.NoError(t, err)
		want := connector.Receipt{State: connector.Accepted}
		if i == 5 {
			want = connector.Receipt{State: connector.Refused, Code: "95001", Reason: "wecom.service_limit"}
		}
		require.Equal(t, []string{want.State, want.Code, want.Reason}, []string{got.State, got.Code, got.Reason})
	}
	got, err := p.Send(ctx, p.account.ID, connector.Message{Key: "none", Form: "fax", To: "x", Text: "答"})
	require.NoError(t, err)
	require.Equal(t, connector.Refused, got.State)
}

// An answer of which nobody knows whether it left, because what the platform said got
// lost or the program stopped before it came, is sent again under its id: it arrives,
// and it arrives once.
func TestAnAnswerThatMayHaveLeftArrivesOnce(t *testing.T) {
	database(t, func(t *testing.T, d *db.DB) {
		s := newSim(t)
		p := newProgram(t, s, d)
		services, err := p.client.Services(t.Context())
		require.NoError(t, err)
		who, err := s.Invent("沈小满", 2)
		require.NoError(t, err)
		require.NoError(t, s.Ask(who.ID, "", "在吗"))
		phone, err := s.Phone(who.ID)
		require.NoError(t, err)
		ctx := testkit.As(t.Context(), "admin")
		send := func(ctx context.Context, key string) (connector.Receipt, error) {
			return p.Send(ctx, p.account.ID, connector.Message{Key: key, Form: wecom.FormService, To: phone.Externals[0], From: services[0].ID, Text: key})
		}
		heard := func() (out []string) {
			phone, err := s.Phone(who.ID)
			require.NoError(t, err)
			for _, l := range phone.Chats[0].Lines[1:] {
				out = append(out, l.Text)
			}
			return out
		}
		faulty := func(kind, key string) {
			_, err := s.AddFault(sim.Fault{Kind: kind, Path: "kf/send_msg", Left: 1})
			require.NoError(t, err)
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err = send(short, key)
			require.Error(t, err, "whoever sends is to try again")
			was, err := p.ReceiptOf(ctx, p.account.ID, key)
			require.NoError(t, err)
			require.Equal(t, connector.Doubtful, was.State)
		}
		faulty(sim.FaultLost, "it left")
		got, err := send(ctx, "it left")
		require.NoError(t, err)
		require.Equal(t, []string{connector.Doubtful, "40058"}, []string{got.State, got.Code}, "the platform has the id")
		faulty(sim.FaultTimeout, "it did not")
		got, err = send(ctx, "it did not")
		require.NoError(t, err)
		require.Equal(t, connector.Accepted, got.State)
		require.Equal(t, []string{"it left", "it did not"}, heard())

		// The program stopped while a message was about to leave.
		_, err = d.Exec(ctx, "update connector_sends set state = 'claimed', claimed_at = $1 where receipt_id = $2", time.Now().UnixMilli(), got.ID)
		require.NoError(t, err)
		_, err = send(ctx, "it did not")
		require.Error(t, err, "another node may be sending it just now")
		_, err = d.Exec(ctx, "update connector_sends set claimed_at = $1 where receipt_id = $2", time.Now().Add(-2*time.Minute).UnixMilli(), got.ID)
		require.NoError(t, err)
		got, err = send(ctx, "it did not")
		require.NoError(t, err)
		require.Equal(t, connector.Doubtful, got.State)
		require.Equal(t, []string{"it left", "it did not"}, heard(), "and nobody hears it twice")
		got, err = send(ctx, "it did not")
		require.NoError(t, err)
		require.Equal(t, connector.Doubtful, got.State, "once it is tried again, and no more")
	})
}

// Mass messages, to people and groups, and posts: by the door of all messages, with
// what became of each person as facts and of the whole as a receipt.
func TestResults(t *testing.T) {
	database(t, func(t *testing.T, d *db.DB) {
		s := newSim(t)
		p := newProgram(t, s, d)
		ctx := testkit.As(t.Context(), "admin")
		r := &wecom.Results{DB: d, Clock: clock.System{}, Log: testkit.Logger(t), Conn: p.conn, Ingest: p.facts, Put: p.Put,
			Accounts: func(ctx context.Context) ([]connector.Account, error) { return p.Accounts(ctx, wecom.Name) }}
		way, _, err := p.client.AddWay(ctx, wecom.Way{Users: []string{"zhiqiu"}, SkipVerify: true})
		require.NoError(t, err)
		var people, phones []string
		for _, n := range []string{"甲", "乙"} {
			who, err := s.Invent(n, 1)
			require.NoError(t, err)
			m, err := s.Scan(way, who.ID)
			require.NoError(t, err)
			people, phones = append(people, m.External), append(phones, who.ID)
		}
		chat, err := s.MakeGroup("zhiqiu", "茶友")
		require.NoError(t, err)
		p.settle(t, s)
		p.facts.names()

		mass := connector.Message{Key: "spring", Form: wecom.FormMass, From: "zhiqiu", Text: "春茶上新", Many: &connector.Many{People: people}}
		got, err := p.Send(ctx, p.account.ID, mass)
		require.NoError(t, err)
		require.Equal(t, connector.Accepted, got.State)
		again, err := p.Send(ctx, p.account.ID, mass)
		require.NoError(t, err)
		require.Equal(t, got.ID, again.ID, "once for its key")
		group, err := p.Send(ctx, p.account.ID, connector.Message{Key: "group", Form: wecom.FormMass, From: "zhiqiu", Text: "群里好", Many: &connector.Many{InGroups: true, Groups: []string{chat}}})
		require.NoError(t, err)
		r.Turn(ctx)
		require.Empty(t, p.facts.names(), "nobody has confirmed yet")

		require.NoError(t, s.Delete(phones[1], "zhiqiu"))
		_, err = s.Confirm(got.ID, "zhiqiu")
		require.NoError(t, err)
		_, err = s.Confirm(group.ID, "zhiqiu")
		require.NoError(t, err)
		look := func() {
			_, err := d.Exec(ctx, "update wecom_sendings set next_at = 0")
			require.NoError(t, err)
			r.Turn(ctx)
			p.settle(t, s)
		}
		look()
		names := p.facts.names()
		require.Contains(t, names, "message.delivered zhiqiu")
		require.Contains(t, names, "message.failed zhiqiuno_friend")
		receipt, err := p.ReceiptOf(ctx, p.account.ID, "spring")
		require.NoError(t, err)
		require.Equal(t, connector.Delivered, receipt.State)
		receipt, err = p.ReceiptOf(ctx, p.account.ID, "group")
		require.NoError(t, err)
		require.Equal(t, connector.Delivered, receipt.State)
		look()
		require.Empty(t, p.facts.names(), "what is done is not looked at again")

		_, err = p.Send(ctx, p.account.ID, connector.Message{Key: "post", Form: wecom.FormMoment, From: "zhiqiu", Text: "采茶去"})
		require.NoError(t, err)
		_, err = s.Publish("", "zhiqiu")
		require.NoError(t, err)
		require.NoError(t, s.Echo("", phones[0], "zhiqiu", ""))
		require.NoError(t, s.Echo("", phones[0], "zhiqiu", "好茶"))
		look()
		names = p.facts.names()
		require.Contains(t, names, "moment.shown zhiqiu")
		require.Contains(t, names, "moment.liked zhiqiu")
		require.Contains(t, names, "moment.commented zhiqiu")
		require.NoError(t, s.Echo("", phones[0], "zhiqiu", "再来"))
		look()
		require.Equal(t, []string{"moment.commented zhiqiu"}, p.facts.names(), "people go on")
	})
}
