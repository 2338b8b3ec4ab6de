package acquire

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/testkit"
)

type audited struct{ actions []string }

func (a *audited) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	a.actions = append(a.actions, action)
	return nil
}

type people struct{}

func (people) Names(_ context.Context, ids []string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		if strings.HasPrefix(id, "us_") {
			out[id] = "王芳"
		}
	}
	return out
}

// files is one uploaded file, written as lines.
type files struct{ lines []string }

func (f files) OpenTable(_ context.Context, id string) (*contact.Table, error) {
	if id != "up_1" {
		return nil, errs.New(errs.NotFound, "import.no_such_file")
	}
	at := 0
	return &contact.Table{Name: "costs.csv", Columns: strings.Split(f.lines[0], "|"), Close: func() error { return nil }, Next: func() (int64, []string, error) {
		if at++; at >= len(f.lines) {
			return 0, nil, io.EOF
		}
		if f.lines[at] == "!" {
			return int64(at + 1), nil, nil
		}
		return int64(at + 1), strings.Split(f.lines[at], "|"), nil
	}}, nil
}

func (files) Time(_ context.Context, text string) (int64, bool) {
	t, err := time.ParseInLocation("2006-01-02", text, time.FixedZone("", 8*3600))
	return t.UnixMilli(), err == nil
}

type world struct {
	*Service
	ctx   context.Context
	audit *audited
	moved int
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := &world{ctx: t.Context(), audit: &audited{}}
		now := clock.NewFake(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC))
		w.Service = NewService(Deps{DB: d, Clock: now, IDs: id.NewSource(now.Now, nil), Log: testkit.Logger(t), Audit: w.audit, People: people{},
			Currency: func(context.Context) (string, error) { return "CNY", nil }, Changed: func() { w.moved++ },
			Amount: func(text, _ string) (int64, bool) {
				var f float64
				_, err := fmt.Sscanf(strings.ReplaceAll(text, ",", ""), "%f", &f)
				return int64(f*100 + .5), err == nil
			}})
		require.NoError(t, w.Start(w.ctx))
		t.Cleanup(func() { require.NoError(t, w.Stop(context.Background())) })
		fn(t, w)
	}, Migrations())
}

// fault is the field and the code of a refusal: "name request.field_required".
func fault(t *testing.T, err error) string {
	t.Helper()
	require.Error(t, err)
	e := errs.As(err)
	if len(e.Fields) == 0 {
		return e.Code
	}
	return e.Fields[0].Path + " " + e.Fields[0].Code
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		fits           bool
	}{
		{"", "", true}, {"", "x", true}, {"x", "", false}, {"x", "x", true}, {"x", "xy", false}, {"x*", "xy", true}, {"*y", "xy", true}, {"*", "", false},
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "abcd", false}, {"a*b*c", "aXbYc", true}, {"a*b*c", "abc", true}, {"a*b*c", "acb", false},
		{"*b*", "abc", true}, {"ab*ba", "aba", false}, {"ab*ba", "abba", true}, {"双十一*", "双十一_视频", true},
	} {
		require.Equal(t, c.fits, like(c.pattern, c.value), "%q %q", c.pattern, c.value)
	}
	require.True(t, host("baidu.com", "www.baidu.com"))
	require.False(t, host("baidu.com", "notbaidu.com"))
}

func FuzzLike(f *testing.F) {
	f.Add("a*b", "axb")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if len(pattern) > 60 || len(value) > 200 {
			return
		}
		require.Equal(t, slow(pattern, value), like(pattern, value))
	})
}

// slow is what like means, one sign at a time.
func slow(pattern, value string) bool {
	if pattern == "" || value == "" {
		return pattern == ""
	}
	can := make([]bool, len(value)+1)
	can[0] = true
	for _, p := range []byte(pattern) {
		next := make([]bool, len(value)+1)
		for i := range can {
			switch {
			case p == '*':
				next[i] = can[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = can[i-1] && value[i-1] == p
			}
		}
		can = next
	}
	return can[len(value)]
}

// Whatever lies in the table, every channel is in the tree once.
func TestBrokenLinesHideNothing(t *testing.T) {
	tr := grow(1, []*node{{id: "a", parent: "b"}, {id: "b", parent: "a"}, {id: "c", parent: "gone"}, {id: "d", parent: "d"}, {id: "e", parent: "c"}}, nil)
	slices.Sort(tr.order)
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, tr.order)
	require.Equal(t, []string{"c", "e"}, tr.nodes["c"].below)
}

func TestTheTreeIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		all := w.Channels(w.ctx)
		require.Len(t, all, len(contact.Channels()))
		require.Equal(t, contact.PaidSearch, all[0].ID)
		require.True(t, all[len(all)-1].Anchored)

		baidu, err := w.Create(w.ctx, ChannelInput{Name: " 百度  品牌 ", Parent: contact.PaidSearch, Owner: "us_1"})
		require.NoError(t, err)
		require.Equal(t, "百度 品牌", baidu.Name)
		require.Equal(t, "王芳", baidu.Owner.Name)
		below, err := w.Create(w.ctx, ChannelInput{Name: "移动", Parent: baidu.ID})
		require.NoError(t, err)
		require.Equal(t, []string{contact.PaidSearch, baidu.ID, below.ID}, w.Path(below.ID))
		require.Equal(t, []string{contact.PaidSearch, baidu.ID, below.ID}, w.Below(contact.PaidSearch))
		require.Equal(t, contact.PaidSearch, w.Top(below.ID))
		require.Equal(t, contact.Unknown, w.Top("nothing"))

		for field, in := range map[string]ChannelInput{
			"name request.field_required":    {},
			"name request.too_long":          {Name: strings.Repeat("长", maxName+1)},
			"name acquire.name_slash":        {Name: "a / b"},
			"name acquire.name_taken":        {Name: "百度 品牌", Parent: contact.PaidSearch},
			"parent acquire.no_such_channel": {Name: "x", Parent: "ch_gone"},
			"parent acquire.parent_unknown":  {Name: "x", Parent: contact.Unknown},
			"owner user.not_found":           {Name: "x", Owner: "nobody"},
		} {
			_, err := w.Create(w.ctx, in)
			require.Equal(t, field, fault(t, err))
		}
		_, err = w.Update(w.ctx, baidu.ID, ChannelInput{Name: "百度", Parent: below.ID})
		require.Equal(t, "parent acquire.parent_below", fault(t, err))
		_, err = w.Update(w.ctx, contact.Direct, ChannelInput{Archived: true})
		require.Equal(t, "archived acquire.anchored", fault(t, err))
		_, err = w.Update(w.ctx, "ch_gone", ChannelInput{Name: "x"})
		require.Equal(t, "acquire.no_such_channel", fault(t, err))

		require.Zero(t, w.moved, "a new channel means nobody else")
		moved, err := w.Update(w.ctx, baidu.ID, ChannelInput{Name: "百度", Parent: contact.FeedAds})
		require.NoError(t, err)
		require.Equal(t, contact.FeedAds, moved.Parent)
		require.Equal(t, contact.FeedAds, w.Top(below.ID), "those below come along")
		require.Equal(t, 1, w.moved)

		_, err = w.Update(w.ctx, baidu.ID, ChannelInput{Name: "百度", Parent: contact.FeedAds, Archived: true})
		require.NoError(t, err)
		require.False(t, w.Open(below.ID), "those below are archived, too")
		require.True(t, w.Known(below.ID), "but what names them is still understood")
		require.NotContains(t, w.Offered(), baidu.ID)
		_, err = w.Update(w.ctx, below.ID, ChannelInput{Name: "移动", Parent: baidu.ID})
		require.Equal(t, "parent acquire.parent_archived", fault(t, err))
		require.Equal(t, []string{"channel.created", "channel.created", "channel.updated", "channel.archived"}, w.audit.actions)

		deep := contact.Social
		for i := 1; i < maxDepth; i++ {
			c, err := w.Create(w.ctx, ChannelInput{Name: fmt.Sprint(i), Parent: deep})
			require.NoError(t, err)
			deep = c.ID
		}
		_, err = w.Create(w.ctx, ChannelInput{Name: "too deep", Parent: deep})
		require.Equal(t, "parent acquire.too_deep", fault(t, err))

		other := NewService(w.Deps) // another node
		require.NoError(t, other.follow(w.ctx))
		require.True(t, other.Known(below.ID))
	})
}

