package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const kills = 20

// sender is a client as SDKs are: it makes message ids, and sends again what
// was not acknowledged.
type sender struct {
	mu     sync.Mutex
	addr   string // "" while the server is down
	up     chan struct{}
	serial int
	acked  map[string]bool
}

func (s *sender) server(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addr = addr
	if addr != "" {
		close(s.up)
		return
	}
	s.up = make(chan struct{})
}

// wait gives the address of a running server; "" at the end.
func (s *sender) wait(ctx context.Context) string {
	for {
		s.mu.Lock()
		addr, up := s.addr, s.up
		s.mu.Unlock()
		if addr != "" {
			return addr
		}
		select {
		case <-up:
		case <-ctx.Done():
			return ""
		}
	}
}

func (s *sender) fresh(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, n)
	for i := range ids {
		s.serial++
		ids[i] = fmt.Sprintf("crash-%06d", s.serial)
	}
	return ids
}

func post(ctx context.Context, client *http.Client, addr string, ids []string) error {
	type ev map[string]any
	batch := make([]ev, len(ids))
	for i, id := range ids {
		batch[i] = ev{"type": "track", "event": "Sent", "messageId": id, "userId": "u" + id[len(id)-2:], "properties": ev{"n": i}}
	}
	body, err := json.Marshal(ev{"batch": batch})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth("k", "")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

// run sends until ctx ends, and then until what it holds is acknowledged or given up.
func (s *sender) run(ctx context.Context, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var ids []string
	for {
		if ids == nil {
			ids = s.fresh(1 + rnd.IntN(40))
		}
		addr := s.wait(ctx)
		if addr == "" {
			return
		}
		if err := post(ctx, client, addr, ids); err != nil {
			select {
			case <-time.After(time.Duration(rnd.IntN(20)) * time.Millisecond): // as an SDK backs off
			case <-ctx.Done():
				return
			}
			continue
		}
		s.mu.Lock()
		for _, id := range ids {
			s.acked[id] = true
		}
		s.mu.Unlock()
		ids = nil
	}
}

// TestKilledTwentyTimes: while clients send, the server is killed without
// warning again and again. In the end every fact that was acknowledged is in
// the analytics store exactly once, and subscribers counted each exactly once.
func TestKilledTwentyTimes(t *testing.T) {
	dir := t.TempDir()
	s := &sender{up: make(chan struct{}), acked: map[string]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { s.run(ctx, uint64(i)) })
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	for range kills {
		c := spawn(t, "intake", dir)
		s.server(c.addr)
		time.Sleep(time.Duration(30+rnd.IntN(500)) * time.Millisecond) // the moment of a crash has no signal to wait for
		require.NoError(t, c.cmd.Process.Kill())
		_ = c.cmd.Wait() // killed, as it says
		s.server("")
	}
	c := spawn(t, "intake", dir)
	s.server(c.addr)
	before := len(s.acknowledged())
	require.Eventually(t, func() bool { return len(s.acknowledged()) > before+100 }, 20*time.Second, 10*time.Millisecond, "it works after all that")
	cancel()
	wg.Wait()
	r := c.report(t, "drain")
	require.Zero(t, r.Lag)
	c.stop(t)

	acked, stored := s.acknowledged(), storedIDs(t, dir)
	for id := range acked {
		require.Equal(t, 1, stored[id], "%s was acknowledged", id)
	}
	var facts int64
	for id, n := range stored {
		require.Equal(t, 1, n, "%s is there more than once", id)
		facts++
	}
	records, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "koipond.db")})
	require.NoError(t, err)
	defer records.Close()
	var counted int64
	require.NoError(t, records.QueryRow(t.Context(), "select count from dictionary_events where name = 'Sent'").Scan(&counted))
	require.Equal(t, facts, counted, "the dictionary counted each fact once")
	var aside int64
	require.NoError(t, records.QueryRow(t.Context(), "select count(*) from set_aside").Scan(&aside))
	require.Zero(t, aside)
	t.Logf("%d kills, %d facts acknowledged, %d stored", kills, len(acked), facts)
}

func (s *sender) acknowledged() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]bool, len(s.acked))
	for id := range s.acked {
		out[id] = true
	}
	return out
}

// storedIDs counts how often each sent message id is in the analytics store.
func storedIDs(t *testing.T, dir string) map[string]int {
	t.Helper()
	store, err := duckdb.Open(t.Context(), duckdb.Config{Path: filepath.Join(dir, "a.duckdb"), Clock: clock.System{}, Log: testkit.Quiet()})
	require.NoError(t, err)
	defer store.Close()
	out := map[string]int{}
	for pos := (event.Position{}); ; {
		rows, err := store.After(t.Context(), pos, 5000)
		require.NoError(t, err)
		if len(rows) == 0 {
			return out
		}
		for _, r := range rows {
			if r.Name == "Sent" {
				out[r.MessageID]++
			}
		}
		pos = rows[len(rows)-1].Position
	}
}
