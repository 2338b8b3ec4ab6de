package dictionary

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// NewEvent is an event that is expected before it was ever seen.
type NewEvent struct{ Name, DisplayName, Description, Category string }

// EventChange changes what is said of an event; nil leaves a part as it is.
type EventChange struct {
	DisplayName, Description, Category, Owner *string
	State                                     *State
}

// PropertyChange changes what is said of a property; nil leaves a part as it is.
type PropertyChange struct {
	DisplayName, Description, ExpectedType *string
	Required                               *bool
	State                                  *State
	Column                                 *bool
}

// edited makes the learner read anew, in the transaction of ctx.
func (s *Service) edited(ctx context.Context) error { return s.count(ctx, counterVersion, 1) }

// Expect adds an event to the plan before it was seen.
func (s *Service) Expect(ctx context.Context, n NewEvent) (Event, error) {
	n.Name = strings.TrimSpace(n.Name)
	if n.Name == "" || len(n.Name) > 256 {
		return Event{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "dictionary.bad_name", "limit", 256))
	}
	now := s.deps.Clock.Now().UnixMilli()
	err := s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		var total int64
		if err := s.deps.DB.QueryRow(ctx, "select count(*) from dictionary_events").Scan(&total); err != nil {
			return fmt.Errorf("count events: %w", err)
		}
		if total >= MaxEvents {
			return errs.New(errs.Conflict, "dictionary.full", "limit", MaxEvents)
		}
		_, err := s.deps.DB.Exec(ctx, `insert into dictionary_events (name, display_name, description, category, owner, state, first_seen_at, last_seen_at, count)
			values ($1,$2,$3,$4,'',$5,0,0,0)`, n.Name, n.DisplayName, n.Description, n.Category, string(Expected))
		if db.IsUnique(err) {
			return errs.New(errs.Conflict, "dictionary.event_exists", "name", n.Name)
		}
		if err != nil {
			return fmt.Errorf("add event: %w", err)
		}
		if err := s.neverSeen(ctx, n.Name, "", now); err != nil {
			return err
		}
		return s.done(ctx, "dictionary.event_created", n.Name, map[string]any{"displayName": n.DisplayName})
	})
	if err != nil {
		return Event{}, err
	}
	return s.Event(ctx, n.Name)
}

func (s *Service) done(ctx context.Context, action, ev string, detail map[string]any) error {
	if err := s.edited(ctx); err != nil {
		return err
	}
	return s.deps.Audit.Record(ctx, action, audit.Object{Type: "event", ID: ev, Name: ev}, detail)
}

// neverSeen lists what is expected and has not come yet.
func (s *Service) neverSeen(ctx context.Context, ev, property string, now int64) error {
	_, err := s.deps.DB.Exec(ctx, `insert into dictionary_violations (id, event, property, kind, count, first_at, last_at, sample, source)
		values ($1,$2,$3,$4,0,$5,$5,'','') on conflict (event, property, kind) do nothing`, s.deps.IDs.New("dv"), ev, property, string(NeverSeen), now)
	if err != nil {
		return fmt.Errorf("note violation: %w", err)
	}
	return nil
}

// Change edits an event.
func (s *Service) Change(ctx context.Context, name string, ch EventChange) (Event, error) {
	if ch.State != nil && !validState(*ch.State) {
		return Event{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("state", "dictionary.bad_state"))
	}
	ch.DisplayName = theirs(ch.DisplayName, title(ctx, name, ""))
	now := s.deps.Clock.Now().UnixMilli()
	err := s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		rows, err := s.deps.DB.Query(ctx, "select "+eventColumns+" from dictionary_events where name = $1", name)
		list, err := db.Collect(rows, err, scanEvent)
		if err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if len(list) == 0 {
			return errNoEvent
		}
		e, detail := list[0], map[string]any{}
		for _, f := range []struct {
			key string
			new *string
			to  *string
		}{{"displayName", ch.DisplayName, &e.DisplayName}, {"description", ch.Description, &e.Description}, {"category", ch.Category, &e.Category}, {"owner", ch.Owner, &e.Owner}} {
			if f.new != nil && *f.new != *f.to {
				*f.to, detail[f.key] = *f.new, *f.new
			}
		}
		if ch.State != nil && *ch.State != e.State {
			e.State, detail["state"] = *ch.State, string(*ch.State)
		}
		if len(detail) == 0 {
			return nil
		}
		_, err = s.deps.DB.Exec(ctx, "update dictionary_events set display_name = $1, description = $2, category = $3, owner = $4, state = $5 where name = $6",
			e.DisplayName, e.Description, e.Category, e.Owner, string(e.State), name)
		if err != nil {
			return fmt.Errorf("change event: %w", err)
		}
		if err := s.settleEvent(ctx, e, now); err != nil {
			return err
		}
		return s.done(ctx, "dictionary.event_changed", name, detail)
	})
	if err != nil {
		return Event{}, err
	}
	return s.Event(ctx, name)
}

