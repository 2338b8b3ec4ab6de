package consent

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Kinds of jobs.
const (
	jobChange = "consent_change"
	jobUndo   = "consent_undo"
	jobCheck  = "consent_check"
)

// bulkBatch is how many people one transaction changes: the ledger is locked meanwhile.
const bulkBatch = 400

// Bulk is a change of many people at once.
type Bulk struct {
	Purpose string
	Channel Channel
	State   State
	Wording int64
	Reason  string
	Proof   string // id of a file, see AddProofFile; "" none
}

// Batch is a change of many people as it is listed.
type Batch struct {
	ID        string     `json:"id"`
	Purpose   string     `json:"purpose"`
	Channel   Channel    `json:"channel"`
	State     State      `json:"state"`
	Reason    string     `json:"reason"`
	Job       string     `json:"job"`
	Written   int64      `json:"written" doc:"People it changed so far"`
	Voided    int64      `json:"voided" doc:"Rows taken back by the undo so far"`
	CreatedAt time.Time  `json:"createdAt"`
	UndoneAt  *time.Time `json:"undoneAt,omitempty"`
	By        string     `json:"by"`
	Proof     *ProofRef  `json:"proof,omitempty" doc:"File that proves it"`

	undoJob string
}

// BatchWork is a change of many with how far its job, or the job of its undo, is.
type BatchWork struct {
	Batch
	State jobs.State `json:"jobState" enum:"queued,running,succeeded,failed,cancelled" doc:"Of the change, once it is undone of the undo"`
	Done  int64      `json:"done"`
	Total int64      `json:"total"`
}

// ProofRef is a proof of a change, without its name: that may be personal, and
// whoever downloads the file sees it.
type ProofRef struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

type changeParams struct {
	Batch     string            `json:"batch"`
	Selection contact.Selection `json:"selection"`
	Bulk      Bulk              `json:"bulk"`
	By, ByID  string
}

// StartChange begins a change of many people. Withdrawing is free; granting needs
// the version of the wording that they agreed to, and leaves alone whoever withdrew.
func (s *Service) StartChange(ctx context.Context, sel contact.Selection, b Bulk) (Batch, error) {
	var err error
	if b.Reason, err = reasonOf("reason", b.Reason); err != nil {
		return Batch{}, err
	}
	title, err := s.checkBulk(ctx, &b)
	if err != nil {
		return Batch{}, err
	}
	by := principal(ctx)
	out := Batch{ID: s.IDs.New("cb"), Purpose: b.Purpose, Channel: b.Channel, State: b.State, Reason: b.Reason, CreatedAt: s.Clock.Now(), By: by.Name}
	sum := "" // of the proof
	params := changeParams{Batch: out.ID, Selection: sel, Bulk: b, By: by.Name, ByID: by.ID}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if b.Proof != "" {
			f, err := s.useProof(ctx, b.Proof, out.ID)
			if err != nil {
				return err
			}
			out.Proof = &ProofRef{f.ID, f.SHA256, f.Size}
			sum = f.SHA256
		}
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobChange, Title: title, Unit: "contacts", Link: "/consent?tab=recent", Params: params})
		if err != nil {
			return err
		}
		out.Job = job.ID
		_, err = s.DB.Exec(ctx, "insert into consent_batches (id, purpose, channel, state, reason, job, created_at, by_id, by_name, proof) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
			out.ID, b.Purpose, string(b.Channel), string(b.State), veil.Text(b.Reason), job.ID, out.CreatedAt.UnixMilli(), by.ID, by.Name, b.Proof)
		if err != nil {
			return err
		}
		return s.record(ctx, "consent.bulk_started", audit.Object{Type: "consent_batch", ID: out.ID},
			map[string]any{"purpose": b.Purpose, "channel": b.Channel, "state": b.State, "reason": b.Reason, "proof": sum})
	})
	if err != nil {
		return Batch{}, fmt.Errorf("start a change of consents: %w", err)
	}
	return out, nil
}

// checkBulk tells what is wrong with a change, and what its job is called.
func (s *Service) checkBulk(ctx context.Context, b *Bulk) (title string, err error) {
	bad := func(path, code string, params ...any) error {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At(path, code, params...))
	}
	if b.State != Granted && b.State != Withdrawn {
		return "", bad("state", "consent.bad_state")
	}
	if b.Purpose == Everything {
		if b.Channel = All; b.State == Granted {
			return "", bad("purpose", "consent.no_bulk_lift")
		}
		return words[httpx.Lang(ctx)].Everything, nil
	}
	p, err := s.purpose(ctx, b.Purpose)
	if err != nil {
		return "", err
	}
	if b.Channel != All && !p.uses(b.Channel) {
		return "", bad("channel", "consent.channel_not_used", "purpose", b.Purpose, "channel", string(b.Channel))
	}
	if b.State == Granted {
		if _, ok := p.wording(b.Wording); b.Wording == 0 || !ok {
			return "", bad("wording", "consent.grant_needs_wording")
		}
	}
	return p.Name.in(httpx.Lang(ctx)), nil
}

