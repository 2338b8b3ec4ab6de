package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/demo"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// openAir is a pond with an account at a simulated company, and people who scan.
type openAir struct {
	*world
	sim     *sim.Sim
	account string
	access  sim.Access
}

func newOpenAir(t *testing.T, cfg Config, o sim.Options) *openAir {
	s := &openAir{sim: sim.New(o)}
	platform := httptest.NewServer(s.sim)
	t.Cleanup(func() { platform.Close(); s.sim.Close() })
	cfg.OutboundPrivate = true // the simulator is on this machine
	s.world = startWorldLogging(t, cfg, testkit.Quiet())
	s.access = s.sim.Access(0)
	var made struct {
		ID      string
		Account struct{ ID string }
	}
	body, err := json.Marshal(connector.Input{Kind: wecom.Name, Name: s.access.Name,
		Settings: map[string]string{"corpId": s.access.CorpID, "agentId": strconv.Itoa(s.access.AgentID), connector.SettingBase: platform.URL + "/wecom"},
		Secrets:  map[string]string{"secret": s.access.Secret, "token": s.access.Token, "aesKey": s.access.AESKey}})
	require.NoError(t, err)
	require.Less(t, s.call("POST", "/api/connectors", string(body), &made), 300)
	s.account = made.ID + made.Account.ID
	return s
}

func (s *openAir) hears(t *testing.T, base string) {
	require.NoError(t, s.sim.SetCallback(t.Context(), s.access.CorpID, s.access.AgentID, base+connector.HookPath(wecom.Name, s.account), s.access.Token, s.access.AESKey))
}

// code makes a live code and waits until the platform has made it.
func (s *openAir) code(t *testing.T, more string) (id, scannable string) {
	var d struct{ ID, Scannable string }
	require.Equal(t, 200, s.call("POST", "/api/live-codes", fmt.Sprintf(`{"name":"南京路店","account":%q,"members":[{"staff":"jianlu"},{"staff":"zhiqiu"}],"welcome":{"text":"{customer}您好，我是{staff}"}%s}`, s.account, more), &d))
	require.Eventually(t, func() bool {
		return s.call("GET", "/api/live-codes/"+d.ID, "", &d) == 200 && d.Scannable != ""
	}, 30*time.Second, 50*time.Millisecond)
	return d.ID, d.Scannable
}

// welcomed lists the welcomes on somebody's phone.
func (s *openAir) welcomed(t *testing.T, who string) (out []sim.Line) {
	p, err := s.sim.Phone(who)
	require.NoError(t, err)
	for _, c := range p.Chats {
		for _, l := range c.Lines {
			if l.Via == "welcome" {
				out = append(out, l)
			}
		}
	}
	return out
}

