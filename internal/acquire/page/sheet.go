package page

import (
	"crypto/subtle"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How old a sheet may be when it comes back: nobody reads and writes a form in a
// second, and what lay open for a day is shown anew first.
const (
	leastAge = 1500 * time.Millisecond
	mostAge  = 24 * time.Hour
)

// sheet is one form as it was handed out, and one view of a page.
type sheet struct {
	at      int64
	view    string // message id of the view
	visitor string
	version int64
}

// sign writes a sheet so that nobody else can make one for this page.
func (s *Service) sign(page string, x sheet) string {
	body := strings.Join([]string{strconv.FormatInt(x.at, 36), x.view, x.visitor, strconv.FormatInt(x.version, 36)}, ".")
	return body + "." + s.Keys.Index("page.sheet", page+"\x00"+body)[:24]
}

// unsign reads a sheet; ok is false for one that this page did not hand out.
func (s *Service) unsign(page, text string) (x sheet, ok bool) {
	if len(text) > 300 {
		return x, false
	}
	parts := strings.Split(text, ".")
	if len(parts) != 5 {
		return x, false
	}
	var err1, err2 error
	x.at, err1 = strconv.ParseInt(parts[0], 36, 64)
	x.version, err2 = strconv.ParseInt(parts[3], 36, 64)
	x.view, x.visitor = parts[1], parts[2]
	return x, err1 == nil && err2 == nil && subtle.ConstantTimeCompare([]byte(s.sign(page, x)), []byte(text)) == 1
}

// doneToken leads to the thank-you of one sheet that was sent.
func (s *Service) doneToken(page, message string) string {
	return message + "." + s.Keys.Index("page.done", page+"\x00"+message)[:24]
}

func (s *Service) doneOf(page, token string) (message string, ok bool) {
	i := strings.LastIndexByte(token, '.')
	if i <= 0 || len(token) > 300 {
		return "", false
	}
	return token[:i], subtle.ConstantTimeCompare([]byte(s.doneToken(page, token[:i])), []byte(token)) == 1
}

// veiled is an address without its last part, as it is kept.
func veiled(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	a = a.Unmap()
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits) // the length fits both
	return p.Masked().Addr().String()
}

// How many forms one address may send, and how often one address and browser may
// look at pages, before a program is taken to be behind it. Many people share one
// address in mobile networks and offices.
const (
	paceWindow = 10 * time.Minute
	maxSends   = 60
	floodTime  = time.Minute
	maxViews   = 40
	maxKeys    = 100_000
)

// pace counts what one sender does within a window; flood is one of another length.
type (
	pace  struct{ counter }
	flood struct{ counter }
)

func (p *pace) over(key string, now time.Time) bool {
	return p.more(key, maxSends, paceWindow, now)
}

func (f *flood) over(key string, now time.Time) bool {
	return f.more(key, maxViews, floodTime, now)
}

type counter struct {
	mu    sync.Mutex
	from  time.Time
	count map[string]int
}

func (c *counter) more(key string, most int, window time.Duration, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil || now.Sub(c.from) >= window || now.Before(c.from) {
		c.count, c.from = map[string]int{}, now
	}
	n, there := c.count[key]
	if !there && len(c.count) >= maxKeys {
		return false // no room to tell them apart
	}
	c.count[key] = n + 1
	return n+1 > most
}