// settleEvent drops violations that the event's state makes pointless.
func (s *Service) settleEvent(ctx context.Context, e Event, now int64) error {
	switch e.State {
	case Expected:
		if e.LastSeenAt.IsZero() {
			if err := s.neverSeen(ctx, e.Name, "", now); err != nil {
				return err
			}
		}
		return s.dropViolations(ctx, e.Name, "", UnexpectedEvent)
	case Hidden:
		_, err := s.deps.DB.Exec(ctx, "delete from dictionary_violations where event = $1", e.Name)
		return err
	default: // nothing is expected of it any more
		_, err := s.deps.DB.Exec(ctx, "delete from dictionary_violations where event = $1 and kind <> $2", e.Name, string(UnexpectedEvent))
		return err
	}
}

func validState(v State) bool { return v == Learned || v == Expected || v == Hidden }

// ChangeProperty edits a property of an event, adding it when it was not seen yet.
func (s *Service) ChangeProperty(ctx context.Context, ev, name string, ch PropertyChange) (Property, error) {
	bad := errs.New(errs.Invalid, "request.invalid")
	switch {
	case name == "" || len(name) > maxPropertyName:
		return Property{}, bad.On(errs.At("property", "dictionary.bad_name", "limit", maxPropertyName))
	case ch.State != nil && !validState(*ch.State):
		return Property{}, bad.On(errs.At("state", "dictionary.bad_state"))
	case ch.ExpectedType != nil && *ch.ExpectedType != "" && !slices.Contains(typeNames[:tNull], *ch.ExpectedType):
		return Property{}, bad.On(errs.At("expectedType", "dictionary.bad_type"))
	}
	ch.DisplayName = theirs(ch.DisplayName, propertyTitle(ctx, name, ""))
	now := s.deps.Clock.Now().UnixMilli()
	var p Property
	err := s.deps.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if p, err = s.propertyForEdit(ctx, ev, name); err != nil {
			return err
		}
		detail := ch.apply(&p)
		if len(detail) > 0 {
			if err := s.saveProperty(ctx, p, now); err != nil {
				return err
			}
		}
		if ch.Column != nil {
			if err := s.setColumn(ctx, &p, *ch.Column); err != nil {
				return err
			}
			detail["column"] = *ch.Column
		}
		if len(detail) == 0 {
			return nil
		}
		detail["property"] = name
		return s.done(ctx, "dictionary.property_changed", ev, detail)
	})
	if err != nil {
		return Property{}, err
	}
	list, err := s.Properties(ctx, ev)
	if err != nil {
		return Property{}, err
	}
	i := slices.IndexFunc(list, func(p Property) bool { return p.Name == name })
	if i < 0 {
		return Property{}, errs.New(errs.NotFound, "dictionary.no_property")
	}
	return list[i], nil
}

// theirs drops a name that is only our own word handed back by a form: kept, it
// would stand in one language for everybody.
func theirs(given *string, ours string) *string {
	if given != nil && ours != "" && *given == ours {
		none := ""
		return &none
	}
	return given
}

