package contact

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

// gift is a tag that a person has: when it was given, and by which run.
type gift struct {
	at  int64
	run string
}

// mark is one thing that a run did to a person's tag.
type mark struct {
	tag, cause string
	added      bool
	was        gift
	given      int // how often the tag had been given to the person then
}

// tagModel is the tag system, slow and simple.
type tagModel struct {
	group     map[string]string // of a tag that exists
	goneFrom  map[string]string // group of tags that are gone
	exclusive map[string]bool
	has       []map[string]gift
	given     []map[string]int
	runs      map[string]map[int][]mark
	ended     map[string]string // run to the tag that it ended
}

func (m *tagModel) give(who int, tag string, g gift, log map[int][]mark) {
	if m.exclusive[m.group[tag]] {
		for _, other := range slices.Sorted(maps.Keys(m.has[who])) {
			if other != tag && m.group[other] == m.group[tag] {
				m.take(who, other, tag, log)
			}
		}
	}
	if _, ok := m.has[who][tag]; ok {
		return
	}
	m.has[who][tag] = g
	m.given[who][tag]++
	if log != nil {
		log[who] = append(log[who], mark{tag: tag, added: true})
	}
}

func (m *tagModel) take(who int, tag, cause string, log map[int][]mark) {
	was, ok := m.has[who][tag]
	if !ok {
		return
	}
	delete(m.has[who], tag)
	if log != nil {
		log[who] = append(log[who], mark{tag: tag, cause: cause, was: was, given: m.given[who][tag]})
	}
}

// merge makes a tag of everybody another; of an exclusive group the one given last stays.
func (m *tagModel) merge(from, into, run string) {
	log := map[int][]mark{}
	for who := range m.has {
		was, ok := m.has[who][from]
		if !ok {
			continue
		}
		_, both := m.has[who][into]
		newest := int64(-1)
		for other, g := range m.has[who] {
			if m.exclusive[m.group[into]] && other != from && other != into && m.group[other] == m.group[into] {
				newest = max(newest, g.at)
			}
		}
		wins := newest < was.at
		cause := ""
		if wins && !both {
			cause = into
		}
		m.take(who, from, cause, log)
		if wins {
			m.give(who, into, gift{was.at, run}, log)
		}
	}
	m.runs[run], m.ended[run] = log, from
	m.goneFrom[from] = m.group[from]
	delete(m.group, from)
}

func (m *tagModel) undo(run string) {
	if tag := m.ended[run]; tag != "" && m.group[tag] == "" {
		m.group[tag] = m.goneFrom[tag]
	}
	for who, marks := range m.runs[run] {
		undone := map[string]bool{}
		added := map[string]bool{}
		for _, k := range marks {
			if k.added {
				added[k.tag] = true
				if g, ok := m.has[who][k.tag]; ok && g.run == run {
					delete(m.has[who], k.tag)
					undone[k.tag] = true
				}
			}
		}
		slices.SortFunc(marks, func(a, b mark) int { return strings.Compare(a.tag, b.tag) })
		for _, k := range marks {
			if k.added || m.group[k.tag] == "" || m.given[who][k.tag] != k.given || k.cause != "" && added[k.cause] && !undone[k.cause] {
				continue
			}
			free := true
			for other := range m.has[who] {
				free = free && other != k.tag && !(m.exclusive[m.group[k.tag]] && m.group[other] == m.group[k.tag])
			}
			if free {
				m.has[who][k.tag] = k.was
				m.given[who][k.tag]++
			}
		}
	}
	delete(m.runs, run)
}

