package connector_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Where the process that is killed finds its database.
const (
	killedPath = "KOIPOND_TEST_CALLS_PATH"
	killedURL  = "KOIPOND_TEST_CALLS_URL"
	kills      = 20
	perSecond  = 100
)

func killedConfig(path, url string) db.Config {
	if url != "" {
		return db.Config{URL: url, Readers: 6}
	}
	return db.Config{Path: path}
}

func plainService(d *db.DB) *connector.Service {
	c := clock.System{}
	s := connector.NewService(connector.Deps{DB: d, Clock: c, IDs: id.NewSource(c.Now, nil), Log: slog.New(slog.DiscardHandler), Keys: testkit.Ring(), Node: "node"})
	s.Register(contract.FakeKind())
	return s
}

// serveUntilKilled is the process that is called back. Its handlers state facts, as
// the stream takes them: one of the same message id is the same fact.
func serveUntilKilled() error {
	ctx := context.Background()
	d, err := db.Open(ctx, killedConfig(os.Getenv(killedPath), os.Getenv(killedURL)))
	if err != nil {
		return err
	}
	s := plainService(d)
	state := func(ctx context.Context, a connector.Account, in connector.Incoming, part string) error {
		_, err := d.Exec(ctx, "insert into facts (id, key, part, times) values ($1, $2, $3, 1) on conflict (id) do update set times = facts.times + 1", in.MessageID(a, part), in.Key, part)
		return err
	}
	s.On("fake", "thing.*", func(ctx context.Context, a connector.Account, in connector.Incoming) error {
		return state(ctx, a, in, "fact")
	})
	s.First("fake", "thing.urgent", func(ctx context.Context, a connector.Account, in connector.Incoming) error {
		return state(ctx, a, in, "welcome")
	})
	cat, err := i18n.Load(testkit.Quiet())
	if err != nil {
		return err
	}
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: asContext{}, Log: testkit.Quiet(), Catalogue: cat, Clock: clock.System{}})
	s.Routes(api)
	if err := s.Start(ctx); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(ln, api.Handler()) }() //nolint:gosec // until killed
	fmt.Println("up", ln.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// TestKilledTwentyTimes: while a platform calls a hundred times a second, the
// program is killed without warning again and again. The platform calls again when
// it got no answer, as platforms do. In the end each callback was handled, and
// counts once.
func TestKilledTwentyTimes(t *testing.T) {
	if os.Getenv(killedPath)+os.Getenv(killedURL) != "" {
		require.NoError(t, serveUntilKilled())
		return
	}
	t.Run("sqlite", func(t *testing.T) { killed(t, filepath.Join(t.TempDir(), "koipond.db"), "") })
	if testkit.PostgresURL(t) != "" {
		t.Run("postgres", func(t *testing.T) { killed(t, "", testkit.Schema(t)) })
	}
}

func killed(t *testing.T, path, url string) {
	d, err := db.Open(t.Context(), killedConfig(path, url))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	_, err = d.Migrate(t.Context(), db.Migrations(), connector.Migrations())
	require.NoError(t, err)
	_, err = d.Exec(t.Context(), "create table facts (id text not null primary key, key text not null, part text not null, times bigint not null)")
	require.NoError(t, err)
	v, err := plainService(d).Create(testkit.As(t.Context(), "admin"), connector.Input{Kind: "fake", Name: "x", Settings: map[string]string{"corp": "corp1"}, Secrets: map[string]string{"secret": "x", "sign": sign}})
	require.NoError(t, err)

	p := &caller{path: "/hooks/fake/" + v.ID, answered: map[string]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wait sync.WaitGroup
	wait.Go(func() { p.run(ctx) })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range kills {
		cmd, addr := start(t, path, url)
		p.to(addr)
		time.Sleep(time.Duration(50+rnd.IntN(400)) * time.Millisecond) // the moment of a crash has no signal to wait for
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed, as it says
		p.to("")
	}
	cmd, addr := start(t, path, url)
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	p.to(addr)
	before := p.count()
	require.Eventually(t, func() bool { return p.count() > before+50 }, 20*time.Second, 10*time.Millisecond, "it works after all that")
	p.stop()
	wait.Wait()
	left := func() (n int) {
		require.NoError(t, d.QueryRow(t.Context(), "select count(*) from connector_inbox where state <> 'done'").Scan(&n))
		return n
	}
	require.Eventually(t, func() bool { return left() == 0 }, 30*time.Second, 20*time.Millisecond)

	rows, err := d.Query(t.Context(), "select key, part, times from facts")
	facts, again := map[string]int{}, 0
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var key, part string
		var times int
		err = r.Scan(&key, &part, &times)
		facts[key+" "+part]++
		again += times - 1
		return x, err
	})
	require.NoError(t, err)
	for key := range p.answered {
		require.Equal(t, 1, facts[key+" fact"], "%s was answered", key)
		if strings.HasPrefix(key, "urgent") {
			require.Equal(t, 1, facts[key+" welcome"], "%s was answered", key)
		}
	}
	t.Logf("%d kills, %d callbacks answered, %d facts; handlers ran again %d times", kills, len(p.answered), len(facts), again)
	require.Greater(t, len(p.answered), kills*5)
}

func start(t *testing.T, path, url string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledTwentyTimes$") //nolint:gosec // this very test
	cmd.Env = append(os.Environ(), killedPath+"="+path, killedURL+"="+url)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "up "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return cmd, addr
		}
	}
	t.Fatal("the process did not come up")
	return nil, ""
}

// caller is the platform: a hundred calls a second, each again until it is answered.
type caller struct {
	path string

	mu       sync.Mutex
	addr     string
	over     bool
	n        int
	answered map[string]bool
}

func (c *caller) to(addr string) { c.mu.Lock(); c.addr = addr; c.mu.Unlock() }
func (c *caller) stop()          { c.mu.Lock(); c.over = true; c.mu.Unlock() }
func (c *caller) count() int     { c.mu.Lock(); defer c.mu.Unlock(); return len(c.answered) }

func (c *caller) run(ctx context.Context) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	defer client.CloseIdleConnections()
	var wait sync.WaitGroup
	defer wait.Wait()
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		over, up := c.over, c.addr != ""
		c.n++
		n := c.n
		c.mu.Unlock()
		if over {
			return
		}
		if up {
			wait.Go(func() { c.one(ctx, client, n) })
		}
	}
}

func (c *caller) one(ctx context.Context, client *http.Client, n int) {
	key, name := fmt.Sprintf("call-%05d", n), "thing.usual"
	if n%4 == 0 {
		key, name = fmt.Sprintf("urgent-%05d", n), "thing.urgent"
	}
	r := contract.FakeCall{Corp: "corp1", Key: key, Subject: fmt.Sprint(n % 17), Name: name, Urgent: n%4 == 0, At: time.Now()}.Sign(sign)
	for ctx.Err() == nil {
		c.mu.Lock()
		addr := c.addr
		c.mu.Unlock()
		if addr != "" && post(ctx, client, "http://"+addr+c.path+"?"+r.Query.Encode(), r.Body) {
			c.mu.Lock()
			c.answered[key] = true
			c.mu.Unlock()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func post(ctx context.Context, client *http.Client, url string, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}
