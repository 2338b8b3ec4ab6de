package staff

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

const jobSync = "staff.sync"

// source is the source of the facts that this package states.
const source = "koipond"

// fresh friends are left to their callback: stating them here as well would count
// them twice.
const fresh = 10 * time.Minute

// SyncInput asks for a sync of an account: of all, or of some colleagues' friends.
type SyncInput struct {
	Account string   `json:"account" maxLength:"60"`
	Staff   []string `json:"staff,omitempty" maxItems:"100" doc:"Only the customers of these; none: the directory and everybody's"`
}

// syncState is where a sync stands: Mark is when it began; Group the colleagues
// who are being read, Cursor where; After the last one of those that are done.
type syncState struct {
	Mark      int64    `json:"mark"`
	Directory bool     `json:"directory"` // is read
	Group     []string `json:"group"`
	Cursor    string   `json:"cursor"`
	After     string   `json:"after"`
	Friends   bool     `json:"friends"` // are read
	Done      int64    `json:"done"`
	Total     int64    `json:"total"`
	Found     int64    `json:"found"`
	News      int64    `json:"news"`
	Seq       uint64   `json:"seq"` // of the newest fact that it stated
}

// Sync starts a sync; one that runs already for the account is given instead.
func (s *Service) Sync(ctx context.Context, in SyncInput) (jobs.Job, error) {
	accounts, err := s.Platform.Accounts(ctx)
	if err != nil {
		return jobs.Job{}, err
	}
	i := slices.IndexFunc(accounts, func(a CorpAccount) bool { return a.ID == in.Account })
	if i < 0 {
		return jobs.Job{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("account", "staff.no_such_account"))
	}
	var job jobs.Job
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if job, err = s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobSync, Title: accounts[i].Name, Unit: "colleagues", Params: in, Link: "/staff", Key: jobSync + ":" + in.Account}); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "insert into staff_accounts (account, synced_at, job, fault) values ($1, 0, $2, '') on conflict (account) do update set job = excluded.job", in.Account, job.ID); err != nil {
			return fmt.Errorf("note sync: %w", err)
		}
		return s.record(ctx, "staff.sync_started", in.Account, accounts[i].Name, map[string]any{"staff": in.Staff})
	})
	return job, err
}

// sync is the job. It goes on where it stopped: after a crash, a restart, or when
// the platform wanted it to wait.
func (s *Service) sync(ctx context.Context, run jobs.Run) error {
	var in SyncInput
	if err := run.Params(&in); err != nil {
		return err
	}
	var st syncState
	if _, err := run.LastCheckpoint(&st); err != nil {
		return err
	}
	if st.Mark == 0 {
		st.Mark = s.Clock.Now().UnixMilli()
	}
	if len(in.Staff) > 0 {
		st.Directory = true
	}
	if !st.Directory {
		deps, all, serves, err := s.readDirectory(ctx, in.Account, func(done, total int) { run.Progress(0, 0) })
		if err != nil {
			return err
		}
		if err := s.keepDirectory(ctx, in.Account, deps, all, serves, st.Mark); err != nil {
			return err
		}
		st.Directory = true
		if err := run.Checkpoint(ctx, st); err != nil {
			return err
		}
	}
	if st.Total == 0 {
		if len(in.Staff) > 0 {
			st.Total = int64(len(in.Staff))
		} else if err := s.DB.QueryRow(ctx, "select count(*) from staff_members where account = $1 and serves = 1", in.Account).Scan(&st.Total); err != nil {
			return fmt.Errorf("count colleagues: %w", err)
		}
	}
	if err := s.syncFriends(ctx, run, in, &st); err != nil {
		return err
	}
	if err := s.missing(ctx, in, st); err != nil {
		return err
	}
	if len(in.Staff) == 0 {
		err := s.leftBehind(ctx, in.Account, st.Mark, func(err error) error {
			until, _ := s.Platform.Later(err)
			return s.sleep(ctx, until)
		})
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "insert into staff_accounts (account, synced_at, job, fault) values ($1, $2, '', '') on conflict (account) do update set synced_at = excluded.synced_at", in.Account, s.Clock.Now().UnixMilli()); err != nil {
			return fmt.Errorf("note sync: %w", err)
		}
	}
	return run.Result(map[string]any{"found": st.Found, "news": st.News})
}

