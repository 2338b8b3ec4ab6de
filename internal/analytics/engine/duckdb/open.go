package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	duck "github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sync/semaphore"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// DefaultMemoryLimitMB is what DuckDB may hold in memory when nothing is configured;
// beyond it, questions spill to a folder beside the file.
const DefaultMemoryLimitMB = 256

// readers is how many questions run at once; others wait their turn. Each uses all threads.
const readers = 4

// Config says where the store is and how much of the machine it may use.
type Config struct {
	Path          string // of the database file; its folder is made when missing
	MemoryLimitMB int    // 0: DefaultMemoryLimitMB
	Threads       int    // 0: one per core
	RecallMB      int    // what Remember may use beside it; 0: three quarters of MemoryLimitMB, less than 0: none
	Clock         clock.Clock
	Log           *slog.Logger

	softLog, hardLog int64 // 0: as in checkpoint.go; tests make them small
}

// Store is the engine. It implements analytics.Store.
type Store struct {
	path   string
	limit  string      // memory_limit as DuckDB reads it
	megs   int         // the same in MiB
	cores  int         // threads of a question
	lean   atomic.Bool // the limit is leanMB for now
	leaner bool        // the limit is more than leanMB
	clock  clock.Clock
	soft   int64 // softLog and hardLog
	hard   int64
	log    *slog.Logger

	connector *duck.Connector
	readDB    *sql.DB
	writeDB   *sql.DB
	writer    *sql.Conn // the only connection that changes anything; under wmu

	wmu    sync.Mutex
	stale  bool // a write ended in doubt: reload state before the next; under wmu
	closed bool // under wmu
	gate   *semaphore.Weighted
	state  atomic.Pointer[state]

	// pinned stops checkpoints while a backup copies the file, whose blocks only
	// a checkpoint replaces.
	pinned sync.Mutex
	copyFD *os.File // see backup.go for why it stays open

	recall recall
	loader sync.WaitGroup

	lastUse  atomic.Int64 // when the last question or write ended, UTC ms; 0 after a trim
	lastAsk  atomic.Int64 // when the last question ended, UTC ms
	stop     chan struct{}
	done     chan struct{}
	closing  sync.Once
	closeErr error
}

var _ analytics.Store = (*Store)(nil)

// state is what the store knows about itself; replaced as a whole after each commit that changes it.
type state struct {
	pos     event.Position
	merged  bool // some contact is part of another
	columns []column
}

// noClose keeps the two pools from closing the connector they share.
type noClose struct{ driver.Connector }

// Open opens the store, creating or upgrading the file, and replays what a crash left in its log.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	limit := strconv.Itoa(cfg.MemoryLimitMB) + "MiB"
	dsn := cfg.Path + "?" + url.Values{
		"memory_limit":                 {limit},
		"threads":                      {strconv.Itoa(cfg.Threads)},
		"autoload_known_extensions":    {"false"},
		"autoinstall_known_extensions": {"false"},
		"enable_external_access":       {"false"}, // no SQL of ours reads files: a hole could not either
		"checkpoint_threshold":         {"1TB"},   // we do it ourselves
		// What a checkpoint needed for a moment goes back to the system after it,
		// not when 128 and 512 MiB of it have gathered.
		"allocator_flush_threshold":                   {"1MiB"},
		"allocator_bulk_deallocation_flush_threshold": {"1MiB"},
	}.Encode()
	tameMalloc()
	connector, err := duck.NewConnector(dsn, nil)
	if err != nil {
		return nil, fmt.Errorf("open analytics file %s: %w", cfg.Path, err)
	}
	s := &Store{
		path: cfg.Path, limit: limit, megs: cfg.MemoryLimitMB, cores: cfg.Threads, leaner: cfg.MemoryLimitMB > leanMB, clock: cfg.Clock, log: cfg.Log, connector: connector,
		soft: cfg.softLog, hard: cfg.hardLog,
		readDB:  sql.OpenDB(noClose{connector}),
		writeDB: sql.OpenDB(noClose{connector}),
		gate:    semaphore.NewWeighted(readers),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	s.readDB.SetMaxOpenConns(readers)
	s.readDB.SetMaxIdleConns(readers)
	if err := s.start(ctx); err != nil {
		close(s.done)
		return nil, errors.Join(err, s.shut())
	}
	s.recall.change = make(chan struct{}, 1)
	s.recall.limit = int64(max(0, cfg.RecallMB)) << 20
	s.loader.Add(1)
	go s.remember()
	go s.trimWhenIdle()
	return s, nil
}

func (cfg *Config) complete() error {
	if cfg.Path == "" {
		return errors.New("open analytics: no path")
	}
	if strings.ContainsAny(cfg.Path, "?#%") {
		return fmt.Errorf("open analytics: the path %q must not contain ?, # or %%", cfg.Path)
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return fmt.Errorf("open analytics: %w", err)
	}
	cfg.Path = path
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("open analytics: %w", err)
	}
	if cfg.MemoryLimitMB <= 0 {
		cfg.MemoryLimitMB = DefaultMemoryLimitMB
	}
	if cfg.RecallMB == 0 {
		cfg.RecallMB = cfg.MemoryLimitMB * 3 / 4
	}
	if cfg.Threads <= 0 {
		cfg.Threads = runtime.NumCPU()
	}
	if cfg.softLog == 0 {
		cfg.softLog, cfg.hardLog = softLog, hardLog
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

func (s *Store) start(ctx context.Context) (err error) {
	if s.writer, err = s.writeDB.Conn(ctx); err != nil {
		return fmt.Errorf("connect to analytics: %w", err)
	}
	// Promoted times without a zone are read as UTC, whatever the machine's zone.
	if _, err := s.writer.ExecContext(ctx, `SET GLOBAL TimeZone = 'UTC'`); err != nil {
		return fmt.Errorf("set analytics time zone: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.reload(ctx); err != nil {
		return err
	}
	return s.resumePromotions(ctx)
}

// reload reads the state from the file. The caller holds wmu, or is alone.
func (s *Store) reload(ctx context.Context) error {
	var st state
	err := s.writer.QueryRowContext(ctx, `SELECT seq, idx FROM store`).Scan(&st.pos.Seq, &st.pos.Idx)
	if err != nil {
		return fmt.Errorf("read analytics position: %w", err)
	}
	err = s.writer.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM contacts WHERE root <> contact)`).Scan(&st.merged)
	if err != nil {
		return fmt.Errorf("read analytics merges: %w", err)
	}
	if st.columns, err = loadColumns(ctx, s.writer); err != nil {
		return err
	}
	s.state.Store(&st)
	s.stale = false
	return nil
}

// Close waits for running work, checkpoints and releases the file. Safe to call twice.
// Questions and backups that come later, or are copying still, find the store closed.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		<-s.done
		s.loader.Wait()
		// Locks are always taken in this order: pinned, wmu, gate.
		s.pinned.Lock()
		defer s.pinned.Unlock()
		s.wmu.Lock()
		defer s.wmu.Unlock()
		s.closed = true
		if err := s.gate.Acquire(context.Background(), readers); err != nil {
			s.closeErr = fmt.Errorf("close analytics: %w", err)
			return
		}
		defer s.gate.Release(readers)
		s.closeErr = s.shut()
	})
	return s.closeErr
}

func (s *Store) shut() error {
	var all []error
	if s.writer != nil {
		all = append(all, s.writer.Close())
	}
	all = append(all, s.writeDB.Close(), s.readDB.Close(), s.connector.Close())
	if s.copyFD != nil {
		all = append(all, s.copyFD.Close())
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("close analytics: %w", err)
	}
	return nil
}
