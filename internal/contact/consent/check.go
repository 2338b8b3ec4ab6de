package consent

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Fault says in which way the ledger is broken.
type Fault string

// The faults.
const (
	Edited  Fault = "edited"  // a row is not as it was written
	Missing Fault = "missing" // a row is gone, but later ones are there
	Cut     Fault = "cut"     // rows at the end are gone
	Forged  Fault = "proof"   // a proof is not the one that was written
)

// Report is what a check of the ledger found.
type Report struct {
	OK       bool       `json:"ok"`
	At       *time.Time `json:"at,omitempty" doc:"When it was checked; nothing: never yet"`
	Rows     int64      `json:"rows" doc:"Rows that were read"`
	Fault    Fault      `json:"fault,omitempty" enum:"edited,missing,cut,proof"`
	FirstBad int64      `json:"firstBad,omitempty" doc:"The first row at fault"`
	Proofs   int64      `json:"proofs" doc:"Proofs that were opened and compared"`
	People   int64      `json:"people" doc:"People whose state was read anew from the ledger"`
	Mended   int64      `json:"mended" doc:"States that differed from the ledger and were put right"`
	Job      string     `json:"job,omitempty" doc:"The check that is running"`
}

// LastCheck tells what the last check found.
func (s *Service) LastCheck(ctx context.Context) (Report, error) {
	var r Report
	var at int64
	var text string
	if err := s.DB.QueryRow(ctx, "select checked_at, checked from consent_head where name = 'ledger'").Scan(&at, &text); err != nil {
		return r, fmt.Errorf("read the last check: %w", err)
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return r, fmt.Errorf("read the last check: %w", err)
		}
	}
	r.At = timeOf(at)
	return r, nil
}

// StartCheck begins a check of the whole ledger. Only one runs at a time.
func (s *Service) StartCheck(ctx context.Context) (Report, error) {
	job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobCheck, Title: "consent ledger", Unit: "rows", Link: "/consent", Key: jobCheck})
	if err != nil {
		return Report{}, fmt.Errorf("start a check of the ledger: %w", err)
	}
	r, err := s.LastCheck(ctx)
	r.Job = job.ID
	return r, err
}

func (s *Service) runCheck(ctx context.Context, run jobs.Run) error {
	r, err := s.Verify(ctx, run.Progress)
	if err != nil {
		return err
	}
	return run.Result(r)
}

// Verify reads the whole ledger: the chain, its end against what the audit log
// was told, and every proof; then it compares what holds with what the ledger
// says, and puts right what differs.
func (s *Service) Verify(ctx context.Context, progress func(done, total int64)) (Report, error) {
	r := Report{OK: true}
	var end head
	if err := s.DB.QueryRow(ctx, "select seq, hash from consent_head where name = 'ledger'").Scan(&end.seq, &end.hash); err != nil {
		return r, fmt.Errorf("read the end of the ledger: %w", err)
	}
	bad := func(f Fault, seq int64) {
		if r.OK {
			r.OK, r.Fault, r.FirstBad = false, f, seq
		}
	}
	if err := s.verifyChain(ctx, end, &r, bad, progress); err != nil {
		return r, err
	}
	if r.OK {
		if err := s.verifyEnd(ctx, end, bad); err != nil {
			return r, err
		}
	}
	if err := s.verifyStates(ctx, &r); err != nil {
		return r, err
	}
	now := s.Clock.Now()
	r.At = &now
	text, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	return r, s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update consent_head set checked_at = $1, checked = $2 where name = 'ledger'", clock.Ms(now), string(text)); err != nil {
			return fmt.Errorf("keep the check: %w", err)
		}
		detail := map[string]any{"ok": r.OK, "rows": r.Rows, "mended": r.Mended}
		if r.OK { // a broken end is not vouched for
			detail["seq"], detail["hash"] = end.seq, end.hash
		} else {
			detail["fault"], detail["firstBad"] = r.Fault, r.FirstBad
		}
		return s.record(ctx, "consent.checked", audit.Object{Type: "consent_ledger", ID: "ledger"}, detail)
	})
}

