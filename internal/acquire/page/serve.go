package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

const (
	sourceName = "page"
	maxForm    = 64 << 10
	// waitTime is how long a sender waits for the pipeline to say whether they get
	// the gift; after that the thank-you looks again by itself.
	waitTime = 2 * time.Second
	mostLook = 24 * time.Hour // at a page; more is a phone left on a table
)

func (s *Service) guard(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("X-Frame-Options", "DENY")
}

// serveShow answers GET /p/{slug}: the page, or with ?done= its thank-you.
func (s *Service) serveShow(w http.ResponseWriter, r *http.Request) {
	s.guard(w)
	now := s.Clock.Now()
	x := s.find(r.PathValue("slug"))
	switch {
	case x == nil || x.public == nil:
		s.refuse(w, r, http.StatusNotFound)
		return
	case !x.open(clock.Ms(now)):
		s.refuse(w, r, http.StatusGone)
		return
	}
	if done := r.URL.Query().Get("done"); done != "" {
		s.serveThanks(w, r, x, done)
		return
	}
	visitor := link.Visitor(w, r)
	why := link.ProgramOf(r)
	if why == "" && s.views.over(httpx.ClientIP(r.Context())+" "+r.UserAgent(), now) {
		why = "flood"
	}
	sh := sheet{at: clock.Ms(now), view: s.IDs.New("pv"), visitor: visitor, version: x.version}
	if why != "" {
		s.noise.add(x.id, why)
	} else if !s.Links.Later(s.viewed(r, x, sh)) {
		s.Log.WarnContext(r.Context(), "a view of a landing page was not recorded: the door is full", "page", x.id)
	}
	s.render(w, r, http.StatusOK, x, x.public, sh, nil)
}

// about is what facts of a page have in common.
type about struct {
	Page    string `json:"page"`
	Title   string `json:"title"`
	Path    string `json:"path"`
	Version int64  `json:"version"`
	Channel string `json:"channel,omitempty"`
	Link    string `json:"link,omitempty"`
	Device  string `json:"device"`
	App     string `json:"app"`
	System  string `json:"system"`
	Net     string `json:"net,omitempty"`
}

// about tells who came, and by which channel: what the address says outright, the
// link that led here, or else the page's own.
func (s *Service) about(r *http.Request, x *row, version int64) (about, map[string]any) {
	q := r.URL.Query()
	b := link.BrowserOf(r.UserAgent())
	ip := httpx.ClientIP(r.Context())
	a := about{Page: x.id, Title: x.title, Path: Path + x.slug, Version: version, Device: b.Device, App: b.App, System: b.System, Net: link.NetOf(s.Keys, ip)}
	by := map[string]any{"ip": veiled(ip), "userAgent": clip(r.UserAgent(), 300)}
	site := map[string]any{"url": s.base(r) + a.Path, "path": a.Path, "title": x.title}
	if ref := r.Referer(); ref != "" || r.Method == http.MethodGet {
		site["referrer"] = clip(origin(ref), 200)
	}
	by["page"] = site
	utm := map[string]string{}
	for key, name := range map[string]string{"utm_source": "source", "utm_medium": "medium", "utm_campaign": "name", "utm_content": "content", "utm_term": "term"} {
		if v := clip(strings.TrimSpace(q.Get(key)), 120); v != "" {
			utm[name] = v
		}
	}
	switch code := q.Get(link.LinkParam); {
	case code != "" && s.Links.ChannelOf(code) != "":
		a.Link, a.Channel = clip(code, 20), s.Links.ChannelOf(code)
	case len(utm) > 0: // the company's rules place it
	default:
		a.Channel = x.channel
		for name, v := range map[string]string{"source": x.source, "medium": x.medium, "name": x.campaign} {
			if v != "" {
				utm[name] = v
			}
		}
	}
	if a.Channel != "" {
		by["channel"] = a.Channel
	}
	if len(utm) > 0 {
		by["campaign"] = utm
	}
	return a, by
}

