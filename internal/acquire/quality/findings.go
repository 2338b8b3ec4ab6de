package quality

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
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Finding is abnormal traffic as the console shows it.
type Finding struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind" enum:"rate,burst,bots"`
	Measure     string    `json:"measure" enum:"scan_add,click_visit,visit_submit,opens"`
	Subject     string    `json:"subject" doc:"channel:…, link:… or page:…"`
	Title       string    `json:"title,omitempty" doc:"Of the link or page"`
	Channel     string    `json:"channel,omitempty"`
	ChannelName string    `json:"channelName,omitempty"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Evidence    Evidence  `json:"evidence"`
	People      int64     `json:"people" doc:"Whom it speaks of"`
	Fakes       int64     `json:"fakes" doc:"Of them, who count nowhere while it is judged fake: they first came within the span and bought nothing"`
	State       string    `json:"state" enum:"open,real,fake"`
	Note        string    `json:"note,omitempty"`
	By          string    `json:"by,omitempty"`
	JudgedAt    time.Time `json:"judgedAt,omitzero"`
	FoundAt     time.Time `json:"foundAt"`
}

const findingColumns = "f.id, f.kind, f.measure, f.subject, f.title, f.channel, f.from_at, f.to_at, f.evidence, f.people, f.state, f.note, f.by_name, f.found_at, f.judged_at, (select count(*) from quality_suspects s where s.finding = f.id and s.fake = 1)"

func (s *Service) scan(ctx context.Context) func(r *sql.Rows) (Finding, error) {
	return func(r *sql.Rows) (f Finding, err error) {
		var from, to, found, judged int64
		var evidence string
		if err = r.Scan(&f.ID, &f.Kind, &f.Measure, &f.Subject, &f.Title, &f.Channel, &from, &to, &evidence, &f.People, &f.State, &f.Note, &f.By, &found, &judged, &f.Fakes); err != nil {
			return f, err
		}
		f.From, f.To, f.FoundAt, f.JudgedAt = clock.FromMs(from), clock.FromMs(to), clock.FromMs(found), clock.FromMs(judged)
		if f.Channel != "" {
			f.ChannelName = s.Channels.Called(ctx, f.Channel)
		}
		return f, json.Unmarshal([]byte(evidence), &f.Evidence)
	}
}

// keep writes a finding down, once. One that nobody has judged yet takes what a
// later look knows better; one that was judged is left alone.
func (s *Service) keep(ctx context.Context, f *found) (fresh bool, err error) {
	evidence, err := json.Marshal(f.evidence)
	if err != nil {
		return false, fmt.Errorf("encode evidence: %w", err)
	}
	now := clock.Ms(s.Clock.Now())
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		id := s.IDs.New("tf")
		n, err := s.DB.ExecN(ctx, `insert into quality_findings (id, mark, kind, measure, subject, title, channel, from_at, to_at, evidence, people, state, note, by_id, by_name, found_at, judged_at)
			values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,'open','','','',$12,0) on conflict (mark) do nothing`,
			id, f.mark, f.kind, f.measure, f.subject, f.title, f.channel, f.from, f.to, string(evidence), int64(len(f.people)), now)
		if err != nil {
			return fmt.Errorf("keep abnormal traffic: %w", err)
		}
		if fresh = n > 0; !fresh {
			var state string
			if err := s.DB.QueryRow(ctx, "select id, state from quality_findings where mark = $1", f.mark).Scan(&id, &state); err != nil || state != "open" {
				return err
			}
			if _, err := s.DB.Exec(ctx, "update quality_findings set evidence = $2, people = $3 where id = $1", id, string(evidence), int64(len(f.people))); err != nil {
				return fmt.Errorf("keep abnormal traffic: %w", err)
			}
		}
		return s.suspect(ctx, id, f.people)
	})
	if err != nil || !fresh || s.Teller == nil {
		return fresh, err
	}
	if owner := s.Channels.OwnerOf(f.channel); owner != "" {
		return true, s.Teller.Tell(ctx, owner, "traffic:"+f.mark, "traffic.abnormal", f.mark, 0)
	}
	return true, nil
}

// suspect writes down whom a finding speaks of, many with one statement.
func (s *Service) suspect(ctx context.Context, id string, people []int64) error {
	for len(people) > 0 {
		part := people[:min(len(people), 200)]
		people = people[len(part):]
		var text strings.Builder
		args := make([]any, 0, 2*len(part))
		for i, n := range part {
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "($%d,$%d,0)", len(args)+1, len(args)+2)
			args = append(args, id, n)
		}
		if _, err := s.DB.Exec(ctx, "insert into quality_suspects (finding, contact, fake) values "+text.String()+" on conflict (finding, contact) do nothing", args...); err != nil {
			return fmt.Errorf("keep whom traffic speaks of: %w", err)
		}
	}
	return nil
}

type place struct {
	At int64  `json:"t"`
	ID string `json:"i"`
}

// List gives findings of a state, or all, the newest first, and how many are open.
func (s *Service) List(ctx context.Context, state string, after place, limit int) (items []Finding, next *place, open int64, err error) {
	if err := s.DB.QueryRow(ctx, "select count(*) from quality_findings where state = 'open'").Scan(&open); err != nil {
		return nil, nil, 0, fmt.Errorf("count abnormal traffic: %w", err)
	}
	where, args := "1 = 1", []any{}
	if state != "" {
		where, args = "f.state = $1", append(args, state)
	}
	if after.ID != "" {
		args = append(args, after.At, after.ID)
		where += fmt.Sprintf(" and (f.found_at, f.id) < ($%d, $%d)", len(args)-1, len(args))
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from quality_findings f where %s order by f.found_at desc, f.id desc limit %d", findingColumns, where, limit+1), args...)
	items, err = db.Collect(rows, err, s.scan(ctx))
	if err != nil {
		return nil, nil, 0, fmt.Errorf("list abnormal traffic: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		last := items[limit-1]
		next = &place{clock.Ms(last.FoundAt), last.ID}
	}
	return items, next, open, nil
}

// Open tells how many findings wait for a person.
func (s *Service) Open(ctx context.Context) (n int64, err error) {
	err = s.DB.QueryRow(ctx, "select count(*) from quality_findings where state = 'open'").Scan(&n)
	return n, err
}

var errNone = errs.New(errs.NotFound, "traffic.not_found")

// Get gives one finding.
func (s *Service) Get(ctx context.Context, id string) (Finding, error) {
	rows, err := s.DB.Query(ctx, "select "+findingColumns+" from quality_findings f where f.id = $1", id)
	list, err := db.Collect(rows, err, s.scan(ctx))
	if err != nil {
		return Finding{}, fmt.Errorf("read abnormal traffic: %w", err)
	}
	if len(list) == 0 {
		return Finding{}, errNone
	}
	return list[0], nil
}

// maxNote bounds what a judgement says.
const maxNote = 500

// Judge says what a finding is: "real", "fake", or "open" to take a judgement back.
// Of a fake one, those who first came within its span and bought nothing count
// nowhere from then on; people who were known before stay.
func (s *Service) Judge(ctx context.Context, id, state, note string) (Finding, error) {
	note = veil.Text(strings.TrimSpace(note))
	if utf8.RuneCountInString(note) > maxNote {
		return Finding{}, bad("note", "request.too_long", "limit", maxNote)
	}
	if state != "real" && state != "fake" && state != "open" {
		return Finding{}, bad("state", "request.not_one_of", "allowed", "real, fake, open")
	}
	f, err := s.Get(ctx, id)
	if err != nil {
		return f, err
	}
	var fakes []int64
	if state == "fake" {
		if fakes, err = s.strangers(ctx, f); err != nil {
			return f, err
		}
	}
	before, err := s.marked(ctx)
	if err != nil {
		return f, err
	}
	me, now := principal(ctx), clock.Ms(s.Clock.Now())
	if state == "open" {
		now = 0
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, "update quality_findings set state = $2, note = $3, by_id = $4, by_name = $5, judged_at = $6 where id = $1 and state = $7", id, state, note, me.ID, me.Name, now, f.State)
		if err != nil {
			return fmt.Errorf("keep judgement of traffic: %w", err)
		}
		if n == 0 {
			return errs.New(errs.Conflict, "traffic.changed")
		}
		if _, err := s.DB.Exec(ctx, "update quality_suspects set fake = 0 where finding = $1 and fake = 1", id); err != nil {
			return fmt.Errorf("take back who is no person: %w", err)
		}
		for rest := fakes; len(rest) > 0; {
			part := rest[:min(len(rest), 500)]
			rest = rest[len(part):]
			args := []any{id}
			for _, n := range part {
				args = append(args, n)
			}
			if _, err := s.DB.Exec(ctx, "update quality_suspects set fake = 1 where finding = $1 and contact in ("+db.In(2, len(part))+")", args...); err != nil {
				return fmt.Errorf("keep who is no person: %w", err)
			}
		}
		after, err := s.marked(ctx)
		if err != nil {
			return err
		}
		for _, h := range s.hooks {
			if err := h(ctx, without(after, before), without(before, after)); err != nil {
				return err
			}
		}
		action := map[string]string{"real": "traffic.judged_real", "fake": "traffic.judged_fake", "open": "traffic.judgement_undone"}[state]
		return s.record(ctx, action, id, f.Title, map[string]any{"kind": f.Kind, "subject": f.Subject, "fakes": len(fakes), "was": f.State})
	})
	if err != nil {
		return f, err
	}
	s.renew()
	return s.Get(ctx, id)
}

// OnMarked registers who is told, in the transaction, which contacts are no people
// from now on and which are people again. Call it while wiring.
func (s *Service) OnMarked(fn func(ctx context.Context, fake, real []int64) error) {
	s.hooks = append(s.hooks, fn)
}

// marked lists the contacts of fake findings, in order.
func (s *Service) marked(ctx context.Context) ([]int64, error) {
	rows, err := s.DB.Query(ctx, "select distinct contact from quality_suspects where fake = 1 order by contact")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return nil, fmt.Errorf("read who is no person: %w", err)
	}
	return list, nil
}

// without gives what is in a and not in b, both in order.
func without(a, b []int64) (out []int64) {
	for _, n := range a {
		if _, there := slices.BinarySearch(b, n); !there {
			out = append(out, n)
		}
	}
	return out
}

func (s *Service) suspects(ctx context.Context, id string, after int64, limit int) ([]int64, error) {
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select contact from quality_suspects where finding = $1 and contact > $2 order by contact limit %d", limit), id, after)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return nil, fmt.Errorf("read whom traffic speaks of: %w", err)
	}
	return list, nil
}

// strangers are those of a finding who first came within its span and bought nothing.
func (s *Service) strangers(ctx context.Context, f Finding) (out []int64, err error) {
	nums, err := s.suspects(ctx, f.ID, 0, mostSuspects)
	if err != nil {
		return nil, err
	}
	came, err := s.Contacts.Arrivals(ctx, nums)
	if err != nil {
		return nil, err
	}
	from, to := clock.Ms(f.From), clock.Ms(f.To)
	for _, n := range nums {
		if a, ok := came[n]; ok && a.CreatedAt >= from && a.CreatedAt < to && a.FirstOrder == 0 {
			out = append(out, n)
		}
	}
	return out, nil
}

// People lists whom a finding speaks of, as far as the caller may see them.
func (s *Service) People(ctx context.Context, id string, after int64, limit int) (rows []contact.Row, next int64, err error) {
	if _, err := s.Get(ctx, id); err != nil {
		return nil, 0, err
	}
	rows = []contact.Row{}
	for len(rows) < limit {
		nums, err := s.suspects(ctx, id, after, limit-len(rows))
		if err != nil || len(nums) == 0 {
			return rows, 0, err
		}
		after = nums[len(nums)-1]
		seen, err := s.Contacts.InScope(ctx, nums)
		if err != nil {
			return nil, 0, err
		}
		some, err := s.Contacts.ListByNums(ctx, seen)
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, some...)
	}
	return rows, after, nil
}
