package reply

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// mostNotes bounds what is remembered of answers: a few minutes of a busy account.
const mostNotes = 50_000

// noteAge is how old a callback may be of which nothing is remembered: one that is
// worked on later is too old to be answered at once.
const noteAge = 10 * time.Minute

// note is a decision about one callback, so that the answer in the call and what is
// done afterwards agree, and a platform that calls again is told the same.
type note struct {
	Verdict
	account, person, key string
	at                   time.Time   // of the message
	passive              bool        // the first content goes into the answer of the call
	given                atomic.Bool // to the platform: what passive says, in this process
}

// notes remembers decisions by callback, and when a rule last answered a person.
type notes struct {
	mu   sync.Mutex
	most int
	by   map[string]*list.Element
	last map[lastKey]*note
	all  *list.List // of *note, the oldest first
}

type lastKey struct{ rule, person string }

func (n *notes) init(most int) {
	n.most, n.by, n.last, n.all = most, map[string]*list.Element{}, map[lastKey]*note{}, list.New()
}

func (n *notes) get(key string) *note {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.by[key]; e != nil {
		return e.Value.(*note)
	}
	return nil
}

// put keeps a decision. Whoever decided first about the same callback is right.
func (n *notes) put(x *note) *note {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.by[x.key]; e != nil {
		return e.Value.(*note)
	}
	n.by[x.key] = n.all.PushBack(x)
	if !x.Silent() {
		k := lastKey{x.Rule.ID, x.person}
		if was := n.last[k]; was == nil || !x.at.Before(was.at) {
			n.last[k] = x
		}
	}
	for n.all.Len() > n.most {
		n.drop(n.all.Front())
	}
	return x
}

func (n *notes) drop(e *list.Element) {
	x := n.all.Remove(e).(*note)
	delete(n.by, x.key)
	if x.Rule != nil {
		if k := (lastKey{x.Rule.ID, x.person}); n.last[k] == x {
			delete(n.last, k)
		}
	}
}

// answered is when a rule last answered a person by another message, as far as
// remembered.
func (n *notes) answered(rule, person, key string) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if x := n.last[lastKey{rule, person}]; x != nil && x.key != key {
		return x.at, true
	}
	return time.Time{}, false
}