// origin is an address without its path, which may be personal.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}

func (s *Service) base(r *http.Request) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	if httpx.Secure(r.Context()) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Service) viewed(r *http.Request, x *row, sh sheet) event.Fact {
	a, by := s.about(r, x, sh.version)
	props, _ := json.Marshal(a) // plain values
	ctx, _ := json.Marshal(by)
	return event.Fact{MessageID: sh.view, Type: event.Page, Name: event.NamePageViewed, AnonymousID: sh.visitor, Timestamp: sh.at, Source: sourceName, Properties: props, Context: ctx}
}

// servePost answers POST /p/{slug}: a form, or how long somebody looked.
func (s *Service) servePost(w http.ResponseWriter, r *http.Request) {
	s.guard(w)
	ctx, now := r.Context(), s.Clock.Now()
	x := s.find(r.PathValue("slug"))
	if x == nil || x.public == nil {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	if !x.open(clock.Ms(now)) {
		s.refuse(w, r, http.StatusGone)
		return
	}
	if err := s.origin.Check(r); err != nil {
		s.noise.add(x.id, "forged")
		s.refuse(w, r, http.StatusForbidden)
		return
	}
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		s.refuse(w, r, status)
		return
	}
	sh, ok := s.unsign(x.id, r.PostForm.Get("sheet"))
	if r.PostForm.Get("do") == "seen" {
		if ok && link.ProgramOf(r) == "" {
			s.left(r, x, sh)
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	age := now.Sub(clock.FromMs(sh.at))
	switch {
	case r.PostForm.Get(trap) != "": // nobody sees it, programs fill it in
		s.noise.add(x.id, "trap")
		s.pretend(w, r, x)
	case s.pace.over(httpx.ClientIP(ctx), now):
		s.noise.add(x.id, "flood")
		w.Header().Set("Retry-After", "600")
		s.refuse(w, r, http.StatusTooManyRequests)
	case !ok:
		s.noise.add(x.id, "forged")
		s.again(w, r, x, "page.stale")
	case age < s.Quick:
		s.noise.add(x.id, "quick")
		s.again(w, r, x, "page.quick")
	case age > mostAge:
		s.again(w, r, x, "page.stale")
	default:
		s.take(w, r, x, sh)
	}
}

// left states how long somebody looked until they first turned away.
func (s *Service) left(r *http.Request, x *row, sh sheet) {
	ms, err := strconv.ParseInt(r.PostForm.Get("ms"), 10, 64)
	since := s.Clock.Now().Sub(clock.FromMs(sh.at))
	if err != nil || ms < 0 || ms > mostLook.Milliseconds() || time.Duration(ms)*time.Millisecond > since+time.Minute {
		return
	}
	props, _ := json.Marshal(map[string]any{"page": x.id, "title": x.title, "path": Path + x.slug, "seconds": (ms + 500) / 1000})
	f := event.Fact{MessageID: sh.view + ":left", Type: event.Track, Name: event.NamePageLeft, AnonymousID: sh.visitor, Timestamp: clock.Ms(s.Clock.Now()), Source: sourceName, Properties: props}
	_ = s.Links.Later(f) // without room it is not known how long: no harm
}

// pretend thanks a program, so that it learns nothing.
func (s *Service) pretend(w http.ResponseWriter, r *http.Request, x *row) {
	s.renderThanks(w, r, x, x.public, "", false)
}

// again shows the form with what was written in it, and why.
func (s *Service) again(w http.ResponseWriter, r *http.Request, x *row, note string) {
	k, err := s.known(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	a := k.readForm(x.public, r.PostForm)
	a.faults = map[string]wrong{"": {code: note}}
	sh := sheet{at: clock.Ms(s.Clock.Now()), view: s.IDs.New("pv"), visitor: link.Visitor(w, r), version: x.version}
	s.render(w, r, http.StatusUnprocessableEntity, x, x.public, sh, &a)
}

// take takes a form: the fact is on the disk before anybody is thanked.
func (s *Service) take(w http.ResponseWriter, r *http.Request, x *row, sh sheet) {
	ctx := r.Context()
	d, err := s.designOf(ctx, x, sh.version)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	k, err := s.known(ctx)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	a := k.readForm(d, r.PostForm)
	if len(a.ids) == 0 && len(a.faults) == 0 {
		a.faults[""] = wrong{code: "page.nobody"}
	}
	if len(a.faults) > 0 {
		s.render(w, r, http.StatusUnprocessableEntity, x, d, sh, &a)
		return
	}
	f, err := s.submitted(r, x, d, sh, &a)
	if err == nil {
		err = s.state(ctx, x, f)
	}
	if err != nil {
		if e := errs.As(err); e.Kind == errs.TooMany || e.Kind == errs.Unavailable {
			s.refuse(w, r, http.StatusServiceUnavailable)
			return
		}
		s.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	q.Set("done", s.doneToken(x.id, f.MessageID))
	http.Redirect(w, r, Path+x.slug+"?"+q.Encode(), http.StatusSeeOther)
}

// submitted is the fact of a form. The same words on the same sheet have the same
// id, so that a double press counts once; words that were mended count anew.
func (s *Service) submitted(r *http.Request, x *row, d *Design, sh sheet, a *answer) (event.Fact, error) {
	who, by := s.about(r, x, sh.version)
	props := map[string]any{}
	raw, err := json.Marshal(who)
	if err == nil {
		err = json.Unmarshal(raw, &props)
	}
	if err != nil {
		return event.Fact{}, err
	}
	props["fields"] = a.given
	if len(a.consents) > 0 {
		props["consents"] = a.consents
	}
	if d.Thanks.Gift != nil {
		props["gift"] = d.Thanks.Gift.Name
	}
	traits, err := json.Marshal(a.traits)
	if err != nil {
		return event.Fact{}, err
	}
	said, err := json.Marshal([]any{a.ids, a.traits, a.consents})
	if err != nil {
		return event.Fact{}, err
	}
	f := event.Fact{MessageID: sh.view + ":" + s.Keys.Index("page.words", string(said))[:12], Type: event.Track, Name: event.NameFormSubmitted, AnonymousID: sh.visitor,
		Identifiers: a.ids, Timestamp: clock.Ms(s.Clock.Now()), Source: sourceName, Traits: traits}
	if f.Properties, err = json.Marshal(props); err == nil {
		f.Context, err = json.Marshal(by)
	}
	return f, err
}

// state writes down that this server took the form, states the fact, and waits a
// moment for what follows from it. What has no line here did not come through a
// page, whoever says so.
func (s *Service) state(ctx context.Context, x *row, f event.Fact) error {
	_, err := s.DB.Exec(ctx, "insert into page_submits (message, page, contact, gift, at) values ($1,$2,0,'',$3) on conflict (message) do nothing", f.MessageID, x.id, f.Timestamp)
	if err != nil {
		return err
	}
	seq, err := s.Ingest.Ingest(ctx, []event.Fact{f})
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	_ = s.Ingest.Wait(wait, seq) // the thank-you looks again
	return nil
}

// designOf is what was shown in a version.
func (s *Service) designOf(ctx context.Context, x *row, version int64) (*Design, error) {
	if version == x.version {
		return x.public, nil
	}
	var raw string
	if err := s.DB.QueryRow(ctx, "select design from page_versions where page = $1 and version = $2", x.id, version).Scan(&raw); err != nil {
		return nil, err
	}
	d := &Design{}
	return d, json.Unmarshal([]byte(raw), d)
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "landing page failed", "error", err)
	s.refuse(w, r, http.StatusInternalServerError)
}

// clip cuts a text to n bytes at a character.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
