package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var pages = template.Must(template.New("").Parse(pageHTML))

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var scriptHash = hashOf(pageJS)

// usualColor is the accent of pages that name none.
const usualColor = "#2f5d7c"

// style is the page's own, with its accent and letters that can be read on it.
func style(color string) string {
	if !colorShape.MatchString(color) {
		color = usualColor
	}
	on := "#fff"
	if bright(color) {
		on = "#16181c"
	}
	return ":root{--brand:" + color + ";--on:" + on + "}" + pageCSS
}

// bright tells whether dark letters are read better on a colour (WCAG's relative
// luminance, roughly).
func bright(color string) bool {
	n, _ := strconv.ParseUint(color[1:], 16, 32) // the shape was checked
	part := func(shift uint) float64 { v := float64(n >> shift & 255); return v / 255 * v / 255 }
	return .2126*part(16)+.7152*part(8)+.0722*part(0) > .36
}

type view struct {
	Lang                      i18n.Lang
	W                         pageWords
	Title, Company            string
	Style                     template.CSS
	Script                    template.JS
	Preview                   bool
	Blocks                    []viewBlock
	Action, Sheet, Note       string
	Heading, Text, Had, Leads string
	Next                      string
	Wait                      int
	Pending                   bool
	Gift                      *Gift
	Code                      template.URL
}

type viewBlock struct {
	Kind, Text, Src, Button string
	First                   bool
	Fields                  []viewField
	Consents                []viewConsent
}

type viewField struct {
	ID, Name, Label, Hint, Type, Mode, Auto, Value, Bad string
	Required, Many                                      bool
	Options                                             []viewOption
}

type viewOption struct {
	ID, Label string
	On        bool
}

type viewConsent struct {
	Value, Name, Text, Channels, Bad string
	Version                          int64
	On                               bool
}

func (s *Service) newView(ctx context.Context, lang i18n.Lang, title, color string) view {
	brand, err := s.Brand(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "the brand of landing pages is not known", "error", err)
	}
	return view{Lang: lang, W: words[lang], Title: title, Company: brand.Company, Style: template.CSS(style(color))} //nolint:gosec // our own file and a checked colour
}

// send writes a page. Nothing in it comes from elsewhere, and no script runs but ours.
func (s *Service) send(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		s.Log.ErrorContext(r.Context(), "landing page not rendered", "error", err)
		status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+hashOf(string(v.Style))+"; script-src "+scriptHash+"; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the visitor went away
}

func (s *Service) render(w http.ResponseWriter, r *http.Request, status int, x *row, d *Design, sh sheet, a *answer) {
	v, err := s.build(r.Context(), x.title, d, a)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	q.Del("done")
	v.Action = Path + x.slug
	if len(q) > 0 {
		v.Action += "?" + q.Encode()
	}
	v.Sheet, v.Script = s.sign(x.id, sh), template.JS(pageJS) //nolint:gosec // our own file
	s.send(w, r, status, "page", v)
}

func (s *Service) build(ctx context.Context, title string, d *Design, a *answer) (view, error) {
	k, err := s.known(ctx)
	if err != nil {
		return view{}, err
	}
	lang := d.lang()
	v := s.newView(ctx, lang, title, d.Color)
	if a == nil {
		a = &answer{}
	}
	say := func(key string) string {
		f, ok := a.faults[key]
		if !ok {
			return ""
		}
		return s.Say(lang, f.code, f.params)
	}
	v.Note = say("")
	first := true
	for i := range d.Blocks {
		b := &d.Blocks[i]
		vb := viewBlock{Kind: string(b.Kind), Text: b.Text, Button: b.Button}
		switch b.Kind {
		case Headline:
			vb.First, first = first, false
		case Picture:
			if b.File != "" {
				vb.Src = FilePath + b.File
			}
		case Form:
			if vb.Button == "" {
				vb.Button = v.W.Send
			}
			for j := range b.Fields {
				if def := k.fields[b.Fields[j].Key]; def != nil {
					vb.Fields = append(vb.Fields, fieldOf(&b.Fields[j], def, lang, a.typed[def.Key], say(def.Key)))
				}
			}
			for j := range b.Consents {
				if p := k.purposes[b.Consents[j].Purpose]; p != nil {
					vb.Consents = append(vb.Consents, consentOf(&b.Consents[j], p, lang, a, say("c."+p.ID)))
				}
			}
		}
		v.Blocks = append(v.Blocks, vb)
	}
	return v, nil
}