// From a scan on the street to a known, tagged, welcomed person.
func TestAScanBecomesAKnownTaggedWelcomedPerson(t *testing.T) {
	s := newOpenAir(t, testConfig(t), sim.Options{Seed: 3, Log: testkit.Quiet()})
	hook := httptest.NewServer(s.h)
	defer hook.Close()
	s.hears(t, hook.URL)
	var tag struct{ ID string }
	require.Less(t, s.call("POST", "/api/tags", `{"group":"来源","name":"南京路店"}`, &tag), 300)
	id, scannable := s.code(t, fmt.Sprintf(`,"tags":[%q],"remark":"{name}-{code}","pool":"convert","channel":"offline"`, tag.ID))

	p, err := s.sim.Invent("沈一诺", 2)
	require.NoError(t, err)
	met, err := s.sim.Scan(scannable, p.ID)
	require.NoError(t, err)
	require.Contains(t, []string{"jianlu", "zhiqiu"}, met.Staff)
	name := map[string]string{"jianlu": "林见鹿", "zhiqiu": "叶知秋"}[met.Staff]
	require.Eventually(t, func() bool { return len(s.welcomed(t, p.ID)) > 0 }, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, "沈一诺您好，我是"+name, s.welcomed(t, p.ID)[0].Text)

	rule := url.QueryEscape(`{"v":1,"all":[{"event":{"name":"friend.added","where":[{"property":"code","op":"is","value":"` + id + `"}]}}]}`)
	var page struct {
		Total int64
		Items []struct {
			ID, Name, Channel string
			Tags              []struct{ ID string }
		}
	}
	require.Eventually(t, func() bool {
		s.settle()
		return s.call("GET", "/api/contacts?where="+rule, "", &page) == 200 && page.Total == 1 && len(page.Items[0].Tags) == 1 && page.Items[0].Name == "沈一诺"
	}, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, tag.ID, page.Items[0].Tags[0].ID)
	require.Equal(t, "offline", page.Items[0].Channel)

	var stats struct {
		Total struct{ Adds, People, Welcomed int64 }
	}
	require.Equal(t, 200, s.call("GET", "/api/live-codes/"+id+"/stats", "", &stats))
	require.EqualValues(t, 1, stats.Total.Adds)
	require.EqualValues(t, 1, stats.Total.Welcomed)
	var who struct {
		Items []struct{ Contact, Name, Welcome string }
	}
	require.Equal(t, 200, s.call("GET", "/api/live-codes/"+id+"/people", "", &who))
	require.Equal(t, page.Items[0].ID, who.Items[0].Contact)
	require.Equal(t, "sent", who.Items[0].Welcome)
	var pools struct{ Total int64 }
	require.Equal(t, 200, s.call("GET", "/api/contacts?where="+url.QueryEscape(`{"v":1,"all":[{"field":"pool","op":"in","value":["convert"]}]}`), "", &pools))
	require.EqualValues(t, 1, pools.Total, "placed there although no rule would")

	require.NoError(t, s.sim.Delete(p.ID, met.Staff))
	require.Eventually(t, func() bool {
		s.settle()
		var after struct{ Total struct{ Left int64 } }
		return s.call("GET", "/api/live-codes/"+id+"/stats", "", &after) == 200 && after.Total.Left == 1
	}, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, 200, s.call("GET", "/api/live-codes/"+id+"/qr?format=svg", "", nil))
}

// The demo's past is stated once, its live codes, links and staff agree about it, and
// the platform takes the codes.
func TestTheDemoHasAPast(t *testing.T) {
	s := newOpenAir(t, testConfig(t), sim.Options{Seed: 3, People: -1, Log: testkit.Quiet()})
	hook := httptest.NewServer(s.h)
	defer hook.Close()
	s.hears(t, hook.URL)
	s.apps(t, hook.URL)
	s.app.sim = &demoSim{sim: s.sim}
	defer func() { s.app.sim = nil }()
	ctx := auth.With(t.Context(), auth.System("demo"))
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	d := &demoPond{end: time.Now().UTC().Truncate(time.Second), zone: zone}
	o := demo.Options{Seed: 1, Contacts: 1500, Days: demoDays, End: d.end, Zone: zone}
	for range 2 {
		require.NoError(t, s.app.state.set(ctx, stateDemo+"."+stagePast, "")) // as after a crash
		require.NoError(t, d.past(ctx, s.app, o))
	}
	s.settle()
	var known []demo.Code
	for _, c := range demoCodes {
		known = append(known, demo.Code{Channel: c.channel, Staff: c.staff, Backup: c.backup, From: c.from, To: c.to, Weight: c.weight})
	}
	byCode, friends, behind := map[int]int64{}, map[string]int64{}, int64(0)
	for _, f := range o.Friends(known) {
		if f.Code >= 0 {
			byCode[f.Code]++
		}
		if f.GoneAt.IsZero() {
			friends[f.Staff]++
			if f.Staff == demo.Leaver {
				behind++
			}
		}
	}
	require.Greater(t, len(byCode), 8)
	var fans struct{ Total int64 }
	require.Equal(t, 200, s.call("GET", "/api/contacts?where="+url.QueryEscape(`{"v":1,"all":[{"event":{"name":"account.followed"}},{"event":{"name":"friend.added"}}]}`), "", &fans))
	require.EqualValues(t, s.sim.Apps()[0].Followers, fans.Total, "who follows the account is a friend as well")
	require.Greater(t, fans.Total, int64(20))
	var codes struct {
		Items []struct {
			ID, Name  string
			CreatedAt time.Time
		}
	}
	require.Equal(t, 200, s.call("GET", "/api/live-codes?limit=100", "", &codes))
	require.Len(t, codes.Items, len(demoCodes))
	for i, c := range demoCodes {
		at := slices.IndexFunc(codes.Items, func(x struct {
			ID, Name  string
			CreatedAt time.Time
		}) bool {
			return x.Name == c.name
		})
		require.Less(t, codes.Items[at].CreatedAt, d.end.AddDate(0, 0, -demo.FriendDays))
		var stats struct{ Total struct{ Adds int64 } }
		require.Equal(t, 200, s.call("GET", "/api/live-codes/"+codes.Items[at].ID+"/stats?from="+d.end.AddDate(0, 0, -200).Format(time.DateOnly), "", &stats))
		require.Equal(t, byCode[i], stats.Total.Adds, c.name)
	}
	var links struct{ Items []struct{ Opens int64 } }
	require.Equal(t, 200, s.call("GET", "/api/links", "", &links))
	require.Len(t, links.Items, len(demoLinks))
	for _, l := range links.Items {
		require.Greater(t, l.Opens, int64(20))
	}

	require.NoError(t, d.look(ctx, s.app))
	require.True(t, d.settled.Load())
	s.settle()
	var staff struct {
		Items []struct {
			ID      string
			Friends int64
		}
	}
	require.Equal(t, 200, s.call("GET", "/api/colleagues?limit=500&account="+s.account, "", &staff))
	for _, m := range staff.Items {
		require.Equal(t, friends[m.ID], m.Friends, m.ID)
	}
	require.Eventually(t, func() bool { // by the callback that she left
		var left struct {
			Items []struct{ Waiting, Groups int64 }
		}
		return s.call("GET", "/api/leavers?account="+s.account, "", &left) == 200 && len(left.Items) == 1 && left.Items[0].Waiting == behind && left.Items[0].Groups == 1
	}, 30*time.Second, 50*time.Millisecond)
	var account struct{ CheckedAt *time.Time }
	require.Equal(t, 200, s.call("GET", "/api/connectors/"+s.account, "", &account))
	require.NotNil(t, account.CheckedAt)
	require.Eventually(t, func() bool {
		var page struct {
			Total int
			Items []struct {
				Ready bool
				Fault string
			}
		}
		if s.call("GET", "/api/live-codes?limit=100", "", &page) != 200 || page.Total != len(demoCodes) {
			return false
		}
		for _, c := range page.Items {
			if !c.Ready || c.Fault != "" {
				return false
			}
		}
		return true
	}, 60*time.Second, 100*time.Millisecond)
}

