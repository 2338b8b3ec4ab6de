package acquire

import (
	"cmp"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact"
)

// tree is the channels and rules at one moment. It is never changed: a new one
// takes its place.
type tree struct {
	version int64
	nodes   map[string]*node
	order   []string // depth first, in the order of places
	rules   []Rule   // patterns in lower case
	names   map[string]string
}

type node struct {
	id, parent, name, owner string
	archived                bool
	place                   int64
	created, changed        int64
	children                []string
	path                    []string // from the top down to this one
	below                   []string // this one and all below it
}

// grow builds a tree. Whoever names a parent that is not there, or goes in
// circles, stands at the top: a broken line must not hide a channel.
func grow(version int64, list []*node, rules []Rule) *tree {
	t := &tree{version: version, nodes: map[string]*node{}, names: map[string]string{}}
	for _, n := range list {
		t.nodes[n.id] = n
		if n.name != "" && !n.archived {
			t.names[strings.ToLower(n.name)] = n.id
		}
	}
	slices.SortFunc(list, func(a, b *node) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.id, b.id)) })
	var top []string
	for _, n := range list {
		up := t.nodes[n.parent]
		for hops := 0; up != nil && hops <= len(list); hops++ {
			if up == n {
				up = nil
				n.parent = ""
				break
			}
			up = t.nodes[up.parent]
		}
		if up = t.nodes[n.parent]; up == nil {
			n.parent = ""
			top = append(top, n.id)
			continue
		}
		up.children = append(up.children, n.id)
	}
	for _, id := range top {
		t.walk(id, nil)
	}
	for _, r := range rules {
		t.rules = append(t.rules, r.lower())
	}
	return t
}

func (t *tree) walk(id string, above []string) []string {
	n := t.nodes[id]
	t.order = append(t.order, id)
	n.path = append(slices.Clone(above), id)
	n.below = []string{id}
	for _, c := range n.children {
		n.below = append(n.below, t.walk(c, n.path)...)
	}
	return n.below
}

// depth is how many levels lie below and including a channel.
func (t *tree) depth(id string) int {
	deepest := 0
	for _, b := range t.nodes[id].below {
		deepest = max(deepest, len(t.nodes[b].path)-len(t.nodes[id].path)+1)
	}
	return deepest
}

// place is the channel that the rules give a clue. A source that is called like
// one of the company's channels is that channel.
func (t *tree) placeOf(c *contact.Clue) string {
	if len(t.rules) > 0 {
		low := lower(c)
		for i := range t.rules {
			if t.rules[i].fits(&low) {
				return t.rules[i].Channel
			}
		}
	}
	if c.Source != "" && len(t.names) > 0 {
		return t.names[strings.ToLower(c.Source)]
	}
	return ""
}

func lower(c *contact.Clue) contact.Clue {
	return contact.Clue{Source: strings.ToLower(c.Source), Medium: strings.ToLower(c.Medium), Campaign: strings.ToLower(c.Campaign),
		Referrer: strings.ToLower(c.Referrer), Code: strings.ToLower(c.Code), Link: strings.ToLower(c.Link), Import: strings.ToLower(c.Import)}
}

type part struct {
	name    string
	pattern *string
}

func (r *Rule) parts() []part {
	return []part{{"source", &r.Source}, {"medium", &r.Medium}, {"campaign", &r.Campaign}, {"referrer", &r.Referrer},
		{"code", &r.Code}, {"link", &r.Link}, {"import", &r.Import}}
}

func (r Rule) lower() Rule {
	for _, p := range r.parts() {
		*p.pattern = strings.ToLower(*p.pattern)
	}
	return r
}

// fits tells whether every part of the rule that is not empty fits the clue.
func (r *Rule) fits(c *contact.Clue) bool {
	return like(r.Source, c.Source) && like(r.Medium, c.Medium) && like(r.Campaign, c.Campaign) && host(r.Referrer, c.Referrer) &&
		like(r.Code, c.Code) && like(r.Link, c.Link) && like(r.Import, c.Import)
}

// host fits the host that is named and those below it: baidu.com is www.baidu.com too.
func host(pattern, value string) bool {
	return like(pattern, value) || pattern != "" && !strings.Contains(pattern, "*") && strings.HasSuffix(value, "."+pattern)
}

// like compares with a pattern in which * stands for any text. An empty pattern
// fits everything.
func like(pattern, value string) bool {
	if pattern == "" {
		return true
	}
	if value == "" {
		return false
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == value
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	rest := value[len(first) : len(value)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			return false
		}
		rest = after
	}
	return true
}