func (s *Service) verifyChain(ctx context.Context, end head, r *Report, bad func(Fault, int64), progress func(done, total int64)) error {
	prev := head{}
	for prev.seq < end.seq {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := s.DB.Query(ctx, "select "+strings.Join(entryColumns, ",")+" from consent_ledger where seq > $1 and seq <= $2 order by seq limit 2000", prev.seq, end.seq)
		part, err := db.Collect(rows, err, scanEntry)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if len(part) == 0 {
			bad(Cut, prev.seq+1)
			return nil
		}
		for i := range part {
			e := &part[i]
			if e.seq != prev.seq+1 {
				bad(Missing, prev.seq+1)
			} else if s.digest(prev.hash, e) != e.hash {
				bad(Edited, e.seq)
			}
			if e.proofEnc != "" {
				raw, err := s.Keys.Open(proofField, e.proofEnc)
				if err != nil || s.mark(e.id, raw) != e.proofMark {
					bad(Forged, e.seq)
				}
				r.Proofs++
			}
			prev = head{e.seq, e.hash}
			r.Rows++
		}
		if progress != nil {
			progress(r.Rows, end.seq)
		}
	}
	if prev.hash != end.hash {
		bad(Cut, prev.seq)
	}
	return nil
}

// verifyEnd looks whether the ledger still holds what the audit log was told of
// it: who cuts off its end must also forge the audit log.
func (s *Service) verifyEnd(ctx context.Context, end head, bad func(Fault, int64)) error {
	if s.Audit == nil {
		return nil
	}
	list, err := s.Audit.List(ctx, audit.Filter{Action: "consent.", Limit: 100})
	if err != nil {
		return err
	}
	for _, a := range list {
		var told struct {
			Seq  int64  `json:"seq"`
			Hash string `json:"hash"`
		}
		if json.Unmarshal(a.Detail, &told) != nil || told.Hash == "" {
			continue
		}
		if told.Seq > end.seq {
			// written after this check began, unless the end was cut
			var now int64
			if err := s.DB.QueryRow(ctx, "select seq from consent_head where name = 'ledger'").Scan(&now); err != nil {
				return err
			}
			if told.Seq > now {
				bad(Cut, end.seq+1)
			}
			continue
		}
		var hash string
		err := s.DB.QueryRow(ctx, "select hash from consent_ledger where seq = $1", told.Seq).Scan(&hash)
		if err != nil && !db.NoRows(err) {
			return err
		}
		if hash != told.Hash {
			bad(Edited, told.Seq)
		}
		return nil
	}
	return nil
}

// verifyStates compares what holds with the ledger, person by person.
func (s *Service) verifyStates(ctx context.Context, r *Report) error {
	for _, table := range []string{"consent_ledger", "consent_state"} { // the second finds lines that no row speaks for
		for after := int64(0); ; {
			if err := ctx.Err(); err != nil {
				return err
			}
			rows, err := s.DB.Query(ctx, "select distinct contact from "+table+" where contact > $1 order by contact limit 500", after)
			nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
			if err != nil {
				return fmt.Errorf("walk %s: %w", table, err)
			}
			if len(nums) == 0 {
				break
			}
			after = nums[len(nums)-1]
			err = s.DB.Tx(ctx, func(ctx context.Context) error {
				living, err := s.living(ctx, nums)
				if err != nil {
					return err
				}
				differ, _, err := s.recompute(ctx, living, true)
				if table == "consent_ledger" {
					r.People += int64(len(living))
				}
				r.Mended += int64(len(differ))
				return err
			})
			if err != nil {
				return fmt.Errorf("compare consent states: %w", err)
			}
		}
	}
	return nil
}

// living leaves out contacts that are part of another, whose survivor comes by
// itself or is given instead, and those that are gone.
func (s *Service) living(ctx context.Context, nums []int64) ([]int64, error) {
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return nil, err
	}
	set := map[int64]bool{}
	for _, n := range nums {
		set[rootIn(roots, n)] = true
	}
	known, err := s.Contacts.Describe(ctx, sorted(set))
	if err != nil {
		return nil, err
	}
	for n := range set {
		if _, there := known[n]; !there {
			delete(set, n)
		}
	}
	return sorted(set), nil
}
