package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// titled is a dictionary that knows some names.
type titled struct{}

func (titled) Titles(_ context.Context, names []string) (map[string]string, error) {
	all, out := map[string]string{"order.paid": "支付订单", "page.viewed": "浏览页面", "signed": "签到"}, map[string]string{}
	for _, n := range names {
		if t := all[n]; t != "" {
			out[n] = t
		}
	}
	return out, nil
}

func (titled) PropertyTitles(context.Context, []string) (map[string]map[string]string, error) {
	return map[string]map[string]string{"": {"method": "支付方式"}, "order.paid": {"paid": "实付金额"}}, nil
}

// said gives what POST /api/rules/check says to a rule in a language.
func (s *served) said(lang, text string) (sentence string, fault *RuleFault) {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/rules/check", strings.NewReader(`{"rule":`+text+`}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Role", "admin")
	r.Header.Set("Accept-Language", lang)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	require.Equal(s.t, http.StatusOK, w.Code, w.Body.String())
	var out struct {
		OK       bool
		Sentence string
		Fault    *RuleFault
	}
	require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Equal(s.t, out.OK, out.Fault == nil)
	return out.Sentence, out.Fault
}

// speaking is a pond that says rules about attributes, tags and events.
func speaking(t *testing.T, p *pond) (s *served, tag string) {
	p.Behaviours, p.Titles, p.Staff = &memory{}, titled{}, desks{}
	made, err := p.EnsureTag(p.ctx, "意向", "强")
	require.NoError(t, err)
	for _, d := range []attribute.Definition{
		{Key: "level", NameZh: "会员等级", NameEn: "Level", Type: attribute.Enum, Indexed: true, Options: []attribute.Option{{ID: "gold", Label: "金卡"}}},
		{Key: "budget", NameZh: "预算", NameEn: "Budget", Type: attribute.Money, Indexed: true},
	} {
		_, err := p.CreateAttribute(p.ctx, d)
		require.NoError(t, err)
	}
	return serve(t, p), made.ID
}

// The sentences of rules stand in a file, to be read by people: a rule, then how
// it is said in Chinese and in English. KOIPOND_UPDATE=1 writes them anew.
func TestSentencesOfRules(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	s, tag := speaking(t, p)
	file := filepath.Join("testdata", "sentences.txt")
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	var fresh strings.Builder
	trees := 0
	for block := range strings.SplitSeq(strings.TrimSpace(string(kept)), "\n\n") {
		text, _, _ := strings.Cut(block, "\n")
		ask := strings.ReplaceAll(text, "TAG", tag)
		zh, fault := s.said("zh-CN", ask)
		require.Nil(t, fault, text)
		en, _ := s.said("en", ask)
		fmt.Fprintf(&fresh, "%s\n%s\n%s\n\n", text, zh, en)
		trees++
	}
	require.GreaterOrEqual(t, trees, 60)
	if os.Getenv("KOIPOND_UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(strings.TrimSpace(fresh.String())+"\n"), 0o644))
	}
	require.Equal(t, strings.TrimSpace(string(kept)), strings.TrimSpace(fresh.String()))
}

// Whatever the language can say of behaviour has words in both languages.
func TestEveryConditionOnBehaviourHasWords(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	s, _ := speaking(t, p)
	windows := []*rule.Window{nil, {From: "2026-01-01"}, {To: "2026-01-31"}, {From: "2026-01-01", To: "2026-01-31"}, {From: "2026-01-01", To: "2026-01-01"}}
	for _, unit := range []string{"minute", "hour", "day", "week", "month"} {
		windows = append(windows, &rule.Window{Last: 1, Unit: unit}, &rule.Window{Last: 2, Unit: unit})
	}
	values := map[string]any{"between": []any{1.0, 2.0}, "in": []any{"a", 2.0}, "notIn": []any{"a"}, "contains": "a", "notContains": "a", "startsWith": "a", "set": nil, "notSet": nil}
	value := func(op string) any {
		if v, ok := values[op]; ok {
			return v
		}
		return 3.0
	}
	numbers := []string{"gte", "gt", "lte", "lt", "is", "isNot", "between"}
	texts := append([]string{"in", "notIn", "contains", "notContains", "startsWith"}, numbers...)
	var all []rule.Behaviour
	for _, w := range windows {
		for _, op := range numbers {
			all = append(all, rule.Behaviour{Event: &rule.Event{Name: "signed", Within: w, Op: op, Value: value(op)}})
			for _, m := range []string{"sum", "avg", "min", "max", "distinct"} {
				all = append(all, rule.Behaviour{Event: &rule.Event{Name: "signed", Within: w, Measure: m, Property: "n", Op: op, Value: value(op)}})
			}
		}
		for _, op := range texts {
			for _, m := range []string{"first", "last"} {
				all = append(all, rule.Behaviour{Event: &rule.Event{Name: "signed", Within: w, Measure: m, Property: "n", Op: op, Value: value(op)}})
			}
		}
		all = append(all, rule.Behaviour{Event: &rule.Event{Name: "signed", Within: w, Op: "is", Value: 0.0}}, rule.Behaviour{Event: &rule.Event{Name: "signed", Within: w}},
			rule.Behaviour{Sequence: &rule.Sequence{Within: w, Steps: []rule.Step{{Name: "a"}, {Name: "b"}}}})
		if w != nil {
			all = append(all, rule.Behaviour{Event: &rule.Event{Name: "signed", Within: w, Measure: "firstTime"}})
		}
	}
	for _, op := range append([]string{"set", "notSet"}, texts...) {
		w := []rule.Where{{Property: "n", Op: op, Value: value(op)}}
		all = append(all, rule.Behaviour{Event: &rule.Event{Name: "signed", Where: w}}, rule.Behaviour{Sequence: &rule.Sequence{Steps: []rule.Step{{Name: "a", Where: w}, {Name: "b"}}}})
	}
	for _, unit := range []string{"minute", "hour", "day", "week"} {
		for n := 1; n <= 2; n++ {
			all = append(all, rule.Behaviour{Sequence: &rule.Sequence{Gap: &rule.Span{N: n, Unit: unit}, Steps: []rule.Step{{Name: "a"}, {Name: "b"}}}})
		}
	}
	for _, unit := range []string{"day", "week", "month"} {
		all = append(all, rule.Behaviour{Habit: &rule.Habit{Kind: "regularly", Name: "signed", Unit: unit, Periods: 4, AtLeast: 2}})
	}
	for _, n := range []int{1, 30} {
		all = append(all, rule.Behaviour{Habit: &rule.Habit{Kind: "stopped", Name: "signed", Active: n, Quiet: n, Times: n - 1}}, rule.Behaviour{Habit: &rule.Habit{Kind: "resumed", Name: "signed", Active: n, Quiet: n}})
	}
	require.Greater(t, len(all), 900)
	for _, b := range all {
		text := string((&rule.Rule{V: 1, Node: rule.Node{Behaviour: b}}).JSON())
		for _, lang := range []string{"zh-CN", "en"} {
			said, fault := s.said(lang, text)
			require.Nil(t, fault, text)
			require.NotContains(t, said, "rule.", text)
			require.NotContains(t, said, "{", text)
			require.NotContains(t, said, "  ", text)
			require.Equal(t, strings.TrimSpace(said), said, text)
			require.False(t, lang == "en" && strings.ContainsAny(said, "，。的「"), said)
		}
	}
}
