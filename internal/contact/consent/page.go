package consent

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/secret"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = template.Must(template.New("page").Parse(pageHTML))

// pagePolicy allows the page its own style and its own form, and no script at all.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

// maxForm is the largest form that the page takes: a purpose is under 500 bytes.
const maxForm = 64 << 10

// PageRoutes declares what customers open: no sign-in, the link is the proof.
func (s *Service) pageRoutes(api *httpx.API) {
	origin := http.NewCrossOriginProtection()
	if s.PublicURL != "" {
		if err := origin.AddTrustedOrigin(strings.TrimSuffix(s.PublicURL, "/")); err != nil {
			s.Log.Warn("the public address is no origin; forms are compared with the address that they came to", "error", err)
		}
	}
	op := func(id, method, path, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path + "{token}", Tag: "consent", Summary: summary, Permission: auth.Public, MaxBody: maxForm, Timeout: 20 * time.Second}
	}
	httpx.Handle(api, op("show-preferences", http.MethodGet, PagePath, "The preference page that customers see"), http.HandlerFunc(s.showPage))
	httpx.Handle(api, op("save-preferences", http.MethodPost, PagePath, "Save what a customer chose"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := origin.Check(r); err != nil {
			s.refusePage(w, r, http.StatusForbidden, "bad")
			return
		}
		s.savePage(w, r)
	}))
	httpx.Handle(api, op("show-unsubscribe", http.MethodGet, UnsubscribePath, "Leads to the preference page: looking never unsubscribes"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guardPage(w)
		http.Redirect(w, r, PagePath+r.PathValue("token"), http.StatusSeeOther)
	}))
	httpx.Handle(api, op("unsubscribe", http.MethodPost, UnsubscribePath, "One-click unsubscribe of mail programs (RFC 8058): ?purpose=marketing"), http.HandlerFunc(s.unsubscribe))
}

// view is what the template shows.
type view struct {
	Lang                i18n.Lang
	W                   pageWords
	Style               template.CSS
	Company, Heading    string
	Text, Back          string
	Switch, Action      string
	Preview             bool // nothing in it can be pressed
	Who                 string
	Addresses           []string
	Saved, SavedISO     string
	Stopped, StoppedISO string
	Purposes            []viewPurpose
}

type viewPurpose struct {
	ID, Name, Description, Text string
	Version                     int64
	Contract                    bool
	Switches                    []viewSwitch
}

type viewSwitch struct {
	Label, Value string
	On           bool
}

// guardPage sets what every answer of these pages has: no cache keeps it, no
// search engine lists it, no other site frames it or learns its address.
func guardPage(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "same-origin") // not no-referrer: browsers then send no origin with the form
	h.Set("X-Frame-Options", "DENY")
	h.Set("Vary", "Accept-Language")
}

// pageLang is the language asked for by the switch, else the browser's.
func pageLang(r *http.Request) i18n.Lang {
	if l := i18n.Lang(r.URL.Query().Get("lang")); l.Valid() {
		return l
	}
	return httpx.Lang(r.Context())
}

func (t Text) in(l i18n.Lang) string {
	if l == i18n.EN {
		return t.EN
	}
	return t.ZH
}

func (s *Service) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	guardPage(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	var b strings.Builder
	if err := page.Execute(&b, v); err != nil {
		s.Log.ErrorContext(r.Context(), "preference page not rendered", "error", err)
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // the customer went away
}

// refusePage says kindly why there is nothing here.
func (s *Service) refusePage(w http.ResponseWriter, r *http.Request, status int, why string) {
	v, _ := s.newView(r.Context(), pageLang(r))
	switch why {
	case "gone":
		v.Heading, v.Text = v.W.GoneTitle, v.W.GoneText
	case "slow":
		v.Heading, v.Text = v.W.SlowTitle, v.W.SlowText
		w.Header().Set("Retry-After", "60")
	case "error":
		v.Heading, v.Text = v.W.ErrTitle, v.W.ErrText
	default:
		v.Heading, v.Text = v.W.BadTitle, v.W.BadText
	}
	s.render(w, r, status, v)
}

// open finds whose link it is. False: the answer has been given.
func (s *Service) open(w http.ResponseWriter, r *http.Request) (linkRow, bool) {
	ctx, now := r.Context(), s.Clock.Now()
	id, ok := s.parseToken(r.PathValue("token"))
	if !ok {
		if !s.pace.allow("ip "+httpx.ClientIP(ctx), now) {
			s.refusePage(w, r, http.StatusTooManyRequests, "slow")
			return linkRow{}, false
		}
		s.refusePage(w, r, http.StatusNotFound, "bad")
		return linkRow{}, false
	}
	l, err := s.linkByID(ctx, id)
	switch {
	case db.NoRows(err):
		s.refusePage(w, r, http.StatusNotFound, "bad")
	case err != nil:
		s.fail(w, r, err)
	case !l.live(now.UnixMilli()):
		s.refusePage(w, r, http.StatusGone, "gone")
	default:
		return l, true
	}
	return linkRow{}, false
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "preference page failed", "error", err)
	s.refusePage(w, r, http.StatusInternalServerError, "error")
}