// Random histories of giving, taking, bulk work, merging, deleting and undoing
// leave every person with the tags that the model says, given when it says.
func TestTagHistories(t *testing.T) {
	steps := 60
	if testing.Short() {
		steps = 30
	}
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		who := p.people(12)
		nums := map[int64]int{}
		m := &tagModel{group: map[string]string{}, goneFrom: map[string]string{}, exclusive: map[string]bool{}, runs: map[string]map[int][]mark{}, ended: map[string]string{}}
		for i, id := range who {
			n, err := p.NumOf(p.ctx, id)
			require.NoError(t, err)
			nums[n] = i
			m.has, m.given = append(m.has, map[string]gift{}), append(m.given, map[string]int{})
		}
		made := 0
		groups := []string{}
		for i := range 3 {
			g := p.group(fmt.Sprint("组", i), i == 0)
			groups = append(groups, g)
			m.exclusive[g] = i == 0
		}
		grow := func() {
			g := groups[r.IntN(len(groups))]
			made++
			m.group[p.make(g, "", fmt.Sprint("标", made))] = g
		}
		for range 7 {
			grow()
		}
		tag := func() string { all := slices.Sorted(maps.Keys(m.group)); return all[r.IntN(len(all))] }
		some := func() []int {
			var out []int
			for i := range who {
				if r.IntN(3) == 0 {
					out = append(out, i)
				}
			}
			return append(out, r.IntN(len(who)))
		}
		var story []string
		for step := range steps {
			p.clock.Advance(time.Second)
			now := p.clock.Now().UnixMilli()
			what := ""
			switch op := r.IntN(12); {
			case op < 3:
				i, a := r.IntN(len(who)), tag()
				what = "give " + a
				_, err := p.SetTags(p.ctx, who[i], []string{a}, nil)
				require.NoError(t, err)
				m.give(i, a, gift{at: now}, nil)
			case op < 4:
				i, a := r.IntN(len(who)), tag()
				what = "take " + a
				_, err := p.SetTags(p.ctx, who[i], nil, []string{a})
				require.NoError(t, err)
				m.take(i, a, "", nil)
			case op < 7:
				a, b := tag(), tag()
				w := TagWork{Add: []string{a}}
				if a != b {
					w.Remove = []string{b}
				}
				var chosen []int
				if r.IntN(2) == 0 { // everybody with a tag
					c := tag()
					w.Selection = &SelectionBody{Filter: &FilterBody{Tag: c}}
					for i := range who {
						if _, ok := m.has[i][c]; ok {
							chosen = append(chosen, i)
						}
					}
				} else {
					chosen = some()
					w.Selection = &SelectionBody{}
					for _, i := range chosen {
						w.Selection.IDs = append(w.Selection.IDs, who[i])
					}
				}
				what = fmt.Sprint("bulk add ", w.Add, " remove ", w.Remove, " of ", chosen)
				pre, err := p.PreviewTags(p.ctx, w)
				require.NoError(t, err)
				run := p.end(p.BulkTags(p.ctx, w))
				require.Equal(t, pre.Changing, run.People, what)
				what += " " + run.ID
				log := map[int][]mark{}
				for _, i := range chosen {
					if slices.ContainsFunc(log[i], func(mark) bool { return true }) {
						continue // named twice
					}
					m.give(i, a, gift{now, run.ID}, log)
					if a != b {
						m.take(i, b, "", log)
					}
				}
				m.runs[run.ID] = log
			case op < 8:
				a, b := tag(), tag()
				if a == b || len(m.group) < 5 {
					grow()
					continue
				}
				run := p.end(p.MergeTags(p.ctx, a, b))
				what = "merge " + a + " into " + b + " " + run.ID
				m.merge(a, b, run.ID)
			case op < 9:
				a := tag()
				what = "delete " + a
				if len(m.group) < 5 {
					grow()
					continue
				}
				run, err := p.DeleteTag(p.ctx, a, true)
				require.NoError(t, err)
				log := map[int][]mark{}
				for i := range who {
					m.take(i, a, "", log)
				}
				m.goneFrom[a] = m.group[a]
				delete(m.group, a)
				if run != nil {
					p.end(*run, nil)
					m.runs[run.ID], m.ended[run.ID] = log, a
				}
			default:
				var can []string
				for id, log := range m.runs {
					if len(log) > 0 {
						can = append(can, id)
					}
				}
				if len(can) == 0 {
					continue
				}
				slices.Sort(can)
				run := can[r.IntN(len(can))]
				what = "undo " + run
				p.end(p.UndoTagRun(p.ctx, run))
				m.undo(run)
			}
			story = append(story, fmt.Sprintf("step %d: %s", step, what))
			compareTags(t, p, m, nums, strings.Join(story, "\n"))
		}
		facts := map[string]bool{}
		for _, f := range p.emit.facts {
			require.False(t, facts[f.MessageID])
			facts[f.MessageID] = true
		}
		// the facts tell the whole story: replayed, they give what people have
		told := make([]map[string]bool, len(who))
		for i := range told {
			told[i] = map[string]bool{}
		}
		for _, f := range p.emit.facts {
			var props struct{ Tag, From string }
			unjson(t, f.Properties, &props)
			switch i := nums[f.Contact]; f.Name {
			case event.NameTagAdded:
				told[i][props.Tag] = true
			case event.NameTagRemoved:
				delete(told[i], props.Tag)
			case event.NameTagMerged:
				delete(told[i], props.From)
				told[i][props.Tag] = true
			}
		}
		for i := range who {
			require.ElementsMatch(t, slices.Collect(maps.Keys(m.has[i])), slices.Collect(maps.Keys(told[i])), "facts of %d", i)
		}
	})
}

func compareTags(t *testing.T, p *tagPond, m *tagModel, nums map[int64]int, what string) {
	t.Helper()
	got := make([]map[string]gift, len(m.has))
	count := map[string]int64{}
	for i := range got {
		got[i] = map[string]gift{}
	}
	rows, err := p.DB.Query(p.ctx, "select contact, tag, at, run from contact_tags")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var num int64
		var tag string
		var g gift
		require.NoError(t, rows.Scan(&num, &tag, &g.at, &g.run))
		got[nums[num]][tag] = g
		count[tag]++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, m.has, got, what)
	groups, err := p.Tags(p.ctx)
	require.NoError(t, err)
	for _, g := range groups {
		for _, tag := range g.Tags {
			require.Equal(t, count[tag.ID], tag.Contacts, "count of %s after %s", tag.ID, what)
			require.Equal(t, g.ID, m.group[tag.ID], what)
		}
	}
}