func TestRulesPlaceFacts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, err := w.Create(w.ctx, ChannelInput{Name: "小红书达人", Parent: contact.Partner})
		require.NoError(t, err)
		require.Equal(t, c.ID, w.Place(&contact.Clue{Source: "小红书达人"}), "a source called like a channel")
		require.Empty(t, w.Place(&contact.Clue{Source: "xhs"}))
		kept, err := w.SetRules(w.ctx, []Rule{{Channel: c.ID, Source: "XHS", Campaign: "kol_*"}, {Channel: contact.Media, Referrer: "Example.com"}, {Channel: contact.Offline, Code: "lc_1"}})
		require.NoError(t, err)
		require.Len(t, kept, 3)
		require.Equal(t, c.ID, w.Place(&contact.Clue{Source: "xhs", Campaign: "KOL_3"}))
		require.Empty(t, w.Place(&contact.Clue{Source: "xhs", Campaign: "other"}))
		require.Equal(t, contact.Media, w.Place(&contact.Clue{Referrer: "m.example.com"}))
		require.Equal(t, contact.Offline, w.Place(&contact.Clue{Code: "lc_1"}))
		for want, r := range map[string]Rule{
			"rules[0].channel acquire.no_such_channel": {Channel: "ch_gone", Source: "x"},
			"rules[0].source acquire.rule_empty":       {Channel: c.ID},
			"rules[0].medium acquire.rule_matches_all": {Channel: c.ID, Medium: "**"},
			"rules[0].source request.too_long":         {Channel: c.ID, Source: strings.Repeat("x", maxPattern+1)},
		} {
			_, err := w.SetRules(w.ctx, []Rule{r})
			require.Equal(t, want, fault(t, err))
		}
		got, err := w.Rules(w.ctx)
		require.NoError(t, err)
		require.Equal(t, kept, got, "a refused change changes nothing")

		tried, err := w.Try(w.ctx, []Rule{{Channel: contact.Social, Source: "wb"}}, contact.Clue{Source: "WB"})
		require.NoError(t, err)
		require.Equal(t, Tried{Channel: contact.Social, Path: []string{"Social media"}, By: "rule", Rule: 1}, english(tried))
		tried, err = w.Try(w.ctx, nil, contact.Clue{Source: "baidu", Medium: "cpc"})
		require.NoError(t, err)
		require.Equal(t, "words", tried.By)
		require.Equal(t, contact.PaidSearch, tried.Channel)
		tried, err = w.Try(w.ctx, nil, contact.Clue{})
		require.NoError(t, err)
		require.Equal(t, Tried{By: "none"}, tried)
	})
}

// english leaves the words of the catalogue out of the comparison.
func english(t Tried) Tried {
	if t.Path != nil {
		t.Path = []string{"Social media"}
	}
	return t
}

func TestCosts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cells := []Cost{{contact.Social, "2026-03-01", 1000}, {contact.Social, "2026-03-02", 2000}, {contact.Media, "2026-03-01", 50}}
		require.NoError(t, w.SetCosts(w.ctx, "", cells))
		require.NoError(t, w.SetCosts(w.ctx, "usd", []Cost{{contact.Social, "2026-03-01", 7}}))
		got, err := w.Costs(w.ctx, "2026-03-01", "2026-03-02", "")
		require.NoError(t, err)
		require.Equal(t, Costs{Currency: "CNY", Currencies: []string{"CNY", "USD"}, Items: []Cost{cells[2], cells[0], cells[1]}}, got)
		require.NoError(t, w.SetCosts(w.ctx, "CNY", []Cost{{contact.Social, "2026-03-01", 0}}), "0 takes it away")
		by, days, err := w.CostsBy(w.ctx, "2026-03-01", "2026-03-31", "CNY")
		require.NoError(t, err)
		require.Equal(t, map[string]int64{contact.Social: 2000, contact.Media: 50}, by)
		require.EqualValues(t, 50, days[contact.Media]["2026-03-01"])

		for want, c := range map[string]Cost{
			"cells[0].channel acquire.no_such_channel": {"ch_gone", "2026-03-01", 1},
			"cells[0].day request.not_a_date":          {contact.Social, "2026-02-30", 1},
			"cells[0].day acquire.day_out_of_range":    {contact.Social, "2036-03-01", 1},
			"cells[0].amount acquire.bad_amount":       {contact.Social, "2026-03-01", -1},
		} {
			require.Equal(t, want, fault(t, w.SetCosts(w.ctx, "", []Cost{c})))
		}
		require.Equal(t, "cells[1].day acquire.cell_twice", fault(t, w.SetCosts(w.ctx, "", []Cost{{contact.Social, "2026-03-01", 1}, {contact.Social, "2026-03-01", 2}})))
		require.Equal(t, "currency acquire.bad_currency", fault(t, w.SetCosts(w.ctx, "RMB!", nil)))
		_, err = w.Costs(w.ctx, "2026-03-02", "2026-03-01", "")
		require.Equal(t, "to request.bad_period", fault(t, err))
		_, err = w.Costs(w.ctx, "2025-01-01", "2026-03-01", "")
		require.Equal(t, "to acquire.too_many_days", fault(t, err))
	})
}

