package link

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/qr"
)

// CodePath names a link in the path. It is exported because the API layer reads
// no parameters of embedded types that are not.
type CodePath struct {
	Code string `path:"code" maxLength:"60" doc:"Code of the link"`
}

type (
	linksInput struct {
		Q       string `query:"q" maxLength:"100"`
		Channel string `query:"channel" maxLength:"60"`
		State   string `query:"state" enum:"active,paused,expired"`
		Cursor  string `query:"cursor"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	linksOutput struct {
		Body struct {
			Items []Link `json:"items"`
			Next  string `json:"next,omitempty"`
			Total int64  `json:"total"`
		}
	}
	linkOutput  struct{ Body Link }
	changeInput struct {
		CodePath
		Body Input
	}
	statsInput struct {
		CodePath
		From time.Time `query:"from" required:"true" doc:"Inclusive"`
		To   time.Time `query:"to" required:"true" doc:"Exclusive"`
	}
	statsOutput struct{ Body Stats }
	radarInput  struct {
		Code   string `query:"code" maxLength:"60"`
		Known  bool   `query:"known" doc:"Only openings by people whom we know"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	radarOutput struct {
		Body struct {
			Items []Open `json:"items"`
			Next  string `json:"next,omitempty"`
		}
	}
	personInput struct {
		CodePath
		Contact string `query:"contact" required:"true" maxLength:"60" doc:"Contact id"`
	}
	personOutput struct {
		Body struct {
			Path string `json:"path"`
			URL  string `json:"url,omitempty"`
		}
	}
	settingsBody struct{ Body Settings }
	batchOutput  struct{ Body BatchResult }
)

// Routes declares the API of links, and /l/{code} itself.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "links", Summary: summary, Permission: may}
	}
	get, post, put := http.MethodGet, http.MethodPost, http.MethodPut
	httpx.Handle(api, httpx.Op{ID: "open-link", Method: get, Path: Path + "{code}", Tag: "links", Permission: auth.Public, Quiet: true, Hidden: true,
		Summary: "Leads to the stored target of a short link"}, s)
	httpx.Register(api, op("list-links", get, "/api/links", auth.AcquireRead, "List short links, the newest first"), s.httpList)
	create := op("create-link", post, "/api/links", auth.AcquireWrite, "Make a short link")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Input }) (*linkOutput, error) {
		list, err := s.Create(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		return &linkOutput{list[0]}, nil
	})
	httpx.Register(api, op("create-links-from-file", post, "/api/links/batch", auth.AcquireWrite, "Make a link for each row of an uploaded file, or only tell what it would make"), func(ctx context.Context, in *struct{ Body Batch }) (*batchOutput, error) {
		r, err := s.CreateFromFile(ctx, in.Body)
		return &batchOutput{r}, err
	})
	httpx.Register(api, op("get-link", get, "/api/links/{code}", auth.AcquireRead, "Get a short link"), func(ctx context.Context, in *CodePath) (*linkOutput, error) {
		l, err := s.Get(ctx, in.Code)
		return &linkOutput{l}, err
	})
	httpx.Register(api, op("update-link", put, "/api/links/{code}", auth.AcquireWrite, "Change a short link; its code stays"), func(ctx context.Context, in *changeInput) (*linkOutput, error) {
		l, err := s.Update(ctx, in.Code, in.Body)
		return &linkOutput{l}, err
	})
	whole := op("get-link-stats", get, "/api/links/{code}/stats", auth.AcquireRead, "Who opened a link: by day, device, app and referrer")
	whole.Whole = true
	httpx.Register(api, whole, func(ctx context.Context, in *statsInput) (*statsOutput, error) {
		if !in.From.Before(in.To) {
			return nil, bad("from", "request.bad_period")
		}
		st, err := s.Stats(ctx, in.Code, in.From, in.To)
		return &statsOutput{st}, err
	})
	httpx.Register(api, op("get-link-for-contact", get, "/api/links/{code}/person", auth.AcquireRead, "The link as it is sent to one contact, whose opening is then known"), s.httpPerson)
	httpx.Register(api, op("list-link-openings", get, "/api/link-openings", auth.AcquireRead, "The radar: who opened which link, the newest first"), s.httpRadar)
	httpx.Register(api, op("get-link-settings", get, "/api/link-settings", auth.AcquireRead, "How openings by programs are told apart"), func(context.Context, *struct{}) (*settingsBody, error) {
		return &settingsBody{s.settings.Load().Settings}, nil
	})
	httpx.Register(api, op("set-link-settings", put, "/api/link-settings", auth.AcquireWrite, "Change how openings by programs are told apart"), func(ctx context.Context, in *settingsBody) (*settingsBody, error) {
		set, err := s.SetSettings(ctx, in.Body)
		return &settingsBody{set}, err
	})
	httpx.Handle(api, op("get-link-qr", get, "/api/links/{code}/qr", auth.AcquireRead, "The link as a QR code: ?format=png or svg, ?size= pixels"), http.HandlerFunc(s.serveQR))
}

