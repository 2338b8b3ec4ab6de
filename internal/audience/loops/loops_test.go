package loops

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

type list []Node

func (l list) Rests(context.Context) ([]Node, error) { return l, nil }

func TestRefuse(t *testing.T) {
	f := New()
	f.Add(list{{Segment("a"), "A", []string{Machine("pools"), Tag("t")}}, {Segment("b"), "B", []string{Segment("a")}}})
	f.Add(list{{Tag("t"), "T", []string{Segment("c")}}, {Machine("pools"), "Pools", nil}})
	for name, c := range map[string]struct {
		node Node
		way  string
	}{
		"nothing":           {Node{Machine("pools"), "Pools", nil}, ""},
		"no way back":       {Node{Machine("lifecycle"), "Stages", []string{Segment("b")}}, ""},
		"on itself":         {Node{Tag("t"), "T", []string{Tag("t")}}, "T → T"},
		"by way of one":     {Node{Machine("pools"), "Pools", []string{Segment("a")}}, "Pools → A → Pools"},
		"by way of two":     {Node{Machine("pools"), "Pools", []string{Segment("b")}}, "Pools → B → A → Pools"},
		"the shortest":      {Node{Machine("pools"), "Pools", []string{Segment("b"), Segment("a")}}, "Pools → A → Pools"},
		"what is new":       {Node{Segment("c"), "C", []string{Segment("b")}}, "C → B → A → T → C"},
		"what is gone":      {Node{Segment("x"), "X", []string{Segment("gone")}}, ""},
		"as it will be now": {Node{Segment("a"), "A", []string{Tag("u")}}, ""},
	} {
		err := f.Refuse(t.Context(), "rule", c.node)
		if c.way == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, "audience.circle", errs.As(err).Fields[0].Code, name)
		require.Equal(t, "rule", errs.As(err).Fields[0].Path)
		require.Equal(t, c.way, errs.As(err).Fields[0].Params["path"], name)
	}
}

func TestOn(t *testing.T) {
	read := func(text string) *rule.Rule {
		r, err := rule.Parse(text, "rule")
		require.NoError(t, err)
		return r
	}
	got := On(nil, &rule.Rule{V: 1}, read(`{"v":1,"any":[{"field":"city","op":"in","value":["x"]},{"none":[{"field":"segment","op":"in","value":["s1","s2"]}]},
		{"field":"tag","op":"hasAnyOf","value":["t1"]},{"field":"tagWeight","key":"t2","op":"gte","value":2}]}`),
		read(`{"v":1,"all":[{"field":"stageSince","op":"within","value":3},{"field":"poolHand","op":"in","value":["hand"]},{"field":"segment","op":"notIn","value":["s1"]}]}`))
	require.Equal(t, "segment:s1 segment:s2 tag:t1 tag:t2 machine:lifecycle machine:pools", strings.Join(got, " "))
}
