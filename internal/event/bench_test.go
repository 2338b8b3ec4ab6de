package event_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// child is a server in a process of its own.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	addr string
}

func spawn(t testing.TB, kind, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), serveEnv+"="+kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	c.out.Buffer(nil, 1<<20)
	require.True(t, c.out.Scan(), "the %s server did not start", kind)
	c.addr = c.out.Text()
	return c
}

func (c *child) report(t testing.TB, ask string) report {
	t.Helper()
	_, err := io.WriteString(c.in, ask+"\n")
	require.NoError(t, err)
	require.True(t, c.out.Scan())
	var r report
	require.NoError(t, json.Unmarshal(c.out.Bytes(), &r))
	return r
}

// hold stops the process in its tracks while the other one is measured.
func (c *child) hold(t testing.TB)   { require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP)) }
func (c *child) resume(t testing.TB) { require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT)) }

func (c *child) stop(t testing.TB) {
	t.Helper()
	require.NoError(t, c.in.Close())
	require.NoError(t, c.cmd.Wait())
}

// profile writes a CPU profile of a server to the file in KOIPOND_TEST_PROFILE.
func profile() (stop func()) {
	path := os.Getenv("KOIPOND_TEST_PROFILE")
	if path == "" {
		return func() {}
	}
	f := must(os.Create(path + "." + os.Getenv(serveEnv)))
	must(0, pprof.StartCPUProfile(f))
	return func() { pprof.StopCPUProfile(); _ = f.Close() }
}

// request is a whole HTTP request whose events get fresh message ids by
// overwriting digits in place: the generator shares the cores, so it must be lean.
type request struct {
	raw    []byte
	digits []int // where each 16-digit number begins
	events int
}

const digitMark = "0000000000000000"

