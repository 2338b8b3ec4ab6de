package contact

import (
	"context"
	"log/slog"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// People names users, for owners and authors (package team implements it).
// Ids that nobody has are left out of the answer.
type People interface {
	Names(ctx context.Context, ids []string) map[string]string
}

// Staff tells who is of the staff, for filters that speak of groups of them
// (package team implements it).
type Staff interface {
	// Left are the users who do not work here any more.
	Left(ctx context.Context) ([]string, error)
	// Below are the members and leads of departments and of all below those.
	Below(ctx context.Context, departments []string) ([]string, error)
	// DepartmentPaths lists every department's id and its name behind the names
	// of those above it, each after the one above.
	DepartmentPaths(ctx context.Context) ([][2]string, error)
}

// Titles gives the display names of events and their properties, for the timeline
// (package event's dictionary implements it). Those without one are left out; what
// properties are usually called stands under the event "".
type Titles interface {
	Titles(ctx context.Context, names []string) (map[string]string, error)
	PropertyTitles(ctx context.Context, events []string) (map[string]map[string]string, error)
}

// Timeline reads one contact's facts (analytics.Store implements it).
type Timeline interface {
	Timeline(ctx context.Context, q analytics.TimelineQuery) ([]analytics.Row, error)
}

// Imports names imports, for the profile (package importer implements it).
type Imports interface {
	Names(ctx context.Context, ids []string) (map[string]string, error)
}

// Deps is what the service works with. Titles, People, Staff, Imports and Audit
// may be nil in tests; then names are left out, groups of staff are empty, and
// nothing is audited.
type Deps struct {
	DB         *db.DB
	Clock      clock.Clock
	IDs        *id.Source
	Log        *slog.Logger
	Keys       Keyring
	Emit       event.Emitter
	Audit      audit.Recorder
	Timeline   Timeline
	People     People
	Staff      Staff
	Titles     Titles
	Dictionary Dictionary // nil: rules get no suggestions
	Imports    Imports
	// Behaviours answers conditions on what contacts did; nil: rules with such are refused.
	Behaviours analytics.Behaviours
	// SampleFrom is from how many contacts on estimates of behaviour are made from
	// a sample; 0 is 200,000.
	SampleFrom int64
	Tables     Tables // uploaded files that name people to tag
	// Zone is the company's time zone, in which days begin; nil is China's.
	Zone func(ctx context.Context) *time.Location
	Jobs jobs.Queue // nil: work that needs a job is refused
	// AloneAfter is after how many days without a word of its owner a contact
	// counts as left alone; nil is 30.
	AloneAfter func(ctx context.Context) int
	// Country is that of phone numbers written without one; "" is CN.
	Country string
	// CacheSize bounds the identities that resolving keeps in memory; 0 is about 130,000.
	CacheSize int
}

// Service keeps contacts: who they are, their tags, notes and owner.
type Service struct {
	Deps
	engine     *engine // for all but resolving: knows no cache
	resolver   *Resolver
	hooks      *hooks
	removed    []RemoveHook
	guesses    *guessLimit
	recent     *recentLooks
	counts     tagCounts
	sets       ruleSets
	answers    answers
	usage      kindUsage
	views      *views
	narrow     int64 // see List
	referrers  []Referrer
	others     []otherField                                         // see FilterBy
	standings  Standings                                            // see StandBy
	purposes   func(ctx context.Context) (map[string]string, error) // see NamePurposes
	auto       AutoTagger                                           // nil: no tag is given by itself
	tagWatches []TagWatch                                           // see OnTags
}

// NewService builds the service. Merge hooks are added before serving.
func NewService(deps Deps) *Service {
	if deps.Country == "" {
		deps.Country = "CN"
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	size := deps.CacheSize
	if size <= 0 {
		size = 1 << 16
	}
	hooks := &hooks{}
	eng := engine{db: deps.DB, clock: deps.Clock, ids: deps.IDs, keys: deps.Keys, emit: deps.Emit, country: deps.Country,
		lookups: newLookups(size / 4), hooks: hooks, kinds: &[]KindHook{}, defs: &definitionCache{}, ruled: &ruleCache{}, channels: &channelBook{}}
	resolving := eng
	resolving.cache = newCache(size)
	s := &Service{Deps: deps, guesses: &guessLimit{}, recent: &recentLooks{}, engine: &eng, resolver: &Resolver{e: &resolving}, hooks: hooks, narrow: narrow}
	s.views = &views{s: s, counts: map[string]viewCount{}}
	s.AddReferrer(s.views)
	return s
}

var china = time.FixedZone("Asia/Shanghai", 8*3600)

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return china
	}
	return s.Zone(ctx)
}

// Resolver is the stage that says whose a fact is.
func (s *Service) Resolver() *Resolver { return s.resolver }

// Activity is the subscriber that keeps last-seen times and counts of facts.
func (s *Service) Activity() event.Subscriber { return &activity{s.DB, s.engine.channels} }

// RemoveHook forgets contacts that are gone, e.g. in the analytics store. It
// runs after the removal is committed, outside any transaction, again after a
// crash: it must bear repetition.
type RemoveHook func(ctx context.Context, nums []int64) error

// OnRemove adds a hook that runs after contacts were removed. Call it while wiring.
func (s *Service) OnRemove(hook RemoveHook) { s.removed = append(s.removed, hook) }

// OnMerge adds a hook that runs in the transaction of every merge. Call it
// while wiring, before anything resolves.
func (s *Service) OnMerge(hook MergeHook) { s.hooks.merge = append(s.hooks.merge, hook) }

// OnSplit adds a hook that runs in the transaction of every undo of a merge.
// Call it while wiring.
func (s *Service) OnSplit(hook SplitHook) { s.hooks.split = append(s.hooks.split, hook) }

// RegisterJobs sets the handlers of the package's jobs. Call it while wiring.
func (s *Service) RegisterJobs() {
	if s.Jobs == nil {
		return
	}
	s.Jobs.Register(jobRewrite, s.runRewrite)
	s.Jobs.Register(jobSurvey, s.runSurvey)
	s.Jobs.Register(jobCarriers, s.runCarriers)
	s.Jobs.Register(jobAttributeUndo, s.runAttributeUndo)
	s.Jobs.Register(jobTagRun, s.doRun)
	s.Jobs.Register(jobTagUndo, s.doUndo)
}