func (ch PropertyChange) apply(p *Property) map[string]any {
	detail := map[string]any{}
	for _, f := range []struct {
		key string
		new *string
		to  *string
	}{{"displayName", ch.DisplayName, &p.DisplayName}, {"description", ch.Description, &p.Description}, {"expectedType", ch.ExpectedType, &p.ExpectedType}} {
		if f.new != nil && *f.new != *f.to {
			*f.to, detail[f.key] = *f.new, *f.new
		}
	}
	if ch.Required != nil && *ch.Required != p.Required {
		p.Required, detail["required"] = *ch.Required, *ch.Required
	}
	if ch.State != nil && *ch.State != p.State {
		p.State, detail["state"] = *ch.State, string(*ch.State)
	}
	return detail
}

// propertyForEdit reads a property, or makes a row for one that was not seen.
func (s *Service) propertyForEdit(ctx context.Context, ev, name string) (Property, error) {
	var n int64
	if err := s.deps.DB.QueryRow(ctx, "select count(*) from dictionary_events where name = $1", ev).Scan(&n); err != nil {
		return Property{}, fmt.Errorf("read event: %w", err)
	}
	if n == 0 {
		return Property{}, errNoEvent
	}
	if err := s.deps.DB.QueryRow(ctx, "select count(*) from dictionary_properties where event = $1 and name <> $2", ev, name).Scan(&n); err != nil {
		return Property{}, fmt.Errorf("count properties: %w", err)
	}
	if n >= MaxPropertiesPerEvent {
		return Property{}, errs.New(errs.Conflict, "dictionary.full", "limit", MaxPropertiesPerEvent)
	}
	_, err := s.deps.DB.Exec(ctx, `insert into dictionary_properties (event, name, display_name, description, state, expected_type, required, samples, first_seen_at, last_seen_at,
		n_string, n_number, n_boolean, n_time, n_array, n_object, n_null) values ($1,$2,'','','learned','',0,'[]',0,0,0,0,0,0,0,0,0) on conflict (event, name) do nothing`, ev, name)
	if err != nil {
		return Property{}, fmt.Errorf("add property: %w", err)
	}
	rows, err := s.deps.DB.Query(ctx, "select "+propertyColumns+" from dictionary_properties where event = $1 and name = $2", ev, name)
	list, err := db.Collect(rows, err, scanProperty)
	if err != nil || len(list) == 0 {
		return Property{}, fmt.Errorf("read property: %w", err)
	}
	return list[0], nil
}

func (s *Service) saveProperty(ctx context.Context, p Property, now int64) error {
	required := 0
	if p.Required {
		required = 1
	}
	_, err := s.deps.DB.Exec(ctx, "update dictionary_properties set display_name = $1, description = $2, expected_type = $3, required = $4, state = $5 where event = $6 and name = $7",
		p.DisplayName, p.Description, p.ExpectedType, required, string(p.State), p.Event, p.Name)
	if err != nil {
		return fmt.Errorf("change property: %w", err)
	}
	// What was held against it was so under the old plan.
	if err := s.dropViolations(ctx, p.Event, p.Name, ""); err != nil {
		return err
	}
	if p.State == Expected && p.Count == 0 {
		return s.neverSeen(ctx, p.Event, p.Name, now)
	}
	return nil
}

// setColumn asks for a typed column in the background. There is no way back: a
// column costs little and answers stay the same.
func (s *Service) setColumn(ctx context.Context, p *Property, want bool) error {
	has, err := s.columns(ctx)
	if err != nil || has[p.Name] == want {
		return err
	}
	if !want {
		return errs.New(errs.Conflict, "dictionary.column_stays")
	}
	kind := p.ExpectedType
	if kind == "" && len(p.Types) > 0 {
		kind = p.Types[0].Type
	}
	switch kind {
	case "string", "number", "boolean", "time":
	default:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("column", "dictionary.no_column_type"))
	}
	_, err = s.deps.Jobs.Enqueue(ctx, jobs.Spec{Kind: promoteJob, Title: p.Name, Unit: "columns", Params: promoteParams{p.Name, kind},
		Key: promoteJob + ":" + p.Name, Link: "/dictionary"})
	return err
}
