package contact

import (
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
)

// answers keeps whom single conditions hold for, for a short while: a rule that
// is being written changes one condition at a time, and its estimate then asks
// for that one alone.
type answers struct {
	mu   sync.Mutex
	kept map[string]keptAnswer
}

// keptAnswer is whom one condition held for, of a whole list. Nobody changes it.
type keptAnswer struct {
	numset.Choice
	at time.Time
}

const (
	maxAnswers = 64 // of a million people 8 MB
	answerAge  = time.Minute
)

func (a *answers) get(key string, now time.Time) (keptAnswer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.kept[key]
	if d := now.Sub(k.at); ok && d >= 0 && d < answerAge {
		return k, true
	}
	return keptAnswer{}, false
}

func (a *answers) put(key string, c numset.Choice, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = map[string]keptAnswer{}
	}
	if _, there := a.kept[key]; !there && len(a.kept) >= maxAnswers {
		oldest := ""
		for k, v := range a.kept {
			if oldest == "" || v.at.Before(a.kept[oldest].at) {
				oldest = k
			}
		}
		delete(a.kept, oldest)
	}
	a.kept[key] = keptAnswer{c, now}
}
