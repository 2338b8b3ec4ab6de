package audience

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Query narrows the list of segments.
type Query struct {
	Archived bool   // those instead of the others
	Text     string // in the name or note
	Folder   string
}

// List gives segments by name, with the members whom the caller may see.
func (s *Service) List(ctx context.Context, q Query) (items []*Segment, folders []string, err error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	var some []*segment
	text := nameKey(q.Text)
	for _, g := range all {
		if g.archived == 0 && g.folder != "" && !slices.Contains(folders, g.folder) {
			folders = append(folders, g.folder)
		}
		if (g.archived > 0) == q.Archived && (q.Folder == "" || g.folder == q.Folder) && (text == "" || strings.Contains(nameKey(g.name+" "+g.note), text)) {
			some = append(some, g)
		}
	}
	slices.Sort(folders)
	items, err = s.views(ctx, some)
	return items, folders, err
}

// Get gives one segment.
func (s *Service) Get(ctx context.Context, id string) (*Segment, error) {
	g, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, g)
}

func (s *Service) view(ctx context.Context, g *segment) (*Segment, error) {
	out, err := s.views(ctx, []*segment{g})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// views shows segments to the caller.
func (s *Service) views(ctx context.Context, list []*segment) ([]*Segment, error) {
	counts, err := s.counts(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]*Segment, len(list))
	for i, g := range list {
		v := &Segment{ID: g.id, Name: g.name, Note: g.note, Folder: g.folder, Kind: g.kind, Status: g.state, JobID: g.job, Rule: g.rule, Version: g.version, Members: counts[i],
			CreatedBy: g.by, CreatedAt: clock.FromMs(g.created), ChangedAt: clock.FromMs(g.changed), CountedAt: timeOrNil(g.counted), ArchivedAt: timeOrNil(g.archived)}
		if g.rule != nil {
			v.Sentence = s.Contacts.Sentence(ctx, g.rule)
		}
		if g.owner.ID != "" {
			v.Owner = &contact.Ref{ID: g.owner.ID, Name: g.owner.Name}
		}
		if g.snapEvery != "" {
			v.Schedule = &Schedule{Every: g.snapEvery, Keep: g.snapKeep, Next: timeOrNil(g.snapNext)}
		}
		if g.fault != "" {
			v.Fault = httpx.Say(ctx, g.fault, nil)
		}
		switch {
		case g.archived > 0:
			v.Status, v.JobID = Archived, ""
		case g.dynamic() && s.live != nil:
			s.addLive(ctx, g, v)
		}
		out[i] = v
	}
	return out, nil
}

// addLive says what the engine makes of a segment's definition: how far it is,
// or why it cannot be worked out. It is tried again, and the old members serve.
func (s *Service) addLive(ctx context.Context, g *segment, v *Segment) {
	if g.state == Working {
		_, v.Progress = s.live.Status(ownerName, g.id)
	}
	if err := s.live.Problem(ownerName, g.id); err != nil {
		e := errs.As(err)
		code, params := e.Code, e.Params
		if len(e.Fields) > 0 {
			code, params = e.Fields[0].Code, e.Fields[0].Params
		}
		if e.Kind == errs.Internal { // the log has the cause
			code, params = "audience.cannot_be_answered", nil
		}
		v.Status, v.Fault = Failed, httpx.Say(ctx, code, params)
	}
}

// counts tells how many members of segments the caller may see.
func (s *Service) counts(ctx context.Context, list []*segment) ([]int64, error) {
	out := make([]int64, len(list))
	var keys []string
	for i, g := range list {
		if out[i] = g.members; !auth.ScopeOf(ctx).All || !g.dynamic() { // lists follow merges when they are read
			keys = append(keys, g.id)
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	crowd, err := s.Contacts.Crowd(ctx)
	if err != nil {
		return nil, err
	}
	sets, err := s.Sets.LoadAll(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i, g := range list {
		if set := sets[g.id]; set != nil {
			out[i] = crowd.Of(set).Count()
		}
	}
	return out, nil
}

func timeOrNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := clock.FromMs(ms)
	return &t
}

// History gives what was done to a segment, newest first; before is the nth of
// the last one shown, 0 for the first page.
func (s *Service) History(ctx context.Context, id string, before int64) (items []Event, next int64, err error) {
	g, err := s.get(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if before <= 0 {
		before = 1 << 60
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select "+entryColumns+" from segment_history where segment = $1 and nth < $2 order by nth desc limit %d", historyAtOnce+1), id, before)
	list, err := db.Collect(rows, err, s.scanEntry)
	if err != nil {
		return nil, 0, fmt.Errorf("read history: %w", err)
	}
	if len(list) > historyAtOnce {
		list = list[:historyAtOnce]
		next = list[historyAtOnce-1].nth
	}
	items = make([]Event, len(list))
	for i := range list {
		items[i] = s.event(ctx, g, &list[i], auth.ScopeOf(ctx).All)
	}
	return items, next, nil
}

func (s *Service) event(ctx context.Context, g *segment, e *entry, all bool) Event {
	v := Event{ID: e.id, At: clock.FromMs(e.at), Action: e.action, Version: e.version, Rule: e.rule, UndoneAt: timeOrNil(e.undoneAt), UndoneBy: e.undoneBy,
		CanUndo: e.undo && e.undoneAt == 0 && g.archived == 0}
	if e.byID != "" {
		v.By = &contact.Ref{ID: e.byID, Name: e.byName}
	}
	if e.rule != nil {
		v.Sentence = s.Contacts.Sentence(ctx, e.rule)
	}
	if e.detail != (EventDetail{}) {
		d := e.detail
		v.Detail = &d
	}
	if all && e.size >= 0 {
		came, went, size := e.came, e.went, e.size
		v.Came, v.Went, v.Size = &came, &went, &size
	}
	return v
}

// entryOf reads one entry of a segment's history.
func (s *Service) entryOf(ctx context.Context, segment, id string) (*entry, error) {
	rows, err := s.DB.Query(ctx, "select "+entryColumns+" from segment_history where segment = $1 and id = $2", segment, id)
	list, err := db.Collect(rows, err, s.scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	if len(list) == 0 {
		return nil, errNoSegment
	}
	return &list[0], nil
}
