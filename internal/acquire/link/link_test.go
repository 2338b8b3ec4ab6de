package link

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/conformance"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const (
	browser = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.44"
	desktop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
)

// door keeps what it is given, or refuses as it is told.
type door struct {
	mu    sync.Mutex
	facts []event.Fact
	fail  error
	calls int
}

func (d *door) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls++; d.fail != nil {
		return 0, d.fail
	}
	d.facts = append(d.facts, facts...)
	return 1, nil
}

func (d *door) says(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

func (d *door) has() []event.Fact {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]event.Fact{}, d.facts...)
}

// folk are contacts 1 to 9, of whom 2 is part of 1 and 5 to 9 are visitors.
type folk struct{}

func (folk) NumOf(_ context.Context, id string) (int64, error) {
	var n int64
	if _, err := fmt.Sscanf(id, "ct_%d", &n); err != nil || n > 9 {
		return 0, errs.New(errs.NotFound, "contact.not_found")
	}
	return n, nil
}

func (folk) Survivors(_ context.Context, nums []int64) (map[int64]int64, error) {
	return map[int64]int64{2: 1}, nil
}

func (folk) Refs(_ context.Context, nums []int64) (map[int64]contact.Ref, error) {
	out := map[int64]contact.Ref{}
	for _, n := range nums {
		if n < 10 {
			out[n] = contact.Ref{ID: fmt.Sprintf("ct_%d", n), Name: fmt.Sprintf("客户%d", n)}
		}
	}
	return out, nil
}

func (folk) Describe(_ context.Context, nums []int64) (map[int64]contact.Brief, error) {
	out := map[int64]contact.Brief{}
	for _, n := range nums {
		kind := event.Person
		if n >= 5 {
			kind = event.Visitor
		}
		out[n] = contact.Brief{Kind: kind}
	}
	return out, nil
}

func (folk) InScope(ctx context.Context, nums []int64) ([]int64, error) {
	if auth.ScopeOf(ctx).All {
		return nums, nil
	}
	var out []int64
	for _, n := range nums {
		if n == 3 {
			out = append(out, n)
		}
	}
	return out, nil
}

type keys struct{}

func (keys) Index(field, text string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(field+" "+text)))
}

type tree struct{}

func (tree) Open(id string) bool                        { return id == "social" }
func (tree) Called(_ context.Context, id string) string { return id }
func (tree) Named(_ context.Context, text string) string {
	return map[string]string{"社交媒体": "social"}[text]
}
func (tree) Names(_ context.Context, ids []string) map[string]string {
	return map[string]string{"us_1": "王芳"}
}

type teller struct{ said []string }

func (t *teller) Tell(_ context.Context, user, key, kind, ref string, num int64) error {
	t.said = append(t.said, fmt.Sprintf("%s %s %s %d", user, kind, ref, num))
	return nil
}

type noAudit struct{ actions []string }

func (a *noAudit) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	a.actions = append(a.actions, action)
	return nil
}

type world struct {
	*Service
	t     *testing.T
	ctx   context.Context
	door  *door
	told  *teller
	audit *noAudit
	clock *clock.Fake

	figures figures
}

// figures answers as an analytics store does.
type figures struct {
	*conformance.Model
	seq uint64
}

func (f *figures) Totals(_ context.Context, q analytics.TotalsQuery) ([]analytics.GroupRow, error) {
	return f.Model.Totals(q), nil
}

func (f *figures) Trend(_ context.Context, q analytics.TrendQuery) (analytics.Trend, error) {
	return f.Model.Trend(q), q.Check()
}

