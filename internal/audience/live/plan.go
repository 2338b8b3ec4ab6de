package live

import (
	"cmp"
	"encoding/json"
	"runtime/debug"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

func stack() string { return string(debug.Stack()) }

// plan is a rule over the conditions that all rules share.
type plan struct {
	key    string
	id     string // what others rest on that speak of it, or a name of its own
	print  string // of the rule
	root   node
	conds  []*cond
	serves bool // guarded by the engine's mu
}

// node is a group of a plan, or a condition.
type node struct {
	kind  byte // ' ' a condition, else all, any, none by their letters a, y, n
	cond  *cond
	parts []node
}

// planOf reads a rule; conditions that are new are added.
func (e *Engine) planOf(owner string, r Rule) *plan {
	p := &plan{key: r.Key, id: cmp.Or(r.ID, "rule:"+owner+"/"+r.Key), print: "{}"}
	if !r.Rule.Empty() {
		p.print = string(r.Rule.JSON())
		p.root = e.nodeOf(&r.Rule.Node, p)
	} else {
		p.root = node{kind: 'a'}
	}
	return p
}

func (e *Engine) nodeOf(n *rule.Node, p *plan) node {
	kind, parts := n.Parts()
	if kind == "" {
		c := e.condOf(n)
		if !p.has(c) {
			p.conds = append(p.conds, c)
		}
		return node{kind: ' ', cond: c}
	}
	out := node{kind: map[string]byte{"all": 'a', "any": 'y', "none": 'n'}[kind], parts: make([]node, len(parts))}
	for i := range parts {
		out.parts[i] = e.nodeOf(&parts[i], p)
	}
	return out
}

func (p *plan) has(c *cond) bool {
	for _, o := range p.conds {
		if o == c {
			return true
		}
	}
	return false
}

// known tells whether all conditions were worked out.
func (p *plan) known() bool {
	for _, c := range p.conds {
		if !c.known {
			return false
		}
	}
	return true
}

// holds combines what is said of the conditions.
func (n *node) holds(says func(c *cond) bool) bool {
	if n.kind == ' ' {
		return says(n.cond)
	}
	for i := range n.parts {
		if n.parts[i].holds(says) != (n.kind == 'a') { // one that does not hold, of all; one that does, of any and none
			return n.kind == 'y'
		}
	}
	return n.kind != 'y'
}

// choice combines whole sets.
func (n *node) choice(says func(c *cond) numset.Choice) numset.Choice {
	if n.kind == ' ' {
		return says(n.cond)
	}
	out := numset.Choice{Set: &numset.Set{}, Rest: true}
	for i := range n.parts {
		c := n.parts[i].choice(says)
		if n.kind != 'a' {
			c = c.Not()
		}
		out = out.And(c)
	}
	if n.kind == 'y' {
		return out.Not()
	}
	return out
}

// set is whom the plan holds for by what is kept of its conditions; the caller's.
func (p *plan) set(people *numset.Set) *numset.Set {
	all := numset.Choice{Set: people.Clone()}
	return all.And(p.root.choice(func(c *cond) numset.Choice {
		return numset.Choice{Set: c.base.Set.Clone(), Rest: c.base.Rest}
	})).Set
}

// condOf finds a condition, or begins one.
func (e *Engine) condOf(n *rule.Node) *cond {
	b, err := json.Marshal(n)
	if err != nil { // texts, numbers and lists of them
		panic(err)
	}
	key := string(b)
	if c := e.conds[key]; c != nil {
		return c
	}
	c := newCond(key, n)
	e.conds[key] = c
	e.byName = map[string][]*cond{}
	return c
}

// gather forgets conditions that no rule needs any more.
func (e *Engine) gather() {
	used := map[*cond]bool{}
	for _, o := range e.owners {
		for _, plans := range []map[string]*plan{o.serving, o.wanted} {
			for _, p := range plans {
				for _, c := range p.conds {
					used[c] = true
				}
			}
		}
	}
	for key, c := range e.conds {
		if !used[c] {
			delete(e.conds, key)
		}
	}
	for _, c := range e.conds {
		c.plans = c.plans[:0]
	}
	for _, o := range e.owners {
		for _, p := range o.serving {
			for _, c := range p.conds {
				c.plans = append(c.plans, owning{o, p})
			}
		}
	}
	e.byName = map[string][]*cond{}
}

// publish says to Status what there is. Under the lock.
func (e *Engine) publish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.owners {
		plans := map[string]*plan{}
		for k, p := range o.serving {
			p.serves = true
			plans[k] = p
		}
		for k, p := range o.wanted {
			p.serves = o.serving[k] != nil && o.serving[k].print == p.print
			plans[k] = p
		}
		e.status[o.Name()] = plans
	}
}
