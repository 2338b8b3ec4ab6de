package connector

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// fault is why something failed, as the records keep it.
type fault struct {
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
}

// fault turns an error into what the records keep. What nobody has words for goes
// to the log with its cause; people read where to look.
func (s *Service) fault(ctx context.Context, w worked, err error) string {
	e := errs.As(err)
	f := fault{e.Code, e.Params}
	if e.Kind == errs.Internal {
		s.Log.ErrorContext(ctx, "a callback could not be worked on", "callback", w.id, "account", w.account, "name", w.name, "try", w.tries+1, "error", err)
		if e.Code == "internal" {
			f = fault{Code: "connector.handler_failed"}
		}
	}
	return encodeFault(f)
}

func encodeFault(f fault) string {
	raw, err := json.Marshal(f)
	if err != nil {
		raw, _ = json.Marshal(fault{Code: f.Code}) // a text always encodes
	}
	return veil.Text(string(raw))
}

// Callback is one thing that a platform told.
type Callback struct {
	ID        string     `json:"id"`
	Account   string     `json:"account" doc:"Id of the account"`
	Kind      string     `json:"kind"`
	Name      string     `json:"name" doc:"What happened, such as change_external_contact.add_external_contact"`
	State     string     `json:"state" enum:"waiting,held,done,ignored,dead"`
	At        time.Time  `json:"at" doc:"When it arrived"`
	Happened  *time.Time `json:"happenedAt,omitempty" doc:"When it happened, by the platform's clock"`
	Tries     int        `json:"tries"`
	Next      *time.Time `json:"nextAt,omitempty" doc:"When it is tried again"`
	Repeats   int        `json:"repeats" doc:"How often the platform told it again"`
	Urgent    bool       `json:"urgent" doc:"It had or has handlers that cannot wait"`
	Fault     string     `json:"fault,omitempty" doc:"Code of why it failed last"`
	Words     string     `json:"message,omitempty" doc:"The same in words"`
	FirstWhy  string     `json:"urgentFault,omitempty" doc:"Why what could not wait failed, such as a welcome; a code"`
	FirstWord string     `json:"urgentMessage,omitempty" doc:"The same in words"`
	DoneAt    *time.Time `json:"doneAt,omitempty"`

	n                       int64
	params, firstParameters map[string]any
	body                    string
}

// InboxQuery narrows a list of callbacks. Zero fields do not.
type InboxQuery struct {
	Account, Kind, Name, State string // a name may end in *
	Subject                    string // whom it is about, as the platform names them
	From, To                   time.Time
	Before                     int64 // those that arrived before this one
	Limit                      int
}

const callbackColumns = "n, id, account, kind, name, state, at, happened_at, tries, next_at, repeats, urgent, urgent_tries, fault, urgent_fault, done_at, body_enc"

func scanCallback(r *sql.Rows) (c Callback, err error) {
	var at, happened, next, urgent, urgentTries, done int64
	var f, first string
	if err := r.Scan(&c.n, &c.ID, &c.Account, &c.Kind, &c.Name, &c.State, &at, &happened, &c.Tries, &next, &c.Repeats, &urgent, &urgentTries, &f, &first, &done, &c.body); err != nil {
		return c, err
	}
	c.At, c.Urgent = clock.FromMs(at), urgent == 1 || urgentTries > 0
	c.Fault, c.params = readFault(f)
	c.FirstWhy, c.firstParameters = readFault(first)
	when := func(ms int64) *time.Time {
		if ms == 0 {
			return nil
		}
		t := clock.FromMs(ms)
		return &t
	}
	c.Happened, c.DoneAt = when(happened), when(done)
	if c.State == Waiting && c.Tries > 0 || c.Fault != "" && c.State == Waiting {
		c.Next = when(next)
	}
	return c, nil
}

func readFault(text string) (string, map[string]any) {
	var f fault
	if text == "" || json.Unmarshal([]byte(text), &f) != nil {
		return "", nil
	}
	return f.Code, f.Params
}

// Inbox lists callbacks, the newest first.
func (s *Service) Inbox(ctx context.Context, q InboxQuery) ([]Callback, error) {
	where, args := s.inboxWhere(q)
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from connector_inbox %s order by n desc limit %d", callbackColumns, where, q.Limit), args...)
	list, err := db.Collect(rows, err, scanCallback)
	if err != nil {
		return nil, fmt.Errorf("list callbacks: %w", err)
	}
	return list, nil
}

