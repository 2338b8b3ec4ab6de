package vault

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "vault", FS: sub}
}

// States of a key.
const (
	stateNew    = "new"
	stateActive = "active"
	stateOld    = "old"
)

const (
	lookEvery = 2 * time.Second
	// aliveFor is how long a node counts as alive after it last wrote down its
	// keys. One that stood still for longer, and missed a new key, answers with
	// errors for what the key sealed until it has read the key file again.
	aliveFor = 30 * time.Second
	// countEvery bounds how often sources are counted again because somebody looks.
	countEvery = time.Minute
)

// Deps is what a Keeper works with.
type Deps struct {
	DB    *db.DB
	Ring  *secret.Ring
	From  secret.Source // where the keys come from
	Clock clock.Clock
	Log   *slog.Logger
	Audit audit.Recorder
	Jobs  jobs.Queue // nil: no re-sealing here, as on the command line
	Node  string     // "" : not a node, as on the command line

}

// Keeper looks after the keys of one node.
type Keeper struct {
	Deps
	sources []Source
	stop    context.CancelFunc
	wg      sync.WaitGroup
	once    sync.Once

	// Of the last Look; under mu.
	mu     sync.Mutex
	warned string
	told   time.Time // when this node last wrote down its keys
	had    string    // which they were
	whole  string    // the key under which everything is known to lie
}

// New makes a keeper; nothing runs yet.
func New(d Deps, sources ...Source) *Keeper {
	k := &Keeper{Deps: d, sources: sources}
	if d.Jobs != nil {
		d.Jobs.Register(jobKind, k.reseal)
	}
	return k
}

// Start settles which key seals before anything is sealed, and refuses to go on
// when this node lacks that key.
func (k *Keeper) Start(ctx context.Context) error {
	if err := k.Look(ctx); err != nil {
		return err
	}
	if id, err := k.active(ctx); err != nil {
		return err
	} else if id != k.Ring.KeyID() {
		return fmt.Errorf("this node lacks the key %s that the others seal with: copy their key file here", id)
	}
	run, stop := context.WithCancel(context.Background()) // lives until Stop
	k.stop = stop
	k.wg.Go(func() { k.run(run) })
	return nil
}

// Stop ends the looking. Safe to call twice.
func (k *Keeper) Stop(ctx context.Context) error {
	if k.stop == nil {
		return nil
	}
	k.once.Do(func() {
		k.stop()
		k.wg.Wait()
		if _, err := k.DB.Exec(ctx, "delete from vault_nodes where node = $1", k.Node); err != nil {
			k.Log.Warn("this node's keys stay on record for a moment", "error", err)
		}
	})
	return nil
}

func (k *Keeper) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := k.Look(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("the keys could not be looked after", "error", err)
		}
		if err := k.countIfWanted(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("what lies under which key could not be counted", "error", err)
		}
	}
}

// Look reads the key file, tells the other nodes, and moves to a new key when
// all have it.
func (k *Keeper) Look(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.Ring.Reload(k.From); err != nil {
		if k.warned != err.Error() { // once, not every two seconds
			k.warned = err.Error()
			k.Log.Error("the key file cannot be used: the keys stay as they are", "error", err)
		}
	} else {
		k.warned = ""
	}
	if err := k.settle(ctx); err != nil {
		return err
	}
	id, err := k.active(ctx)
	if err != nil {
		return err
	}
	moved := false
	if id != k.Ring.KeyID() {
		if err := k.Ring.Use(id); err != nil {
			if errors.Is(err, secret.ErrUnknownKey) && k.stop != nil {
				k.Log.Error("this node lacks the key that the others seal with: copy their key file here", "key", id)
				return nil
			}
			return nil // Start says so
		}
		moved = true
	}
	if moved {
		k.Log.Info("another key seals from now on", "key", id)
		if k.From.Dir != "" {
			if err := k.Ring.Recheck(k.From.Dir); err != nil {
				return err
			}
		}
	}
	if k.whole == id {
		return nil
	}
	return k.plan(ctx, id)
}

// tellEvery is how often a node says that it is alive when nothing else changes.
const tellEvery = aliveFor / 3

// settle brings the record of keys and nodes up to date, and moves to a new key
// when it may. Nearly always there is nothing to write.
func (k *Keeper) settle(ctx context.Context) error {
	have := strings.Join(k.Ring.KeyIDs(), " ")
	ids := k.Ring.KeyIDs()
	var pending string
	err := k.DB.QueryRow(ctx, "select state from vault_keys where id = $1", ids[len(ids)-1]).Scan(&pending)
	if err != nil && !db.NoRows(err) {
		return fmt.Errorf("read key: %w", err)
	}
	now := k.Clock.Now()
	if have == k.had && pending != stateNew && now.Sub(k.told) < tellEvery {
		return nil
	}
	err = k.DB.Tx(ctx, func(ctx context.Context) error {
		if err := k.tell(ctx); err != nil {
			return err
		}
		if err := k.note(ctx); err != nil {
			return err
		}
		return k.activate(ctx)
	})
	if err == nil {
		k.had, k.told = have, now
	}
	return err
}

