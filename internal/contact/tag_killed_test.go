package contact

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Where the process that is killed finds its database.
const (
	killedPath = "KOIPOND_TEST_TAGGING_PATH"
	killedURL  = "KOIPOND_TEST_TAGGING_URL"
	killedDir  = "KOIPOND_TEST_TAGGING_DIR"
)

// outbox writes facts into a table of the records, in the transaction of what they
// tell, as the intake's outbox does. It takes its time, so that a kill falls into it.
type outbox struct {
	db   *db.DB
	wait time.Duration
}

// Emit implements event.Emitter.
func (o outbox) Emit(ctx context.Context, facts ...event.Fact) error {
	time.Sleep(o.wait)
	return insertMany(ctx, o.db, "told", columns("contact:n name properties"), len(facts), func(i int) []any {
		return []any{facts[i].Contact, facts[i].Name, string(facts[i].Properties)}
	}, "")
}

// tagger is the service as a process runs it.
func tagger(d *db.DB, dir string, wait time.Duration) (*Service, *jobs.Service, error) {
	files, err := blob.NewFolder(dir)
	if err != nil {
		return nil, nil, err
	}
	ring, err := secret.NewRing(make([]byte, secret.KeySize))
	if err != nil {
		return nil, nil, err
	}
	ids, log := id.NewSource(clock.System{}.Now, nil), slog.New(slog.DiscardHandler)
	j := jobs.NewService(jobs.Deps{DB: d, Clock: clock.System{}, IDs: ids, Log: log, Files: files, Node: "node", Poll: 5 * time.Millisecond, Stale: 600 * time.Millisecond})
	s := NewService(Deps{DB: d, Clock: clock.System{}, IDs: ids, Log: log, Keys: ring, Emit: outbox{d, wait}, Audit: &audited{}, Jobs: j})
	s.RegisterJobs()
	return s, j, nil
}

// killedConfig is the database that both processes open.
func killedConfig(path, url string) db.Config {
	if url != "" {
		return db.Config{URL: url, Readers: 4}
	}
	return db.Config{Path: path}
}

// workUntilKilled is the process that does the work.
func workUntilKilled() error {
	d, err := db.Open(context.Background(), killedConfig(os.Getenv(killedPath), os.Getenv(killedURL)))
	if err != nil {
		return err
	}
	_, j, err := tagger(d, os.Getenv(killedDir), 40*time.Millisecond)
	if err != nil {
		return err
	}
	if err := j.Start(context.Background()); err != nil {
		return err
	}
	fmt.Println("up")
	_, err = io.Copy(io.Discard, os.Stdin) // until killed
	return err
}

// TestTaggingIsKilled: while many are tagged, and while that is undone, the
// process is killed without warning again and again. In the end everybody was
// tagged exactly once, each change was told once, and the undo brings back
// exactly what was there before.
func TestTaggingIsKilled(t *testing.T) {
	if os.Getenv(killedDir) != "" {
		require.NoError(t, workUntilKilled())
		return
	}
	t.Run("sqlite", func(t *testing.T) { taggingIsKilled(t, filepath.Join(t.TempDir(), "koipond.db"), "") })
	if testkit.PostgresURL(t) != "" {
		t.Run("postgres", func(t *testing.T) { taggingIsKilled(t, "", testkit.Schema(t)) })
	}
}

