package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/dictionary"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/shop"
	"github.com/koipond/koipond/web"
)

func (a *App) buildHTTP() error {
	a.api = httpx.New(a.mux, httpx.Config{Title: "Koipond 锦池", Version: a.build.Version, Auth: a.Team, Log: a.log, Catalogue: a.catalogue,
		Clock: a.clock, DB: a.DB, Seal: a.ring, Metrics: a.telemetry.registry, Tracing: a.telemetry.tracing, TrustedProxies: a.proxies()})
	for _, m := range []interface{ Routes(*httpx.API) }{a.Team, a.Audit, a.jobs, a.intake, a.pipe, a.dict, a.live, a.contacts, a.exports, a.matches, a.consent, a.care, a.machines, a.rfm, a.shop, a.importer, a.segments, a.webhooks, a.autotags, a.acquire, a.links, a.pages, a.quality, a.livecodes, a.replies, a.menus, a.scenes, a.connectors, a.signIn, a.staff, a.mirror, a.groups} {
		m.Routes(a.api)
	}
	sim.Routes(a.api, a.simulator)
	a.routes()
	files, err := web.Files()
	if err != nil {
		return fmt.Errorf("open the console: %w", err)
	}
	console, err := web.NewHandler(files)
	if err != nil {
		return fmt.Errorf("open the console: %w", err)
	}
	a.mux.Handle("/", console)
	return nil
}

// PeriodInput is a span of time and a channel, as queries give them.
type PeriodInput struct {
	From    time.Time `query:"from" doc:"Inclusive; default thirty days before the end"`
	To      time.Time `query:"to" doc:"Exclusive; default now"`
	Channel string    `query:"channel" maxLength:"60" doc:"First-touch channel"`
}

type overviewInput struct {
	PeriodInput
	Currency string `query:"currency" maxLength:"3" doc:"ISO 4217; default the company's"`
}

type peopleInput struct {
	PeriodInput
	Metric   string `query:"metric" required:"true" maxLength:"200" doc:"size, new, active, visitors, buyers, repeat, firstBuyers, cohort, or event:<name>"`
	Currency string `query:"currency" maxLength:"3"`
	Cursor   string `query:"cursor"`
	Limit    int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type searchInput struct {
	Q string `query:"q" required:"true" maxLength:"128"`
}

type foundOrder struct {
	ID      string        `json:"id"`
	Number  string        `json:"number"`
	Contact *contact.Ref  `json:"contact,omitempty"`
	Total   contact.Money `json:"total"`
}

type foundEvent struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type searchResult struct {
	Contacts []contact.Row `json:"contacts"`
	Orders   []foundOrder  `json:"orders"`
	Events   []foundEvent  `json:"events"`
	Imports  []contact.Ref `json:"imports"`
}

type body[T any] struct{ Body T }

// period turns the outside's period, channel and currency into a question.
func (a *App) question(ctx context.Context, in PeriodInput, currency string) (overviewQuery, error) {
	set, err := a.Team.Settings(ctx)
	if err != nil {
		return overviewQuery{}, err
	}
	zone, err := time.LoadLocation(set.Timezone)
	if err != nil {
		zone = time.UTC
	}
	from, to, err := spanOf(in.From, in.To, a.clock.Now(), zone)
	if currency == "" {
		currency = set.Currency
	}
	if err != nil {
		return overviewQuery{}, err
	}
	fakes, err := a.quality.Fakes(ctx)
	return overviewQuery{Fakes: fakes, From: from, To: to, Zone: zone, Channel: in.Channel, Channels: a.channelsBelow(in.Channel), Currency: strings.ToUpper(currency)}, err
}

func (a *App) routes() {
	httpx.Register(a.api, httpx.Op{ID: "get-overview", Method: http.MethodGet, Path: "/api/overview", Tag: "overview", Permission: auth.OverviewRead,
		Summary: "How the pond is, and what to do next"}, func(ctx context.Context, in *overviewInput) (*body[*overview], error) {
		q, err := a.question(ctx, in.PeriodInput, in.Currency)
		if err != nil {
			return nil, err
		}
		o, err := a.overview.Overview(ctx, q)
		return &body[*overview]{o}, err
	})
	httpx.Register(a.api, httpx.Op{ID: "list-people", Method: http.MethodGet, Path: "/api/people", Tag: "overview", Permission: auth.ContactRead,
		Summary: "The people behind a number of the overview"}, func(ctx context.Context, in *peopleInput) (*body[*peoplePage], error) {
		q, err := a.question(ctx, in.PeriodInput, in.Currency)
		if err != nil {
			return nil, err
		}
		p, err := a.overview.peopleBehind(ctx, a.contacts, q, in.Metric, in.Cursor, in.Limit)
		return &body[*peoplePage]{p}, err
	})
	a.channelRoutes()
	httpx.Register(a.api, httpx.Op{ID: "search", Method: http.MethodGet, Path: "/api/search", Tag: "overview", Permission: auth.OverviewRead,
		Summary: "Contacts, orders, events and imports by a few letters"}, func(ctx context.Context, in *searchInput) (*body[searchResult], error) {
		r, err := a.search(ctx, strings.TrimSpace(in.Q))
		return &body[searchResult]{r}, err
	})
	httpx.Register(a.api, httpx.Op{ID: "get-system", Method: http.MethodGet, Path: "/api/system", Tag: "system", Permission: auth.SystemRead,
		Summary: "How the program and its stores are doing"}, func(ctx context.Context, _ *struct{}) (*body[*systemStatus], error) {
		s, err := a.system(ctx)
		return &body[*systemStatus]{s}, err
	})
	httpx.Handle(a.api, httpx.Op{ID: "download-backup", Method: http.MethodGet, Path: "/api/system/backup", Tag: "system", Permission: auth.SettingsWrite, Whole: true,
		Summary: "A consistent copy of all stores, as one file"}, http.HandlerFunc(a.serveBackup))
	httpx.Handle(a.api, httpx.Op{ID: "healthz", Method: http.MethodGet, Path: "/healthz", Tag: "system", Permission: auth.Public, Quiet: true, Hidden: true,
		Summary: "The process is alive"}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }))
	httpx.Handle(a.api, httpx.Op{ID: "readyz", Method: http.MethodGet, Path: "/readyz", Tag: "system", Permission: auth.Public, Quiet: true, Hidden: true,
		Summary: "The stores answer and requests are served"}, http.HandlerFunc(a.serveReady))
	httpx.Handle(a.api, httpx.Op{ID: "metrics", Method: http.MethodGet, Path: "/metrics", Tag: "system", Permission: auth.Public, Quiet: true, Hidden: true,
		Summary: "Prometheus metrics"}, a.serveMetrics())
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a caller that went away needs no answer
}