// BenchmarkWelcomes measures the way from a callback to the platform's answer to
// the welcome, at 200 scans a second for ten seconds, in one program with all its
// stores on disk.
func BenchmarkWelcomes(b *testing.B) {
	const perSecond, seconds = 200, 10
	for range b.N {
		ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "Welcomes", F: func(t *testing.T) {
			s := newOpenAir(t, testConfig(t), sim.Options{Seed: 5, People: perSecond * seconds, Log: testkit.Quiet()})
			hook := httptest.NewServer(s.h)
			defer hook.Close()
			s.hears(t, hook.URL)
			_, scannable := s.code(t, `,"greet":"own"`)
			people := s.sim.People("", perSecond*seconds)
			require.Len(t, people, perSecond*seconds)
			told := map[string]time.Time{}
			took := map[string]time.Duration{}
			var mu sync.Mutex
			ctx, stop := context.WithCancel(t.Context())
			var reading sync.WaitGroup
			reading.Go(func() {
				var at uint64
				for ctx.Err() == nil {
					for _, e := range s.sim.Diary(ctx, at) {
						at = e.N
						mu.Lock()
						switch {
						case e.Kind == sim.EntryCallback && e.Name == "change_external_contact.add_external_contact":
							told[e.About] = e.At
						case e.Kind == sim.EntryCall && e.Name == "externalcontact/send_welcome_msg" && e.Code == 0:
							took[e.About] = time.Duration(e.Ms*float64(time.Millisecond)) + e.At.Sub(told[e.About])
							if told[e.About].IsZero() { // its callback is written down when it is answered
								took[e.About] = -1
							}
						}
						mu.Unlock()
					}
				}
			})
			tick := time.NewTicker(time.Second / perSecond)
			for _, p := range people {
				<-tick.C
				go func() { _, _ = s.sim.Scan(scannable, p.ID) }()
			}
			tick.Stop()
			require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(took) == len(people) }, time.Minute, 50*time.Millisecond)
			stop()
			reading.Wait()
			var list []time.Duration
			early := 0
			for _, d := range took {
				if d < 0 { // before the callback was even answered
					early, d = early+1, 0
				}
				list = append(list, d)
			}
			slices.Sort(list)
			b.ReportMetric(float64(list[len(list)/2].Milliseconds()), "p50-ms")
			b.ReportMetric(float64(list[len(list)*99/100].Milliseconds()), "p99-ms")
			b.ReportMetric(float64(list[len(list)-1].Milliseconds()), "max-ms")
			b.ReportMetric(float64(early), "before-the-answer")
		}}})
		if !ok {
			b.Fatal("not everybody was welcomed")
		}
	}
}

