package autotag

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/rounds"
	"github.com/koipond/koipond/internal/platform/vault"
	"github.com/koipond/koipond/internal/rule"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of automatic tags.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "autotag", FS: sub}
}

// Name is that of the owner of rules, and of the subscriber.
const Name = "autotag"

// Contacts is what this package asks of package contact.
type Contacts interface {
	AutoTag(ctx context.Context, tag string, give, take []int64, g contact.AutoGiving) (contact.AutoOutcome, error)
	TagHolders(ctx context.Context, tag string, sources []string, within []int64) (all, from *numset.Set, err error)
	TagNamed(ctx context.Context, id string) (t contact.TagRef, archived bool, err error)
	Survivors(ctx context.Context, nums []int64) (map[int64]int64, error)
	Groups(ctx context.Context, roots []int64) (map[int64][]int64, error)
	Matching(ctx context.Context, r *rule.Rule, path string, within []int64) (*numset.Set, error)
	CheckRule(ctx context.Context, r *rule.Rule, path string) error
	Follower(ctx context.Context, from, into contact.Term) (func(r *rule.Rule) (changed bool), error)
	NumOf(ctx context.Context, id string) (int64, error)
	Refs(ctx context.Context, nums []int64) (map[int64]contact.Ref, error)
	InScope(ctx context.Context, nums []int64) ([]int64, error)
}

// Rules keeps rules true (the live engine of package audience/live does).
type Rules interface {
	Changed(owner string)
	Status(owner, key string) (ready bool, progress float64)
}

// Deps is what the service works with. Audit may be nil in tests.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Keys     veil.Keys
	Audit    audit.Recorder
	Contacts Contacts
	Facts    analytics.Decayer
	Loops    *loops.Finder // of rules that rest on themselves; nil: among automatic tags alone
}

// Service keeps automatic tags.
type Service struct {
	Deps
	// scoring is held while facts are added to scores, and while new sums take the
	// place of old ones: no fact may be in neither, or in both.
	scoring  sync.Mutex
	counting map[int64]*counting // sums that are added up just now; guarded by scoring

	rules   Rules
	pending *pending
	begun   bool // what the program was in the midst of is taken up again

	wake chan struct{}
	run  rounds.Runner
}

// New builds the service; nothing runs yet.
func New(d Deps) *Service {
	if d.Loops == nil {
		d.Loops = loops.New()
	}
	s := &Service{Deps: d, rules: noRules{}, counting: map[int64]*counting{}, pending: &pending{work: map[string]*work{}}, wake: make(chan struct{}, 1)}
	d.Loops.Add(s)
	return s
}

// KeptBy sets who keeps rules true. Call it while wiring, after that one was made,
// and before serving; without it no rule is ever worked out.
func (s *Service) KeptBy(r Rules) { s.rules = r }

// noRules keeps no rules.
type noRules struct{}

func (noRules) Changed(string)                        {}
func (noRules) Status(string, string) (bool, float64) { return false, 0 }

const (
	// stepEvery is how often the service looks for work, and how late a tag may
	// go whose score has faded; well within the promised minute.
	stepEvery = 5 * time.Second
	// batchSize is how many contacts one transaction changes.
	batchSize = 2000
)

// Start begins to give and take. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(auth.With(ctx, auth.System(Name)), func(ctx context.Context) {
		rounds.Every(ctx, stepEvery, s.wake, func(ctx context.Context) {
			if err := s.Step(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "automatic tags cannot be kept", "error", err)
			}
		})
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

// nudge lets the service look for work now, once the transaction of ctx has committed.
func (s *Service) nudge(ctx context.Context) {
	s.DB.After(ctx, func() {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
}

// Step does what is to be done now: tags whose score has faded, sums that are to
// be added up anew, people whose tags wait to be given and taken.
func (s *Service) Step(ctx context.Context) error {
	for _, do := range []func(context.Context) error{s.begin, s.fade, s.tryAgain, s.recountAll, s.settleAll, s.sweep, s.sweepEnded} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

const specField = "autotag.spec"

func (s *Service) inside() veil.Inside { return veil.Inside{Keys: s.Keys, Field: specField} }

// Sealed are the columns in which definitions lie: somebody may have typed a number into one.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{
		{Table: "tag_automations", Key: "tag", Column: "spec", Inside: s.inside().Anew},
		{Table: "tag_automations", Key: "tag", Column: "active", Inside: s.inside().Anew},
		{Table: "tag_automations_ended", Key: "tag", Column: "spec", Inside: s.inside().Anew},
	}
}

func (s *Service) record(ctx context.Context, action string, tag contact.TagRef, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "tag", ID: tag.ID, Name: tag.Name}, detail)
}

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System(Name)
}

var errNone = errs.New(errs.NotFound, "autotag.none")