// take stores facts, with contact 2 as a part of 1.
func (f *figures) take(facts []event.Stored) {
	f.seq++
	b := analytics.Batch{Position: event.Position{Seq: f.seq, Idx: uint32(len(facts))}, Rekeys: []event.Rekey{{From: 2, Into: 1}}}
	for i, x := range facts {
		b.Rows = append(b.Rows, analytics.Row{Fact: x.Fact, Contact: x.Contact, Position: event.Position{Seq: f.seq, Idx: uint32(i)}})
		if x.Contact > 0 {
			b.Profiles = append(b.Profiles, event.Profile{Contact: x.Contact, Kind: x.ContactKind})
		}
	}
	f.Append(b)
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, ctx: t.Context(), door: &door{}, told: &teller{}, audit: &noAudit{}, clock: clock.NewFake(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC))}
		w.Service = NewService(Deps{DB: d, Clock: w.clock, IDs: id.NewSource(w.clock.Now, nil), Log: testkit.Logger(t), Audit: w.audit, Keys: keys{}, Channels: tree{}, People: tree{},
			Contacts: folk{}, Teller: w.told, Ingest: w.door, Queue: 4, Store: &w.figures})
		w.figures.Model = conformance.NewModel()
		fn(t, w)
	}, Migrations(), db.Migrations())
}

func (w *world) make(in Input) Link {
	w.t.Helper()
	list, err := w.Create(w.ctx, in)
	require.NoError(w.t, err)
	return list[0]
}

// open opens a link as a browser would.
func (w *world) open(path string, change func(r *http.Request)) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("User-Agent", browser)
	r.Header.Set("Accept-Language", "zh-CN")
	if change != nil {
		change(r)
	}
	u, err := url.Parse(path)
	require.NoError(w.t, err)
	r.SetPathValue("code", strings.TrimPrefix(u.Path, Path))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// drained hands what waits to the door and gives what it has.
func (w *world) drained() []event.Fact {
	w.lastOnes(w.ctx)
	return w.door.has()
}

func fault(t *testing.T, err error) string {
	t.Helper()
	require.Error(t, err)
	e := errs.As(err)
	if len(e.Fields) == 0 {
		return e.Code
	}
	return e.Fields[0].Path + " " + e.Fields[0].Code
}

func TestALinkLeadsToItsTargetAndNowhereElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.make(Input{Title: "春茶", Target: "https://shop.example.com/tea?a=1&utm_medium=own#top", Channel: "social", Source: "wechat", Medium: "post", Campaign: "春 茶"})
		require.True(t, validCode(l.Code))
		rec := w.open(l.Path+"?to=https://evil.example&target=x&url=//evil.example", nil)
		require.Equal(t, http.StatusFound, rec.Code)
		require.Equal(t, "https://shop.example.com/tea?a=1&utm_medium=own&utm_campaign=%E6%98%A5+%E8%8C%B6&utm_source=wechat#top", rec.Header().Get("Location"))
		require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))

		facts := w.drained()
		require.Len(t, facts, 1)
		f := facts[0]
		require.Equal(t, event.NameLinkClicked, f.Name)
		require.JSONEq(t, fmt.Sprintf(`{"link":%q,"title":"春茶","channel":"social","device":"phone","app":"wechat","system":"ios"}`, l.Code), string(f.Properties))
		require.JSONEq(t, `{"campaign":{"source":"wechat","medium":"post","name":"春 茶"}}`, string(f.Context))
		require.True(t, validVisitor(f.AnonymousID))

		cookie := rec.Result().Cookies()[0]
		require.Equal(t, f.AnonymousID, cookie.Value)
		require.True(t, cookie.HttpOnly)
		w.open(l.Path, func(r *http.Request) { r.AddCookie(cookie) })
		facts = w.drained()
		require.Equal(t, f.AnonymousID, facts[1].AnonymousID, "the same visitor")

		for _, code := range []string{"nothing", "zzzzzzz", "..", "a%2f", strings.Repeat("x", 500)} {
			require.Equal(t, http.StatusNotFound, w.open(Path+url.PathEscape(code), nil).Code)
		}
		_, err := w.Update(w.ctx, l.Code, Input{Title: "春茶", Target: "https://a.example", Paused: true})
		require.NoError(t, err)
		require.Equal(t, http.StatusGone, w.open(l.Path, nil).Code)
		_, err = w.Update(w.ctx, l.Code, Input{Title: "春茶", Target: "https://a.example/x", ExpiresAt: w.clock.Now().Add(time.Hour), Carry: true})
		require.NoError(t, err)
		to := w.open(l.Path, func(r *http.Request) { r.AddCookie(cookie) }).Header().Get("Location")
		require.Equal(t, "https://a.example/x?kp_v="+cookie.Value, to)
		w.clock.Advance(time.Hour)
		require.Equal(t, http.StatusGone, w.open(l.Path, nil).Code)
		require.Equal(t, []string{"link.created", "link.updated", "link.updated"}, w.audit.actions)
	})
}

func TestTargetsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for target, code := range map[string]string{
			"": "request.field_required", "javascript:alert(1)": "link.bad_target", "//evil.example": "link.bad_path", "/api/contacts": "link.bad_path", "/p/../api": "link.bad_path",
			"https://": "link.bad_target", "ftp://a.example": "link.bad_target", "https://u:p@a.example": "link.bad_target", "https://a.example/\r\nSet-Cookie:x": "link.bad_target",
			"https://a.example/?m=13800138000": "link.target_personal", "https:\\\\a.example": "link.bad_target", "https://a.example/" + strings.Repeat("x", maxTarget): "link.target_too_long",
			"data:text/html,x": "link.bad_target",
		} {
			_, err := w.Create(w.ctx, Input{Title: "x", Target: target})
			require.Equal(t, "target "+code, fault(t, err), target)
		}
		for want, in := range map[string]Input{
			"title request.field_required":    {Target: "https://a.example"},
			"channel acquire.no_such_channel": {Title: "x", Target: "https://a.example", Channel: "nope"},
			"owner user.not_found":            {Title: "x", Target: "https://a.example", Owner: "us_9"},
			"campaign request.too_long":       {Title: "x", Target: "https://a.example", Campaign: strings.Repeat("长", maxWord+1)},
		} {
			_, err := w.Create(w.ctx, in)
			require.Equal(t, want, fault(t, err))
		}
	})
}

func TestPeopleAreKnownByASignedParameterOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.make(Input{Title: "x", Target: "https://a.example"})
		w.open(w.PathFor(l.Code, 3), nil)
		w.open(l.Path+"?k="+strings.Replace(w.PersonToken(3), "3.", "4.", 1), nil) // somebody else's signature
		w.open(w.PathFor(l.Code, 77), nil)                                         // signed, but gone by now
		facts := w.drained()
		require.EqualValues(t, 3, facts[0].Contact)
		require.Empty(t, facts[0].AnonymousID)
		require.Zero(t, facts[1].Contact)
		require.NotEmpty(t, facts[1].AnonymousID)
		require.Zero(t, facts[2].Contact)
		require.NotEmpty(t, facts[2].AnonymousID)
	})
}

func TestProgramsMakeNoFacts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.make(Input{Title: "x", Target: "https://a.example"})
		_, err := w.SetSettings(w.ctx, Settings{Networks: []string{"nonsense"}, Burst: 20})
		require.Equal(t, "networks[0] link.bad_network", fault(t, err))
		head := func(name, value string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set(name, value) }
		}
		for why, change := range map[string]func(*http.Request){
			botHead:     func(r *http.Request) { r.Method = http.MethodHead },
			botPrefetch: head("Sec-Purpose", "prefetch;prerender"),
			botAgent:    head("User-Agent", "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"),
			botBare:     func(r *http.Request) { r.Header.Del("Accept-Language") },
		} {
			rec := w.open(l.Path, change)
			require.Equal(t, http.StatusFound, rec.Code, "a preview shows the page, too")
			require.Empty(t, rec.Result().Cookies(), why)
		}
		require.Empty(t, w.drained())
		require.NoError(t, w.flushNoise(w.ctx))
		st, err := w.Stats(w.ctx, l.Code, w.clock.Now().Add(-time.Hour), w.clock.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, st.Opens)
		require.Equal(t, []Noise{{botAgent, 1}, {botBare, 1}, {botHead, 1}, {botPrefetch, 1}}, st.Noise)
	})
}