func TestASumIsSharedOutToTheLastCent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cells, err := w.SpreadCost(w.ctx, Spread{Channel: contact.Media, From: "2026-02-27", To: "2026-03-01", Amount: 1000})
		require.NoError(t, err)
		require.Equal(t, []Cost{{contact.Media, "2026-02-27", 334}, {contact.Media, "2026-02-28", 333}, {contact.Media, "2026-03-01", 333}}, cells)
		_, err = w.SpreadCost(w.ctx, Spread{Channel: contact.Media, From: "2026-03-01", To: "2026-03-02", Amount: 3, Add: true})
		require.NoError(t, err)
		by, days, err := w.CostsBy(w.ctx, "2026-01-01", "2026-12-31", "CNY")
		require.NoError(t, err)
		require.EqualValues(t, 1003, by[contact.Media])
		require.EqualValues(t, 335, days[contact.Media]["2026-03-01"])
		_, err = w.SpreadCost(w.ctx, Spread{Channel: "ch_gone", From: "2026-03-01", To: "2026-03-02", Amount: 3})
		require.Equal(t, "channel acquire.no_such_channel", fault(t, err))
	})
}

func TestAFileOfCosts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, err := w.Create(w.ctx, ChannelInput{Name: "朋友圈", Parent: contact.FeedAds})
		require.NoError(t, err)
		_, err = w.Create(w.ctx, ChannelInput{Name: "双", Parent: contact.FeedAds})
		require.NoError(t, err)
		_, err = w.Create(w.ctx, ChannelInput{Name: "双", Parent: contact.Media})
		require.NoError(t, err)
		w.Tables = files{[]string{"日期|渠道|花费|备注",
			"2026-03-01|朋友圈|10.5|a", "2026-03-01|朋友圈|1,000|b", "2026-03-02|social|3|", "x|social|3|", "2026-03-02|nobody|3|", "2026-03-02|social|-3|", "!", "2026-03-02|双|1|"}}
		dry, err := w.ImportCosts(w.ctx, CostFile{UploadID: "up_1", DryRun: true})
		require.NoError(t, err)
		require.EqualValues(t, 8, dry.Rows)
		require.Equal(t, 2, dry.Cells)
		require.Equal(t, []Sum{{"CNY", 101350}}, dry.Sums)
		var why []string
		for _, r := range dry.Rejects {
			why = append(why, fmt.Sprintf("%d %s %s", r.Line, r.Text, r.Code))
		}
		require.Equal(t, []string{"5 x acquire.row_bad_day", "6 nobody acquire.row_no_channel", "7 -3 acquire.row_bad_amount", "8  acquire.row_unreadable", "9 双 acquire.row_no_channel"}, why)
		by, _, err := w.CostsBy(w.ctx, "2026-01-01", "2026-12-31", "CNY")
		require.NoError(t, err)
		require.Empty(t, by, "a dry run writes nothing")

		for range 2 { // the same file twice does no harm
			done, err := w.ImportCosts(w.ctx, CostFile{UploadID: "up_1"})
			require.NoError(t, err)
			require.True(t, done.Done)
			require.Zero(t, done.Replaced)
			by, _, err = w.CostsBy(w.ctx, "2026-01-01", "2026-12-31", "CNY")
			require.NoError(t, err)
			require.Equal(t, map[string]int64{c.ID: 101050, contact.Social: 300}, by)
		}
		w.Tables = files{[]string{"when|who|how much", "2026-03-01|social|1"}}
		dry, err = w.ImportCosts(w.ctx, CostFile{UploadID: "up_1", DryRun: true})
		require.NoError(t, err)
		require.Equal(t, []string{"dayColumn", "channelColumn", "amountColumn"}, dry.Missing)
		_, err = w.ImportCosts(w.ctx, CostFile{UploadID: "up_1"})
		require.Equal(t, "dayColumn acquire.column_not_guessed", fault(t, err))
		_, err = w.ImportCosts(w.ctx, CostFile{UploadID: "up_1", DayColumn: "nope"})
		require.Equal(t, "dayColumn contact.no_such_column", fault(t, err))
	})
}