func newRequest(path string, events int) *request {
	var b bytes.Buffer
	if events > 1 {
		b.WriteString(`{"sentAt":"2026-03-02T08:00:00.000Z","batch":[`)
	}
	for i := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"track","event":"Product Viewed","userId":"u-%s","anonymousId":"9d2f6c1e-5b7a-4c38","messageId":"node-next-%s","timestamp":"2026-03-02T08:00:00.123Z",`+
			`"properties":{"product_id":"507f1f77bcf86cd799439011","sku":"G-32","category":"茶具","name":"手工紫砂壶","brand":"锦池","price":189.5,"quantity":%d,"currency":"CNY","position":3},`+
			`"context":{"library":{"name":"@segment/analytics-node","version":"2.1.3"},"ip":"10.1.2.3","locale":"zh-CN"}}`, digitMark, digitMark, i%9+1)
	}
	if events > 1 {
		b.WriteString(`]}`)
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic d2s6\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, b.Len())
	r := &request{raw: append([]byte(head), b.Bytes()...), events: events}
	for i := 0; ; {
		j := bytes.Index(r.raw[i:], []byte(digitMark))
		if j < 0 {
			return r
		}
		i += j
		r.digits = append(r.digits, i)
		i += len(digitMark)
	}
}

// people is how many different users the events are of.
const people = 20_000

var serial atomic.Uint64

// stamp makes every event one that was never sent before.
func (r *request) stamp() {
	n := serial.Add(uint64(r.events)) - uint64(r.events)
	for i, at := range r.digits {
		v := n + uint64(i/2)
		if i%2 == 0 {
			v = v * 7919 % people // the user
		}
		for j := len(digitMark) - 1; j >= 0; j-- {
			r.raw[at+j] = byte('0' + v%10)
			v /= 10
		}
	}
}

// load sends requests over persistent connections and tells events a second
// and how long answers took.
func load(t testing.TB, addr, path string, events, conns int, lasts time.Duration) (perSecond float64, took []time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total int64
	begin := time.Now()
	end := begin.Add(lasts)
	for range conns {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			own, r, buf, n := []time.Duration{}, newRequest(path, events), make([]byte, 4096), int64(0)
			for time.Now().Before(end) {
				r.stamp()
				start := time.Now()
				if err := roundTrip(conn, r.raw, buf); err != nil {
					t.Error(err)
					return
				}
				own = append(own, time.Since(start))
				n += int64(events)
			}
			mu.Lock()
			took, total = append(took, own...), total+n
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(took)
	return float64(total) / time.Since(begin).Seconds(), took
}

func roundTrip(conn net.Conn, raw, buf []byte) error {
	if _, err := conn.Write(raw); err != nil {
		return err
	}
	got := 0
	for {
		n, err := conn.Read(buf[got:])
		if err != nil {
			return err
		}
		got += n
		head := bytes.Index(buf[:got], []byte("\r\n\r\n"))
		if head < 0 {
			continue
		}
		if !bytes.HasPrefix(buf, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answer: %s", buf[:got])
		}
		size := bytes.Index(buf[:head], []byte("Content-Length: "))
		if size < 0 {
			return fmt.Errorf("answer without a length: %s", buf[:got])
		}
		want, err := strconv.Atoi(strings.TrimSpace(string(buf[size+16 : size+16+bytes.IndexByte(buf[size+16:], '\r')])))
		if err != nil {
			return err
		}
		if got >= head+4+want {
			return nil
		}
	}
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Min(float64(len(sorted)-1), q*float64(len(sorted))))]
}

// BenchmarkIntake compares the intake, with the pipeline running behind it, to
// a bare handler, in batches of 100 and one by one. The two take turns, so that
// a noisy machine treats both alike.
func BenchmarkIntake(b *testing.B) {
	lasts := 4 * time.Second
	if s := os.Getenv("KOIPOND_BENCH_SECONDS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(b, err)
		lasts = time.Duration(n) * time.Second
	}
	for _, c := range []struct {
		name, path    string
		events, conns int
	}{{"batch100", "/v1/batch", 100, 32}, {"single256", "/v1/track", 1, 256}} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			for _, d := range []string{"koi", "bare"} {
				require.NoError(b, os.Mkdir(filepath.Join(dir, d), 0o700))
			}
			koi, plain := spawn(b, "intake", filepath.Join(dir, "koi")), spawn(b, "bare", filepath.Join(dir, "bare"))
			load(b, koi.addr, c.path, c.events, c.conns, lasts/4) // warm up
			load(b, plain.addr, c.path, c.events, c.conns, lasts/4)
			var ours, theirs float64
			var took, bareTook []time.Duration
			const rounds = 3
			for range rounds {
				koi.hold(b)
				n, t := load(b, plain.addr, c.path, c.events, c.conns, lasts/2)
				koi.resume(b)
				theirs, bareTook = theirs+n/rounds, append(bareTook, t...)
				plain.hold(b)
				n, t = load(b, koi.addr, c.path, c.events, c.conns, lasts)
				plain.resume(b)
				ours, took = ours+n/rounds, append(took, t...)
			}
			slices.Sort(took)
			slices.Sort(bareTook)
			r := koi.report(b, "")
			b.ReportMetric(ours, "events/s")
			b.ReportMetric(theirs, "bare-events/s")
			b.ReportMetric(ours/theirs, "ratio")
			b.ReportMetric(float64(quantile(took, .5).Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(quantile(took, .99).Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(quantile(bareTook, .99).Microseconds())/1000, "bare-p99-ms")
			b.ReportMetric(float64(r.Peak>>20), "peak-MB")
			b.ReportMetric(float64(r.Go>>20), "go-MB")
			b.ReportMetric(float64(r.RSS>>20), "rss-MB")
			b.ReportMetric(float64(r.Files>>20), "rss-file-MB")
			b.ReportMetric(float64(r.Stored), "stored")
			b.ReportMetric(float64(r.Lag), "lag")
			b.ReportMetric(drainRate(b, koi, r.Stored), "drain-facts/s")
			b.ReportMetric(0, "ns/op")
			koi.stop(b)
			plain.stop(b)
		})
	}
}

// drainRate is how fast the pipeline stores what waits when nothing else comes.
func drainRate(b *testing.B, koi *child, stored int64) float64 {
	start := time.Now()
	for {
		time.Sleep(100 * time.Millisecond)
		r := koi.report(b, "")
		if took := time.Since(start); r.Lag == 0 || took > 8*time.Second {
			return float64(r.Stored-stored) / took.Seconds()
		}
	}
}

// BenchmarkSteady sends batches of 100 at the goal's rate, 50,000 events a
// second, for a minute: what the program needs when it is not pushed to its limit.
func BenchmarkSteady(b *testing.B) {
	const perSecond, conns, events = 50_000, 16, 100
	lasts := time.Minute
	if s := os.Getenv("KOIPOND_BENCH_SECONDS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(b, err)
		lasts = time.Duration(n) * time.Second
	}
	koi := spawn(b, "intake", b.TempDir())
	start := time.Now()
	sent, took := steady(b, koi.addr, conns, events, time.Second*conns*events/perSecond, lasts)
	rate := float64(sent) / time.Since(start).Seconds()
	r := koi.report(b, "")
	b.ReportMetric(rate, "events/s")
	b.ReportMetric(float64(quantile(took, .5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(quantile(took, .99).Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(r.Peak>>20), "peak-MB")
	b.ReportMetric(float64(r.RSS>>20), "rss-MB")
	b.ReportMetric(float64(r.Stored), "stored")
	b.ReportMetric(float64(r.Lag), "lag")
	b.ReportMetric(0, "ns/op")
	koi.stop(b)
}

// steady sends batches at a fixed pace on each connection; took is sorted.
func steady(b *testing.B, addr string, conns, events int, every, lasts time.Duration) (sent int64, took []time.Duration) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range conns {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			tick := time.NewTicker(every)
			defer tick.Stop()
			own, r, buf := []time.Duration{}, newRequest("/v1/batch", events), make([]byte, 4096)
			for end := time.Now().Add(lasts); time.Now().Before(end); <-tick.C {
				r.stamp()
				begin := time.Now()
				if err := roundTrip(conn, r.raw, buf); err != nil {
					b.Error(err)
					return
				}
				own = append(own, time.Since(begin))
			}
			mu.Lock()
			took, sent = append(took, own...), sent+int64(len(own)*events)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(took)
	return sent, took
}

// BenchmarkDelay measures how long a fact takes from its receipt until the last
// subscriber has it, at a steady 5,000 facts a second.
func BenchmarkDelay(b *testing.B) {
	const perSecond, conns, events = 5000, 8, 10
	koi := spawn(b, "intake", b.TempDir())
	run := func(lasts time.Duration) {
		steady(b, koi.addr, conns, events, time.Second*conns*events/perSecond, lasts)
	}
	run(4 * time.Second) // the 20,000 people are made
	koi.report(b, "drain")
	start := time.Now()
	run(6 * time.Second)
	rate := time.Since(start)
	r := koi.report(b, "drain")
	d := r.Delays
	if len(d) == 0 {
		b.Fatal("no facts arrived")
	}
	b.ReportMetric(float64(d[len(d)/2]), "p50-ms")
	b.ReportMetric(float64(d[len(d)*99/100]), "p99-ms")
	b.ReportMetric(float64(d[len(d)-1]), "max-ms")
	b.ReportMetric(float64(r.Stored)/(rate.Seconds()+4), "facts/s")
	b.ReportMetric(float64(r.RSS>>20), "rss-MB")
	b.ReportMetric(0, "ns/op")
	koi.stop(b)
}
