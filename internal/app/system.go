package app

import (
	"context"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
)

type storeStatus struct {
	Name      string `json:"name" enum:"records,stream,analytics,files"`
	Engine    string `json:"engine"`
	State     string `json:"state" enum:"ok,slow,down"`
	SizeBytes int64  `json:"sizeBytes"`
	Detail    string `json:"detail"`
}

type pipelineStatus struct {
	Received         int64   `json:"received" doc:"Facts taken since start"`
	Stored           int64   `json:"stored" doc:"Facts in the analytics store"`
	Lag              int64   `json:"lag" doc:"Stream messages that wait"`
	OldestLagSeconds float64 `json:"oldestLagSeconds"`
	PerSecond        float64 `json:"perSecond"`
	SetAside         int64   `json:"setAside" doc:"Open set-aside facts"`
	Duplicates       int64   `json:"duplicates" doc:"Repeats left out since start"`
}

type jobsStatus struct {
	Queued    int64 `json:"queued"`
	Running   int64 `json:"running"`
	Failed24h int64 `json:"failed24h"`
}

type check struct {
	ID     string         `json:"id"`
	State  string         `json:"state" enum:"ok,warn,fail"`
	Params map[string]any `json:"params"`
}

type backupStatus struct {
	LastAt *time.Time `json:"lastAt,omitempty"`
}

type systemStatus struct {
	Version       string         `json:"version"`
	Commit        string         `json:"commit"`
	GoVersion     string         `json:"goVersion"`
	StartedAt     time.Time      `json:"startedAt"`
	UptimeSeconds int64          `json:"uptimeSeconds"`
	MemoryBytes   int64          `json:"memoryBytes" doc:"Resident memory of the process"`
	Goroutines    int            `json:"goroutines"`
	Stores        []storeStatus  `json:"stores"`
	Pipeline      pipelineStatus `json:"pipeline"`
	Jobs          jobsStatus     `json:"jobs"`
	Checks        []check        `json:"checks"`
	Backup        backupStatus   `json:"backup"`
	Encryption    encryption     `json:"encryption"`
}

// encryption is how the sealing of personal data stands.
type encryption struct {
	Keys      []keyStatus  `json:"keys" doc:"Oldest first"`
	Clear     []placeCount `json:"clear" doc:"What an older program left in clear, by place"`
	Remaining int64        `json:"remaining" doc:"How much is still to be sealed with the newest key"`
	Resealed  bool         `json:"resealed" doc:"Everything was gone over with the newest key"`
	CountedAt *time.Time   `json:"countedAt,omitempty"`
	Nodes     int          `json:"nodes" doc:"Running servers"`
}

type keyStatus struct {
	ID       string       `json:"id"`
	State    string       `json:"state" enum:"new,active,old"`
	Index    bool         `json:"index" doc:"It also keys the look-up, so it stays"`
	AddedAt  time.Time    `json:"addedAt"`
	ActiveAt *time.Time   `json:"activeAt,omitempty"`
	Places   []placeCount `json:"places" doc:"What lies under it, by place"`
}

type placeCount struct {
	Place string `json:"place"`
	Count int64  `json:"count"`
}

func places(m map[string]int64) []placeCount {
	out := []placeCount{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, placeCount{name, m[name]})
	}
	return out
}

