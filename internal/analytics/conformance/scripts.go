package conformance

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/rule"
)

// Scripts plays the text files of a folder that pin what conditions on behaviour
// mean, on rule.Holds and on the engine: for all at once and for each by itself.
// Together they must use every operator, measure, unit and habit there is.
//
// A script is read line by line; what follows # on a line of its own is a
// remark, and indented lines belong to the one before them:
//
//	zone Asia/Shanghai             times without a zone are read in it, and days are its days
//	people 甲 乙                    who is there, in addition to those who did something
//	load                           facts, one message: who, event, time, properties
//	  甲 order.paid 2026-03-01T00:00 {"total":12.5}
//	merge 甲 into 乙                their facts are one contact's, who is called 乙
//	split 甲                        and no more
//	erase 乙
//	at 2026-03-31T12:00            what time it is
//	expect {"event":{…}}           a rule on behaviour, also a tree of them, and whom it holds for
//	  甲 乙                        or nobody
func Scripts(t *testing.T, e Engine, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	used := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			s := &script{t: t, s: e.Open(t), m: NewModel(), zone: time.UTC, numbers: map[string]int64{}, used: used}
			s.run(string(text))
			require.Positive(t, s.expected, "a script expects something")
		})
	}
	for _, what := range []string{
		"op is", "op isNot", "op in", "op notIn", "op contains", "op notContains", "op startsWith", "op gt", "op gte", "op lt", "op lte", "op between", "op set", "op notSet",
		"measure count", "measure sum", "measure avg", "measure min", "measure max", "measure distinct", "measure first", "measure last", "measure firstTime",
		"unit minute", "unit hour", "unit day", "unit week", "unit month", "from", "to", "sequence", "gap minute", "gap hour", "gap day", "gap week",
		"habit regularly day", "habit regularly week", "habit regularly month", "habit stopped ", "habit resumed ",
	} {
		require.True(t, used[what], "no script has %s", what)
	}
}

type script struct {
	t        *testing.T
	s        analytics.Store
	m        *Model
	zone     *time.Location
	now      time.Time
	seq      uint64
	numbers  map[string]int64
	used     map[string]bool
	expected int
	at       string // the line being run, for messages
}

func (s *script) run(text string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		s.at = fmt.Sprintf("line %d: %s", i+1, line)
		var block []string
		for i++; i < len(lines) && (strings.HasPrefix(lines[i], " ") || strings.HasPrefix(lines[i], "\t")); i++ {
			block = append(block, strings.TrimSpace(lines[i]))
		}
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		s.line(word, strings.TrimSpace(rest), block)
	}
}

func (s *script) line(word, rest string, block []string) {
	switch word {
	case "zone":
		loc, err := time.LoadLocation(rest)
		require.NoError(s.t, err, s.at)
		s.zone = loc
	case "people":
		for _, name := range strings.Fields(rest) {
			s.number(name)
		}
	case "load":
		s.load(block)
	case "merge":
		from, into, ok := strings.Cut(rest, " into ")
		require.True(s.t, ok, s.at)
		s.append(analytics.Batch{Rekeys: []event.Rekey{{From: s.number(from), Into: s.number(into)}}})
	case "split":
		s.append(analytics.Batch{Rekeys: []event.Rekey{{From: s.number(rest), Split: []int64{s.number(rest)}}}})
	case "erase":
		n := s.number(rest)
		_, err := s.s.EraseContacts(s.t.Context(), []int64{n})
		require.NoError(s.t, err, s.at)
		s.m.EraseContacts([]int64{n})
		delete(s.numbers, rest)
	case "at":
		s.now = s.time(rest)
	case "expect":
		require.Len(s.t, block, 1, s.at)
		s.expect(rest, block[0])
	default:
		s.t.Fatalf("%s: what is %q?", s.at, word)
	}
}

// number is that of a person, who is there from now on.
func (s *script) number(name string) int64 {
	if s.numbers[name] == 0 {
		n := int64(len(s.numbers)) + 1
		for slices.Contains(slices.Collect(maps.Values(s.numbers)), n) {
			n++
		}
		s.numbers[name] = n
	}
	return s.numbers[name]
}

func (s *script) time(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.000"} {
		if at, err := time.ParseInLocation(layout, text, s.zone); err == nil {
			return at
		}
	}
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(s.t, err, s.at)
	return at
}

