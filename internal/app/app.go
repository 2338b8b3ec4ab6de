package app

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/acquire"
	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/acquire/menu"
	"github.com/koipond/koipond/internal/acquire/page"
	"github.com/koipond/koipond/internal/acquire/quality"
	"github.com/koipond/koipond/internal/acquire/reply"
	"github.com/koipond/koipond/internal/acquire/scene"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/autotag"
	rules "github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/audience/machine"
	"github.com/koipond/koipond/internal/audience/rfm"
	"github.com/koipond/koipond/internal/audience/webhook"
	"github.com/koipond/koipond/internal/community"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/care"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/contact/mirror"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/dictionary"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/live"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/vault"
	"github.com/koipond/koipond/internal/shop"
	"github.com/koipond/koipond/internal/staff"
	"github.com/koipond/koipond/internal/team"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the installation itself.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "app", FS: sub}
}

// streamName is the one stream of facts.
const streamName = "FACTS"

// App is the program, built but not yet started.
type App struct {
	*Records
	build   Build
	state   stateStore
	started time.Time

	telemetry *telemetry
	catalogue *i18n.Catalogue
	bus       *bus.Bus
	stream    *bus.Stream
	store     *sealed.Store
	files     *blob.Sealed
	jobs      *jobs.Service
	intake    *intake.Service
	pipe      *pipeline.Pipeline
	dict      *dictionary.Service
	live      *live.Service
	contacts  *contact.Service
	audiences *rules.Engine // keeps the rules of segments and the like true
	exports   *contact.Exports
	consent   *consent.Service
	care      *care.Service
	machines  *machine.Service
	rfm       *rfm.Service
	matches   *match.Service
	shop      *shop.Service
	importer  *importer.Service
	segments  *audience.Service
	webhooks  *webhook.Service
	autotags  *autotag.Service
	livecodes *livecode.Service
	acquire   *acquire.Service
	links     *link.Service
	pages     *page.Service
	quality   *quality.Service
	overview  *overviewService
	vault     *vault.Keeper
	demo      *demoPond  // nil but for the demo
	sim       *demoSim   // the simulated WeCom; nil but for the demo
	backingUp sync.Mutex // each backup takes a copy's worth of disk

	replies *reply.Service
	menus   *menu.Service
	scenes  *scene.Service

	connectors *connector.Service
	signIn     *wechat.SignIn // customers saying who they are
	messages   *messages
	staff      *staff.Service
	talks      *wecom.Talks
	results    *wecom.Results
	mirror     *mirror.Service
	groups     *community.Service

	mux     *http.ServeMux
	api     *httpx.API
	closers []func(context.Context) error // run in reverse
}

// facts joins the two halves of event.Ingester: appending is the intake's,
// waiting the pipeline's.
type facts struct {
	*intake.Service
	pipe *pipeline.Pipeline
}

// Wait implements event.Ingester.
func (f facts) Wait(ctx context.Context, seq uint64) error { return f.pipe.Wait(ctx, seq) }

// build opens the stores and makes every service. On error it closes what it opened.
func build(ctx context.Context, cfg Config, b Build, log *slog.Logger) (a *App, err error) {
	a = &App{build: b, mux: http.NewServeMux()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(context.WithoutCancel(ctx)))
		}
	}()
	if a.telemetry, err = newTelemetry(ctx, cfg, b); err != nil {
		return a, err
	}
	a.closers = append(a.closers, a.telemetry.stop)
	if a.catalogue, err = i18n.Load(log); err != nil {
		return a, err
	}
	var demo *team.Demo
	if cfg.Demo {
		a.demo = &demoPond{}
		if demo, err = a.demo.prepare(cfg); err != nil {
			return a, err
		}
	}
	if a.Records, err = openRecords(ctx, cfg, log, demo, b.Version); err != nil {
		return a, err
	}
	a.closers = append(a.closers, func(context.Context) error { return a.Records.Close() })
	a.started = a.clock.Now()
	a.state = stateStore{a.Records}
	if err = a.openStores(ctx); err != nil {
		return a, err
	}
	a.buildServices()
	return a, a.buildHTTP()
}