func (s *Service) syncFriends(ctx context.Context, run jobs.Run, in SyncInput, st *syncState) error {
	for !st.Friends {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(st.Group) == 0 {
			group, err := s.group(ctx, in, st.After)
			if err != nil {
				return err
			}
			if len(group) == 0 {
				st.Friends = true
				break
			}
			st.Group = group
		}
		page, next, err := s.Platform.Friends(ctx, in.Account, st.Group, st.Cursor)
		if until, ok := s.Platform.Later(err); ok {
			if err := s.sleep(ctx, until); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		news, err := s.news(ctx, in.Account, page, st.Mark)
		if err != nil {
			return err
		}
		if len(news) > 0 {
			seq, err := s.Ingest.Ingest(ctx, news)
			if err != nil {
				return fmt.Errorf("state friends: %w", err)
			}
			st.Seq = seq
		}
		st.Found, st.News, st.Cursor = st.Found+int64(len(page)), st.News+int64(len(news)), next
		if next == "" {
			st.After, st.Done = st.Group[len(st.Group)-1], st.Done+int64(len(st.Group))
			st.Group = nil
		}
		run.Progress(st.Done, st.Total)
		if err := run.Checkpoint(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

// sleep waits until the platform takes calls again.
func (s *Service) sleep(ctx context.Context, until time.Time) error {
	t := time.NewTimer(min(max(until.Sub(s.Clock.Now()), 100*time.Millisecond), time.Hour))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// groupSize is how many colleagues one call asks for: the platform takes 100. Fewer
// make a page's cursor a finer place to go on from.
const groupSize = 50

func (s *Service) group(ctx context.Context, in SyncInput, after string) ([]string, error) {
	if len(in.Staff) > 0 {
		list := slices.Compact(slices.Sorted(slices.Values(in.Staff)))
		list = slices.DeleteFunc(list, func(id string) bool { return id <= after })
		return list[:min(groupSize, len(list))], nil
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select id from staff_members where account = $1 and serves = 1 and id > $2 order by id limit %d", groupSize), in.Account, after)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("read colleagues: %w", err)
	}
	return list, nil
}

// news gives the facts for what a page says and nobody knew, and marks the rest as
// found. Telling what is known already would cost as much as the first sync, every time.
func (s *Service) news(ctx context.Context, account string, page []Found, mark int64) ([]event.Fact, error) {
	customers := make([]string, len(page))
	for i, f := range page {
		customers[i] = f.Customer
	}
	rows, err := s.rows(ctx, customers)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	var out []event.Fact
	old := map[string][]string{} // customers to be marked, by colleague
	for _, f := range page {
		r := rows[key{account, f.Staff, f.Customer}]
		sum := fingerprint(f.Known)
		if r != nil && r.print == sum {
			old[f.Staff] = append(old[f.Staff], f.Customer)
			continue
		}
		if (r == nil || r.state != Friend && f.Since.UnixMilli() > r.ended) && now.Sub(f.Since) > fresh {
			out = append(out, event.Fact{MessageID: messageID("fa", account, f.Staff, f.Customer, f.Since.String()), Type: event.Track, Name: event.NameFriendAdded, Identifiers: f.Known.Identifiers,
				Timestamp: f.Since.UnixMilli(), Source: source, Properties: object(map[string]any{"account": account, "staff": f.Staff, "state": f.State, "synced": true})})
		}
		known := f.Known
		known.MessageID = messageID("fk", account, f.Staff, f.Customer, sum, fmt.Sprint(mark))
		known.Timestamp = mark
		known.Properties = withSync(known.Properties, mark, sum)
		out = append(out, known)
	}
	for staff, list := range old {
		err := chunked(list, func(part []any) error {
			_, err := s.DB.Exec(ctx, "update staff_friends set seen = $1 where account = $2 and staff = $3 and customer in ("+db.In(4, len(part))+")", append([]any{mark, account, staff}, part...)...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("mark friends: %w", err)
		}
	}
	return out, nil
}

// missing states that those friendships are over which the platform does not list
// any more: their callbacks were missed. What changed while the sync ran is left alone.
func (s *Service) missing(ctx context.Context, in SyncInput, st syncState) error {
	if err := s.Ingest.Wait(ctx, st.Seq); err != nil { // what it stated is seen by now
		return err
	}
	staff := map[string]bool{}
	for _, id := range in.Staff {
		staff[id] = true
	}
	for last := (key{}); ; {
		rows, err := s.DB.Query(ctx, `select `+rowColumns+` from staff_friends where account = $1 and state = 'friend' and seen < $2 and changed_at < $2 and known_at < $2
			and (staff > $3 or staff = $3 and customer > $4) and staff in (select id from staff_members where account = $1 and serves = 1) order by staff, customer limit 500`,
			in.Account, st.Mark, last.staff, last.customer)
		list, err := db.Collect(rows, err, scanRow)
		if err != nil {
			return fmt.Errorf("look for friends that are gone: %w", err)
		}
		var facts []event.Fact
		for _, r := range list {
			last = r.key
			if len(staff) > 0 && !staff[r.staff] {
				continue
			}
			facts = append(facts, event.Fact{MessageID: messageID("fr", r.account, r.staff, r.customer, fmt.Sprint(st.Mark)), Type: event.Track, Name: event.NameFriendRemoved,
				Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: r.customer}}, Timestamp: st.Mark, Source: source,
				Properties: object(map[string]any{"account": r.account, "staff": r.staff, "reason": "sync"})})
		}
		if len(facts) > 0 {
			if _, err := s.Ingest.Ingest(ctx, facts); err != nil {
				return fmt.Errorf("state friends that are gone: %w", err)
			}
		}
		if len(list) < 500 {
			return nil
		}
	}
}

// fingerprint is of all that a fact says, without its ids and times.
func fingerprint(f event.Fact) string {
	h := sha256.New()
	for _, id := range f.Identifiers {
		h.Write([]byte(id.Kind + "\x00" + id.Value + "\x00"))
	}
	h.Write(f.Traits)
	h.Write([]byte{0})
	h.Write(f.Properties)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func messageID(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return kind + "-" + hex.EncodeToString(h.Sum(nil)[:16])
}

func withSync(raw json.RawMessage, mark int64, sum string) json.RawMessage {
	m := map[string]any{}
	_ = json.Unmarshal(raw, &m)                         // it is our own
	if friend, ok := m["friend"].(map[string]any); ok { // inside: nobody reads these on a timeline
		friend["sync"], friend["print"] = mark, sum
	}
	return object(m)
}

func object(m map[string]any) json.RawMessage {
	b, _ := json.Marshal(m) // plain values always encode
	return b
}

// Accounts lists the accounts with how their directories stand.
func (s *Service) Accounts(ctx context.Context) ([]CorpSync, error) {
	accounts, err := s.Platform.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	out := make([]CorpSync, len(accounts))
	for i, a := range accounts {
		out[i], at[a.ID] = CorpSync{CorpAccount: a}, i
	}
	rows, err := s.DB.Query(ctx, "select account, synced_at, job from staff_accounts")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var account, job string
		var synced int64
		err = r.Scan(&account, &synced, &job)
		if i, ok := at[account]; ok {
			out[i].Job = job
			if synced > 0 {
				out[i].SyncedAt = clock.FromMs(synced)
			}
		}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read syncs: %w", err)
	}
	rows, err = s.DB.Query(ctx, "select account, count(*), sum(case when state = 'left' then 1 else 0 end), sum(case when state = 'left' then friends else 0 end), sum(friends) from staff_members group by account")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var account string
		var members, left, waiting, friends int64
		err = r.Scan(&account, &members, &left, &waiting, &friends)
		if i, ok := at[account]; ok {
			out[i].Members, out[i].Left, out[i].Waiting, out[i].Friends = members, left, waiting, friends
		}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("count colleagues: %w", err)
	}
	return out, nil
}
