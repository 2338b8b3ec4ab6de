package db

import (
	"strings"
	"sync"
)

// rewriter turns `$n` into `?n`, because the SQLite driver binds `$1` as a
// name in order of appearance, which is wrong for reused or out-of-order
// numbers. Texts are few and constant, so results are kept; dynamic lists
// (`in (…)`) come in few lengths when batched. The cache is bounded all the same.
type rewriter struct {
	mu   sync.RWMutex
	seen map[string]string
}

const maxRewrites = 4096

func (r *rewriter) sqlite(q string) string {
	if !strings.Contains(q, "$") {
		return q
	}
	r.mu.RLock()
	out, ok := r.seen[q]
	r.mu.RUnlock()
	if ok {
		return out
	}
	out = toQuestion(q)
	r.mu.Lock()
	if r.seen == nil || len(r.seen) >= maxRewrites {
		r.seen = map[string]string{}
	}
	r.seen[q] = out
	r.mu.Unlock()
	return out
}

// toQuestion leaves quoted text and comments alone.
func toQuestion(q string) string {
	b := []byte(q)
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\'' || c == '"':
			j := i + 1
			for j < len(b) && b[j] != c {
				j++
			}
			j = min(j, len(b)-1)
			out = append(out, b[i:j+1]...)
			i = j
		case c == '-' && i+1 < len(b) && b[i+1] == '-':
			j := i
			for j < len(b) && b[j] != '\n' {
				j++
			}
			out = append(out, b[i:j]...)
			i = j - 1
		case c == '$' && i+1 < len(b) && b[i+1] >= '1' && b[i+1] <= '9':
			out = append(out, '?')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