// tell writes down which keys this node has.
func (k *Keeper) tell(ctx context.Context) error {
	if k.Node == "" {
		return nil
	}
	_, err := k.DB.Exec(ctx, `insert into vault_nodes (node, keys, at) values ($1, $2, $3)
		on conflict (node) do update set keys = excluded.keys, at = excluded.at`, k.Node, strings.Join(k.Ring.KeyIDs(), " "), clock.Ms(k.Clock.Now()))
	if err != nil {
		return fmt.Errorf("note this node's keys: %w", err)
	}
	return nil
}

// note puts keys on record that are seen for the first time.
func (k *Keeper) note(ctx context.Context) error {
	for _, id := range k.Ring.KeyIDs() {
		state := stateNew
		if id != k.Ring.KeyIDs()[len(k.Ring.KeyIDs())-1] {
			state = stateOld
		}
		_, err := k.DB.Exec(ctx, "insert into vault_keys (id, state, added_at, active_at) values ($1, $2, $3, 0) on conflict (id) do nothing", id, state, clock.Ms(k.Clock.Now()))
		if err != nil {
			return fmt.Errorf("note key: %w", err)
		}
	}
	return nil
}

// activate makes the newest key the one that seals when all nodes have it.
func (k *Keeper) activate(ctx context.Context) error {
	ids := k.Ring.KeyIDs()
	id := ids[len(ids)-1]
	var state string
	if err := k.DB.QueryRow(ctx, "select state from vault_keys where id = $1", id).Scan(&state); err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	if state != stateNew {
		return nil
	}
	nodes, err := k.nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if !slices.Contains(n.Keys, id) {
			return nil // it will have read its key file soon
		}
	}
	now := clock.Ms(k.Clock.Now())
	if _, err := k.DB.Exec(ctx, "update vault_keys set state = $1 where state = $2", stateOld, stateActive); err != nil {
		return fmt.Errorf("move to the new key: %w", err)
	}
	n, err := k.DB.ExecN(ctx, "update vault_keys set state = $1, active_at = $2 where id = $3 and state = $4", stateActive, now, id, stateNew)
	if err != nil {
		return fmt.Errorf("move to the new key: %w", err)
	}
	if n == 1 && len(ids) > 1 && k.Audit != nil {
		err = k.Audit.Record(auth.With(ctx, auth.System("vault")), "keys.activated", audit.Object{Type: "key", ID: id, Name: id}, nil)
	}
	return err
}

func (k *Keeper) active(ctx context.Context) (string, error) {
	var id string
	err := k.DB.QueryRow(ctx, "select id from vault_keys where state = $1", stateActive).Scan(&id)
	if db.NoRows(err) { // only for the moment before the first Look
		return k.Ring.KeyID(), nil
	}
	if err != nil {
		return "", fmt.Errorf("read active key: %w", err)
	}
	return id, nil
}

// Node is one that is alive.
type Node struct {
	Name string
	Keys []string
	At   time.Time
}

func (k *Keeper) nodes(ctx context.Context) ([]Node, error) {
	rows, err := k.DB.Query(ctx, "select node, keys, at from vault_nodes where at > $1 order by node", clock.Ms(k.Clock.Now().Add(-aliveFor)))
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	defer rows.Close()
	var out []Node
	for rows.Next() {
		var n Node
		var keys string
		var at int64
		if err := rows.Scan(&n.Name, &keys, &at); err != nil {
			return nil, err
		}
		n.Keys, n.At = strings.Fields(keys), clock.FromMs(at)
		out = append(out, n)
	}
	return out, rows.Err()
}

func (k *Keeper) mark(ctx context.Context, name string) error {
	return k.markAt(ctx, name, k.Clock.Now())
}

func (k *Keeper) markAt(ctx context.Context, name string, at time.Time) error {
	_, err := k.DB.Exec(ctx, "insert into vault_marks (name, at) values ($1, $2) on conflict (name) do update set at = excluded.at", name, clock.Ms(at))
	if err != nil {
		return fmt.Errorf("note %s: %w", name, err)
	}
	return nil
}

func (k *Keeper) marked(ctx context.Context, name string) (time.Time, error) {
	var at int64
	err := k.DB.QueryRow(ctx, "select coalesce(max(at), 0) from vault_marks where name = $1", name).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("read %s: %w", name, err)
	}
	return clock.FromMs(at), nil
}