func (a *App) openStores(ctx context.Context) error {
	cfg := a.cfg
	store, err := duckdb.Open(ctx, duckdb.Config{Path: cfg.analyticsPath(), MemoryLimitMB: cfg.AnalyticsMemory, Clock: a.clock, Log: a.log})
	if err != nil {
		return fmt.Errorf("open the analytics store: %w", err)
	}
	a.store = sealed.Wrap(store, a.ring)
	a.closers = append(a.closers, func(context.Context) error { return store.Close() })
	pos, err := store.Position(ctx)
	if err != nil {
		return err
	}
	if a.bus, err = bus.Open(ctx, bus.Config{Dir: cfg.streamDir(), URL: cfg.StreamURL, MaxBytes: cfg.StreamMaxBytes + 1<<30, Log: a.log}); err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	a.closers = append(a.closers, a.bus.Close)
	floor, err := pipeline.Floor(ctx, a.DB)
	if err != nil {
		return err
	}
	if a.stream, err = a.bus.Stream(ctx, bus.StreamConfig{Name: streamName, MaxBytes: cfg.StreamMaxBytes, After: pos.Seq, Floor: floor}); err != nil {
		return err
	}
	files, err := openFiles(ctx, cfg)
	if err != nil {
		return err
	}
	a.files = blob.Seal(files, a.ring)
	return nil
}

func openFiles(ctx context.Context, cfg Config) (blob.Store, error) {
	if cfg.FilesEndpoint == "" {
		return blob.NewFolder(cfg.filesDir())
	}
	endpoint, insecure := s3Endpoint(cfg.FilesEndpoint)
	return blob.NewS3(ctx, blob.S3Config{Endpoint: endpoint, Insecure: insecure, Bucket: cfg.FilesBucket, Region: cfg.FilesRegion,
		AccessKey: cfg.FilesAccessKey, SecretKey: cfg.FilesSecretKey})
}

