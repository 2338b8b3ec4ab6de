package sim

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The kinds of entries in the diary.
const (
	EntryAct      = "act"      // a person, or one of the staff, did something
	EntryCallback = "callback" // the platform told it
	EntryCall     = "call"     // the platform was asked for something
)

// diaryKept bounds the diary.
const diaryKept = 2000

// Entry is one line of the diary: what happened between the world and whoever
// is connected to it.
type Entry struct {
	N     uint64    `json:"n"`
	At    time.Time `json:"at"`
	Kind  string    `json:"kind" enum:"act,callback,call"`
	Name  string    `json:"name" doc:"What was done, an event's name, or an API"`
	About string    `json:"about,omitempty" doc:"external_userid of the customer, or their openid in an app"`
	Staff string    `json:"staff,omitempty"`
	Code  int       `json:"code" doc:"errcode of a call, status of a callback"`
	Note  string    `json:"note,omitempty" doc:"refused, timeout, unreachable, never, lost; or the first words of what was sent"`
	Try   int       `json:"try,omitempty" doc:"Of a callback that was repeated"`
	Ms    float64   `json:"ms,omitempty" doc:"How long it took to be answered"`
}

// diary keeps the last entries and wakes those who wait for the next.
type diary struct {
	mu      sync.Mutex
	entries []Entry
	n       uint64
	news    chan struct{}
}

func (d *diary) init() { d.news = make(chan struct{}) }

func (d *diary) add(e Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	e.N = d.n
	d.entries = append(d.entries, e)
	if len(d.entries) > diaryKept+diaryKept/4 {
		d.entries = slices.Clone(d.entries[len(d.entries)-diaryKept:])
	}
	close(d.news)
	d.news = make(chan struct{})
}

func (d *diary) call(c *call, name string, code int, note string, start time.Time) {
	at := c.now
	if at.IsZero() {
		at = c.s.clock.Now()
	}
	d.add(Entry{At: at, Kind: EntryCall, Name: name, About: c.about, Code: code, Note: first(note, c.said), Ms: ms(time.Since(start))})
}

func (d *diary) callback(cb *callback, note string, status int, took time.Duration, at time.Time) {
	d.add(Entry{At: at, Kind: EntryCallback, Name: cb.name, About: cb.subject, Staff: cb.staff, Code: status, Note: note, Try: cb.tries, Ms: ms(took)})
}

func (d *diary) act(at time.Time, does, about, staff, note string) {
	d.add(Entry{At: at, Kind: EntryAct, Name: does, About: about, Staff: staff, Note: note})
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Diary gives the entries after a number, the oldest first; when there are none
// yet it waits for one as long as ctx lasts.
func (s *Sim) Diary(ctx context.Context, after uint64) []Entry {
	for {
		s.diary.mu.Lock()
		i, _ := slices.BinarySearchFunc(s.diary.entries, after+1, func(e Entry, n uint64) int {
			switch {
			case e.N < n:
				return -1
			case e.N > n:
				return 1
			}
			return 0
		})
		out, news := slices.Clone(s.diary.entries[i:]), s.diary.news
		if after > s.diary.n { // numbers of another life of the program
			out = slices.Clone(s.diary.entries)
		}
		s.diary.mu.Unlock()
		if len(out) > 0 || ctx.Err() != nil {
			return out
		}
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		}
	}
}
