package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{Dir: dir, MinFree: -1})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	return b
}

func stream(t *testing.T, b *bus.Bus, cfg bus.StreamConfig) *bus.Stream {
	t.Helper()
	cfg.Name = "FACTS"
	s, err := b.Stream(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

func next(t *testing.T, r *bus.Reader) bus.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	m, err := r.Next(ctx)
	require.NoError(t, err)
	return m
}

func TestOrderAcrossReopen(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	s := stream(t, b, bus.StreamConfig{})
	r := s.Reader(1)
	for i := range 20 {
		seq, err := s.Publish(t.Context(), fmt.Append(nil, i))
		require.NoError(t, err)
		require.EqualValues(t, i+1, seq)
		require.Equal(t, fmt.Sprint(i), string(next(t, r).Data))
	}
	r.Close()
	require.NoError(t, b.Close(t.Context()))
	require.NoError(t, b.Close(t.Context()), "twice is fine")

	b = open(t, dir)
	s = stream(t, b, bus.StreamConfig{After: 7})
	require.NoError(t, s.Trim(t.Context(), 7))
	st, err := s.State(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 8, st.First)
	require.EqualValues(t, 20, st.Last)
	r = s.Reader(3) // trimmed already: begins at the first there is
	defer r.Close()
	for i := uint64(8); i <= 20; i++ {
		m := next(t, r)
		require.Equal(t, i, m.Seq)
		require.Equal(t, fmt.Sprint(i-1), string(m.Data))
	}
}

func TestSequenceNeverGoesBack(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	s := stream(t, b, bus.StreamConfig{After: 41})
	seq, err := s.Publish(t.Context(), []byte("a"))
	require.NoError(t, err)
	require.EqualValues(t, 42, seq)
	require.NoError(t, b.Close(t.Context()))

	// An older copy of the stream comes back: what it holds is stored already.
	b = open(t, dir)
	s = stream(t, b, bus.StreamConfig{After: 99})
	seq, err = s.Publish(t.Context(), []byte("b"))
	require.NoError(t, err)
	require.EqualValues(t, 100, seq)
	require.NoError(t, b.Close(t.Context()))

	// The folder is lost altogether.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "jetstream")))
	b = open(t, dir)
	s = stream(t, b, bus.StreamConfig{After: 100})
	seq, err = s.Publish(t.Context(), []byte("c"))
	require.NoError(t, err)
	require.EqualValues(t, 101, seq)
	require.NoError(t, b.Close(t.Context()))

	// Lost again, and others than the store got further: nobody meets a sequence twice.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "jetstream")))
	b = open(t, dir)
	s = stream(t, b, bus.StreamConfig{After: 101, Floor: 105})
	seq, err = s.Publish(t.Context(), []byte("d"))
	require.NoError(t, err)
	require.EqualValues(t, 106, seq)
	require.NoError(t, b.Close(t.Context()))
	b = open(t, dir)
	s = stream(t, b, bus.StreamConfig{After: 101, Floor: 105})
	st, err := s.State(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, st.Messages, "what waits stays")
}

// A cluster by URL is the same code against a server that listens.
func TestByURL(t *testing.T) {
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	require.NoError(t, err)
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	require.True(t, ns.ReadyForConnections(10*time.Second))
	b, err := bus.Open(t.Context(), bus.Config{URL: ns.ClientURL(), Replicas: 1})
	require.NoError(t, err)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = b.Close(ctx) // the fate of the last message may still be open
	}()
	require.NoError(t, b.Ping(t.Context()))
	require.Equal(t, 1<<20-1024, b.MaxMessage(), "what that server takes")
	s := stream(t, b, bus.StreamConfig{})
	_, err = s.Publish(t.Context(), make([]byte, 1<<20))
	require.ErrorIs(t, err, bus.ErrTooLarge)
	for i := range 3 {
		_, err = s.Publish(t.Context(), fmt.Append(nil, i))
		require.NoError(t, err)
	}
	r := s.Reader(2)
	defer r.Close()
	require.Equal(t, "1", string(next(t, r).Data))
	ns.Shutdown()
	ns.WaitForShutdown()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = s.Publish(ctx, []byte("x"))
	require.ErrorIs(t, err, bus.ErrUnavailable)
}

