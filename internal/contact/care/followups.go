package care

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	textField = "care.follow_up"
	maxText   = 2000
	// maxAhead keeps slips of the pen out: nobody plans for the next century.
	maxAhead = 5 * 366 * 24 * time.Hour
	// keptEnded is how many ended follow-ups a profile shows.
	keptEnded = 50
)

var (
	types    = []string{"call", "wecom", "visit", "other"}
	outcomes = []string{"reached", "no_answer", "interested", "not_interested", "deal"}
)

// Plan plans a follow-up with a contact.
func (s *Service) Plan(ctx context.Context, contactID string, p Plan) (FollowUp, error) {
	var f FollowUp
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID)
		if err != nil {
			return err
		}
		f, err = s.plan(ctx, num, p, "")
		return err
	})
	if err != nil {
		return f, fmt.Errorf("plan follow-up: %w", err)
	}
	return s.one(ctx, f.ID)
}

// plan checks and writes a follow-up; at is the path of its fields in the request.
func (s *Service) plan(ctx context.Context, num int64, p Plan, at string) (FollowUp, error) {
	by, now := principal(ctx), s.Clock.Now()
	f := FollowUp{ID: s.IDs.New("fu"), num: num, Type: p.Type, Text: p.Text, AllDay: p.AllDay, Repeat: p.Repeat, State: Open, CreatedAt: now}
	f.Assignee.ID, f.CreatedBy = p.Assignee, contact.Ref{ID: by.ID, Name: by.Name}
	if f.Assignee.ID == "" {
		f.Assignee.ID = by.ID
	}
	if f.Type == "" {
		f.Type = "call"
	}
	until := int64(0)
	switch {
	case p.RepeatDays < 0 || p.RepeatDays > 366:
		return f, errInput.On(errs.At(at+"repeatDays", "request.too_big", "limit", 366))
	case p.RepeatMonths < 0 || p.RepeatMonths > 24:
		return f, errInput.On(errs.At(at+"repeatMonths", "request.too_big", "limit", 24))
	case p.RepeatMonths > 0 && p.RepeatDays > 0:
		return f, errInput.On(errs.At(at+"repeatMonths", "followup.repeat_twice"))
	case p.RepeatUntil != nil: // the day counts as a whole
		_, to := s.dayOf(ctx, *p.RepeatUntil)
		end := to.Add(-time.Millisecond).UTC()
		f.RepeatUntil, until = &end, clock.Ms(end)
	}
	if err := s.check(ctx, &f, p.Due, at); err != nil {
		return f, err
	}
	body, err := s.seal(f.Text)
	if err != nil {
		return f, err
	}
	_, err = s.DB.Exec(ctx, `insert into follow_ups (id, contact, assignee, type, body, due_at, all_day, remind_at, reminded_at, repeat_days, repeat_months, repeat_until, state, outcome, note,
		created_by_id, created_by_name, created_at, ended_by_id, ended_by_name, ended_at) values ($1,$2,$3,$4,$5,$6,$7,$8,0,$9,$10,$11,'open','','',$12,$13,$14,'','',0)`,
		f.ID, num, f.Assignee.ID, f.Type, body, clock.Ms(f.Due), flag(f.AllDay), f.remind, f.RepeatDays, f.RepeatMonths, until, by.ID, by.Name, now.UnixMilli())
	if err != nil {
		return f, fmt.Errorf("write follow-up: %w", err)
	}
	if f.Assignee.ID != by.ID {
		if err := s.notify(ctx, notice{user: f.Assignee.ID, key: "assigned:" + f.ID, kind: "followup.assigned", ref: f.ID, contact: num}); err != nil {
			return f, err
		}
	}
	if err := s.state(ctx, event.NameFollowUpPlanned, &f, map[string]any{"type": f.Type, "by": by.Name, "due": f.Due}); err != nil {
		return f, err
	}
	return f, s.record(ctx, "followup.planned", &f, map[string]any{"assignee": f.Assignee.ID, "due": f.Due})
}