// choices are the switches of the page, with what holds.
func (s *Service) choices(ctx context.Context, num int64) (list purposes, root int64, have map[stateKey]stand, err error) {
	if list, err = s.Purposes(ctx); err != nil {
		return nil, 0, nil, err
	}
	roots, err := s.rootsOf(ctx, []int64{num})
	if err != nil {
		return nil, 0, nil, err
	}
	root = rootIn(roots, num)
	have, err = s.stands(ctx, []int64{root})
	return list, root, have, err
}

// switchesOf lists the channels that a purpose shows on the page, with whether each is on.
func switchesOf(p *Purpose, st stand) (chs []Channel, on []bool) {
	chs = p.Channels
	if len(chs) == 0 {
		chs = []Channel{All}
	}
	on = make([]bool, len(chs))
	any := false
	for i, c := range chs {
		m, _ := bitOf(c)
		on[i] = st.of(m).state == Granted || st.of(m).state == "" && p.Default
		any = any || on[i]
	}
	if p.Archived || !p.SelfGrant && !any { // nothing to be withdrawn, and nothing may be granted here
		return nil, nil
	}
	return chs, on
}

func (s *Service) showPage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.open(w, r)
	if !ok {
		return
	}
	ctx := r.Context()
	list, root, have, err := s.choices(ctx, l.contact)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v, brand := s.newView(ctx, pageLang(r))
	zone, err := time.LoadLocation(brand.Timezone)
	if err != nil {
		zone = time.UTC
	}
	say := func(ms int64) (string, string) {
		t := clock.FromMs(ms).In(zone)
		return t.Format("2006-01-02 15:04:05"), t.Format(time.RFC3339)
	}
	v.Heading = v.W.Title
	at := PagePath + r.PathValue("token")
	v.Switch = at + "?lang=" + v.W.OtherLang
	v.Action = at + "?lang=" + string(v.Lang)
	if v.Who, v.Addresses, err = s.who(ctx, root); err != nil {
		s.fail(w, r, err)
		return
	}
	if r.URL.Query().Get("saved") != "" && l.usedA != 0 {
		v.Saved, v.SavedISO = say(l.usedA)
	}
	all := have[stateKey{root, Everything}]
	if c := all.of(useBit); c.state == Withdrawn {
		v.Stopped, v.StoppedISO = say(c.at)
	}
	v.addPurposes(list, root, have)
	s.render(w, r, http.StatusOK, v)
}

// who says whose page it is, masked: the link may have been passed on.
func (s *Service) who(ctx context.Context, root int64) (name string, addresses []string, err error) {
	refs, err := s.Contacts.Refs(ctx, []int64{root})
	if err != nil {
		return "", nil, err
	}
	list, err := s.Contacts.MaskedAddresses(ctx, root)
	if err != nil {
		return "", nil, err
	}
	for _, a := range list[:min(len(list), 3)] {
		addresses = append(addresses, a.Masked)
	}
	if name = secret.MaskName(refs[root].Name); name == "" {
		name = "—"
	}
	return name, addresses, nil
}

// choice is what the form says.
type choice struct {
	do      string
	shown   []string
	on      map[string]bool
	wording map[string]int64
}

func readChoice(r *http.Request) (choice, error) {
	c := choice{on: map[string]bool{}, wording: map[string]int64{}}
	if err := r.ParseForm(); err != nil {
		return c, err
	}
	c.do = r.PostForm.Get("do")
	c.shown = r.PostForm["shown"]
	for _, v := range r.PostForm["on"] {
		c.on[v] = true
	}
	for _, v := range r.PostForm["wording"] {
		id, n, _ := strings.Cut(v, "/")
		c.wording[id], _ = strconv.ParseInt(n, 10, 64) // else 0: the one of today
	}
	return c, nil
}