type changeResult struct {
	After   int64 `json:"after"`
	Seen    int64 `json:"seen"`
	Written int64 `json:"written"`
	Kept    int64 `json:"kept"` // who withdrew and is left alone
}

func (s *Service) runChange(ctx context.Context, run jobs.Run) error {
	var p changeParams
	if err := run.Params(&p); err != nil {
		return err
	}
	var res changeResult
	if _, err := run.LastCheckpoint(&res); err != nil {
		return err
	}
	proof := Proof{StaffID: p.ByID, StaffName: p.By, Note: p.Bulk.Reason}
	if p.Bulk.Proof != "" {
		f, err := s.proofFile(ctx, p.Bulk.Proof)
		if err != nil {
			return err
		}
		proof.File, proof.SHA256 = f.Name, f.SHA256
	}
	total, err := s.Contacts.Count(ctx, p.Selection)
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		nums, err := s.Contacts.Walk(ctx, p.Selection, res.After, bulkBatch)
		if err != nil {
			return err
		}
		if len(nums) == 0 {
			return run.Result(res)
		}
		next := res
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			next = res
			said, kept, err := s.bulkRows(ctx, nums, p.Batch, &p.Bulk, proof)
			if err != nil {
				return err
			}
			if err := s.Write(ctx, said); err != nil {
				return err
			}
			next.After, next.Seen, next.Written, next.Kept = nums[len(nums)-1], res.Seen+int64(len(nums)), res.Written+int64(len(said)), res.Kept+kept
			if _, err := s.DB.Exec(ctx, "update consent_batches set written = $1 where id = $2", next.Written, p.Batch); err != nil {
				return err
			}
			return run.Checkpoint(ctx, next)
		})
		if err != nil {
			return fmt.Errorf("change consents: %w", err)
		}
		res = next
		run.Progress(res.Seen, max(total, res.Seen))
	}
}

// bulkRows makes rows for those whom the change concerns: who stands that way
// already gets none, and a grant leaves alone whoever withdrew.
func (s *Service) bulkRows(ctx context.Context, nums []int64, batch string, b *Bulk, proof Proof) (said []Said, kept int64, err error) {
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return nil, 0, err
	}
	have, err := s.stands(ctx, nums)
	if err != nil {
		return nil, 0, err
	}
	m := b.Channel.covers()
	for _, n := range nums {
		if _, gone := roots[n]; gone { // merged since it was found; whoever it is part of comes by itself
			continue
		}
		st, all := have[stateKey{n, b.Purpose}], have[stateKey{n, Everything}]
		_, withdrawn, _ := st.masks()
		switch {
		case st.says(m, b.State):
		case b.State == Granted && (withdrawn&m != 0 || all.of(useBit).state == Withdrawn):
			kept++
		default:
			said = append(said, Said{Contact: n, Purpose: b.Purpose, Channel: b.Channel, State: b.State, Source: FromBulk, Wording: b.Wording, Batch: batch, Proof: proof})
		}
	}
	return said, kept, nil
}

const batchColumns = "id, purpose, channel, state, reason, job, written, voided, created_at, undone_at, by_name, coalesce((select sha256 from consent_proofs where id = proof), ''), coalesce((select size from consent_proofs where id = proof), 0), proof, undo_job"

func scanBatch(r interface{ Scan(...any) error }) (b Batch, err error) {
	var made, undone int64
	var f ProofRef
	err = r.Scan(&b.ID, &b.Purpose, &b.Channel, &b.State, &b.Reason, &b.Job, &b.Written, &b.Voided, &made, &undone, &b.By, &f.SHA256, &f.Size, &f.ID, &b.undoJob)
	if f.ID != "" {
		b.Proof = &f
	}
	b.CreatedAt, b.UndoneAt = clock.FromMs(made), timeOf(undone)
	return b, err
}

func (s *Service) batch(ctx context.Context, id string) (Batch, error) {
	own, args := onlyOwn(ctx, 2)
	b, err := scanBatch(s.DB.QueryRow(ctx, "select "+batchColumns+" from consent_batches where id = $1"+own, append([]any{id}, args...)...))
	if db.NoRows(err) {
		return b, errs.New(errs.NotFound, "consent.no_such_batch", "id", id)
	}
	return b, err
}

// Work reads a change of many with how far it is.
func (s *Service) Work(ctx context.Context, id string) (BatchWork, error) {
	b, err := s.batch(ctx, id)
	if err != nil {
		return BatchWork{}, err
	}
	out := BatchWork{Batch: b, State: jobs.Succeeded}
	job, err := s.Jobs.Get(ctx, cmp.Or(b.undoJob, b.Job))
	if err != nil {
		if errs.As(err).Kind == errs.NotFound { // old jobs are tidied away
			return out, nil
		}
		return out, err
	}
	out.State, out.Done, out.Total = job.State, job.Done, job.Total
	return out, nil
}

