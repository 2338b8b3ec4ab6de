// Package loops answers: does a rule rest on itself? Rules speak of segments, tags,
// stages and pools, of which many follow from rules in their turn. A rule that comes
// back to where it began has no answer: it might change its mind for ever.
//
// What people did is no such thing, although moves and tags are told as facts:
// facts stay as they are, whatever the rule says next.
package loops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/rule"
)

// Node is something that follows from rules, and what these rest on.
type Node struct {
	ID   string // of Segment, Tag or Machine
	Name string // in the caller's language, as it stands in the refusal
	On   []string
}

// Source is a part of the program that keeps rules.
type Source interface {
	// Rests lists all that follows from its rules as they are defined now.
	Rests(ctx context.Context) ([]Node, error)
}

// Segment is the id of a segment among nodes.
func Segment(id string) string { return "segment:" + id }

// Tag is the id of a tag among nodes.
func Tag(id string) string { return "tag:" + id }

// Machine is the id of the lifecycle or the pools among nodes.
func Machine(name string) string { return "machine:" + name }

// On lists what rules rest on.
func On(rules ...*rule.Rule) []string {
	var out []string
	add := func(id string) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, r := range rules {
		if r.Empty() {
			continue
		}
		r.Each(func(n *rule.Node) {
			switch {
			case n.Field == "segment":
				for _, id := range n.Texts() {
					add(Segment(id))
				}
			case n.Field == "tag":
				for _, id := range n.Texts() {
					add(Tag(id))
				}
			case n.Field == "tagWeight":
				add(Tag(n.Key))
			case strings.HasPrefix(n.Field, "stage"): // stage, stageSince, …
				add(Machine("lifecycle"))
			case strings.HasPrefix(n.Field, "pool"):
				add(Machine("pools"))
			}
		})
	}
	return out
}

// Finder knows all parts that keep rules.
type Finder struct{ sources []Source }

// New makes a finder that knows none yet.
func New() *Finder { return &Finder{} }

// Add adds a part. Call it while wiring.
func (f *Finder) Add(s Source) { f.sources = append(f.sources, s) }

// Hold lets everybody who changes a rule wait for each other until the transaction
// of ctx ends: two rules saved at the same time, each right by itself, could make a
// circle together. Take it before anything else is written, and ask Refuse after it.
func Hold(ctx context.Context, d *db.DB) error {
	if !d.InTx(ctx) {
		return errors.New("loops: Hold outside a transaction")
	}
	if d.Dialect() == db.SQLite { // has one writer at a time
		return nil
	}
	if _, err := d.Exec(ctx, "select pg_advisory_xact_lock(7304221)"); err != nil {
		return fmt.Errorf("wait for others who change rules: %w", err)
	}
	return nil
}

// Refuse refuses a rule, which stands at path, if what follows from it would rest on
// itself. The refusal names the way round. What is about to be kept is asked for in
// the transaction that keeps it, after Hold.
func (f *Finder) Refuse(ctx context.Context, path string, node Node) error {
	if len(node.On) == 0 {
		return nil
	}
	below, names := map[string][]string{}, map[string]string{}
	for _, s := range f.sources {
		nodes, err := s.Rests(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			below[n.ID], names[n.ID] = n.On, n.Name
		}
	}
	below[node.ID], names[node.ID] = node.On, node.Name
	way := round(node.ID, below)
	if way == nil {
		return nil
	}
	for i, id := range way {
		way[i] = names[id]
	}
	return rule.Fault(path, "audience.circle", "path", strings.Join(way, " → "))
}

// round finds the shortest way from a node back to itself; nil when there is none.
func round(id string, below map[string][]string) []string {
	came := map[string]string{}
	for next := []string{id}; len(next) > 0; next = next[1:] {
		for _, to := range below[next[0]] {
			if to == id {
				way := []string{id}
				for at := next[0]; at != id; at = came[at] {
					way = append(way, at)
				}
				way = append(way, id)
				slices.Reverse(way)
				return way
			}
			if _, seen := came[to]; !seen {
				came[to] = next[0]
				next = append(next, to)
			}
		}
	}
	return nil
}