func (s *Service) inboxWhere(q InboxQuery) (string, []any) {
	var where []string
	var args []any
	add := func(cond string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	for column, v := range map[string]string{"account": q.Account, "kind": q.Kind, "state": q.State} {
		if v != "" {
			add(column+" = $%d", v)
		}
	}
	if prefix, many := strings.CutSuffix(q.Name, "*"); many && prefix != "" {
		add("name >= $%d", prefix)
		add("name < $%d", prefix+"\uffff")
	} else if q.Name != "" {
		add("name = $%d", q.Name)
	}
	if q.Subject != "" {
		add("subject_index = $%d", s.subjectIndex(q.Subject))
	}
	if !q.From.IsZero() {
		add("at >= $%d", clock.Ms(q.From))
	}
	if !q.To.IsZero() {
		add("at < $%d", clock.Ms(q.To))
	}
	if q.Before > 0 {
		add("n < $%d", q.Before)
	}
	if len(where) == 0 {
		return "", nil
	}
	return "where " + strings.Join(where, " and "), args
}

var errNoCallback = errs.New(errs.NotFound, "connector.no_such_callback")

// Opened is a callback with what the platform said.
type Opened struct {
	Callback
	Subject string `json:"subject,omitempty" doc:"Whom it is about, as the platform names them"`
	Body    string `json:"body" doc:"What the platform said, decrypted; personal values masked unless asked for"`
	Masked  bool   `json:"masked"`
}

// Callback gives one with its body, in which personal values are masked.
func (s *Service) Callback(ctx context.Context, id string) (Opened, error) {
	out, err := s.opened(ctx, id)
	out.Body, out.Subject, out.Masked = veilBody(out.Body), veil.Text(out.Subject), true
	return out, err
}

// Reveal gives a callback with personal values in full. The look goes into the audit
// log with its reason.
func (s *Service) Reveal(ctx context.Context, id, reason string) (Opened, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return Opened{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("reason", "request.field_required"))
	}
	out, err := s.opened(ctx, id)
	if err != nil {
		return Opened{}, err
	}
	a, err := s.Account(ctx, out.Account)
	if err != nil {
		return Opened{}, err
	}
	return out, s.record(ctx, "connector.callback_read", a, map[string]any{"callback": id, "name": out.Name, "reason": reason})
}

func (s *Service) opened(ctx context.Context, id string) (Opened, error) {
	rows, err := s.DB.Query(ctx, "select "+callbackColumns+" from connector_inbox where id = $1", id)
	list, err := db.Collect(rows, err, scanCallback)
	if err != nil {
		return Opened{}, fmt.Errorf("read callback: %w", err)
	}
	if len(list) == 0 {
		return Opened{}, errNoCallback
	}
	k, body, err := s.openBody(list[0].body)
	if err != nil {
		return Opened{}, err
	}
	return Opened{Callback: list[0], Subject: k.Subject, Body: strings.ToValidUTF8(string(body), "\uFFFD")}, nil
}

// Replay puts callbacks back to be worked on: those named, or else all that were
// given up and that the query finds. What could not wait when they came (a welcome)
// is not done again: its time is over.
func (s *Service) Replay(ctx context.Context, ids []string, q InboxQuery) (n int64, err error) {
	if len(ids) == 0 {
		q.State = Dead
	} else {
		q = InboxQuery{}
	}
	where, args := s.inboxWhere(q)
	if len(ids) > 0 {
		marks := db.In(1, len(ids))
		args = nil
		for _, id := range ids {
			args = append(args, id)
		}
		// What waits for its time, too: somebody mended the cause and will not wait.
		where = "where id in (" + marks + ") and lease = 0"
	}
	state := fmt.Sprintf("case when exists (select 1 from connector_accounts a where a.id = connector_inbox.account and a.state = '%s') then '%s' else '%s' end", Paused, Held, Waiting)
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if n, err = s.DB.ExecN(ctx, "update connector_inbox set state = "+state+", tries = 0, next_at = 0, done_at = 0, fault = '' "+where, args...); err != nil {
			return fmt.Errorf("put callbacks back: %w", err)
		}
		if n == 0 && len(ids) > 0 {
			return errNoCallback
		}
		s.DB.After(ctx, s.inbox.nudge)
		detail := map[string]any{"count": n, "account": q.Account, "name": q.Name}
		if len(ids) > 0 {
			detail = map[string]any{"count": n, "callbacks": ids[:min(len(ids), 50)]}
		}
		return s.record(ctx, "connector.replayed", Account{ID: q.Account, Kind: q.Kind}, detail)
	})
	return n, err
}