// check refuses what makes no sense and works out when it is due and reminded of.
func (s *Service) check(ctx context.Context, f *FollowUp, due time.Time, at string) error {
	f.Text = strings.TrimSpace(f.Text)
	now := s.Clock.Now()
	switch {
	case !slices.Contains(types, f.Type):
		return errInput.On(errs.At(at+"type", "request.not_one_of", "allowed", strings.Join(types, ", ")))
	case utf8.RuneCountInString(f.Text) > maxText:
		return errInput.On(errs.At(at+"text", "request.too_long", "limit", maxText))
	case due.IsZero():
		return errInput.On(errs.At(at+"due", "request.field_required"))
	case due.After(now.Add(maxAhead)) || due.Before(now.AddDate(-1, 0, 0)):
		return errInput.On(errs.At(at+"due", "followup.bad_due"))
	}
	ok, err := s.People.Working(ctx, f.Assignee.ID)
	if err != nil {
		return err
	}
	if !ok {
		return errInput.On(errs.At(at+"assignee", "contact.no_such_user"))
	}
	f.Due = due.UTC().Truncate(time.Millisecond)
	f.remind = clock.Ms(f.Due)
	if f.AllDay {
		from, to := s.dayOf(ctx, due)
		f.Due, f.remind = to.Add(-time.Millisecond).UTC(), clock.Ms(from.Add(morning*time.Hour))
	}
	return nil
}

// Update moves, hands on or rewrites an open follow-up. A new time or assignee is reminded of anew.
func (s *Service) Update(ctx context.Context, id string, ch Change) (FollowUp, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error { return s.update(ctx, id, ch) })
	if err != nil {
		return FollowUp{}, fmt.Errorf("change follow-up: %w", err)
	}
	return s.one(ctx, id)
}

func (s *Service) update(ctx context.Context, id string, ch Change) error {
	f, err := s.open(ctx, id)
	if err != nil {
		return err
	}
	was, wasDue := f.Assignee.ID, f.Due
	for _, c := range []struct{ to, field *string }{{ch.Assignee, &f.Assignee.ID}, {ch.Type, &f.Type}, {ch.Text, &f.Text}} {
		if c.to != nil {
			*c.field = *c.to
		}
	}
	if ch.AllDay != nil {
		f.AllDay = *ch.AllDay
	}
	due := f.Due
	if ch.Due != nil {
		due = *ch.Due
	}
	if err := s.check(ctx, &f, due, ""); err != nil {
		return err
	}
	body, err := s.seal(f.Text)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, `update follow_ups set assignee = $1, type = $2, body = $3, due_at = $4, all_day = $5, remind_at = $6,
		reminded_at = case when due_at = $4 and assignee = $1 then reminded_at else 0 end where id = $7`,
		f.Assignee.ID, f.Type, body, clock.Ms(f.Due), flag(f.AllDay), f.remind, id)
	if err != nil {
		return fmt.Errorf("write follow-up: %w", err)
	}
	if f.Assignee.ID != was && f.Assignee.ID != principal(ctx).ID {
		key := fmt.Sprintf("assigned:%s:%d", id, s.Clock.Now().UnixMilli())
		if err := s.notify(ctx, notice{user: f.Assignee.ID, key: key, kind: "followup.assigned", ref: id, contact: f.num}); err != nil {
			return err
		}
	}
	return s.record(ctx, "followup.updated", &f, map[string]any{"assignee": f.Assignee.ID, "due": f.Due, "assigneeBefore": was, "dueBefore": wasDue})
}

// Bulk postpones, hands on or ends many open follow-ups; those that ended meanwhile or
// that the caller may not see are passed over. It tells how many it changed.
func (s *Service) Bulk(ctx context.Context, ids []string, to BulkChange) (int, error) {
	if to.PostponeDays == 0 && to.Assignee == nil && to.Outcome == "" {
		return 0, errInput.On(errs.At("postponeDays", "request.field_required"))
	}
	changed := 0
	for _, id := range ids {
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			if to.Outcome != "" {
				_, _, err := s.Complete(ctx, id, Completion{Outcome: to.Outcome})
				return err
			}
			f, err := s.open(ctx, id)
			if err != nil {
				return err
			}
			ch := Change{Assignee: to.Assignee}
			if to.PostponeDays != 0 { // from today on, when it is overdue
				due := f.Due.In(s.Zone(ctx))
				if from, _ := s.dayOf(ctx, s.Clock.Now()); due.Before(from) {
					due = time.Date(from.Year(), from.Month(), from.Day(), due.Hour(), due.Minute(), due.Second(), due.Nanosecond(), from.Location())
				}
				due = due.AddDate(0, 0, to.PostponeDays)
				ch.Due = &due
			}
			return s.update(ctx, id, ch)
		})
		if e := errs.As(err); err != nil && (e.Code == errNotFound.Code || e.Code == errEnded.Code) {
			continue
		}
		if err != nil {
			return changed, fmt.Errorf("change follow-ups: %w", err)
		}
		changed++
	}
	return changed, nil
}