func fieldOf(f *Field, def *attribute.Attribute, lang i18n.Lang, typed []string, bad string) viewField {
	v := viewField{ID: "f-" + strings.ReplaceAll(def.Key, " ", "-"), Name: "f." + def.Key, Label: f.Label, Hint: f.Hint, Required: f.Required, Type: "text", Bad: bad}
	if v.Label == "" {
		v.Label = def.Name(lang == i18n.EN)
	}
	if len(typed) > 0 {
		v.Value = typed[0]
	}
	switch def.Type {
	case attribute.Phone:
		v.Type, v.Auto = "tel", "tel"
	case attribute.Email:
		v.Type, v.Auto = "email", "email"
	case attribute.Date:
		v.Type = "date"
	case attribute.Number, attribute.Money:
		v.Mode = "decimal"
	case attribute.Flag:
		v.Type = "checkbox"
	case attribute.Enum, attribute.Multi:
		v.Many = def.Type == attribute.Multi
		for _, o := range def.Options {
			if !o.Retired {
				v.Options = append(v.Options, viewOption{o.ID, o.Label, slices.Contains(typed, o.ID)})
			}
		}
	}
	if def.Key == "name" {
		v.Auto = "name"
	}
	return v
}

func consentOf(c *AskConsent, p *consent.Purpose, lang i18n.Lang, a *answer, bad string) viewConsent {
	english := lang == i18n.EN
	v := viewConsent{Value: p.ID + "/" + number(p.Current), Name: in(p.Name, english), Version: p.Current, Bad: bad}
	for _, w := range p.Wordings {
		if w.Version == p.Current {
			v.Text = in(w.Text, english)
		}
	}
	if v.Text == "" {
		v.Text, v.Name = v.Name, ""
	}
	names := []string{}
	for _, ch := range p.Channels {
		if len(c.Channels) == 0 || slices.Contains(c.Channels, string(ch)) {
			names = append(names, words[lang].Channel[ch])
		}
	}
	v.Channels = strings.Join(names, "、")
	if english {
		v.Channels = strings.Join(names, ", ")
	}
	v.On = slices.ContainsFunc(a.consents, func(g agreed) bool { return g.Purpose == p.ID })
	return v
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// serveThanks shows what follows a form that was sent.
func (s *Service) serveThanks(w http.ResponseWriter, r *http.Request, x *row, done string) {
	message, ok := s.doneOf(x.id, done)
	if !ok {
		http.Redirect(w, r, Path+x.slug, http.StatusSeeOther)
		return
	}
	var contact int64
	var gift string
	err := s.DB.QueryRow(r.Context(), "select contact, gift from page_submits where message = $1 and page = $2", message, x.id).Scan(&contact, &gift)
	if err != nil && !db.NoRows(err) {
		s.fail(w, r, err)
		return
	}
	s.renderThanks(w, r, x, x.public, gift, x.public.Thanks.Gift != nil && contact == 0)
}

// What became of a gift.
const (
	giftGiven = "given"
	giftHad   = "had"
)

func (s *Service) renderThanks(w http.ResponseWriter, r *http.Request, x *row, d *Design, gift string, pending bool) {
	v := s.newView(r.Context(), d.lang(), x.title, d.Color)
	v.Heading, v.Text = d.Thanks.Title, d.Thanks.Text
	if v.Heading == "" {
		v.Heading = v.W.Thanks
	}
	switch {
	case d.Thanks.Redirect != "":
		v.Leads, v.Next = d.Thanks.Redirect, d.Thanks.Redirect
	case pending && r.URL.Query().Get("n") != "9": // it looks again, but not for ever
		q := r.URL.Query()
		n, _ := strconv.Atoi(q.Get("n"))
		q.Set("n", strconv.Itoa(min(max(n, 0)+1, 9)))
		v.Pending, v.Wait, v.Next = true, 2, Path+x.slug+"?"+q.Encode()
	case gift == giftGiven:
		v.Gift = d.Thanks.Gift
	case gift == giftHad && d.Thanks.Gift != nil:
		v.Had = put(v.W.Had, "gift", d.Thanks.Gift.Name)
	}
	if d.Thanks.LiveCode != "" {
		svg, ok, err := s.Codes.Draw(r.Context(), d.Thanks.LiveCode)
		if err != nil {
			s.Log.WarnContext(r.Context(), "a thank-you goes without its live code", "code", d.Thanks.LiveCode, "error", err)
		} else if ok {
			v.Code = template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg)) //nolint:gosec // drawn here
		}
	}
	s.send(w, r, http.StatusOK, "thanks", v)
}

// refuse says kindly why there is nothing here.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, status int) {
	lang, i := httpx.Lang(r.Context()), 0
	if lang == i18n.EN {
		i = 1
	}
	text := refusals[status][i]
	v := s.newView(r.Context(), lang, text[0], "")
	v.Heading, v.Text = text[0], text[1]
	s.send(w, r, status, "refuse", v)
}

// Preview is a page as it would be, with nothing that can be sent.
func (s *Service) Preview(ctx context.Context, title string, d Design) (string, error) {
	if err := s.checkDesign(ctx, &d, false); err != nil {
		return "", err
	}
	v, err := s.build(ctx, title, &d, nil)
	if err != nil {
		return "", err
	}
	v.Preview, v.Action = true, "#"
	var b strings.Builder
	err = pages.ExecuteTemplate(&b, "page", v)
	return b.String(), err
}