func (s *Service) httpList(ctx context.Context, in *linksInput) (*linksOutput, error) {
	var at listPlace
	if err := httpx.DecodeCursor(in.Cursor, &at); err != nil {
		return nil, err
	}
	out := &linksOutput{}
	items, next, total, err := s.List(ctx, strings.TrimSpace(in.Q), in.Channel, in.State, at, in.Limit)
	if err != nil {
		return nil, err
	}
	out.Body.Items, out.Body.Total = items, total
	if next != nil {
		out.Body.Next = httpx.EncodeCursor(*next)
	}
	return out, nil
}

func (s *Service) httpRadar(ctx context.Context, in *radarInput) (*radarOutput, error) {
	var at radarPlace
	if err := httpx.DecodeCursor(in.Cursor, &at); err != nil {
		return nil, err
	}
	items, next, err := s.Radar(ctx, in.Code, in.Known, at.N, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &radarOutput{}
	out.Body.Items = append([]Open{}, items...)
	if next != 0 {
		out.Body.Next = httpx.EncodeCursor(radarPlace{next})
	}
	return out, nil
}

func (s *Service) httpPerson(ctx context.Context, in *personInput) (*personOutput, error) {
	x, err := s.reread(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	num, err := s.Contacts.NumOf(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	out := &personOutput{}
	out.Body.Path = s.PathFor(x.code, num)
	if s.PublicURL != "" {
		out.Body.URL = strings.TrimSuffix(s.PublicURL, "/") + out.Body.Path
	}
	return out, nil
}

// PathFor is a link as it is sent to one contact in a message.
func (s *Service) PathFor(code string, num int64) string {
	return Path + code + "?" + personParam + "=" + s.PersonToken(num)
}

// serveQR draws the link's whole address, so that it can be printed.
func (s *Service) serveQR(w http.ResponseWriter, r *http.Request) {
	x, err := s.reread(r.Context(), r.PathValue("code"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	base := strings.TrimSuffix(s.PublicURL, "/")
	if base == "" { // the address that the console is open at
		base = "http://" + r.Host
		if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
			base = "https://" + r.Host
		}
	}
	q := r.URL.Query()
	if f := q.Get("format"); f != "" && f != "png" && f != "svg" {
		httpx.WriteError(w, r, bad("format", "request.not_one_of", "allowed", "png, svg"))
		return
	}
	qr.Serve(w, r, base+Path+x.code, q.Get("format"), q.Get("size"), "link-"+x.code)
}

//go:embed refuse.html
var refuseHTML string

var refusePage = template.Must(template.New("refuse").Parse(refuseHTML))

var refuseWords = map[int][2][2]string{
	http.StatusNotFound:           {{"没有这个链接", "请检查地址是否完整，或联系发给你的人。"}, {"There is no such link", "Please check that the address is whole, or ask whoever sent it."}},
	http.StatusGone:               {{"链接已失效", "这个链接已经结束或暂停，请联系发给你的人。"}, {"This link has ended", "It has expired or is paused. Please ask whoever sent it."}},
	http.StatusServiceUnavailable: {{"请稍后再试", "现在打不开，过一会儿再点一次。"}, {"Please try again shortly", "It cannot be opened just now."}},
}

// refuse says kindly why a link leads nowhere.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.WriteHeader(status)
	lang, i := httpx.Lang(r.Context()), 0
	if lang == i18n.EN {
		i = 1
	}
	words := refuseWords[status][i]
	_ = refusePage.Execute(w, map[string]any{"Lang": lang, "Title": words[0], "Text": words[1]}) // the caller went away
}
