package reply

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// outside is everything around the service. Its account speaks for a tea shop.
type outside struct {
	mu     sync.Mutex
	facts  map[string]event.Fact
	tags   []string
	made   int
	refuse error
	table  [][]string
}

func (o *outside) Accounts(context.Context) ([]Account, error) {
	return []Account{{"ac_1", "山月茶集", "wechat"}, {"ac_2", "山月会员", "wechat"}, {"ac_3", "山月客服", Talk}}, nil
}

func (o *outside) Media(_ context.Context, account, name string, r io.Reader) (string, time.Time, error) {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return "", time.Time{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	return fmt.Sprint("media-", account, "-", name), testkit.Clock().Now().Add(72 * time.Hour), o.refuse
}

func (o *outside) IsPicture(_ context.Context, id string) (bool, error) { return id == "lm_1", nil }

func (o *outside) OpenPicture(_ context.Context, id string) (string, io.ReadCloser, error) {
	return id + ".png", io.NopCloser(strings.NewReader("picture")), nil
}

func (o *outside) KnownTags(_ context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		if strings.HasPrefix(id, "tg_") {
			out = append(out, id)
		}
	}
	return out, nil
}

func (o *outside) GiveTags(_ context.Context, nums []int64, tags []string, rule, _ string) error {
	o.tags = append(o.tags, fmt.Sprint(nums, tags))
	return nil
}

func (o *outside) Hold(context.Context) error { return nil }

func (o *outside) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range facts {
		o.facts[f.MessageID] = f // the stream counts a fact once
	}
	return 1, nil
}

func (o *outside) Time(context.Context, string) (int64, bool) { return 0, false }

func (o *outside) OpenTable(context.Context, string) (*contact.Table, error) {
	line := 0
	return &contact.Table{Columns: o.table[0], Close: func() error { return nil }, Next: func() (int64, []string, error) {
		if line++; line >= len(o.table) {
			return 0, nil, io.EOF
		}
		return int64(line) + 1, o.table[line], nil
	}}, nil
}

// shop is the service with all of that around it. Its clock shows Monday, 16:00 in
// China.
type shop struct {
	*Service
	t     testing.TB
	ctx   context.Context
	clock *clock.Fake
	out   *outside
	audit *audit.Service
	n     int
}

func newShop(t testing.TB, d *db.DB) *shop {
	s := &shop{t: t, clock: testkit.Clock(), ctx: testkit.As(t.Context(), "admin"), out: &outside{facts: map[string]event.Fact{}}}
	var err error
	s.audit, err = audit.New(audit.Deps{DB: d, Clock: s.clock, Log: testkit.Quiet(), Key: make([]byte, 32)})
	require.NoError(t, err)
	s.Service = s.node(d)
	return s
}

// node is the service as it runs on one node of a database.
func (s *shop) node(d *db.DB) *Service {
	return NewService(Deps{DB: d, Clock: s.clock, IDs: testkit.IDs(s.clock), Log: testkit.Quiet(), Keys: testkit.Ring(), Audit: s.audit, Ingest: s.out, Platform: s.out, Files: s.out,
		Tags: s.out, People: s.out, Tables: s.out})
}

func each(t *testing.T, fn func(t *testing.T, s *shop)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newShop(t, d)) }, audit.Migrations(), Migrations())
}

func says(kind, text string, words ...Word) Definition {
	return Definition{Account: "ac_1", Name: text, Kind: kind, Words: words, Contents: []Content{{Kind: PartText, Text: text}}}
}

func (s *shop) make(d Definition) *Rule {
	s.t.Helper()
	r, err := s.Create(s.ctx, d)
	require.NoError(s.t, err)
	return r
}

// ask is a message of a person just now.
func (s *shop) ask(person, text string) Ask {
	s.n++
	return Ask{Key: fmt.Sprint("cb-", s.n), Account: "ac_1", Person: person, Kind: AskMessage, Text: text, At: s.clock.Now()}
}

// said is the passive answer, "" for none.
func (s *shop) said(a Ask) string {
	if m := s.Passive(s.ctx, a); m != nil {
		return m.Text
	}
	return ""
}

// work does what follows a callback, and gives what was sent.
func (s *shop) work(a Ask) (sent []string) {
	s.t.Helper()
	require.NoError(s.t, s.Work(s.ctx, a, s.clock.Now(), true, []event.Identifier{{Kind: "openid", Value: a.Person}}, func(_ context.Context, key string, m Message) (Sent, error) {
		sent = append(sent, key+" "+m.Kind+" "+m.Text+m.Media+m.Title)
		return Sent{}, nil
	}))
	return sent
}

// follow hands the stated facts over, as the pipeline does.
func (s *shop) follow() {
	s.t.Helper()
	var list []event.Stored
	for _, f := range s.out.facts {
		list = append(list, event.Stored{Fact: f, ContactKind: event.Person})
	}
	for i := range list {
		list[i].Contact = int64(len(list[i].Identifiers[0].Value)) // as good a number as any
	}
	slices.SortFunc(list, func(a, b event.Stored) int { return strings.Compare(a.MessageID, b.MessageID) })
	require.NoError(s.t, s.DB.Tx(s.ctx, func(ctx context.Context) error { return s.Handle(ctx, list) }))
}

// refusal is the code of the field at fault, or of the error.
func refusal(err error) string {
	e := errs.As(err)
	if e == nil {
		return ""
	}
	if len(e.Fields) > 0 {
		return e.Fields[0].Path + " " + e.Fields[0].Code
	}
	return e.Code
}