func (a *App) buildServices() {
	reg := a.telemetry.registry
	a.jobs = jobs.NewService(jobs.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Files: a.files, Audit: a.Audit, Params: a.jobParams(), Metrics: reg, Principal: a.Team.Principal,
		Node: a.nodeName(), Workers: a.cfg.JobWorkers})
	a.intake = intake.New(intake.Deps{Stream: a.stream, MaxMessage: a.bus.MaxMessage(), Keys: a.ring, DB: a.DB, WriteKeys: writeKeys{a.Team},
		Clock: a.clock, IDs: a.ids, Log: a.log, Metrics: reg})
	a.dict = dictionary.New(dictionary.Deps{DB: a.DB, Store: a.store, Clock: a.clock, IDs: a.ids, Log: a.log, Audit: a.Audit, Jobs: a.jobs})
	a.contacts = contact.NewService(contact.Deps{DB: a.DB, Zone: a.zone, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Emit: a.intake, Audit: a.Audit, Behaviours: a.store,
		Timeline: a.store, People: a.Team, Staff: a.Team, AloneAfter: a.aloneAfter, Titles: a.dict, Dictionary: ruleWords{a.dict}, Imports: importNames{a}, Jobs: a.jobs, Tables: tagTables{a}})
	a.contacts.RegisterJobs()
	a.acquire = acquire.NewService(acquire.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Audit: a.Audit, People: a.Team, Tables: tagTables{a},
		Currency: a.currency, Zone: a.zone, Amount: importer.ParseMoney, Changed: func() { a.audiences.Recheck() }})
	a.contacts.ChannelsFrom(a.acquire)
	a.buildAudiences()
	a.consent = consent.NewService(consent.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Emit: a.intake, Audit: a.Audit,
		Contacts: a.contacts, Jobs: a.jobs, Files: a.files, Brand: a.brand, PublicURL: a.cfg.URL})
	a.care = care.NewService(care.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Emit: a.intake, Audit: a.Audit,
		Contacts: a.contacts, Selector: a.contacts, Jobs: a.jobs, Blobs: a.files, People: a.Team, Zone: a.zone})
	a.care.RegisterJobs()
	a.buildQuality()
	a.links = link.NewService(link.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Audit: a.Audit, Keys: a.ring, Channels: a.acquire, Contacts: a.contacts,
		People: a.Team, Teller: a.care, Tables: tagTables{a}, Ingest: a.intake, Zone: a.zone, PublicURL: a.cfg.URL, Store: a.store, Fakes: a.quality})
	a.contacts.FilterBy("followUp", a.care.Field())
	circles := loops.New()
	a.machines = machine.NewService(machine.Deps{Engine: a.audiences, Loops: circles, Hold: a.filling, DB: a.DB, Clock: a.clock, Log: a.log, Audit: a.Audit, Emit: a.intake, Jobs: a.jobs, Contacts: a.contacts, Zone: a.zone})
	a.machines.RegisterJobs()
	a.contacts.StandBy(a.machines)
	for name, f := range a.machines.Fields() {
		a.contacts.FilterBy(name, f)
	}
	a.rfm = rfm.NewService(rfm.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Audit: a.Audit, Jobs: a.jobs, Contacts: a.contacts, Worths: a.store, Engine: a.audiences, Zone: a.zone, Currency: a.currency})
	a.rfm.RegisterJobs()
	for name, f := range a.rfm.Fields() {
		a.contacts.FilterBy(name, f)
	}
	a.contacts.OnMerge(a.machines.Merged)
	a.contacts.OnSplit(a.machines.Split)
	a.contacts.OnKind(a.machines.Rekind)
	a.contacts.OnRemove(a.machines.Forget)
	a.exports = contact.NewExports(a.contacts, contact.ExportDeps{Jobs: a.jobs, Catalogue: a.catalogue, Sources: []contact.ExportSource{fileConsents{a.consent}}})
	a.matches = match.New(match.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Contacts: a.contacts, Joiner: joiner{a.contacts}, Jobs: a.jobs,
		Audit: a.Audit, Zone: a.zone, Dir: a.cfg.Data})
	a.live = live.New(live.Deps{Store: a.store, Clock: a.clock, Contacts: describer{a.contacts}})
	a.pipe = pipeline.New(pipeline.Deps{DB: a.DB, Stream: a.stream, Store: a.store, Resolver: a.contacts.Resolver(), Contacts: describer{a.contacts},
		Emitter: a.intake, Keys: a.ring, Watcher: watchers{a.live, a.rfm}, Audit: a.Audit, Prepare: a.prepare, Clock: a.clock, IDs: a.ids, Log: a.log, Metrics: reg})
	a.shop = shop.NewService(shop.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Contacts: buyers{a.contacts, a.currency}, Currency: a.currency,
		Touches: orderTouches{a.store}, Below: a.acquire.Below, Jobs: a.jobs, Audit: a.Audit})
	a.shop.RegisterJobs()
	a.autotags = autotag.New(autotag.Deps{DB: a.DB, Clock: a.clock, Log: a.log, Keys: a.ring, Audit: a.Audit, Contacts: a.contacts, Facts: a.store, Loops: circles})
	a.contacts.AutoTags(a.autotags)
	a.contacts.FilterBy(autotag.FieldName, a.autotags.Field())
	a.contacts.AddReferrer(a.autotags)
	a.contacts.AddReferrer(a.machines.Terms())
	a.audiences.Own(a.autotags.Owner())
	a.autotags.KeptBy(a.audiences)
	ingest := facts{a.intake, a.pipe}
	a.importer = importer.NewService(importer.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Files: a.files, Keys: a.ring, Jobs: a.jobs, Audit: a.Audit,
		Ingest: ingest, Contacts: importedPeople{a.contacts, a.consent, a.audiences}, Orders: a.shop, Facts: countedFacts{a.store, a.autotags, a.rfm}, Consents: fileConsents{a.consent}, Catalogue: a.catalogue, Company: a.company, Settle: a.settle, Attributes: a.contacts.AttributeKeys,
		MaxUpload: a.cfg.MaxUploadMB << 20})
	a.segments = audience.NewService(audience.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Emit: a.intake, Audit: a.Audit, Jobs: a.jobs,
		Contacts: a.contacts, Exports: a.exports, People: a.Team, Tables: tagTables{a}, Zone: a.zone, Behaviours: a.store, Events: a.customerEvents, Loops: circles})
	a.segments.Follow(a.audiences)
	a.audiences.Own(a.segments.Owner())
	a.webhooks = webhook.NewService(webhook.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit, Segments: a.segments,
		Guard: outbound.Guard{Private: a.cfg.OutboundPrivate}})
	a.referToSegments()
	a.contacts.FilterBy(audience.Field, a.segments.Field())
	a.contacts.AddReferrer(a.segments.Terms())
	a.contacts.OnRemove(a.segments.Forget)
	a.buildConnectors()
	a.buildWeCom(ingest)
	a.buildWeChat(ingest)
	a.buildMessages(ingest)
	a.buildColleagues(ingest)
	a.buildMirror()
	a.buildGroups(ingest)
	a.buildLiveCodes()
	a.buildReplies(ingest)
	a.buildPages(ingest)
	a.vault = vault.New(vault.Deps{DB: a.DB, Ring: a.ring, From: a.cfg.keySource(), Clock: a.clock, Log: a.log, Audit: a.Audit, Jobs: a.jobs, Node: a.nodeName()},
		a.sealedSources()...)
	a.contacts.AddReferrer(a.importer)
	for _, s := range []event.Subscriber{a.contacts.Activity(), a.consent, a.shop, a.dict, a.webhooks, a.autotags.Follower(), a.links, a.livecodes, a.replies, a.menus, a.scenes, a.staff, a.pages, a.shop.TouchFollower(), a.mirror, a.groups} {
		a.pipe.Subscribe(s)
	}
	a.followFacts()
	a.contacts.OnMerge(func(ctx context.Context, merges []contact.Merge) error {
		moves := make([]shop.Move, len(merges))
		for i, m := range merges {
			moves[i] = shop.Move{From: m.From, Into: m.Into}
		}
		return a.shop.MoveContacts(ctx, moves)
	})
	a.contacts.OnSplit(func(ctx context.Context, splits []contact.Split) error {
		for _, s := range splits {
			if err := a.shop.SplitContact(ctx, s.Contact, s.From, s.Members); err != nil {
				return err
			}
		}
		return nil
	})
	a.contacts.OnRemove(func(ctx context.Context, nums []int64) error {
		_, err := a.store.EraseContacts(ctx, nums)
		return err
	})
	a.contacts.OnRemove(a.care.Forget)
	a.contacts.OnRemove(a.audiences.Forget)
	a.contacts.OnRemove(a.autotags.Forget)
	a.overview = &overviewService{sold: a.shop, pages: a.pages, links: a.links, store: a.store, growth: realGrowth{a.contacts, a.quality}, names: a.eventNames, clock: a.clock, tree: a.acquire, advisor: adviceSource{
		store: a.store, setAside: a.pipe.OpenSetAside, violations: a.dict.CountViolations, hasKeys: a.hasKeys, newest: a.newestFact}.advise}
}

