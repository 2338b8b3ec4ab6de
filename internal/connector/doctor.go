package connector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// checkIn is how long all calls of a check may take.
const checkIn = 25 * time.Second

// severity orders states: the worst of a list is the account's.
var severity = []string{OK, Unknown, Warn, Fail}

// Worst is the worst state of a list, Unknown of an empty one.
func Worst(list []Finding) string {
	if len(list) == 0 {
		return Unknown
	}
	worst := 0
	for _, f := range list {
		worst = max(worst, slices.Index(severity, f.State))
	}
	return severity[worst]
}

// Check asks the platform how the account is and keeps what it says. Credentials
// that were refused are tried again.
func (s *Service) Check(ctx context.Context, id string) (View, error) {
	a, err := s.account(ctx, id)
	if err != nil {
		return View{}, err
	}
	s.tokens.forgive(a.ID)
	c, err := s.open(a)
	if err != nil {
		return View{}, err
	}
	short, cancel := context.WithTimeout(ctx, checkIn)
	list := s.checkSafely(short, c)
	cancel()
	raw, err := json.Marshal(list)
	if err != nil {
		return View{}, fmt.Errorf("encode findings: %w", err)
	}
	err = s.DB.Tx(context.WithoutCancel(ctx), func(ctx context.Context) error {
		query := "update connector_accounts set findings = $3, checked_at = $4 where id = $1 and generation = $2"
		if Worst(list) != Fail { // what the platform said before holds no more
			query = "update connector_accounts set findings = $3, checked_at = $4, fault = '', fault_at = 0 where id = $1 and generation = $2"
		}
		if _, err := s.DB.Exec(ctx, query, a.ID, a.generation, string(raw), clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("keep findings: %w", err)
		}
		return s.record(ctx, "connector.checked", a.Account, map[string]any{"state": Worst(list)})
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

func (s *Service) checkSafely(ctx context.Context, c Conn) (list []Finding) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "a check of an account panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			list = append(list, Finding{Check: "connector.check.program", State: Fail, Code: "connector.check_failed", Mend: "connector.see_log"})
		}
	}()
	return c.Check(ctx)
}

// forgive lets the credentials of an account be tried again.
func (t *tokens) forgive(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, sl := range t.slots {
		if k.account == account {
			sl.mu.Lock()
			sl.refused = nil
			sl.mu.Unlock()
		}
	}
}

// staleAfter is how old a call may be to show that the address is reachable.
const staleAfter = 7 * 24 * time.Hour

// own are the findings about an account that need no call: what the platform said
// against it, whether its calls arrive, what lies in the inbox, and what is left of
// the quotas.
func (s *Service) own(a account, k Kind, calls []Calls, counts Counts, quotas []QuotaUse) []Finding {
	var out []Finding
	code, params := readFault(a.fault)
	told := slices.ContainsFunc(a.findings, func(f Finding) bool { return f.Code == code }) // the check says the same, and how to mend it
	if code != "" && !told {
		all := map[string]any{"at": clock.FromMs(a.faultAt).In(china).Format("01-02 15:04")}
		maps.Copy(all, params)
		out = append(out, Finding{Check: "connector.check.refused", State: Fail, Code: code, Mend: "connector.mend_refused", Params: all})
	}
	if k.Callback {
		out = append(out, s.reachable(a, calls))
	}
	if k.Callback || counts.Dead+counts.Waiting > 0 {
		out = append(out, s.worked(counts))
	}
	if f, say := s.kept(counts); say {
		out = append(out, f)
	}
	for _, q := range quotas {
		if q.Of == ofAccount && q.Limit > 0 && q.Used*10 >= q.Limit*8 {
			f := Finding{Check: "connector.check.quota", State: Warn, Code: "connector.quota_nearly", Mend: "connector.mend_quota",
				Params: map[string]any{"quota": q.Name, "used": q.Used, "limit": q.Limit}}
			if q.Used >= q.Limit {
				f.State, f.Code = Fail, "connector.quota_empty"
			}
			out = append(out, f)
		}
	}
	return out
}

// reachable says whether the platform's calls arrive, and what was wrong with those
// that were refused since the last good one.
func (s *Service) reachable(a account, calls []Calls) Finding {
	f := Finding{Check: "connector.check.callback", State: Unknown, Code: "connector.no_call_yet", Mend: "connector.mend_no_call"}
	var good time.Time
	var bad *Calls
	for i, c := range calls {
		switch c.Outcome {
		case outcomeVerified, outcomeProved:
			if c.LastAt.After(good) {
				good = c.LastAt
			}
		case outcomeBarred:
		default:
			if bad == nil || c.LastAt.After(bad.LastAt) {
				bad = &calls[i]
			}
		}
	}
	at := func(t time.Time) string { return t.In(china).Format("2006-01-02 15:04") }
	switch {
	case bad != nil && bad.LastAt.After(good):
		f.State, f.Code, f.Mend = Fail, bad.Outcome, map[string]string{
			ErrSignature.Code: "connector.mend_signature", ErrReceiver.Code: "connector.mend_receiver", ErrDecrypt.Code: "connector.mend_cipher"}[bad.Outcome]
		if f.Mend == "" {
			f.Mend = "connector.see_log"
		}
		f.Params = map[string]any{"count": bad.Count, "at": at(bad.LastAt)}
	case good.IsZero():
	case s.Clock.Now().Sub(good) > staleAfter:
		f.State, f.Code, f.Mend = Warn, "connector.no_call_lately", "connector.mend_no_call"
		f.Params = map[string]any{"at": at(good)}
	default:
		f.State, f.Code, f.Mend = OK, "connector.calls_arrive", ""
		f.Params = map[string]any{"at": at(good)}
	}
	return f
}

func (s *Service) worked(c Counts) Finding {
	f := Finding{Check: "connector.check.inbox", State: OK, Code: "connector.inbox_empty", Params: map[string]any{"waiting": c.Waiting, "dead": c.Dead}}
	switch {
	case c.Dead > 0:
		f.State, f.Code, f.Mend = Warn, "connector.inbox_dead", "connector.mend_dead"
	case c.Waiting > 1000:
		f.State, f.Code, f.Mend = Warn, "connector.inbox_behind", "connector.mend_behind"
	}
	return f
}

// Known is what `koipond doctor` reads without a running program or a key.
type Known struct {
	Kind, Name, State string
	CheckedAt         time.Time
	Fault             string         // code of what the platform said last against the credentials
	FaultParams       map[string]any // of the code
	Findings          []Finding
}

// ReadKnown reads what is known of all accounts, without their credentials. An
// older database without accounts has none.
func ReadKnown(ctx context.Context, d *db.DB) ([]Known, error) {
	var n int64
	err := d.QueryRow(ctx, d.Pick("select count(*) from sqlite_master where name = 'connector_accounts'",
		"select count(*) from information_schema.tables where table_name = 'connector_accounts' and table_schema = current_schema()")).Scan(&n)
	if err != nil || n == 0 {
		return nil, err
	}
	rows, err := d.Query(ctx, "select kind, name, state, fault, findings, checked_at from connector_accounts order by kind, name")
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	var out []Known
	for rows.Next() {
		var k Known
		var findings, fault string
		var at int64
		if err := errors.Join(rows.Scan(&k.Kind, &k.Name, &k.State, &fault, &findings, &at), json.Unmarshal([]byte(findings), &k.Findings)); err != nil {
			return nil, fmt.Errorf("read account: %w", err)
		}
		k.CheckedAt = clock.FromMs(at)
		k.Fault, k.FaultParams = readFault(fault)
		out = append(out, k)
	}
	return out, rows.Err()
}