func TestABurstIsAProgramAndACrowdIsNot(t *testing.T) {
	var p pace
	now := time.Now()
	for i := range 20 {
		require.False(t, p.over(1, 20, now), i)
	}
	require.True(t, p.over(1, 20, now))
	require.False(t, p.over(2, 20, now), "another browser at the same address")
	require.False(t, p.over(1, 20, now.Add(paceWindow)), "a minute later")
	require.True(t, prefixes([]string{"203.0.113.0/24", "2001:db8::/32"}).hold("203.0.113.9"))
	require.True(t, prefixes([]string{"203.0.113.0/24"}).hold("::ffff:203.0.113.9"))
	require.False(t, prefixes([]string{"203.0.113.0/24"}).hold("nonsense"))
}

func TestAFullDoorLeadsOnAndCountsHonestly(t *testing.T) {
	each(t, func(t *testing.T, w *world) { // four may wait
		l := w.make(Input{Title: "x", Target: "https://a.example"})
		w.door.says(errs.New(errs.TooMany, "intake.full"))
		for i := range 7 {
			require.Equal(t, http.StatusFound, w.open(l.Path, func(r *http.Request) { r.Header.Set("User-Agent", fmt.Sprint(browser, i)) }).Code)
		}
		require.NoError(t, w.flushNoise(w.ctx))
		st, err := w.Stats(w.ctx, l.Code, w.clock.Now().Add(-time.Hour), w.clock.Now().Add(time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 3, st.Lost)
		w.door.says(nil)
		require.Len(t, w.drained(), 4, "those that waited")
	})
}

// What the door could not take at first arrives once it can.
func TestOpeningsWaitForTheDoor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.make(Input{Title: "x", Target: "https://a.example"})
		w.door.says(errors.New("the disk is full"))
		require.NoError(t, w.Start(w.ctx))
		w.open(l.Path, nil)
		require.Eventually(t, func() bool { w.door.mu.Lock(); defer w.door.mu.Unlock(); return w.door.calls > 1 }, 30*time.Second, 5*time.Millisecond)
		require.Empty(t, w.door.has())
		w.door.says(nil)
		require.Eventually(t, func() bool { return len(w.door.has()) == 1 }, 20*time.Second, 5*time.Millisecond)
		require.NoError(t, w.Stop(w.ctx))
		require.Len(t, w.door.has(), 1)
	})
}

func (w *world) stored(link string, num int64, kind event.Kind, at time.Time, message string) event.Stored {
	body := fmt.Sprintf(`{"link":%q,"device":"phone","app":"wechat","system":"ios","referrer":"a.example"}`, link)
	return event.Stored{Fact: event.Fact{MessageID: message, Name: event.NameLinkClicked, Source: sourceName, Contact: num, Timestamp: at.UnixMilli(), Properties: []byte(body)}, ContactKind: kind}
}