// Complete ends a follow-up with what came of it, and plans the next in the same
// step: the one asked for, or else the one of its series.
func (s *Service) Complete(ctx context.Context, id string, c Completion) (done FollowUp, next *FollowUp, err error) {
	c.Note = strings.TrimSpace(c.Note)
	switch {
	case !slices.Contains(outcomes, c.Outcome):
		return done, nil, errInput.On(errs.At("outcome", "request.not_one_of", "allowed", strings.Join(outcomes, ", ")))
	case utf8.RuneCountInString(c.Note) > maxText:
		return done, nil, errInput.On(errs.At("note", "request.too_long", "limit", maxText))
	}
	var nextID string
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		nextID = ""
		f, err := s.end(ctx, id, Done, c.Outcome, c.Note)
		if err != nil {
			return err
		}
		if err := s.state(ctx, event.NameFollowUpDone, &f, map[string]any{"type": f.Type, "outcome": c.Outcome, "by": principal(ctx).Name}); err != nil {
			return err
		}
		if num, err := s.survivor(ctx, f.num); err != nil {
			return err
		} else if err := s.Contacts.Touched(ctx, num, principal(ctx).ID, s.Clock.Now()); err != nil {
			return err
		}
		plan := c.Next
		if due, ok := f.after(s.Clock.Now().In(s.Zone(ctx))); plan == nil && ok {
			plan = &Plan{Assignee: f.Assignee.ID, Type: f.Type, Text: f.Text, Due: due, AllDay: true, Repeat: f.Repeat}
		}
		if plan != nil {
			n, err := s.plan(ctx, f.num, *plan, "next.")
			if err != nil {
				return err
			}
			nextID = n.ID
		}
		return nil
	})
	if err != nil {
		return done, nil, fmt.Errorf("complete follow-up: %w", err)
	}
	if done, err = s.one(ctx, id); err == nil && nextID != "" {
		var n FollowUp
		n, err = s.one(ctx, nextID)
		next = &n
	}
	return done, next, err
}

// Cancel ends a follow-up that is not needed any more.
func (s *Service) Cancel(ctx context.Context, id string) (FollowUp, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		_, err := s.end(ctx, id, Cancelled, "", "")
		return err
	})
	if err != nil {
		return FollowUp{}, fmt.Errorf("cancel follow-up: %w", err)
	}
	return s.one(ctx, id)
}

func (s *Service) end(ctx context.Context, id, state, outcome, note string) (FollowUp, error) {
	f, err := s.open(ctx, id)
	if err != nil {
		return f, err
	}
	sealed, err := s.seal(note)
	if err != nil {
		return f, err
	}
	by := principal(ctx)
	n, err := s.DB.ExecN(ctx, "update follow_ups set state = $1, outcome = $2, note = $3, ended_by_id = $4, ended_by_name = $5, ended_at = $6 where id = $7 and state = 'open'",
		state, outcome, sealed, by.ID, by.Name, s.Clock.Now().UnixMilli(), id)
	if err != nil {
		return f, fmt.Errorf("end follow-up: %w", err)
	}
	if n == 0 { // a colleague was faster
		return f, errEnded
	}
	return f, s.record(ctx, "followup."+state, &f, map[string]any{"outcome": outcome})
}

// OfContact lists a contact's follow-ups: the open ones, the next first, then
// the newest of those that ended.
func (s *Service) OfContact(ctx context.Context, contactID string) ([]FollowUp, error) {
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return nil, err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(group))
	for i, n := range group {
		args[i] = n
	}
	in := "contact in (" + db.In(1, len(group)) + ")"
	open, err := s.where(ctx, in+" and state = 'open' order by due_at, id limit 200", args...)
	if err != nil {
		return nil, err
	}
	ended, err := s.where(ctx, fmt.Sprintf("%s and state <> 'open' order by ended_at desc, id desc limit %d", in, keptEnded), args...)
	if err != nil {
		return nil, err
	}
	return s.named(ctx, append(open, ended...))
}

// open reads an open follow-up that the caller may work on.
func (s *Service) open(ctx context.Context, id string) (FollowUp, error) {
	f, err := s.find(ctx, id)
	if err == nil && f.State != Open {
		err = errEnded
	}
	return f, err
}

// find reads a follow-up of a contact in the caller's scope, or given to the caller.
func (s *Service) find(ctx context.Context, id string) (FollowUp, error) {
	found, err := s.where(ctx, "id = $1", id)
	if err != nil {
		return FollowUp{}, err
	}
	if len(found) == 0 {
		return FollowUp{}, errNotFound
	}
	f := found[0]
	seen, err := s.Contacts.InScope(ctx, []int64{f.num})
	if err == nil && len(seen) == 0 && f.Assignee.ID != principal(ctx).ID {
		err = errNotFound
	}
	return f, err
}