func (s *Service) savePage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.open(w, r)
	if !ok {
		return
	}
	if !s.pace.allow("link "+l.id, s.Clock.Now()) {
		s.refusePage(w, r, http.StatusTooManyRequests, "slow")
		return
	}
	c, err := readChoice(r)
	if err != nil {
		status := http.StatusBadRequest
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		s.refusePage(w, r, status, "error")
		return
	}
	if !slices.Contains([]string{"save", "stop", "resume"}, c.do) {
		s.refusePage(w, r, http.StatusBadRequest, "error")
		return
	}
	if err := s.chosen(r.Context(), l, c, proofOf(r, l)); err != nil {
		if e := errs.As(err); e.Kind == errs.Invalid || e.Kind == errs.NotFound {
			s.refusePage(w, r, http.StatusBadRequest, "error")
			return
		}
		s.fail(w, r, err)
		return
	}
	guardPage(w)
	http.Redirect(w, r, PagePath+r.PathValue("token")+"?saved=1&lang="+string(pageLang(r)), http.StatusSeeOther)
}

func proofOf(r *http.Request, l linkRow) Proof {
	return Proof{IP: httpx.ClientIP(r.Context()), UserAgent: clip(r.UserAgent(), 300), Link: l.id[:shownID]}
}

// clip cuts a text to n bytes at a character.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// chosen writes down what differs from what holds, under the number that the
// link was made for.
func (s *Service) chosen(ctx context.Context, l linkRow, c choice, proof Proof) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		list, root, have, err := s.choices(ctx, l.contact)
		if err != nil {
			return err
		}
		var said []Said
		say := func(purpose string, ch Channel, st State, wording int64) {
			said = append(said, Said{Contact: l.contact, Purpose: purpose, Channel: ch, State: st, Source: FromPage, Wording: wording, Proof: proof})
		}
		switch c.do {
		case "resume":
			all := have[stateKey{root, Everything}]
			if all.of(useBit).state == Withdrawn {
				say(Everything, All, Granted, 0)
			}
		case "stop":
			say(Everything, All, Withdrawn, 0)
			for _, p := range list {
				st := have[stateKey{root, p.ID}]
				if _, off, _ := st.masks(); p.Basis != Contract && off != allBits {
					say(p.ID, All, Withdrawn, 0)
				}
			}
		default:
			for _, p := range list {
				chs, on := switchesOf(p, have[stateKey{root, p.ID}])
				for i, ch := range chs {
					v := p.ID + "/" + string(ch)
					if !slices.Contains(c.shown, v) || c.on[v] == on[i] {
						continue
					}
					switch {
					case !c.on[v]:
						say(p.ID, ch, Withdrawn, 0)
					case p.SelfGrant:
						say(p.ID, ch, Granted, c.wording[p.ID])
					}
				}
			}
		}
		if err := s.Write(ctx, said); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update consent_links set used_at = $1 where id = $2", s.Clock.Now().UnixMilli(), l.id); err != nil {
			return err
		}
		if len(said) == 0 {
			return nil
		}
		return s.recordContact(ctx, "consent.chosen", root, map[string]any{"do": c.do, "rows": len(said), "link": proof.Link, "source": FromPage})
	})
}

// unsubscribe is RFC 8058: one POST by a mail program, without cookies or an origin.
func (s *Service) unsubscribe(w http.ResponseWriter, r *http.Request) {
	l, ok := s.open(w, r)
	if !ok {
		return
	}
	if !s.pace.allow("link "+l.id, s.Clock.Now()) {
		s.refusePage(w, r, http.StatusTooManyRequests, "slow")
		return
	}
	ctx := r.Context()
	purpose := r.URL.Query().Get("purpose")
	if purpose == "" {
		purpose = "marketing"
	}
	p, err := s.purpose(ctx, purpose)
	if err != nil || !p.uses(Email) {
		s.refusePage(w, r, http.StatusNotFound, "bad")
		return
	}
	proof := proofOf(r, l)
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		_, root, have, err := s.choices(ctx, l.contact)
		if err != nil {
			return err
		}
		m, _ := bitOf(Email)
		st := have[stateKey{root, purpose}]
		if st.of(m).state != Withdrawn { // a mail program may ask twice
			if err := s.Write(ctx, []Said{{Contact: l.contact, Purpose: purpose, Channel: Email, State: Withdrawn, Source: FromUnsubscribe, Proof: proof}}); err != nil {
				return err
			}
			return s.recordContact(ctx, "consent.chosen", root, map[string]any{"do": "unsubscribe", "purpose": purpose, "link": proof.Link, "source": FromUnsubscribe})
		}
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v, _ := s.newView(r.Context(), pageLang(r))
	v.Heading, v.Text = v.W.UnsubTitle, v.W.UnsubText
	v.Back = PagePath + r.PathValue("token") + "?lang=" + string(v.Lang)
	s.render(w, r, http.StatusOK, v)
}
