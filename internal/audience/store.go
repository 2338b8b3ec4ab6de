package audience

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

var errNoSegment = errs.New(errs.NotFound, "audience.no_such_segment")

const segmentColumns = `id, name, note, folder, kind, rule, version, ready_version, owner_id, owner_name, by_id, by_name, created_at, changed_at, archived_at,
	state, fault, job, members, counted_at, snap_every, snap_keep, snap_next`

func (s *Service) scan(r *sql.Rows) (*segment, error) {
	g := &segment{}
	var text string
	if err := r.Scan(&g.id, &g.name, &g.note, &g.folder, &g.kind, &text, &g.version, &g.readyVersion, &g.owner.ID, &g.owner.Name, &g.by.ID, &g.by.Name, &g.created, &g.changed, &g.archived,
		&g.state, &g.fault, &g.job, &g.members, &g.counted, &g.snapEvery, &g.snapKeep, &g.snapNext); err != nil {
		return nil, err
	}
	var err error
	if g.rule, err = s.openRule(ruleField, text); err != nil {
		return nil, fmt.Errorf("segment %s: %w", g.id, err)
	}
	return g, nil
}

// sealRule gives a rule as it is kept: a number somebody filters by is sealed.
func (s *Service) sealRule(field string, r *rule.Rule) (string, error) {
	if r == nil {
		return "", nil
	}
	return veil.Inside{Keys: s.Keys, Field: field}.Seal(string(r.JSON()))
}

func (s *Service) openRule(field, text string) (*rule.Rule, error) {
	if text == "" {
		return nil, nil
	}
	plain, err := veil.Inside{Keys: s.Keys, Field: field}.Open(text)
	if err != nil {
		return nil, err
	}
	var r rule.Rule
	if err := json.Unmarshal([]byte(plain), &r); err != nil {
		return nil, fmt.Errorf("decode rule: %w", err)
	}
	return &r, nil
}

// all reads every segment by name, the archived ones too.
func (s *Service) all(ctx context.Context) ([]*segment, error) {
	rows, err := s.DB.Query(ctx, "select "+segmentColumns+" from segments order by name_key, id")
	out, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return out, nil
}

// get reads one segment.
func (s *Service) get(ctx context.Context, id string) (*segment, error) {
	rows, err := s.DB.Query(ctx, "select "+segmentColumns+" from segments where id = $1", id)
	out, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("read segment: %w", err)
	}
	if len(out) == 0 {
		return nil, errNoSegment
	}
	return out[0], nil
}

// hold reads a segment for a change of it in the transaction of ctx: others who
// would change it wait.
func (s *Service) hold(ctx context.Context, id string) (*segment, error) {
	if n, err := s.DB.ExecN(ctx, "update segments set version = version where id = $1", id); err != nil {
		return nil, fmt.Errorf("hold segment: %w", err)
	} else if n == 0 {
		return nil, errNoSegment
	}
	return s.get(ctx, id)
}

func (s *Service) insert(ctx context.Context, g *segment) error {
	text, err := s.sealRule(ruleField, g.rule)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, "insert into segments ("+segmentColumns+", name_key) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24)",
		g.id, g.name, g.note, g.folder, g.kind, text, g.version, g.readyVersion, g.owner.ID, g.owner.Name, g.by.ID, g.by.Name, g.created, g.changed, g.archived,
		g.state, g.fault, g.job, g.members, g.counted, g.snapEvery, g.snapKeep, g.snapNext, nameKey(g.name))
	return nameTaken(err)
}

// save writes all of a segment that people can change.
func (s *Service) save(ctx context.Context, g *segment) error {
	text, err := s.sealRule(ruleField, g.rule)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, `update segments set name = $2, name_key = $3, note = $4, folder = $5, rule = $6, version = $7, owner_id = $8, owner_name = $9, changed_at = $10,
		archived_at = $11, state = $12, fault = $13, job = $14, snap_every = $15, snap_keep = $16, snap_next = $17 where id = $1`,
		g.id, g.name, nameKey(g.name), g.note, g.folder, text, g.version, g.owner.ID, g.owner.Name, g.changed, g.archived, g.state, g.fault, g.job, g.snapEvery, g.snapKeep, g.snapNext)
	return nameTaken(err)
}

func nameTaken(err error) error {
	if db.IsUnique(err) {
		return errs.New(errs.Conflict, "audience.name_taken").On(errs.At("name", "audience.name_taken"))
	}
	if err != nil {
		return fmt.Errorf("keep segment: %w", err)
	}
	return nil
}

// entry is a row of the history.
type entry struct {
	id, segment, action string
	nth, at             int64
	byID, byName        string
	version             int64
	rule                *rule.Rule
	detail              EventDetail
	came, went, size    int64 // -1: not worked out yet
	undoneAt            int64
	undoneBy            string
	undo                bool // it can be taken back
}

const entryColumns = "id, segment, nth, at, action, by_id, by_name, version, rule, detail, came, went, size, undone_at, undone_by, undo"

// put writes an entry of the history at its end. The segment is held.
func (s *Service) put(ctx context.Context, e *entry) error {
	who := me(ctx)
	if e.id == "" {
		e.id = s.IDs.New("sh")
	}
	e.at, e.byID, e.byName = clock.Ms(s.Clock.Now()), who.ID, who.Name
	if err := s.DB.QueryRow(ctx, "select coalesce(max(nth), 0) + 1 from segment_history where segment = $1", e.segment).Scan(&e.nth); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	text, err := s.sealRule(historyField, e.rule)
	if err != nil {
		return err
	}
	detail, err := json.Marshal(e.detail)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	undo := 0
	if e.undo {
		undo = 1
	}
	_, err = s.DB.Exec(ctx, "insert into segment_history ("+entryColumns+") values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)",
		e.id, e.segment, e.nth, e.at, e.action, e.byID, e.byName, e.version, text, string(detail), e.came, e.went, e.size, e.undoneAt, e.undoneBy, undo)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

func (s *Service) scanEntry(r *sql.Rows) (e entry, err error) {
	var text, detail string
	var undo int64
	if err := r.Scan(&e.id, &e.segment, &e.nth, &e.at, &e.action, &e.byID, &e.byName, &e.version, &text, &detail, &e.came, &e.went, &e.size, &e.undoneAt, &e.undoneBy, &undo); err != nil {
		return e, err
	}
	e.undo = undo == 1
	if err := json.Unmarshal([]byte(detail), &e.detail); err != nil {
		return e, fmt.Errorf("decode history: %w", err)
	}
	e.rule, err = s.openRule(historyField, text)
	return e, err
}
