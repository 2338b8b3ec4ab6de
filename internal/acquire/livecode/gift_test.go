package livecode

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func (p *pond) withheld() (out []string) {
	for _, f := range p.in.facts {
		if f.Name == event.NameGiftWithheld {
			out = append(out, string(f.Properties))
		}
	}
	return out
}

func TestAGiftIsGivenOnceWhicheverCodesCarryIt(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		d := plain()
		d.Hook = &Hook{Name: "新人礼", Text: "礼券"}
		a, b := p.make(d), p.make(d)
		d.Hook = &Hook{Name: "试用装", Text: "试用"}
		other := p.make(d)

		p.out.refuse["welcome"] = []error{&Refusal{Code: 41051}}
		p.welcome(p.scanOf(a, "li", "wm1"))
		first := p.scanOf(b, "wang", "wm1")
		p.welcome(first)
		require.Contains(t, p.text(first), "礼券", "what did not arrive by one code is theirs by the other")
		require.Empty(t, p.withheld())

		second := p.scanOf(a, "wang", "wm1")
		p.welcome(second)
		require.NotContains(t, p.text(second), "礼券")
		require.Len(t, p.withheld(), 1)
		require.Contains(t, p.withheld()[0], `"before":"`+b.ID+`"`)
		require.Contains(t, p.withheld()[0], `"code":"`+a.ID+`"`)
		third := p.scanOf(other, "wang", "wm1")
		p.welcome(third)
		require.Contains(t, p.text(third), "试用", "another gift is another matter")

		// What was given while gifts were told by code counts.
		_, err := p.DB.Exec(p.ctx, "insert into livecode_hooks (code, person, welcome, given, at) values ($1, 'wm9', 'old', 1, 5)", a.ID)
		require.NoError(t, err)
		old := p.scanOf(b, "wang", "wm9")
		p.welcome(old)
		require.NotContains(t, p.text(old), "礼券")
		require.Len(t, p.withheld(), 2)
	})
}

func TestTwoNodesGiveAGiftOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		d := plain()
		d.Hook = &Hook{Name: "新人礼", Text: "礼券"}
		codes := []*Code{p.make(d), p.make(d)}
		deps := p.Deps
		deps.Node = "another"
		node := NewService(deps)
		require.NoError(t, node.fresh(p.ctx))
		const people = 30
		var scans [2][]Scan
		for i := range people {
			for k := range codes {
				scans[k] = append(scans[k], p.scanOf(codes[k], "wang", fmt.Sprint("wm", i)))
			}
		}
		errs := make([]error, 2*people)
		start := make(chan struct{})
		var all sync.WaitGroup
		for k, s := range []*Service{p.Service, node} {
			for i, in := range scans[k] {
				all.Go(func() {
					<-start
					errs[k*people+i] = s.Welcome(p.ctx, in)
				})
			}
		}
		close(start)
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		for i := range people {
			got := 0
			for k := range codes {
				got += strings.Count(p.out.got[scans[k][i].WelcomeCode].Text, "礼券")
			}
			require.Equal(t, 1, got, "person %d", i)
		}
		require.Len(t, p.withheld(), people, "each is told once why")
	})
}
