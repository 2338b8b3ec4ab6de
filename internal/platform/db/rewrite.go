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

// toQuestion leaves quoted text, comments and names with a `$` in them alone.
func toQuestion(q string) string {
	out := []byte(q)
	for i := 0; i < len(q); {
		switch rest := q[i:]; {
		case q[i] == '\'' || q[i] == '"': // a doubled quote inside reads as two texts side by side
			i += span(rest, 1, rest[:1])
		case strings.HasPrefix(rest, "--"):
			i += span(rest, 2, "\n")
		case strings.HasPrefix(rest, "/*"):
			i += span(rest, 2, "*/")
		case namePart(q[i]) && q[i] != '$':
			for i < len(q) && namePart(q[i]) {
				i++
			}
		case q[i] == '$' && i+1 < len(q) && q[i+1] >= '1' && q[i+1] <= '9':
			out[i] = '?'
			i++
		default:
			i++
		}
	}
	return string(out)
}

// span is the length of a stretch that opens with from bytes and ends with end, or never.
func span(s string, from int, end string) int {
	if j := strings.Index(s[from:], end); j >= 0 {
		return from + j + len(end)
	}
	return len(s)
}

func namePart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}