func (s *script) load(block []string) {
	rows := make([]analytics.Row, len(block))
	for i, line := range block {
		parts := strings.SplitN(line, " ", 4)
		require.GreaterOrEqual(s.t, len(parts), 3, "%s: %s", s.at, line)
		props := ""
		if len(parts) == 4 {
			props = parts[3]
		}
		rows[i] = fact(parts[1], s.number(parts[0]), 0, props)
		rows[i].Timestamp = s.time(parts[2]).UnixMilli()
	}
	s.append(analytics.Batch{Rows: rows})
}

func (s *script) append(b analytics.Batch) {
	s.seq++
	full := batch(s.seq, b.Rows...)
	full.Rekeys = b.Rekeys
	require.NoError(s.t, s.s.Append(s.t.Context(), full), s.at)
	s.m.Append(full)
}

func (s *script) expect(text, names string) {
	s.expected++
	r, err := rule.Parse(`{"v":1,`+strings.TrimPrefix(text, "{"), "expect")
	require.NoError(s.t, err, s.at)
	var leaves []rule.Behaviour
	var gather func(n *rule.Node)
	gather = func(n *rule.Node) {
		if _, parts := n.Parts(); parts != nil {
			for i := range parts {
				gather(&parts[i])
			}
			return
		}
		s.note(&n.Behaviour)
		leaves = append(leaves, n.Behaviour)
	}
	gather(&r.Node)
	q := analytics.BehaviourQuery{Leaves: leaves, Now: s.now, Zone: s.zone}
	for n := range s.m.leader {
		q.Among = append(q.Among, n)
	}
	for _, n := range s.numbers {
		if !slices.Contains(q.Among, n) {
			q.Among = append(q.Among, n)
		}
	}
	slices.Sort(q.Among)
	some, err := s.s.(analytics.Behaviours).Behaviour(s.t.Context(), q)
	require.NoError(s.t, err, s.at)
	q.Among = nil
	all, err := s.s.(analytics.Behaviours).Behaviour(s.t.Context(), q)
	require.NoError(s.t, err, s.at)

	want := strings.Fields(names)
	if names == "nobody" {
		want = nil
	}
	slices.Sort(want)
	for who, leaf := range map[string]func(i int, n int64) bool{
		"rule.Holds": func(i int, n int64) bool {
			var facts []rule.Fact
			for _, row := range s.m.of(n) {
				facts = append(facts, rule.Fact{Name: row.Name, At: row.Timestamp, Properties: row.Properties})
			}
			return rule.Holds(&leaves[i], facts, s.now, s.zone)
		},
		"engine, all":   func(i int, n int64) bool { return all[i].Has(n) },
		"engine, among": func(i int, n int64) bool { return some[i].Has(n) },
	} {
		var got []string
		for name, n := range s.numbers {
			i := 0
			if s.m.root(n) == n && holds(&r.Node, func() bool { i++; return leaf(i-1, n) }) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		require.Equal(s.t, want, got, "%s\n%s", who, s.at)
	}
}

// holds works out a tree; leaf answers one condition after the other, each once.
func holds(n *rule.Node, leaf func() bool) bool {
	kind, parts := n.Parts()
	if parts == nil {
		return leaf()
	}
	all, any := true, false
	for i := range parts {
		one := holds(&parts[i], leaf)
		all, any = all && one, any || one
	}
	switch kind {
	case "all":
		return all
	case "any":
		return any
	}
	return !any
}

// note remembers what scripts use.
func (s *script) note(b *rule.Behaviour) {
	wheres := func(in []rule.Where) {
		for _, w := range in {
			s.used["op "+w.Op] = true
		}
	}
	window := func(w *rule.Window) {
		if w != nil {
			s.used["unit "+w.Unit] = true
			s.used["from"] = s.used["from"] || w.From != ""
			s.used["to"] = s.used["to"] || w.To != ""
		}
	}
	switch {
	case b.Event != nil:
		e := b.Event.Default()
		s.used["measure "+e.Measure] = true
		wheres(e.Where)
		window(e.Within)
	case b.Sequence != nil:
		s.used["sequence"] = true
		window(b.Sequence.Within)
		for _, step := range b.Sequence.Steps {
			wheres(step.Where)
		}
		if b.Sequence.Gap != nil {
			s.used["gap "+b.Sequence.Gap.Unit] = true
		}
	case b.Habit != nil:
		s.used["habit "+b.Habit.Kind+" "+b.Habit.Unit] = true
		wheres(b.Habit.Where)
	}
}