func TestFiguresAndRadarFollowTheFacts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.make(Input{Title: "x", Target: "https://a.example", Owner: "us_1", Notify: true})
		now := w.clock.Now()
		forged := w.stored(l.Code, 4, event.Person, now, "m9")
		forged.Source = "web"
		batch := []event.Stored{w.stored(l.Code, 1, event.Person, now, "m1"), w.stored(l.Code, 2, event.Person, now.Add(time.Minute), "m2"), w.stored(l.Code, 3, event.Person, now.AddDate(0, 0, 1), "m3"),
			w.stored(l.Code, 7, event.Visitor, now, "m4"), forged, {Fact: event.Fact{Name: "page.viewed"}}}
		for range 2 { // a repeat counts once
			require.NoError(t, w.DB.Tx(w.ctx, func(ctx context.Context) error { return w.Handle(ctx, batch) }))
		}
		w.figures.take(batch)
		st, err := w.Stats(w.ctx, l.Code, now.Add(-time.Hour), now.AddDate(0, 0, 2))
		require.NoError(t, err)
		require.Equal(t, []int64{4, 3, 2}, []int64{st.Opens, st.People, st.Known}, "2 is part of 1 today")
		require.Equal(t, []Count{{"2026-03-10", 3, 2}, {"2026-03-11", 1, 1}}, st.Days)
		require.Equal(t, []Count{{"phone", 4, 3}}, st.Devices)
		require.Contains(t, w.told.said, "us_1 link.opened "+l.Code+" 1")
		require.NotContains(t, w.told.said, "us_1 link.opened "+l.Code+" 7", "nobody is told of visitors")

		items, next, err := w.Radar(w.ctx, "", true, 0, 2)
		require.NoError(t, err)
		require.Len(t, items, 2)
		require.NotZero(t, next)
		require.Equal(t, "客户3", items[0].Contact.Name)
		require.Equal(t, "客户1", items[1].Contact.Name)
		items, next, err = w.Radar(w.ctx, "", true, next, 2)
		require.NoError(t, err)
		require.Len(t, items, 1)
		require.Zero(t, next)
		everybody, _, err := w.Radar(w.ctx, l.Code, false, 0, 50)
		require.NoError(t, err)
		require.Len(t, everybody, 4)
		mine := auth.With(w.ctx, &auth.Principal{ID: "us_2", Scope: auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, "us_2")})
		items, _, err = w.Radar(mine, "", false, 0, 50)
		require.NoError(t, err)
		require.Len(t, items, 1, "whoever sees some customers sees only their openings")

		got, err := w.Get(w.ctx, l.Code)
		require.NoError(t, err)
		require.EqualValues(t, 4, got.Opens)
		require.NoError(t, w.Marked(w.ctx, []int64{7}, nil))
		got, err = w.Get(w.ctx, l.Code)
		require.NoError(t, err)
		require.EqualValues(t, 3, got.Opens, "without whoever is no person")
		require.NoError(t, w.Marked(w.ctx, nil, []int64{7}))
		got, err = w.Get(w.ctx, l.Code)
		require.NoError(t, err)
		require.EqualValues(t, 4, got.Opens, "nothing was deleted")
	})
}

func TestListsPageAndSearch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			w.make(Input{Title: fmt.Sprintf("链接%d", i), Target: "https://a.example", Channel: map[bool]string{true: "social"}[i%2 == 0]})
		}
		var seen []string
		at := listPlace{}
		for {
			items, next, total, err := w.List(w.ctx, "", "", "", at, 2)
			require.NoError(t, err)
			require.EqualValues(t, 5, total)
			for _, l := range items {
				seen = append(seen, l.Title)
			}
			if next == nil {
				break
			}
			at = *next
		}
		require.ElementsMatch(t, []string{"链接0", "链接1", "链接2", "链接3", "链接4"}, seen)
		_, _, total, err := w.List(w.ctx, "链接3", "", "active", listPlace{}, 10)
		require.NoError(t, err)
		require.EqualValues(t, 1, total)
		_, _, total, err = w.List(w.ctx, "", "social", "", listPlace{}, 10)
		require.NoError(t, err)
		require.EqualValues(t, 3, total)

		other := NewService(w.Deps) // another node
		require.NoError(t, other.catchUp(w.ctx))
		require.Len(t, other.links, 5)
	})
}

type file struct{ lines []string }

func (f file) OpenTable(context.Context, string) (*contact.Table, error) {
	at := 0
	return &contact.Table{Columns: strings.Split(f.lines[0], "|"), Close: func() error { return nil }, Next: func() (int64, []string, error) {
		if at++; at >= len(f.lines) {
			return 0, nil, io.EOF
		}
		return int64(at + 1), strings.Split(f.lines[at], "|"), nil
	}}, nil
}
func (file) Time(context.Context, string) (int64, bool) { return 0, false }

func TestLinksFromAFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Tables = file{[]string{"标题|网址|渠道|utm_campaign", "一|https://a.example|社交媒体|c1", "|https://b.example||", "三|javascript:x||", "四|https://c.example|没有|"}}
		dry, err := w.CreateFromFile(w.ctx, Batch{UploadID: "up_1", DryRun: true})
		require.NoError(t, err)
		require.Equal(t, 2, dry.Good)
		require.EqualValues(t, 2, dry.Rejected)
		require.Equal(t, []string{"link.bad_target", "acquire.row_no_channel"}, []string{dry.Rejects[0].Code, dry.Rejects[1].Code})
		require.Empty(t, dry.Made)
		done, err := w.CreateFromFile(w.ctx, Batch{UploadID: "up_1"})
		require.NoError(t, err)
		require.Len(t, done.Made, 2)
		require.Equal(t, "social", done.Made[0].Channel)
		require.Equal(t, "https://a.example?utm_campaign=c1", done.Made[0].Leads)
		require.Equal(t, "https://b.example", done.Made[1].Title)
		w.Tables = file{[]string{"a|b"}}
		_, err = w.CreateFromFile(w.ctx, Batch{UploadID: "up_1"})
		require.Equal(t, "uploadId link.no_target_column", fault(t, err))
	})
}

func TestWhatBrowsersTell(t *testing.T) {
	for agent, want := range map[string]seen{
		browser: {"phone", "wechat", "ios"},
		desktop: {"desktop", "chrome", "windows"},
		"Mozilla/5.0 (Linux; Android 14; Pixel) AppleWebKit/537.36 Mobile Safari/537.36 wxwork/4.1 MicroMessenger/7": {"phone", "wecom", "android"},
		"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) Version/17 Safari/604":                                        {"tablet", "safari", "ios"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605 Edg/126":                                         {"desktop", "edge", "macos"},
		"": {"other", "other", "other"},
	} {
		require.Equal(t, want, look(agent), agent)
	}
}

// BenchmarkServe answers as many openings as one core can, and says how long the
// slowest hundredth took, beside a handler that only redirects.
func BenchmarkServe(b *testing.B) {
	s := NewService(Deps{Clock: clock.System{}, IDs: id.NewSource(time.Now, nil), Keys: keys{}, Queue: 1 << 16})
	x := &row{code: newCode(), target: "https://shop.example.com/tea", title: "x"}
	x.leads = leads(x)
	s.keep(x)
	go func() {
		for range s.queue { // the door
		}
	}()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", x.leads)
		w.WriteHeader(http.StatusFound)
	})
	for name, h := range map[string]http.Handler{"link": s, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			const n = 50_000
			took := make([]time.Duration, n)
			for i := range took {
				r := httptest.NewRequest(http.MethodGet, Path+x.code, nil)
				r.Header.Set("User-Agent", fmt.Sprint(desktop, i))
				r.Header.Set("Accept-Language", "zh")
				r.SetPathValue("code", x.code)
				rec := httptest.NewRecorder()
				from := time.Now()
				h.ServeHTTP(rec, r)
				took[i] = time.Since(from)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[n/2].Nanoseconds())/1e3, "p50-us")
			b.ReportMetric(float64(took[n*99/100].Nanoseconds())/1e3, "p99-us")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// Who sees only some customers sees the links of those whose customers they see, and
// what they make is theirs.
func TestASalespersonSeesTheirOwnLinks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine := w.make(Input{Title: "mine", Target: "https://a.example", Owner: "us_1"})
		other := w.make(Input{Title: "nobody's", Target: "https://a.example"})
		me := auth.With(w.ctx, &auth.Principal{ID: "us_1", Name: "我", Scope: auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, "us_1")})
		items, _, total, err := w.List(me, "", "", "", listPlace{}, 10)
		require.NoError(t, err)
		require.EqualValues(t, 1, total)
		require.Equal(t, mine.Code, items[0].Code)
		_, err = w.Get(me, other.Code)
		require.ErrorIs(t, err, errNone)
		made, err := w.Create(me, Input{Title: "new", Target: "https://a.example"})
		require.NoError(t, err)
		require.Equal(t, "us_1", made[0].Owner.ID)
		_, err = w.Get(me, made[0].Code)
		require.NoError(t, err)
		_, _, total, err = w.List(w.ctx, "", "", "", listPlace{}, 10)
		require.NoError(t, err)
		require.EqualValues(t, 3, total)
	})
}