// one is a follow-up as the caller gets it after writing it, in scope or just handed on.
func (s *Service) one(ctx context.Context, id string) (FollowUp, error) {
	found, err := s.where(ctx, "id = $1", id)
	if err != nil {
		return FollowUp{}, err
	}
	if len(found) == 0 {
		return FollowUp{}, errNotFound
	}
	found, err = s.named(ctx, found)
	return found[0], err
}

func (s *Service) where(ctx context.Context, cond string, args ...any) ([]FollowUp, error) {
	rows, err := s.DB.Query(ctx, `select id, contact, assignee, type, body, due_at, all_day, repeat_days, repeat_months, repeat_until, state, outcome, note, created_by_id, created_by_name, created_at,
		ended_by_id, ended_by_name, ended_at from follow_ups where `+cond, args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (f FollowUp, err error) {
		var due, day, until, created, ended int64
		var by contact.Ref
		err = r.Scan(&f.ID, &f.num, &f.Assignee.ID, &f.Type, &f.Text, &due, &day, &f.RepeatDays, &f.RepeatMonths, &until, &f.State, &f.Outcome, &f.Note, &f.CreatedBy.ID, &f.CreatedBy.Name, &created, &by.ID, &by.Name, &ended)
		if err != nil {
			return f, err
		}
		f.Due, f.AllDay, f.CreatedAt = clock.FromMs(due), day != 0, clock.FromMs(created)
		if until != 0 {
			at := clock.FromMs(until)
			f.RepeatUntil = &at
		}
		if ended != 0 {
			at := clock.FromMs(ended)
			f.EndedAt, f.EndedBy = &at, &by
		}
		if f.Text, err = s.unseal(f.Text); err == nil {
			f.Note, err = s.unseal(f.Note)
		}
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("read follow-ups: %w", err)
	}
	return out, nil
}

// named adds the names of contacts in scope and of assignees.
func (s *Service) named(ctx context.Context, all []FollowUp) ([]FollowUp, error) {
	nums, users := make([]int64, 0, len(all)), make([]string, 0, len(all))
	for _, f := range all {
		nums, users = append(nums, f.num), append(users, f.Assignee.ID)
	}
	refs, err := s.seen(ctx, nums)
	if err != nil {
		return all, err
	}
	slices.Sort(users)
	names := s.People.Names(ctx, slices.Compact(users))
	for i := range all {
		all[i].Contact, all[i].Assignee.Name = refs[all[i].num], names[all[i].Assignee.ID]
	}
	return all, nil
}

// seen names contacts, those alone that the caller may see.
func (s *Service) seen(ctx context.Context, nums []int64) (map[int64]*contact.Ref, error) {
	slices.Sort(nums)
	nums, err := s.Contacts.InScope(ctx, slices.Compact(nums))
	if err != nil || len(nums) == 0 {
		return nil, err
	}
	refs, err := s.Contacts.Refs(ctx, nums)
	out := make(map[int64]*contact.Ref, len(refs))
	for n, r := range refs {
		out[n] = &r
	}
	return out, err
}

// survivor is whom a number is part of today.
func (s *Service) survivor(ctx context.Context, num int64) (int64, error) {
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return 0, err
	}
	return group[0], nil
}

func (s *Service) state(ctx context.Context, name string, f *FollowUp, props map[string]any) error {
	props["followUp"] = f.ID
	return s.stateOf(ctx, name, f.num, props)
}

// stateOf states what the staff did about a contact.
func (s *Service) stateOf(ctx context.Context, name string, num int64, props map[string]any) error {
	raw, err := json.Marshal(props)
	if err != nil {
		return fmt.Errorf("state %s: %w", name, err)
	}
	now := s.Clock.Now().UnixMilli()
	err = s.Emit.Emit(ctx, event.Fact{MessageID: s.IDs.New("fc"), Type: event.Track, Name: name, Contact: num, Timestamp: now, ReceivedAt: now,
		Source: "koipond", Properties: raw})
	if err != nil {
		return fmt.Errorf("state %s: %w", name, err)
	}
	return nil
}

func (s *Service) record(ctx context.Context, action string, f *FollowUp, detail map[string]any) error {
	refs, err := s.Contacts.Refs(ctx, []int64{f.num})
	if err != nil {
		return err
	}
	detail["followUp"] = f.ID
	return s.Audit.Record(ctx, action, audit.Object{Type: "contact", ID: refs[f.num].ID, Name: refs[f.num].Name}, detail)
}

func (s *Service) seal(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return s.Keys.Seal(textField, text)
}

func (s *Service) unseal(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return s.Keys.Open(textField, text)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
