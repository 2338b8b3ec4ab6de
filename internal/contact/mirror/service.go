package mirror

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of linked tags.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "mirror", FS: sub}
}

// Deps is what the service works with.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Audit    audit.Recorder
	Jobs     jobs.Queue
	Contacts *contact.Service
	Platform Platform
	// Node stays the same over restarts: what it held is taken up at once.
	Node string
}

// Service keeps both sides alike.
type Service struct {
	Deps
	run  rounds.Runner
	wake chan struct{}

	mu     sync.Mutex
	paused map[string]time.Time // accounts that the platform wants to wait
}

// NewService builds the service and takes its place among those who follow
// contacts and their tags.
func NewService(d Deps) *Service {
	if d.Node == "" {
		d.Node = "local"
	}
	s := &Service{Deps: d, wake: make(chan struct{}, 1), paused: map[string]time.Time{}}
	d.Contacts.OnTags(s.tagsChanged)
	d.Contacts.OnMerge(s.merged)
	d.Contacts.OnSplit(s.split)
	d.Contacts.OnRemove(s.forget)
	d.Contacts.AddReferrer(s)
	d.Jobs.Register(jobRead, s.read)
	return s
}

// every is how often the work is looked at when nobody wakes it.
const every = 5 * time.Second

// Start begins the work in the background.
func (s *Service) Start(ctx context.Context) error {
	s.run.Start(auth.With(ctx, auth.System("mirror")), func(ctx context.Context) { rounds.Every(ctx, every, s.wake, s.turn) })
	return nil
}

// Stop ends it and waits.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // somebody has
	}
}

// nudgeAfter wakes the work once the transaction of ctx is committed.
func (s *Service) nudgeAfter(ctx context.Context) { s.DB.After(ctx, s.nudge) }