func (a *App) encryption(ctx context.Context) (encryption, error) {
	st, err := a.vault.Status(ctx)
	if err != nil {
		return encryption{}, err
	}
	out := encryption{Keys: []keyStatus{}, Clear: places(st.Clear), Remaining: st.Remaining(), Resealed: st.Resealed, CountedAt: timeOrNil(st.CountedAt), Nodes: len(st.Nodes)}
	for _, k := range st.Keys {
		out.Keys = append(out.Keys, keyStatus{k.ID, k.State, k.Index, k.AddedAt, timeOrNil(k.ActiveAt), places(k.Count)})
	}
	return out, nil
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// slowAfter is how long a store may take to answer before it is called slow.
const slowAfter = 500 * time.Millisecond

// probe asks a store and times it.
func probe(ctx context.Context, st *storeStatus, ask func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	start := time.Now()
	st.State = "ok"
	switch err := ask(ctx); {
	case err != nil:
		st.State = "down"
	case time.Since(start) > slowAfter:
		st.State = "slow"
	}
}

func (a *App) system(ctx context.Context) (*systemStatus, error) {
	s := &systemStatus{Version: a.build.Version, Commit: a.build.Commit, GoVersion: runtime.Version(), StartedAt: a.started,
		UptimeSeconds: int64(a.clock.Now().Sub(a.started).Seconds()), MemoryBytes: resident(), Goroutines: runtime.NumGoroutine()}
	a.stores(ctx, s)
	p, err := a.pipe.Stats(ctx)
	if err != nil {
		return nil, err
	}
	facts, err := a.store.Stats(ctx)
	if err != nil {
		return nil, err
	}
	s.Pipeline = pipelineStatus{Received: p.Received, Stored: facts.Facts, Lag: p.Lag, OldestLagSeconds: p.OldestLag.Seconds(),
		PerSecond: p.PerSecond, SetAside: p.SetAside, Duplicates: p.Duplicates}
	c, err := a.jobs.Counts(ctx)
	if err != nil {
		return nil, err
	}
	s.Jobs = jobsStatus{Queued: c.Queued, Running: c.Running, Failed24h: c.Failed24h}
	at, err := a.state.time(ctx, stateBackup)
	if err != nil {
		return nil, err
	}
	if !at.IsZero() {
		s.Backup.LastAt = &at
	}
	if s.Encryption, err = a.encryption(ctx); err != nil {
		return nil, err
	}
	a.checks(s, at)
	return s, nil
}

func (a *App) stores(ctx context.Context, s *systemStatus) {
	rec := storeStatus{Name: "records", Engine: string(a.DB.Dialect())}
	probe(ctx, &rec, func(ctx context.Context) (err error) { rec.SizeBytes, err = a.DB.SizeBytes(ctx); return })
	str := storeStatus{Name: "stream", Engine: a.bus.Engine()}
	probe(ctx, &str, func(ctx context.Context) error {
		st, err := a.stream.State(ctx)
		str.SizeBytes = int64(st.Bytes)
		return err
	})
	ana := storeStatus{Name: "analytics", Engine: "duckdb"}
	probe(ctx, &ana, func(ctx context.Context) error {
		st, err := a.store.Stats(ctx)
		ana.SizeBytes = st.SizeBytes
		return err
	})
	fil := storeStatus{Name: "files", Engine: a.files.Engine()}
	probe(ctx, &fil, func(ctx context.Context) (err error) { _, fil.SizeBytes, err = blob.Usage(ctx, a.files, ""); return })
	s.Stores = []storeStatus{rec, str, ana, fil}
}

const (
	lowDisk    = 2 << 30
	longLag    = 60 * time.Second
	backupDays = 7
)

// checks are what a person should look at. The demo pond needs no backup.
func (a *App) checks(s *systemStatus, backup time.Time) {
	add := func(id string, ok bool, bad string, params map[string]any) {
		c := check{ID: id, State: "ok", Params: params}
		if params == nil {
			c.Params = map[string]any{}
		}
		if !ok {
			c.State = bad
		}
		s.Checks = append(s.Checks, c)
	}
	for _, st := range s.Stores {
		if st.Name != "files" {
			add(st.Name, st.State != "down", "fail", nil)
		}
	}
	if free, ok := freeBytes(a.cfg.Data); ok {
		add("disk", free > lowDisk, "fail", map[string]any{"free": strconv.FormatFloat(float64(free)/(1<<30), 'f', 1, 64) + " GB"})
	}
	add("backlog", s.Pipeline.OldestLagSeconds < longLag.Seconds(), "warn", map[string]any{"lag": s.Pipeline.Lag, "seconds": int64(s.Pipeline.OldestLagSeconds)})
	audience, lag := a.audiences.State(), a.audienceLag()
	add("audience", lag < longLag.Seconds() && audience.Broken == 0, "warn", map[string]any{"seconds": int64(lag), "broken": audience.Broken})
	add("set_aside", s.Pipeline.SetAside == 0, "warn", map[string]any{"count": s.Pipeline.SetAside})
	if !a.cfg.Demo {
		add("backup", a.clock.Now().Sub(backup) < backupDays*24*time.Hour, "warn", nil)
	}
	add("listen", a.safeAddress(), "warn", nil)
	if info, err := os.Stat(a.cfg.keyPath()); err == nil && a.cfg.Key == "" {
		add("keys", info.Mode().Perm()&0o077 == 0, "warn", nil)
	}
}

// safeAddress: only this machine can reach the server, or a proxy with a
// public https address stands in front.
func (a *App) safeAddress() bool {
	if len(a.cfg.URL) > 8 && a.cfg.URL[:8] == "https://" {
		return true
	}
	host, _, err := net.SplitHostPort(a.cfg.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// resident is the process's memory as the system counts it; where it does not
// say, what Go has from it.
func resident() int64 {
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		var fields [2]int64
		i := 0
		for _, f := range strings.Fields(string(b)) {
			if i == 2 {
				break
			}
			fields[i], _ = strconv.ParseInt(f, 10, 64) // the kernel writes numbers
			i++
		}
		return fields[1] * int64(os.Getpagesize())
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// stateStore keeps the few facts about the installation itself.
type stateStore struct{ a *Records }

const (
	stateBackup = "backup.last_at"
	stateDemo   = "demo"
)

func (s stateStore) get(ctx context.Context, key string) (string, error) {
	var v string
	err := s.a.DB.QueryRow(ctx, "select coalesce(max(value), '') from app_state where name = $1", key).Scan(&v)
	return v, err
}

func (s stateStore) set(ctx context.Context, key, value string) error {
	_, err := s.a.DB.Exec(ctx, "insert into app_state (name, value, at) values ($1, $2, $3) on conflict (name) do update set value = excluded.value, at = excluded.at",
		key, value, clock.Ms(s.a.clock.Now()))
	return err
}

func (s stateStore) time(ctx context.Context, key string) (time.Time, error) {
	v, err := s.get(ctx, key)
	if err != nil || v == "" {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(v, 10, 64)
	return clock.FromMs(ms), err
}