// nodeName stays the same over restarts of one data folder, so that jobs cut
// off by a crash are taken up at once.
func (a *App) nodeName() string {
	if a.cfg.DatabaseURL == "" {
		return "local"
	}
	return a.cfg.Listen + "@" + a.cfg.Data
}

func (a *App) company(ctx context.Context) (importer.Company, error) {
	s, err := a.Team.Settings(ctx)
	return importer.Company{Timezone: s.Timezone, Currency: s.Currency}, err
}

// zone is the company's time zone, China's when it is not known just now.
func (a *App) zone(ctx context.Context) *time.Location {
	s, err := a.Team.Settings(ctx)
	if err == nil {
		if loc, err := time.LoadLocation(s.Timezone); err == nil {
			return loc
		}
	}
	a.log.Warn("the company's time zone is not known just now", "error", err)
	return time.FixedZone("Asia/Shanghai", 8*3600)
}

func (a *App) brand(ctx context.Context) (consent.Brand, error) {
	s, err := a.Team.Settings(ctx)
	return consent.Brand{Company: s.Company, Timezone: s.Timezone, Language: s.Language}, err
}

func (a *App) currency(ctx context.Context) (string, error) {
	s, err := a.Team.Settings(ctx)
	return s.Currency, err
}

// prepare is the pipeline's: order facts of every dialect come into one shape.
// Without the company's currency at hand a fact that names none stays as it is.
func (a *App) prepare(f *event.Fact) {
	a.livecodes.Canonical(f)
	a.scenes.Canonical(f)
	if !shop.IsOrderFact(f.Name) {
		return
	}
	cur, err := a.currency(context.Background())
	if err != nil {
		a.log.Warn("the company's currency is not known just now", "error", err)
		cur = ""
	}
	shop.Canonical(f, cur)
}

func (a *App) proxies() []netip.Prefix {
	p, _ := a.cfg.Proxies() // checked by Config.Check
	return p
}

func (a *App) close(ctx context.Context) error {
	var all error
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, a.closers[i](ctx))
	}
	a.closers = nil
	return all
}