func taggingIsKilled(t *testing.T, path, url string) {
	const people = 9000
	dir := t.TempDir()
	d, err := db.Open(t.Context(), killedConfig(path, url))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	_, err = d.Migrate(t.Context(), db.Migrations(), jobs.Migrations(), Migrations())
	require.NoError(t, err)
	_, err = d.Exec(t.Context(), "create table told (contact bigint not null, name text not null, properties text not null)")
	require.NoError(t, err)

	p := newPond(t, d)
	for from := 0; from < people; from += 1000 {
		facts := make([]event.Fact, 1000)
		for i := range facts {
			facts[i] = event.Fact{UserID: fmt.Sprintf("u%05d", from+i)}
		}
		p.resolve(facts...)
	}
	s, _, err := tagger(d, dir, 0)
	require.NoError(t, err)
	p.Service = s
	group, err := s.CreateGroup(p.ctx, NewGroup{Name: "阶段", Exclusive: true})
	require.NoError(t, err)
	make := func(name string) TagRef {
		tag, err := s.CreateTag(p.ctx, NewTag{Group: group, Name: name})
		require.NoError(t, err)
		return tag
	}
	old, now := make("旧"), make("新")
	// every third had another tag of the group, every seventh the same one by hand
	for _, had := range []struct {
		tag   TagRef
		every int
	}{{old, 3}, {now, 7}} {
		_, err = d.Exec(t.Context(), fmt.Sprintf(`insert into contact_tags (contact, tag, shown, at, by_id, by_name, source) select num, $1, shown, 1000 + num, 'us_1', '王芳', 'manual' from contacts
			where num %% %d = 0 and not exists (select 1 from contact_tags t where t.contact = contacts.num)`, had.every), had.tag.ID)
		require.NoError(t, err)
	}
	before := tagRows(t, d)
	fresh := people - one[int](p, "select count(*) from contact_tags where tag = $1", now.ID)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	run, err := s.BulkTags(p.ctx, TagWork{Selection: &SelectionBody{Filter: &FilterBody{}}, Add: []string{now.ID}})
	require.NoError(t, err)
	kills := killWhile(t, p, path, url, dir, rnd, run.JobID, 3, "select seen from tag_runs where id = $1", run.ID)

	run, err = s.TagRun(p.ctx, run.ID)
	require.NoError(t, err)
	require.Equal(t, jobs.Succeeded, run.State, run.Error)
	require.Equal(t, []int64{people, int64(fresh), int64(fresh)}, []int64{run.Seen, run.People, run.Added})
	require.Equal(t, people, one[int](p, "select count(*) from contact_tags"), "everybody has the one tag of the group")
	require.Equal(t, fresh, one[int](p, "select count(*) from told where name = $1", event.NameTagAdded))
	require.Equal(t, fresh, one[int](p, "select count(*) from (select distinct contact from told where name = $1) as once", event.NameTagAdded), "told once of each")
	require.Equal(t, int(run.Removed), one[int](p, "select count(*) from told where name = $1", event.NameTagRemoved))
	require.Equal(t, fresh, one[int](p, "select sum(added) from tag_days where tag = $1", now.ID), "and counted once")

	run, err = s.UndoTagRun(p.ctx, run.ID)
	require.NoError(t, err)
	kills += killWhile(t, p, path, url, dir, rnd, run.JobID, 4, "select restored + kept from tag_runs where id = $1", run.ID)
	run, err = s.TagRun(p.ctx, run.ID)
	require.NoError(t, err)
	require.NotNil(t, run.UndoneAt, run.Error)
	require.Zero(t, run.Kept)
	require.Equal(t, int(run.Added+run.Removed), int(run.Restored))
	require.Equal(t, before, tagRows(t, d), "exactly as it was")
	t.Logf("%d people, %d kills", people, kills)
}

// killWhile lets processes work on a job and kills them some time after they got
// further, as often as asked; the last one may end it.
func killWhile(t *testing.T, p *pond, path, url, dir string, rnd *rand.Rand, job string, times int, far, id string) (kills int) {
	t.Helper()
	ended := func() bool {
		return one[string](p, "select state from jobs where id = $1", job) == string(jobs.Succeeded)
	}
	for {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTaggingIsKilled$")
		cmd.Env = append(os.Environ(), killedPath+"="+path, killedURL+"="+url, killedDir+"="+dir)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		was := one[int64](p, far, id)
		require.NoError(t, cmd.Start())
		require.True(t, bufio.NewScanner(out).Scan(), "the process did not start")
		further := func() bool {
			return ended() || kills < times && one[int64](p, far, id) > was
		}
		require.Eventually(t, further, 60*time.Second, 5*time.Millisecond)
		time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond) // the moment of a crash has no signal to wait for
		done := ended()
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed, as it says
		_ = in.Close()
		if done || ended() {
			require.Positive(t, kills, "it was over before it could be killed")
			return kills
		}
		kills++
	}
}

// tagRows are all tags of all contacts with who gave them and when.
func tagRows(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := d.Query(t.Context(), "select contact, tag, shown, at, by_id, by_name, source, import_id, run from contact_tags order by contact, tag")
	out, err := db.Collect(rows, err, func(r *sql.Rows) (string, error) {
		var contact, shown, at int64
		var tag, byID, byName, source, imported, run string
		err := r.Scan(&contact, &tag, &shown, &at, &byID, &byName, &source, &imported, &run)
		return fmt.Sprint(contact, tag, shown, at, byID, byName, source, imported, run), err
	})
	require.NoError(t, err)
	return out
}
