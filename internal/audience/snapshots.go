package audience

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Snapshot is who was in a segment at some time.
type Snapshot struct {
	ID    string       `json:"id"`
	At    time.Time    `json:"at"`
	Size  int64        `json:"size" doc:"Those whom the caller may see"`
	Note  string       `json:"note,omitempty"`
	Every string       `json:"every,omitempty" doc:"By which schedule it was made; empty: by hand"`
	By    *contact.Ref `json:"by,omitempty"`
}

type snapshot struct {
	id, segment, note, every string
	at, size                 int64
	by                       contact.Ref
}

const snapshotColumns = "id, segment, at, size, note, every, by_id, by_name"

func scanSnapshot(r *sql.Rows) (x snapshot, err error) {
	return x, r.Scan(&x.id, &x.segment, &x.at, &x.size, &x.note, &x.every, &x.by.ID, &x.by.Name)
}

// Snapshots lists a segment's snapshots, the newest first.
func (s *Service) Snapshots(ctx context.Context, id string) ([]Snapshot, error) {
	if _, err := s.get(ctx, id); err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, "select "+snapshotColumns+" from segment_snapshots where segment = $1 order by at desc, id desc", id)
	list, err := db.Collect(rows, err, scanSnapshot)
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	crowd, err := s.Contacts.Crowd(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Snapshot, len(list))
	for i, x := range list {
		out[i] = Snapshot{ID: x.id, At: clock.FromMs(x.at), Size: x.size, Note: x.note, Every: x.every}
		if x.by.ID != "" {
			out[i].By = &contact.Ref{ID: x.by.ID, Name: x.by.Name}
		}
		if !crowd.All() {
			set, err := s.Sets.Load(ctx, x.id)
			if err != nil {
				return nil, err
			}
			out[i].Size = crowd.Of(set).Count()
		}
	}
	return out, nil
}

// Snap keeps who is in a segment now.
func (s *Service) Snap(ctx context.Context, id, note string) (Snapshot, error) {
	note = tidy(note)
	if err := tooLong("note", note, maxNote); err != nil {
		return Snapshot{}, err
	}
	var x snapshot
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		g, err := s.hold(ctx, id)
		if err != nil {
			return err
		}
		if g.dynamic() && g.readyVersion == 0 {
			return errs.New(errs.Conflict, "audience.not_ready")
		}
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from segment_snapshots where segment = $1", id).Scan(&n); err != nil {
			return fmt.Errorf("count snapshots: %w", err)
		}
		if n >= maxSnapshots {
			return errs.New(errs.Conflict, "audience.too_many_snapshots", "limit", maxSnapshots)
		}
		if x, err = s.snap(ctx, g, note, ""); err != nil {
			return err
		}
		return s.record(ctx, "segment.snapshot_made", g, map[string]any{"snapshot": x.id})
	})
	if err != nil {
		return Snapshot{}, err
	}
	list, err := s.Snapshots(ctx, id)
	for _, v := range list {
		if v.ID == x.id {
			return v, err
		}
	}
	return Snapshot{}, errors.Join(err, errNoSnapshot)
}

func (s *Service) snap(ctx context.Context, g *segment, note, every string) (snapshot, error) {
	x := snapshot{id: s.IDs.New("sn"), segment: g.id, at: clock.Ms(s.Clock.Now()), note: note, every: every}
	if every == "" {
		x.by = me(ctx)
	}
	if err := s.Sets.Copy(ctx, g.id, x.id); err != nil {
		return x, err
	}
	set, err := s.Sets.Load(ctx, x.id)
	if err != nil {
		return x, err
	}
	crowd, err := s.Contacts.Crowd(asProgram(ctx))
	if err != nil {
		return x, err
	}
	x.size = crowd.Of(set).Count()
	_, err = s.DB.Exec(ctx, "insert into segment_snapshots ("+snapshotColumns+") values ($1,$2,$3,$4,$5,$6,$7,$8)", x.id, x.segment, x.at, x.size, x.note, x.every, x.by.ID, x.by.Name)
	if err != nil {
		return x, fmt.Errorf("keep snapshot: %w", err)
	}
	return x, nil
}

var errNoSnapshot = errs.New(errs.NotFound, "audience.no_such_snapshot")

func (s *Service) snapshotOf(ctx context.Context, segment, id string) (snapshot, error) {
	rows, err := s.DB.Query(ctx, "select "+snapshotColumns+" from segment_snapshots where segment = $1 and id = $2", segment, id)
	list, err := db.Collect(rows, err, scanSnapshot)
	if err != nil {
		return snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	if len(list) == 0 {
		return snapshot{}, errNoSnapshot
	}
	return list[0], nil
}

// DropSnapshot forgets a snapshot.
func (s *Service) DropSnapshot(ctx context.Context, segment, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		g, err := s.hold(ctx, segment)
		if err != nil {
			return err
		}
		if _, err := s.snapshotOf(ctx, segment, id); err != nil {
			return err
		}
		if err := s.dropSnapshots(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "segment.snapshot_dropped", g, map[string]any{"snapshot": id})
	})
}

func (s *Service) dropSnapshots(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		if _, err := s.DB.Exec(ctx, "delete from segment_snapshots where id = $1", id); err != nil {
			return fmt.Errorf("drop snapshot: %w", err)
		}
	}
	return s.Sets.Drop(ctx, ids...)
}

