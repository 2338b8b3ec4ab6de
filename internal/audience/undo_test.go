package audience_test

import (
	"database/sql"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// undoRows counts the rows of sets by which changes are taken back.
func (p *pond) undoRows() (n int64) {
	p.t.Helper()
	require.NoError(p.t, p.db.QueryRow(p.ctx, "select count(*) from audience_sets where set_key like 'sh%'").Scan(&n))
	return n
}

func (p *pond) historyOf(id string) (all []audience.Event) {
	p.t.Helper()
	before := int64(0)
	for {
		page, next, err := p.History(p.ctx, id, before)
		require.NoError(p.t, err)
		all = append(all, page...)
		if before = next; next == 0 {
			return all
		}
	}
}

// Changes can be taken back for a time, and only the last ones: their sets do
// not gather. What they came to stays in the history.
func TestUndoIsBounded(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		_, ida := p.person("甲", "", "杭州")
		g, other := p.static("名单"), p.static("另一份", ida)
		turn := func(remove bool) {
			t.Helper()
			_, _, err := p.ChangeMembers(p.ctx, g.ID, contact.Selection{IDs: []string{ida}}, remove)
			require.NoError(t, err)
		}
		const changes = 60
		for i := range changes {
			turn(i%2 == 1)
		}
		require.EqualValues(t, 50+1, p.undoRows(), "of each list its own")
		h := p.historyOf(g.ID)
		require.Len(t, h, changes+1)
		for i, e := range h[:changes] {
			require.Equal(t, i < 50, e.CanUndo, i)
			require.EqualValues(t, 1, *e.Came+*e.Went, "the counts stay")
		}
		_, err := p.Undo(p.ctx, g.ID, h[50].ID)
		require.Equal(t, "audience.undo_gone", codeOf(err))
		_, err = p.Undo(p.ctx, g.ID, h[changes].ID)
		require.Equal(t, "audience.not_undoable", codeOf(err), "a creation is no change of the list")

		// What was taken back needs its sets no more, and has none of its own.
		_, err = p.Undo(p.ctx, g.ID, h[0].ID)
		require.NoError(t, err)
		require.EqualValues(t, 49+1, p.undoRows())

		// A list that nobody changes is looked after too.
		p.clock.Advance(399 * 24 * time.Hour)
		turn(true)
		require.NoError(t, p.DropOldUndo(p.ctx))
		require.EqualValues(t, 50+1, p.undoRows())
		p.clock.Advance(2 * 24 * time.Hour)
		require.NoError(t, p.DropOldUndo(p.ctx))
		require.EqualValues(t, 1, p.undoRows(), "of all that only the newest change")
		h = p.historyOf(g.ID)
		require.True(t, h[0].CanUndo)
		require.False(t, h[2].CanUndo)
		require.False(t, p.historyOf(other.ID)[0].CanUndo)
		_, err = p.Undo(p.ctx, g.ID, h[0].ID)
		require.NoError(t, err)
		require.Zero(t, p.undoRows())
		require.Len(t, p.members(p.ctx, g.ID), 1)
	})
}

// Histories of before the bound keep by what changes can be taken back, and lose
// what nobody could ask for.
func TestUndoOfBefore(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		first, err := fs.ReadFile(audience.Migrations().FS, "0001_audience.sql")
		require.NoError(t, err)
		_, err = d.Migrate(ctx, db.Set{Domain: "audience", FS: fstest.MapFS{"0001_audience.sql": {Data: first}}})
		require.NoError(t, err)
		for i, e := range []struct {
			id, action string
			undone     int
		}{{"sh_1", "created", 0}, {"sh_2", "added", 0}, {"sh_3", "removed", 7}, {"sh_4", "undone", 0}, {"sh_5", "uploaded", 0}} {
			_, err := d.Exec(ctx, `insert into segment_history (id, segment, nth, at, action, by_id, by_name, version, rule, detail, came, went, size, undone_at, undone_by)
				values ($1, 'sg_1', $2, 1, $3, '', '', 0, '', '{}', 0, 0, 0, $4, '')`, e.id, i+1, e.action, e.undone)
			require.NoError(t, err)
			for _, key := range []string{e.id + "+", e.id + "-"} {
				_, err := d.Exec(ctx, "insert into audience_sets (set_key, part, n, bits) values ($1, 0, 0, $2)", key, []byte{})
				require.NoError(t, err)
			}
		}
		_, err = d.Exec(ctx, "insert into audience_sets (set_key, part, n, bits) values ('sg_1', 0, 0, $1)", []byte{})
		require.NoError(t, err)
		_, err = d.Migrate(ctx, audience.Migrations())
		require.NoError(t, err)
		texts := func(query string) []string {
			rows, err := d.Query(ctx, query)
			list, err := db.Collect(rows, err, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
			require.NoError(t, err)
			return list
		}
		require.Equal(t, []string{"sh_2", "sh_5"}, texts("select id from segment_history where undo = 1 order by nth"))
		keys := texts("select set_key from audience_sets")
		slices.Sort(keys)
		require.Equal(t, []string{"sg_1", "sh_2+", "sh_2-", "sh_5+", "sh_5-"}, keys)
	})
}