// tx runs fn in a transaction that holds the contacts: all that writes friendships
// does so, in one order, so that none waits for another that waits for it.
func (s *Service) tx(ctx context.Context, what string, fn func(ctx context.Context) error) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Contacts.Survivors(ctx, nil); err != nil {
			return err
		}
		return fn(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// due asks for a comparison of contacts' friendships, and of those of everybody
// that is them.
func (s *Service) due(ctx context.Context, roots []int64) error {
	groups, err := s.Contacts.Groups(ctx, roots)
	if err != nil {
		return err
	}
	var nums []int64
	for _, g := range groups {
		nums = append(nums, g...)
	}
	return s.dueNums(ctx, nums)
}

func (s *Service) dueNums(ctx context.Context, nums []int64) error {
	err := chunked(nums, func(part []any) error {
		_, err := s.DB.Exec(ctx, "update mirror_friends set due = due + 1, tries = 0, try_at = 0 where live = 1 and contact in ("+db.In(1, len(part))+")", part...)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for tags to be compared: %w", err)
	}
	s.nudgeAfter(ctx)
	return nil
}

// tagsChanged follows every change of our tags (see contact.TagWatch).
func (s *Service) tagsChanged(ctx context.Context, changes []contact.TagChanged, _ contact.TagGiverInfo) error {
	tags := map[string]bool{}
	for _, c := range changes {
		tags[c.Tag] = true
	}
	linked := map[string]bool{}
	list := make([]string, 0, len(tags))
	for t := range tags {
		list = append(list, t)
	}
	err := chunked(list, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select distinct tag from mirror_tags where state = 'on' and tag in ("+db.In(1, len(part))+")", part...)
		found, err := collect(rows, err)
		for _, t := range found {
			linked[t] = true
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look for linked tags: %w", err)
	}
	if len(linked) == 0 {
		return nil
	}
	seen := map[int64]bool{}
	var nums []int64
	for _, c := range changes {
		if linked[c.Tag] && !seen[c.Contact] {
			seen[c.Contact] = true
			nums = append(nums, c.Contact)
		}
	}
	return s.due(ctx, nums)
}

// merged lets those who became one be compared anew.
func (s *Service) merged(ctx context.Context, merges []contact.Merge) error {
	var nums []int64
	for _, m := range merges {
		nums = append(nums, m.From, m.Into)
	}
	return s.due(ctx, nums)
}

func (s *Service) split(ctx context.Context, splits []contact.Split) error {
	for _, x := range splits {
		if err := s.dueNums(ctx, x.Members); err != nil {
			return err
		}
		if err := s.due(ctx, []int64{x.From, x.Contact}); err != nil {
			return err
		}
	}
	return nil
}

// forget drops what is kept of contacts that are erased.
func (s *Service) forget(ctx context.Context, nums []int64) error {
	err := chunked(nums, func(part []any) error {
		_, err := s.DB.Exec(ctx, "delete from mirror_friends where contact in ("+db.In(1, len(part))+")", part...)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget friendships: %w", err)
	}
	return nil
}

// Uses implements contact.Referrer.
func (s *Service) Uses(ctx context.Context, of contact.Term) ([]contact.Use, error) {
	if of.Tag == nil {
		return nil, nil
	}
	rows, err := s.DB.Query(ctx, "select account from mirror_tags where tag = $1 and state = 'on' order by account", of.Tag.ID)
	accounts, err := collect(rows, err)
	if err != nil || len(accounts) == 0 {
		return nil, err
	}
	names, err := s.accountNames(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]contact.Use, 0, len(accounts))
	for _, a := range accounts {
		name := names[a]
		if name == "" {
			name = a
		}
		out = append(out, contact.Use{Kind: "mirror", ID: a, Name: name, Link: "/tags?tab=mirror&account=" + a})
	}
	return out, nil
}

// Moved implements contact.Referrer: the link follows a tag that became another,
// unless that one has a link of its own; else somebody is asked what shall become
// of theirs.
func (s *Service) Moved(ctx context.Context, from contact.Term, into *contact.Term) error {
	if from.Tag == nil {
		return nil
	}
	if into != nil && into.Tag != nil {
		_, err := s.DB.Exec(ctx, `update mirror_tags set tag = $1 where tag = $2 and state = 'on'
			and not exists (select 1 from mirror_tags o where o.account = mirror_tags.account and o.tag = $1 and o.state = 'on')`, into.Tag.ID, from.Tag.ID)
		if err != nil {
			return fmt.Errorf("follow a tag: %w", err)
		}
	}
	if _, err := s.DB.Exec(ctx, "update mirror_tags set state = 'ours_gone' where tag = $1 and state = 'on'", from.Tag.ID); err != nil {
		return fmt.Errorf("follow a tag: %w", err)
	}
	return s.wantList(ctx, "")
}

// wantList asks for a look at the tags of an account, "" of all.
func (s *Service) wantList(ctx context.Context, account string) error {
	if _, err := s.DB.Exec(ctx, "update mirror_accounts set list_due = list_due + 1 where account = $1 or $1 = ''", account); err != nil {
		return fmt.Errorf("ask for tags to be listed: %w", err)
	}
	s.nudgeAfter(ctx)
	return nil
}

// TagsTold is for callbacks: something about the tags of an account changed.
func (s *Service) TagsTold(ctx context.Context, account string) error {
	return s.wantList(ctx, account)
}

func (s *Service) accountNames(ctx context.Context) (map[string]string, error) {
	list, err := s.Platform.Accounts(ctx)
	out := make(map[string]string, len(list))
	for _, a := range list {
		out[a.ID] = a.Name
	}
	return out, err
}

// pause keeps an account from being called until then.
func (s *Service) pause(account string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused[account] = until
}

func (s *Service) isPaused(account string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Clock.Now().Before(s.paused[account])
}

func (s *Service) record(ctx context.Context, action, account string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	names, _ := s.accountNames(ctx) // an account without a name is recorded by its id
	if err := s.Audit.Record(ctx, action, audit.Object{Type: "tag_mirror", ID: account, Name: names[account]}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

var (
	errNoAccount = errs.New(errs.NotFound, "mirror.no_such_account")
	errNoLink    = errs.New(errs.NotFound, "mirror.no_such_link")
)

func (s *Service) check(ctx context.Context, account string) error {
	names, err := s.accountNames(ctx)
	if err != nil {
		return err
	}
	if _, ok := names[account]; !ok {
		return errNoAccount
	}
	return nil
}

// ids packs ids for a column: a blank before and behind each.
func pack(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " " + strings.Join(ids, " ") + " "
}

func unpack(s string) []string { return strings.Fields(s) }