// SnapshotDiff compares a snapshot with now, or with a later snapshot.
type SnapshotDiff struct {
	Then   int64 `json:"then"`
	Now    int64 `json:"now"`
	Came   int64 `json:"came"`
	Left   int64 `json:"left"`
	Stayed int64 `json:"stayed"`
}

// diff gives who came, left and stayed between a snapshot and another one, or
// now, of those whom the caller may see.
func (s *Service) diff(ctx context.Context, segment, id, other string) (came, left, stayed *numset.Set, err error) {
	g, err := s.get(ctx, segment)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := s.snapshotOf(ctx, segment, id); err != nil {
		return nil, nil, nil, err
	}
	crowd, err := s.Contacts.Crowd(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	then, err := s.Sets.Load(ctx, id)
	if err != nil {
		return nil, nil, nil, err
	}
	var now *numset.Set
	if other == "" {
		now, err = s.kept(ctx, g)
	} else if _, err = s.snapshotOf(ctx, segment, other); err == nil {
		now, err = s.Sets.Load(ctx, other)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	then, now = crowd.Of(then), crowd.Of(now)
	came, left, stayed = now.Clone(), then.Clone(), now
	came.AndNot(then)
	left.AndNot(now)
	stayed.And(then)
	return came, left, stayed, nil
}

// Diff counts what changed since a snapshot.
func (s *Service) Diff(ctx context.Context, segment, id, other string) (SnapshotDiff, error) {
	came, left, stayed, err := s.diff(ctx, segment, id, other)
	if err != nil {
		return SnapshotDiff{}, err
	}
	d := SnapshotDiff{Came: came.Count(), Left: left.Count(), Stayed: stayed.Count()}
	d.Then, d.Now = d.Stayed+d.Left, d.Stayed+d.Came
	return d, nil
}

// SnapshotPeople gives some numbers beyond after of those who came, left or stayed.
func (s *Service) SnapshotPeople(ctx context.Context, segment, id, other, part string) (*numset.Set, error) {
	came, left, stayed, err := s.diff(ctx, segment, id, other)
	if err != nil {
		return nil, err
	}
	switch part {
	case "came":
		return came, nil
	case "left":
		return left, nil
	}
	return stayed, nil
}

// SetSchedule has snapshots made by themselves; nil ends that.
func (s *Service) SetSchedule(ctx context.Context, id string, sc *Schedule) (*Segment, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		g, err := s.hold(ctx, id)
		if err != nil {
			return err
		}
		if g.archived > 0 {
			return errs.New(errs.Conflict, "audience.archived")
		}
		g.snapEvery, g.snapKeep, g.snapNext = "", 0, 0
		detail := map[string]any{"every": ""}
		if sc != nil {
			next := nextSnap(sc.Every, s.Clock.Now().In(s.zone(ctx)))
			if next.IsZero() {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At("every", "request.field_required"))
			}
			if sc.Keep < 1 || sc.Keep > maxKeep {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At("keep", "rule.out_of_range", "least", 1, "limit", maxKeep))
			}
			g.snapEvery, g.snapKeep, g.snapNext = sc.Every, sc.Keep, clock.Ms(next)
			detail = map[string]any{"every": sc.Every, "keep": sc.Keep}
		}
		if err := s.save(ctx, g); err != nil {
			return err
		}
		return s.record(ctx, "segment.schedule_changed", g, detail)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, id)
}

// nextSnap is the next midnight of a schedule after now; zero when there is no such.
func nextSnap(every string, now time.Time) time.Time {
	y, m, d := now.Date()
	switch every {
	case "day":
		return time.Date(y, m, d+1, 0, 0, 0, 0, now.Location())
	case "week": // on Monday
		return time.Date(y, m, d+1+(7-int(now.Weekday()))%7, 0, 0, 0, 0, now.Location())
	case "month":
		return time.Date(y, m+1, 1, 0, 0, 0, 0, now.Location())
	}
	return time.Time{}
}

// MakeDueSnapshots makes the snapshots whose time has come. One that was missed
// while nobody was there is made late, and once.
func (s *Service) MakeDueSnapshots(ctx context.Context) error {
	now := s.Clock.Now()
	rows, err := s.DB.Query(ctx, "select id from segments where snap_next > 0 and snap_next <= $1 and archived_at = 0 order by snap_next limit 200", clock.Ms(now))
	due, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("find due snapshots: %w", err)
	}
	for _, id := range due {
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			g, err := s.hold(ctx, id)
			if err != nil || g.snapNext == 0 || g.snapNext > clock.Ms(now) || g.archived > 0 { // another node made it
				return err
			}
			if g.dynamic() && g.readyVersion == 0 {
				return nil // next time
			}
			if _, err := s.snap(ctx, g, "", g.snapEvery); err != nil {
				return err
			}
			if _, err := s.DB.Exec(ctx, "update segments set snap_next = $2 where id = $1", id, clock.Ms(nextSnap(g.snapEvery, now.In(s.zone(ctx))))); err != nil {
				return fmt.Errorf("plan snapshot: %w", err)
			}
			rows, err := s.DB.Query(ctx, "select id from segment_snapshots where segment = $1 and every <> '' order by at desc, id desc", id)
			made, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
			if err != nil {
				return fmt.Errorf("read snapshots: %w", err)
			}
			if int64(len(made)) <= g.snapKeep {
				return nil
			}
			return s.dropSnapshots(ctx, made[g.snapKeep:]...)
		})
		if err != nil {
			return fmt.Errorf("snapshot of %s: %w", id, err)
		}
	}
	return nil
}
