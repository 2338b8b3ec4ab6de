package link

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/id"
)

const (
	visitorCookie = "kp_v"
	visitorParam  = "kp_v" // as which the id goes to the target, or comes with the link
	personParam   = "k"
	// LinkParam tells a page of our own by which link a visitor came.
	LinkParam = "kp_l"

	visitorLength = 22 // 16 bytes in base64
	cookieLife    = 400 * 24 * time.Hour
	sourceName    = "link"
	batchMost     = 500
	batchWait     = 40 * time.Millisecond
)

var seed = maphash.MakeSeed()

// PersonToken stands for a contact in an address. It holds the contact's number,
// which says nothing of the person, and a signature: nobody can make one for
// somebody else.
func (s *Service) PersonToken(num int64) string {
	n := strconv.FormatInt(num, 36)
	return n + "." + s.Keys.Index("link.person", n)[:20]
}

func (s *Service) personOf(token string) int64 {
	n, _, ok := strings.Cut(token, ".")
	num, err := strconv.ParseInt(n, 36, 64)
	if !ok || err != nil || num <= 0 || subtle.ConstantTimeCompare([]byte(token), []byte(s.PersonToken(num))) != 1 {
		return 0
	}
	return num
}

func validVisitor(v string) bool {
	if len(v) != visitorLength {
		return false
	}
	return strings.IndexFunc(v, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_')
	}) < 0
}