// onlyOwn is the condition on changes of many for callers who do not see
// everybody's customers: they get to see and undo what they began themselves.
func onlyOwn(ctx context.Context, place int) (cond string, args []any) {
	p := principal(ctx)
	if p.Scope.All {
		return "", nil
	}
	return fmt.Sprintf(" and by_id = $%d", place), []any{p.ID}
}

// Batches lists the newest changes of many.
func (s *Service) Batches(ctx context.Context, cursor string, limit int) (items []Batch, next string, err error) {
	c := suppressionCursor{T: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	own, args := onlyOwn(ctx, 3)
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from consent_batches where (created_at < $1 or created_at = $1 and id < $2)%s order by created_at desc, id desc limit %d", batchColumns, own, limit+1),
		append([]any{c.T, c.ID}, args...)...)
	items, err = db.Collect(rows, err, func(r *sql.Rows) (Batch, error) { return scanBatch(r) })
	if err != nil {
		return nil, "", fmt.Errorf("list changes of many: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		next = httpx.EncodeCursor(suppressionCursor{clock.Ms(end.CreatedAt), end.ID})
	}
	return items, next, nil
}

// UndoChange takes a change of many back: what holds is as if it had never been.
// What people said since stays.
func (s *Service) UndoChange(ctx context.Context, id string) (Batch, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		b, err := s.batch(ctx, id)
		if err != nil {
			return err
		}
		if b.UndoneAt != nil {
			return errs.New(errs.Conflict, "consent.undone_already")
		}
		job, err := s.Jobs.Get(ctx, b.Job)
		if err != nil {
			return err
		}
		if !job.State.Final() {
			return errs.New(errs.Conflict, "consent.still_running")
		}
		undo, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobUndo, Title: job.Title, Unit: "rows", Link: "/consent", Params: changeParams{Batch: id}, Key: "undo " + id})
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update consent_batches set undone_at = $1, undo_job = $2 where id = $3", s.Clock.Now().UnixMilli(), undo.ID, id); err != nil {
			return err
		}
		return s.record(ctx, "consent.bulk_undone", audit.Object{Type: "consent_batch", ID: id}, map[string]any{"purpose": b.Purpose, "state": b.State, "written": b.Written})
	})
	if err != nil {
		return Batch{}, fmt.Errorf("undo a change of consents: %w", err)
	}
	return s.batch(ctx, id)
}

func (s *Service) runUndo(ctx context.Context, run jobs.Run) error {
	var p changeParams
	if err := run.Params(&p); err != nil {
		return err
	}
	n, err := s.VoidBatch(ctx, p.Batch, run.Progress)
	if err != nil {
		return err
	}
	return run.Result(map[string]int64{"voided": n})
}

// VoidBatch takes every row of a bulk change or an import back. Running it again
// goes on where it stopped; progress may be nil.
func (s *Service) VoidBatch(ctx context.Context, batch string, progress func(done, total int64)) (int64, error) {
	if batch == "" {
		return 0, nil
	}
	var total, done, after int64
	if err := s.DB.QueryRow(ctx, "select count(*) from consent_ledger where batch = $1 and voids = 0", batch).Scan(&total); err != nil {
		return 0, fmt.Errorf("count what to take back: %w", err)
	}
	by := principal(ctx)
	for {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		rows, err := s.DB.Query(ctx, "select "+strings.Join(entryColumns, ",")+` from consent_ledger where batch = $1 and voids = 0 and seq > $2 order by seq limit 200`, batch, after)
		olds, err := db.Collect(rows, err, scanEntry)
		if err != nil {
			return done, fmt.Errorf("find what to take back: %w", err)
		}
		if len(olds) == 0 {
			return done, nil
		}
		after = olds[len(olds)-1].seq
		n := int64(len(olds))
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			seqs := make([]int64, len(olds))
			for i := range olds {
				seqs[i] = olds[i].seq
			}
			gone := map[int64]bool{}
			err := inChunks(ctx, s.DB, "see what is taken back", "select voids from consent_ledger where voids <> 0 and voids in (%s)", nil, seqs, func(r *sql.Rows) error {
				var seq int64
				err := r.Scan(&seq)
				gone[seq] = true
				return err
			})
			if err != nil {
				return err
			}
			left := slices.DeleteFunc(slices.Clone(olds), func(e entry) bool { return gone[e.seq] })
			if err := s.void(ctx, left, FromBulk, Proof{StaffID: by.ID, StaffName: by.Name}); err != nil {
				return err
			}
			_, err = s.DB.Exec(ctx, "update consent_batches set voided = voided + $1 where id = $2", int64(len(left)), batch)
			return err
		})
		if err != nil {
			return done, fmt.Errorf("take consents back: %w", err)
		}
		if done += n; progress != nil {
			progress(done, total)
		}
	}
}