func (a *App) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	select {
	case <-a.api.Stopping():
		plain(w, http.StatusServiceUnavailable, "stopping\n")
		return
	default:
	}
	for name, ask := range map[string]func(context.Context) error{"records": a.DB.Ping, "stream": a.bus.Ping} {
		if err := ask(ctx); err != nil {
			a.log.WarnContext(ctx, "not ready", "store", name, "error", err)
			plain(w, http.StatusServiceUnavailable, name+" does not answer\n")
			return
		}
	}
	plain(w, http.StatusOK, "ready\n")
}

// serveMetrics answers this machine, and others with a credential that may
// read the system: figures tell a lot about a company.
func (a *App) serveMetrics() http.Handler {
	h := promhttp.HandlerFor(a.telemetry.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.cfg.MetricsOpen && !here(r) {
			p, err := a.Team.Authenticate(r)
			if err != nil || p == nil {
				httpx.WriteError(w, r, errs.New(errs.Unauthorized, "session.required"))
				return
			}
			if !p.May(auth.SystemRead) {
				httpx.WriteError(w, r, errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.SystemRead)))
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// here tells whether the request was made on this machine. One that a proxy on
// this machine handed on comes from afar, whether or not the proxy is trusted.
func here(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	ip := net.ParseIP(httpx.ClientIP(r.Context()))
	return ip != nil && ip.IsLoopback()
}

const searchLimit = 6

// search asks each part that the caller may read.
func (a *App) search(ctx context.Context, q string) (searchResult, error) {
	out := searchResult{Contacts: []contact.Row{}, Orders: []foundOrder{}, Events: []foundEvent{}, Imports: []contact.Ref{}}
	if q == "" {
		return out, nil
	}
	p := auth.From(ctx)
	if p.May(auth.ContactRead) {
		rows, err := a.contacts.Search(ctx, q, searchLimit)
		if err != nil {
			return out, err
		}
		out.Contacts = append(out.Contacts, rows...)
	}
	if p.May(auth.OrderRead) {
		if err := a.searchOrders(ctx, q, &out); err != nil {
			return out, err
		}
	}
	if p.May(auth.DictionaryRead) {
		defs, _, err := a.dict.Events(ctx, dictionary.EventQuery{Text: q, Limit: searchLimit})
		if err != nil {
			return out, err
		}
		for _, d := range defs {
			out.Events = append(out.Events, foundEvent{d.Name, d.DisplayName})
		}
	}
	if p.May(auth.ImportRead) {
		found, err := a.importer.Search(ctx, q, searchLimit)
		if err != nil {
			return out, err
		}
		for _, i := range found {
			out.Imports = append(out.Imports, contact.Ref{ID: i.ID, Name: i.Name})
		}
	}
	return out, nil
}

func (a *App) searchOrders(ctx context.Context, q string, out *searchResult) error {
	orders, err := a.shop.List(ctx, shop.Query{Number: q, Limit: searchLimit})
	if err != nil {
		return err
	}
	views, err := a.shop.Views(ctx, orders)
	if err != nil {
		return err
	}
	for _, v := range views {
		out.Orders = append(out.Orders, foundOrder{ID: v.ID, Number: v.Number, Contact: v.Contact, Total: v.Total})
	}
	return nil
}

// OpenAPI builds the program on throw-away stores, unstarted, and returns its API document.
func OpenAPI(b Build) (doc []byte, err error) {
	a, done, err := scratch(b)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	return a.api.OpenAPI()
}
