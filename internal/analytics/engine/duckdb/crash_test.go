package duckdb_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
)

const crashEnv = "KOIPOND_TEST_CRASH_FILE"

// rowsPerBatch is large enough that the log passes its checkpoint size during the test.
const rowsPerBatch = 3000

// TestCrashChild is the process that TestKill kills: it appends batches from the
// stored position on, two rekeys each, and says which were acknowledged.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashEnv)
	if path == "" {
		t.Skip("run by TestKill")
	}
	s, err := duckdb.Open(t.Context(), duckdb.Config{Path: path})
	require.NoError(t, err)
	pos, err := s.Position(t.Context())
	require.NoError(t, err)
	for seq := pos.Seq + 1; seq < pos.Seq+2000; seq++ { // an end, should nobody kill it
		require.NoError(t, s.Append(t.Context(), crashBatch(seq)))
		fmt.Printf("acknowledged %d\n", seq)
	}
}

func crashBatch(seq uint64) analytics.Batch {
	b := analytics.Batch{Position: event.Position{Seq: seq, Idx: rowsPerBatch - 1}}
	first := int64(seq)*4 + 1
	for i := range uint32(rowsPerBatch) {
		r := analytics.Row{Contact: first + int64(i%4), Position: event.Position{Seq: seq, Idx: i}}
		r.MessageID, r.Name, r.Type = fmt.Sprintf("m-%d-%d", seq, i), "crash", event.Track
		r.Timestamp, r.ReceivedAt = int64(seq)*1000, int64(seq)*1000
		r.Properties = []byte(`{"total":1,"currency":"CNY","text":"` + strings.Repeat(strconv.Itoa(int(i)*7919), 12) + `"}`)
		b.Rows = append(b.Rows, r)
	}
	for i := range int64(4) {
		b.Profiles = append(b.Profiles, event.Profile{Contact: first + i, Kind: event.Person, Channel: "direct"})
	}
	b.Rekeys = []event.Rekey{{From: first + 1, Into: first}, {From: first + 2, Into: first + 3}}
	return b
}

// TestKill kills the writer in full flight several times: every acknowledged
// batch must be there once and whole, and none in part.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	path := filepath.Join(t.TempDir(), fileName)
	acknowledged := uint64(0)
	for round := range 6 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
		cmd.Env = append(os.Environ(), crashEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		seen := 0
		// To the end of the output: batches may be acknowledged before the kill arrives.
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, ok := strings.CutPrefix(lines.Text(), "acknowledged ")
			if !ok {
				continue
			}
			acknowledged, err = strconv.ParseUint(n, 10, 64)
			require.NoError(t, err)
			if seen++; seen == 5+round*5 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "killed")
		acknowledged = checkCrashed(t, path, acknowledged)
	}
}

// checkCrashed opens what the kill left and returns the position it stands at.
func checkCrashed(t *testing.T, path string, acknowledged uint64) uint64 {
	t.Helper()
	s, err := duckdb.Open(t.Context(), duckdb.Config{Path: path})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	pos, err := s.Position(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, pos.Seq, acknowledged, "acknowledged batches are there")
	require.LessOrEqual(t, pos.Seq, acknowledged+1, "at most the one in flight beyond them")
	got, err := s.Totals(t.Context(), analytics.TotalsQuery{Property: "total", Filter: analytics.Filter{ContactKind: event.Person}})
	require.NoError(t, err)
	rows := int64(pos.Seq) * rowsPerBatch
	require.Equal(t, analytics.GroupRow{Count: rows, People: int64(pos.Seq) * 2, Repeat: int64(pos.Seq) * 2, Sum: float64(rows)}, got[0],
		"each batch once, whole, with its merges")
	return pos.Seq
}

// TestOneProcess: a second process is kept out of the file, also after a backup
// has read it (closing a descriptor of a file drops the locks on it).
func TestOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	s := open(t, path)
	require.NoError(t, s.Append(t.Context(), crashBatch(1)))
	require.NoError(t, s.Backup(t.Context(), t.TempDir()))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "lock")
}