func TestFullRefusesAndNeverDrops(t *testing.T) {
	b := open(t, t.TempDir())
	s := stream(t, b, bus.StreamConfig{MaxBytes: 1 << 20})
	chunk := bytes.Repeat([]byte("x"), 100<<10)
	var taken uint64
	for {
		seq, err := s.Publish(t.Context(), chunk)
		if err != nil {
			require.ErrorIs(t, err, bus.ErrFull)
			break
		}
		taken = seq
	}
	require.Greater(t, taken, uint64(5))
	st, err := s.State(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, st.First, "nothing was dropped")
	require.Equal(t, taken, st.Messages)
	require.NoError(t, s.Trim(t.Context(), 3))
	seq, err := s.Publish(t.Context(), chunk)
	require.NoError(t, err, "room again after trimming")
	require.Equal(t, taken+1, seq, "a refusal uses no sequence")
}

func TestTooLarge(t *testing.T) {
	b := open(t, t.TempDir())
	s := stream(t, b, bus.StreamConfig{})
	_, err := s.Publish(t.Context(), make([]byte, b.MaxMessage()+1))
	require.ErrorIs(t, err, bus.ErrTooLarge)
	_, err = s.Publish(t.Context(), make([]byte, b.MaxMessage()))
	require.NoError(t, err)
}

func TestLowDiskRefuses(t *testing.T) {
	b, err := bus.Open(t.Context(), bus.Config{Dir: t.TempDir(), MinFree: 1 << 60})
	require.NoError(t, err)
	defer b.Close(context.Background())
	s := stream(t, b, bus.StreamConfig{})
	_, err = s.Publish(t.Context(), []byte("a"))
	require.ErrorIs(t, err, bus.ErrFull)
}

func TestTrimAllKeepsSequence(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	s := stream(t, b, bus.StreamConfig{})
	for range 5 {
		_, err := s.Publish(t.Context(), []byte("a"))
		require.NoError(t, err)
	}
	require.NoError(t, s.Trim(t.Context(), 5))
	require.NoError(t, b.Close(t.Context()))
	b = open(t, dir)
	s = stream(t, b, bus.StreamConfig{After: 5})
	st, err := s.State(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 6, st.First)
	require.Zero(t, st.Messages)
	seq, err := s.Publish(t.Context(), []byte("b"))
	require.NoError(t, err)
	require.EqualValues(t, 6, seq)
	r := s.Reader(6)
	defer r.Close()
	require.Equal(t, "b", string(next(t, r).Data))
}

func TestManyPublishersAndAReaderThatStops(t *testing.T) {
	b := open(t, t.TempDir())
	s := stream(t, b, bus.StreamConfig{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				_, err := s.Publish(context.Background(), fmt.Appendf(nil, "%d/%d", g, i))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	r := s.Reader(1)
	for range 400 {
		seen[string(next(t, r).Data)] = true
	}
	wg.Wait()
	require.Len(t, seen, 400)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := r.Next(ctx); done <- err }()
	cancel()
	require.True(t, errors.Is(<-done, context.Canceled))
	r.Close()
}

func TestDumpAndLoad(t *testing.T) {
	b := open(t, t.TempDir())
	s := stream(t, b, bus.StreamConfig{After: 10})
	for i := range 5 {
		_, err := s.Publish(t.Context(), bytes.Repeat([]byte{byte(i)}, i*1000))
		require.NoError(t, err)
	}
	require.NoError(t, s.Trim(t.Context(), 12))
	var file bytes.Buffer
	n, err := s.Dump(t.Context(), &file)
	require.NoError(t, err)
	require.Equal(t, 3, n)

	other := open(t, t.TempDir())
	copied, err := other.Load(t.Context(), bus.StreamConfig{Name: "FACTS"}, bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	st, err := copied.State(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 13, st.First)
	require.EqualValues(t, 15, st.Last)
	r := copied.Reader(1)
	defer r.Close()
	m := next(t, r)
	require.EqualValues(t, 13, m.Seq)
	require.Equal(t, bytes.Repeat([]byte{2}, 2000), m.Data)
	_, err = other.Load(t.Context(), bus.StreamConfig{Name: "CUT"}, bytes.NewReader(file.Bytes()[:file.Len()-1]))
	require.Error(t, err)
}

func BenchmarkPublish64KB(b *testing.B) {
	bb, err := bus.Open(b.Context(), bus.Config{Dir: b.TempDir()})
	require.NoError(b, err)
	defer bb.Close(context.Background())
	s, err := bb.Stream(b.Context(), bus.StreamConfig{Name: "FACTS"})
	require.NoError(b, err)
	data := bytes.Repeat([]byte("abcdefgh"), 8<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := s.Publish(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}
