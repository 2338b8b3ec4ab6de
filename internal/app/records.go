package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"

	"github.com/koipond/koipond/internal/acquire"
	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/acquire/menu"
	"github.com/koipond/koipond/internal/acquire/page"
	"github.com/koipond/koipond/internal/acquire/quality"
	"github.com/koipond/koipond/internal/acquire/reply"
	"github.com/koipond/koipond/internal/acquire/scene"
	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/autotag"
	rules "github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/audience/machine"
	"github.com/koipond/koipond/internal/audience/rfm"
	"github.com/koipond/koipond/internal/audience/webhook"
	"github.com/koipond/koipond/internal/community"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/care"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/contact/mirror"
	"github.com/koipond/koipond/internal/event/dictionary"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/vault"
	"github.com/koipond/koipond/internal/shop"
	"github.com/koipond/koipond/internal/staff"
	"github.com/koipond/koipond/internal/team"
)

// Records is the part of the program that needs only the records: enough for
// keys, users and the audit log, beside a running server or without one.
type Records struct {
	DB    *db.DB
	Audit *audit.Service
	Team  *team.Service

	cfg   Config
	log   *slog.Logger
	clock clock.Clock
	ids   *id.Source
	ring  *secret.Ring
}

// migrationSets are all tables there are, lower layers first.
func migrationSets() []db.Set {
	return []db.Set{db.Migrations(), audit.Migrations(), httpx.Migrations(), jobs.Migrations(), vault.Migrations(), team.Migrations(),
		pipeline.Migrations(), dictionary.Migrations(), contact.Migrations(), match.Migrations(), consent.Migrations(), care.Migrations(), machine.Migrations(), rfm.Migrations(), shop.Migrations(), importer.Migrations(), audience.Migrations(), webhook.Migrations(), rules.Migrations(), autotag.Migrations(), livecode.Migrations(), reply.Migrations(), menu.Migrations(), scene.Migrations(), connector.Migrations(), acquire.Migrations(), link.Migrations(), page.Migrations(), quality.Migrations(), staff.Migrations(), wecom.Migrations(), mirror.Migrations(), community.Migrations(), Migrations()}
}

// OpenRecords opens and migrates the records as the command line needs them.
// Nobody signs in there: whoever may read the data folder may do anything.
func OpenRecords(ctx context.Context, cfg Config, log *slog.Logger) (*Records, error) {
	return openRecords(ctx, cfg, log, nil, "")
}

func openRecords(ctx context.Context, cfg Config, log *slog.Logger, demo *team.Demo, version string) (*Records, error) {
	if err := cfg.makeData(); err != nil {
		return nil, err
	}
	ring, err := secret.Load(cfg.keySource())
	if err != nil {
		return nil, fmt.Errorf("encryption keys: %w", err)
	}
	d, err := db.Open(ctx, db.Config{Path: cfg.recordsPath(), URL: cfg.DatabaseURL})
	if err != nil {
		return nil, err
	}
	r := &Records{DB: d, cfg: cfg, log: log, clock: clock.System{}, ring: ring}
	r.ids = id.NewSource(r.clock.Now, nil)
	if _, err := d.Migrate(ctx, migrationSets()...); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	anchor := filepath.Join(cfg.Data, "audit.anchor")
	r.Audit, err = audit.New(audit.Deps{DB: d, Clock: r.clock, Log: log, Key: []byte(ring.Index("audit", "chain")), Anchor: anchor, Veil: veil.Text})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	r.Team = team.NewService(team.Deps{DB: d, Clock: r.clock, IDs: r.ids, Log: log, Audit: r.Audit,
		Hasher: auth.NewHasher(auth.DefaultParams(), max(1, runtime.NumCPU()/2)), Version: version, Demo: demo})
	return r, nil
}

// Vault looks after the keys without being a node, for the command line.
func (r *Records) Vault() *vault.Keeper {
	return vault.New(vault.Deps{DB: r.DB, Ring: r.ring, From: r.cfg.keySource(), Clock: r.clock, Log: r.log, Audit: r.Audit})
}

// KeyFile is where the keys are; "" when they come from the environment.
func (r *Records) KeyFile() string {
	if r.cfg.Key != "" {
		return ""
	}
	return r.cfg.keyPath()
}

// Close ends what was opened.
func (r *Records) Close() error { return errors.Join(r.Audit.Close(), r.DB.Close()) }

// Migrate brings the schema up to date and tells what ran.
func Migrate(ctx context.Context, cfg Config) ([]db.Applied, error) {
	if err := cfg.makeData(); err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, db.Config{Path: cfg.recordsPath(), URL: cfg.DatabaseURL})
	if err != nil {
		return nil, err
	}
	ran, err := d.Migrate(ctx, migrationSets()...)
	return ran, errors.Join(err, d.Close())
}