// Visitor gives the visitor's id of a request, from its cookie or its parameter,
// or a new one, and sets the cookie.
func Visitor(w http.ResponseWriter, r *http.Request) string {
	v := ""
	if c, err := r.Cookie(visitorCookie); err == nil && validVisitor(c.Value) {
		v = c.Value
	} else if p := r.URL.Query().Get(visitorParam); validVisitor(p) {
		v = p
	}
	if v == "" {
		v = id.Secret(16)
	}
	http.SetCookie(w, &http.Cookie{Name: visitorCookie, Value: v, Path: "/", MaxAge: int(cookieLife / time.Second), HttpOnly: true,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"), SameSite: http.SameSiteLaxMode})
	return v
}

// ServeHTTP answers /l/{code}. It never leads anywhere but to the stored target.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "no-referrer-when-downgrade")
	x, err := s.find(r.Context(), r.PathValue("code"))
	if err != nil {
		s.Log.WarnContext(r.Context(), "link was not looked up", "error", err)
		s.refuse(w, r, http.StatusServiceUnavailable)
		return
	}
	now := s.Clock.Now()
	switch {
	case x == nil:
		s.refuse(w, r, http.StatusNotFound)
		return
	case !x.live(now.UnixMilli()):
		s.refuse(w, r, http.StatusGone)
		return
	}
	to := x.leads
	if why := s.program(r, now); why != "" {
		s.noise.add(x.code, why, 1)
	} else {
		query := r.URL.Query()
		visitor := Visitor(w, r)
		if strings.HasPrefix(to, "/") { // a page of ours counts its visitors to this link's channel
			to = with(to, LinkParam, x.code)
		}
		if x.carry {
			to = with(to, visitorParam, visitor)
		}
		s.opened(x, r, visitor, s.personOf(query.Get(personParam)), now)
	}
	h.Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

// program tells why an opening is a program's.
func (s *Service) program(r *http.Request, now time.Time) string {
	if why := botOf(r); why != "" {
		return why
	}
	f := s.settings.Load()
	ip := httpx.ClientIP(r.Context())
	if f.nets.hold(ip) {
		return botNetwork
	}
	if s.pace.over(maphash.String(seed, ip+" "+r.UserAgent()), f.Burst, now) {
		return botBurst
	}
	return ""
}

func with(to, key, value string) string {
	u, err := url.Parse(to)
	if err != nil || u.Query().Has(key) {
		return to
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += url.Values{key: {value}}.Encode()
	return u.String()
}

type properties struct {
	Link     string `json:"link"`
	Title    string `json:"title,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Device   string `json:"device"`
	App      string `json:"app"`
	System   string `json:"system"`
	Referrer string `json:"referrer,omitempty"`
	Net      string `json:"net,omitempty"`
}

type utm struct {
	Source string `json:"source,omitempty"`
	Medium string `json:"medium,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Opening is the fact that a browser of this sort opened a link, without id, time and
// person: for a past that is filled in.
func Opening(code, title, channel, agent string) (event.Fact, error) {
	l := look(agent)
	body, err := json.Marshal(properties{Link: code, Title: title, Channel: channel, Device: l.device, App: l.app, System: l.system})
	if err != nil {
		return event.Fact{}, fmt.Errorf("encode opening: %w", err)
	}
	return event.Fact{Type: event.Track, Name: event.NameLinkClicked, Source: sourceName, Properties: body}, nil
}

// opened queues the fact. Without room it is counted as lost: the person is led
// on all the same.
func (s *Service) opened(x *row, r *http.Request, visitor string, person int64, now time.Time) {
	look := look(r.UserAgent())
	p := properties{Link: x.code, Title: x.title, Channel: x.channel, Device: look.device, App: look.app, System: look.system,
		Net: NetOf(s.Keys, httpx.ClientIP(r.Context()))}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host != r.Host {
		p.Referrer = clip(strings.ToLower(u.Hostname()), 100)
	}
	body, _ := json.Marshal(p) // texts always encode
	f := event.Fact{MessageID: s.IDs.New("lk"), Type: event.Track, Name: event.NameLinkClicked, Timestamp: now.UnixMilli(), Source: sourceName, Properties: body}
	if u := (utm{x.source, x.medium, x.campaign}); u != (utm{}) {
		f.Context, _ = json.Marshal(map[string]utm{"campaign": u})
	}
	if f.Contact = person; person == 0 {
		f.AnonymousID = visitor
	}
	select {
	case s.queue <- f:
	default:
		s.noise.add(x.code, lost, 1)
	}
}

// Later states a fact behind an answer, as openings are: false when there is no room.
func (s *Service) Later(f event.Fact) bool {
	select {
	case s.queue <- f:
		return true
	default:
		return false
	}
}

// ChannelOf is the channel of a link, "" when it has none or there is no such link.
func (s *Service) ChannelOf(code string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if x := s.links[code]; x != nil {
		return x.channel
	}
	return ""
}

// NetOf is a mark of the network that a request came from, the same for all its
// addresses: of an IPv4 address the first three numbers, of an IPv6 address the
// first three groups. It tells of no address; with it many visits from one place
// are seen to be so.
func NetOf(keys Keys, addr string) string {
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
	return keys.Index("link.network", p.Masked().String())[:10]
}

// drainQueue hands openings to the door in batches, until ctx ends.
func (s *Service) drainQueue(ctx context.Context) {
	for {
		batch, ok := s.gather(ctx)
		if len(batch) > 0 && !s.hand(ctx, batch) {
			s.putBack(batch) // the end of the program: lastOnes tries once more
			return
		}
		if !ok {
			return
		}
	}
}

// gather waits for the first opening and then a moment for more.
func (s *Service) gather(ctx context.Context) (batch []event.Fact, ok bool) {
	select {
	case <-ctx.Done():
		return nil, false
	case f := <-s.queue:
		batch = append(batch, f)
	}
	wait := time.NewTimer(batchWait)
	defer wait.Stop()
	for len(batch) < batchMost {
		select {
		case <-ctx.Done():
			return batch, true
		case <-wait.C:
			return batch, true
		case f := <-s.queue:
			batch = append(batch, f)
		}
	}
	return batch, true
}

// hand gives a batch to the door and waits while it is full. A message keeps its
// id, so that one whose answer was lost counts once.
func (s *Service) hand(ctx context.Context, batch []event.Fact) bool {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := s.state(ctx, batch)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.Log.WarnContext(ctx, "openings of links wait for the door", "openings", len(batch)+len(s.queue), "error", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

// state states a batch. Whoever is gone by now is a visitor like any other.
func (s *Service) state(ctx context.Context, batch []event.Fact) error {
	var nums []int64
	for _, f := range batch {
		if f.Contact != 0 {
			nums = append(nums, f.Contact)
		}
	}
	if len(nums) > 0 {
		refs, err := s.Contacts.Refs(ctx, nums)
		if err != nil {
			return err
		}
		for i := range batch {
			if n := batch[i].Contact; n != 0 && refs[n] == (contact.Ref{}) {
				batch[i].Contact, batch[i].AnonymousID = 0, batch[i].MessageID
			}
		}
	}
	_, err := s.Ingest.Ingest(ctx, batch)
	var known *errs.Error
	if errors.As(err, &known) && known.Kind == errs.Invalid { // the good ones are appended; the others never will be
		s.Log.ErrorContext(ctx, "an opening of a link is no fact", "error", err)
		for range known.Fields {
			s.noise.add("", lost, 1)
		}
		return nil
	}
	return err
}

func (s *Service) putBack(batch []event.Fact) {
	for _, f := range batch {
		select {
		case s.queue <- f:
		default:
			s.noise.add("", lost, 1)
		}
	}
}

// lastOnes hands over what waits when the program ends, while ctx lets it.
func (s *Service) lastOnes(ctx context.Context) {
	for {
		var batch []event.Fact
	fill:
		for len(batch) < batchMost {
			select {
			case f := <-s.queue:
				batch = append(batch, f)
			default:
				break fill
			}
		}
		if len(batch) == 0 {
			return
		}
		if err := s.state(ctx, batch); err != nil {
			s.Log.ErrorContext(ctx, "openings of links were not recorded", "openings", len(batch)+len(s.queue), "error", err)
			s.noise.add("", lost, int64(len(batch)+len(s.queue)))
			return
		}
	}
}

// noise counts in memory what is written every few seconds.
type noise struct {
	mu sync.Mutex
	n  map[[2]string]int64 // code, why
}

func (c *noise) add(code, why string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[[2]string]int64{}
	}
	c.n[[2]string{code, why}] += n
}

func (c *noise) take() map[[2]string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = nil
	return n
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// prefix reads an address or a range of them.
func prefix(text string) (string, bool) {
	if p, err := netip.ParsePrefix(text); err == nil && p.Bits() > 3 {
		return p.Masked().String(), true
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()).String(), true
	}
	return "", false
}

func encode(v any) string {
	b, _ := json.Marshal(v) // lists of texts always encode
	return string(b)
}

func ref(id, name string) *contact.Ref { return &contact.Ref{ID: id, Name: name} }