// Where the process that is killed finds its data and listens.
const (
	servedData   = "KOIPOND_TEST_SERVE_DATA"
	servedListen = "KOIPOND_TEST_SERVE_LISTEN"
)

func servedConfig(data, listen string) Config {
	cfg := DefaultConfig()
	cfg.Data, cfg.Listen, cfg.OutboundPrivate = data, listen, true
	cfg.StreamMaxBytes, cfg.AnalyticsMemory = 256<<20, 256
	return cfg
}

// TestServeUntilKilled is the process that TestKilledInTheMiddleOfWelcomes kills.
func TestServeUntilKilled(t *testing.T) {
	data := os.Getenv(servedData)
	if data == "" {
		t.Skip("it is run by TestKilledInTheMiddleOfWelcomes")
	}
	require.NoError(t, Run(t.Context(), servedConfig(data, os.Getenv(servedListen)), Build{Version: "test"}, testkit.Quiet(), nil))
}

// People scan while the program is killed again and again: nobody is welcomed
// twice, and whoever's callback was taken is welcomed within the platform's time.
func TestKilledInTheMiddleOfWelcomes(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listen := ln.Addr().String()
	require.NoError(t, ln.Close())
	data := testConfig(t).Data
	const kills, perSecond = 4, 10
	s := newOpenAir(t, servedConfig(data, listen), sim.Options{Seed: 9, People: 400, Log: testkit.Quiet(), Pause: 2 * time.Second})
	_, scannable := s.code(t, "")
	s.stop()

	start := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestServeUntilKilled$")
		cmd.Env = append(os.Environ(), servedData+"="+data, servedListen+"="+listen)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool {
			res, err := http.Get("http://" + listen + "/readyz")
			if err != nil {
				return false
			}
			_ = res.Body.Close()
			return res.StatusCode == http.StatusOK
		}, time.Minute, 20*time.Millisecond)
		return cmd
	}
	cmd := start()
	s.hears(t, "http://"+listen)
	people := s.sim.People("", 400)
	scanned := map[string]time.Time{}
	var mu sync.Mutex
	ctx, stop := context.WithCancel(t.Context())
	var walking sync.WaitGroup
	walking.Go(func() {
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for _, p := range people {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if met, err := s.sim.Scan(scannable, p.ID); err == nil && !met.Already {
				mu.Lock()
				scanned[p.ID] = time.Now()
				mu.Unlock()
			}
		}
	})
	for range kills {
		time.Sleep(time.Duration(1500+rand.IntN(1500)) * time.Millisecond) //nolint:forbidigo // the program is killed at any moment
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		cmd = start()
	}
	time.Sleep(time.Second)
	stop()
	walking.Wait()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	settled, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.sim.Settle(settled))

	taken := map[string]bool{} // whose callback was answered well
	now, done := context.WithCancel(t.Context())
	done()
	for _, e := range s.sim.Diary(now, 0) {
		if e.Kind == sim.EntryCallback && e.Note == "" && e.Name == "change_external_contact.add_external_contact" {
			taken[e.About] = true
		}
	}
	require.Greater(t, len(scanned), 4*perSecond)
	require.Eventually(t, func() bool {
		for id := range scanned {
			p, err := s.sim.Phone(id)
			require.NoError(t, err)
			if len(p.Externals) > 0 && taken[p.Externals[0]] && len(s.welcomed(t, id)) == 0 {
				return false
			}
		}
		return true
	}, 25*time.Second, 200*time.Millisecond, "whoever's callback was taken is welcomed")
	welcomed := 0
	for id, at := range scanned {
		lines := s.welcomed(t, id)
		require.LessOrEqual(t, len(lines), 1, "twice")
		for _, l := range lines {
			welcomed++
			require.Less(t, l.At.Sub(at), 21*time.Second)
		}
	}
	t.Logf("%d scanned, %d callbacks taken, %d welcomed, %d times killed", len(scanned), len(taken), welcomed, kills)
}
