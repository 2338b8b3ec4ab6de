package contact

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// jobRewrite brings the values of an attribute into another form, contact by contact.
const jobRewrite = "attribute.rewrite"

// What a rewrite does.
const (
	opSettle = "settle" // the form that the definition says, sealed and indexed as it says
	opRetype = "retype" // check what fits the new type, switch, settle
	opRemap  = "remap"  // options become others, or none
	opMerge  = "merge"  // values go to another attribute; this one is archived
)

// Failing says what becomes of values that do not fit a new type.
type Failing string

// The choices: left as they are and marked, put as text into another attribute, or dropped.
const (
	FailKeep Failing = "keep"
	FailMove Failing = "move"
	FailDrop Failing = "drop"
)

type rewriteParams struct {
	Key        string                `json:"key"`
	Op         string                `json:"op"`
	Definition *attribute.Definition `json:"definition,omitempty"` // opRetype: the new one
	Failing    Failing               `json:"failing,omitempty"`
	Fallback   string                `json:"fallback,omitempty"` // FailMove: the attribute that takes them
	DryRun     bool                  `json:"dryRun,omitempty"`   // opRetype: only count
	Run        string                `json:"run,omitempty"`      // opRemap, opMerge: the run that can be undone
	Options    map[string]string     `json:"options,omitempty"`  // opRemap: what becomes of options, "" none
	To         string                `json:"to,omitempty"`       // opMerge: attribute
	Wins       Wins                  `json:"wins,omitempty"`     // opMerge
}

// RewriteResult is what a rewrite did.
type RewriteResult struct {
	Values  int64            `json:"values"`
	Changed int64            `json:"changed"`
	Fails   int64            `json:"fails" doc:"Values that do not fit"`
	Reasons map[string]int64 `json:"reasons,omitempty" doc:"Why, by message code"`
}

type rewritePlace struct {
	Settling bool          `json:"settling"` // past the check and the switch
	After    int64         `json:"after"`
	Result   RewriteResult `json:"result"`
}

// rewriteWindow is how many contact numbers one step looks at: it holds up the
// writers of contacts for some milliseconds.
const rewriteWindow = 2000

var errEnough = errors.New("enough")

// startRewrite enqueues the job; in a transaction it starts when that commits.
func (s *Service) startRewrite(ctx context.Context, a *attribute.Attribute, p rewriteParams) error {
	_, err := s.enqueueRewrite(ctx, a, p)
	return err
}

func (s *Service) enqueueRewrite(ctx context.Context, a *attribute.Attribute, p rewriteParams) (jobs.Job, error) {
	if s.Jobs == nil {
		return jobs.Job{}, errs.New(errs.Unavailable, "attribute.no_jobs")
	}
	key := jobRewrite + ":" + p.Key
	if p.DryRun {
		key += ":dry"
	}
	j, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobRewrite, Title: a.Name(false), Unit: "contacts", Params: p, Link: "/attributes",
		Key: key, FilePermission: auth.AttributeWrite})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("start rewrite: %w", err)
	}
	return j, nil
}

// valueOf is one contact's value as it is kept.
type valueOf struct {
	num  int64
	id   string
	kept json.RawMessage
}

// eachValue walks the contacts that have an attribute, by number, in steps.
// Merged ones are left alone: what they had is their survivor's. fn may end it with errEnough.
func (s *Service) eachValue(ctx context.Context, key string, after int64, fn func(ctx context.Context, batch []valueOf) error) error {
	most, err := s.maxNum(ctx)
	if err != nil {
		return err
	}
	for ; after < most; after += rewriteWindow {
		batch, err := s.window(ctx, key, after)
		if err != nil {
			return err
		}
		if err := fn(ctx, batch); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) maxNum(ctx context.Context) (int64, error) {
	var n int64
	if err := s.DB.QueryRow(ctx, "select coalesce(max(num), 0) from contacts").Scan(&n); err != nil {
		return 0, fmt.Errorf("find the last contact: %w", err)
	}
	return n, nil
}

// recordsHaving reads the records of a window's contacts that have an attribute.
func (s *Service) recordsHaving(ctx context.Context, key string, after int64) ([]*record, error) {
	rows, err := s.DB.Query(ctx, `select num, name, gender, birthday, city, avatar, attributes, written from contacts where num > $1 and num <= $2 and shown <> 0 and attributes like $3 escape '\' order by num`,
		after, after+rewriteWindow, likeKey(key))
	out, err := db.Collect(rows, err, func(r *sql.Rows) (*record, error) {
		var num int64
		rec := &record{}
		return rec, scanRecord(r, &num, rec)
	})
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	return slices.DeleteFunc(out, func(r *record) bool { return r.attributes[key] == nil }), nil
}

func (s *Service) window(ctx context.Context, key string, after int64) ([]valueOf, error) {
	rows, err := s.DB.Query(ctx, `select num, id, attributes from contacts where num > $1 and num <= $2 and shown <> 0 and attributes like $3 escape '\' order by num`,
		after, after+rewriteWindow, likeKey(key))
	out, err := db.Collect(rows, err, func(r *sql.Rows) (v valueOf, err error) {
		var encoded string
		if err := r.Scan(&v.num, &v.id, &encoded); err != nil {
			return v, err
		}
		m, err := decodeMap[json.RawMessage](encoded)
		v.kept = m[key]
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	return out, nil
}

// runRewrite is the handler of jobRewrite.
func (s *Service) runRewrite(ctx context.Context, run jobs.Run) error {
	var p rewriteParams
	if err := run.Params(&p); err != nil {
		return err
	}
	at := rewritePlace{Settling: p.Op != opRetype}
	if _, err := run.LastCheckpoint(&at); err != nil {
		return err
	}
	if p.Run != "" {
		if err := s.takeUp(ctx, p); err != nil {
			return err
		}
	}
	if !at.Settling {
		if err := s.checkRetype(ctx, run, p, &at); err != nil {
			return err
		}
		if p.DryRun {
			return run.Result(at.Result)
		}
	}
	return s.settle(ctx, run, p, at)
}

// checkRetype counts what does not fit and lists it in the result file, then
// switches the type: from then on everybody reads values as the new one.
// Cancelled before, it leaves everything as it was.
func (s *Service) checkRetype(ctx context.Context, run jobs.Run, p rewriteParams, at *rewritePlace) error {
	to, f := attribute.Compile(*p.Definition, s.engine.readers())
	if f != nil {
		return invalid(f)
	}
	out, err := run.File(p.Key+"-unfit.csv", "text/csv; charset=utf-8")
	if err != nil {
		return err
	}
	if _, err := out.Write([]byte("\xEF\xBB\xBF")); err != nil { // else Excel takes it for another encoding
		return err
	}
	w := csv.NewWriter(out)
	_ = w.Write([]string{"contact", p.Key, "reason"}) // an error stays until Flush
	res := RewriteResult{Reasons: map[string]int64{}}
	most, err := s.maxNum(ctx)
	if err != nil {
		return err
	}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return err
	}
	from := defs.get(p.Key)
	if from == nil {
		return noAttribute(p.Key)
	}
	var seen int64
	err = s.eachValue(ctx, p.Key, 0, func(_ context.Context, batch []valueOf) error {
		for _, v := range batch {
			plain, err := s.engine.openAttribute(p.Key, v.kept)
			if err != nil {
				return err
			}
			res.Values++
			_, f := attribute.Convert(from.Attribute, to, plain)
			if f == nil {
				continue
			}
			res.Fails++
			res.Reasons[f.Code]++
			word := from.Show(plain)
			if from.Personal.Sealed() {
				word = "****"
			}
			_ = w.Write([]string{v.id, cell(word), f.Code})
		}
		w.Flush()
		seen += rewriteWindow
		run.Progress(min(seen, most)/2, most)
		return w.Error()
	})
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	*at = rewritePlace{Settling: true, Result: res}
	if p.DryRun {
		return nil
	}
	return s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		old := defs.get(p.Key)
		if old == nil {
			return noAttribute(p.Key)
		}
		if err := s.saveDefinition(ctx, &definition{Attribute: to, settling: true, before: old.Attribute, archived: old.archived}); err != nil {
			return err
		}
		// entries of the old type would answer questions about the new one
		if _, err := s.DB.Exec(ctx, "delete from contact_attribute_values where attr = $1", p.Key); err != nil {
			return fmt.Errorf("clear attribute values: %w", err)
		}
		if err := s.recordAttribute(ctx, "attribute.retyped", to, map[string]any{"from": old.Type, "to": to.Type, "values": res.Values, "fails": res.Fails}); err != nil {
			return err
		}
		return run.Checkpoint(ctx, *at)
	})
}

// cell keeps spreadsheets from running what a value says.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t", rune(s[0])) {
		return "'" + s
	}
	return s
}

// settle writes the values of all contacts anew, a window a transaction.
func (s *Service) settle(ctx context.Context, run jobs.Run, p rewriteParams, at rewritePlace) error {
	most, err := s.maxNum(ctx)
	if err != nil {
		return err
	}
	for ; at.After < most; at.After += rewriteWindow {
		batch, err := s.window(ctx, p.Key, at.After)
		if err != nil {
			return err
		}
		next := at
		if len(batch) > 0 {
			err := s.DB.Tx(ctx, func(ctx context.Context) error {
				next = at
				if err := s.settleSome(ctx, p, batch, &next.Result); err != nil {
					return err
				}
				save := next
				save.After += rewriteWindow
				if err := s.countRun(ctx, p, next.Result); err != nil {
					return err
				}
				return run.Checkpoint(ctx, save)
			})
			if err != nil {
				return fmt.Errorf("rewrite attribute %s: %w", p.Key, err)
			}
		}
		at.Result = next.Result
		done := min(at.After+rewriteWindow, most)
		if p.Op == opRetype {
			done = (most + done) / 2
		}
		run.Progress(done, most)
		if err := ctx.Err(); err != nil {
			if p.Run != "" && run.Cancelled() {
				return errors.Join(err, s.letGo(context.WithoutCancel(ctx), p))
			}
			return err
		}
	}
	if err := s.settled(ctx, p); err != nil {
		return err
	}
	return run.Result(at.Result)
}

// settled closes the work: the definition is whole again.
func (s *Service) settled(ctx context.Context, p rewriteParams) error {
	return s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		d := defs.get(p.Key)
		if d == nil {
			return nil
		}
		d.settling = false
		switch p.Op {
		case opRemap:
			a, err := s.withoutOptions(ctx, d, p.Options)
			if err != nil {
				return err
			}
			d.Attribute = a
		case opMerge:
			if err := s.moved(ctx, Term{Attribute: p.Key}, &Term{Attribute: p.To}); err != nil {
				return err
			}
			d.archived = true
			if _, err := s.DB.Exec(ctx, "delete from contact_attribute_values where attr = $1", p.Key); err != nil {
				return fmt.Errorf("clear attribute values: %w", err)
			}
		}
		if err := s.endRun(ctx, p); err != nil {
			return err
		}
		return s.saveDefinition(ctx, d)
	})
}

// settleSome rewrites a window inside the transaction of ctx.
func (s *Service) settleSome(ctx context.Context, p rewriteParams, batch []valueOf, res *RewriteResult) error {
	e := s.engine
	if err := lock(ctx, s.DB); err != nil {
		return err
	}
	defs, err := e.definitions(ctx)
	if err != nil {
		return err
	}
	def := defs.get(p.Key)
	if def == nil {
		return noAttribute(p.Key)
	}
	w := newWorld(len(batch))
	w.defs = defs
	nums := make([]int64, len(batch))
	for i, v := range batch {
		nums[i] = v.num
	}
	if err := e.loadStates(ctx, w, nums); err != nil {
		return err
	}
	by := originOf(ctx)
	by.run = p.Run
	var changed []*state
	err = selectIn(ctx, s.DB, "load attributes", "select num, name, gender, birthday, city, avatar, attributes, written from contacts where num in (%s) and shown <> 0", nil, nums, func(r *sql.Rows) error {
		var num int64
		rec := &record{}
		if err := scanRecord(r, &num, rec); err != nil {
			return err
		}
		st := w.states[num]
		if st == nil || st.rec != nil || rec.attributes[p.Key] == nil {
			return nil
		}
		st.rec = rec
		if err := e.rewriteOne(w, st, def, p, by, res); err != nil {
			return err
		}
		if len(rec.edits) > 0 {
			changed = append(changed, st)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.writeRewritten(ctx, defs, changed, nums)
}

// writeRewritten writes records that were changed for their attributes' sake, and
// what lists find nums by.
func (e *engine) writeRewritten(ctx context.Context, defs *definitions, changed []*state, nums []int64) error {
	if err := e.writeRecords(ctx, changed); err != nil {
		return err
	}
	if err := e.writeHistory(ctx, defs, changed); err != nil {
		return err
	}
	return e.reindexAs(ctx, defs, nums)
}

// rewriteOne changes the record of one contact.
func (e *engine) rewriteOne(w *world, st *state, def *definition, p rewriteParams, by origin, res *RewriteResult) error {
	kept := st.rec.attributes[p.Key]
	plain, err := e.openAttribute(p.Key, kept)
	if err != nil {
		return fmt.Errorf("open attribute %s: %w", p.Key, err)
	}
	if p.Op != opRetype {
		res.Values++
	}
	said := st.rec.written[p.Key]
	set := func(key string, v json.RawMessage, by origin) error {
		if v != nil && w.defs.sealed(key, v) {
			if v, err = e.sealAttribute(key, v); err != nil {
				return fmt.Errorf("seal attribute %s: %w", key, err)
			}
		}
		res.Changed++
		st.rec.set(change{key, v}, said, by)
		return nil
	}
	quiet := origin{kind: byMerge} // the same word in another form is no news
	switch p.Op {
	case opRemap:
		v, ok := remapped(def.Attribute, plain, p.Options)
		if !ok {
			return nil
		}
		return set(p.Key, v, by)
	case opMerge:
		into := w.defs.get(p.To)
		if into == nil {
			return noAttribute(p.To)
		}
		v, f := attribute.Convert(def.Attribute, into.Attribute, plain)
		if f != nil {
			res.fail(f)
			return nil // stays, under the archived attribute
		}
		if p.Wins.takes(st.rec.attributes[p.To] != nil, st.rec.written[p.To], said) {
			if err := set(p.To, v, by); err != nil {
				return err
			}
		}
		return set(p.Key, nil, by)
	}
	v, f := def.read(plain)
	if f == nil {
		if string(v) == string(plain) && isSealed(kept) == w.defs.sealed(p.Key, v) {
			return nil
		}
		return set(p.Key, v, quiet)
	}
	if p.Op != opRetype {
		res.fail(f)
	}
	switch p.Failing {
	case FailMove:
		if fb := w.defs.get(p.Fallback); fb != nil {
			if t, bad := fb.ReadText(wordsOf(def, plain)); bad == nil && t != nil {
				if err := set(p.Fallback, t, by); err != nil {
					return err
				}
				return set(p.Key, nil, quiet)
			}
		}
	case FailDrop:
		return set(p.Key, nil, by)
	}
	// Kept as it is, sealed as the definition says.
	if isSealed(kept) != w.defs.sealed(p.Key, plain) {
		return set(p.Key, plain, quiet)
	}
	return nil
}

func (r *RewriteResult) fail(f *attribute.Fault) {
	r.Fails++
	if r.Reasons == nil {
		r.Reasons = map[string]int64{}
	}
	r.Reasons[f.Code]++
}

// wordsOf is a value as people read it, by the definition that made it.
func wordsOf(def *definition, plain json.RawMessage) string {
	if def.before != nil {
		return def.before.Show(plain)
	}
	return def.Show(plain)
}

// remapped gives a value with options become others, or none; false when it
// has none of them.
func remapped(def *attribute.Attribute, plain json.RawMessage, options map[string]string) (json.RawMessage, bool) {
	var one string
	if json.Unmarshal(plain, &one) == nil {
		to, ok := options[one]
		if !ok || to == "" {
			return nil, ok
		}
		return quote(to), true
	}
	var many []string
	if json.Unmarshal(plain, &many) != nil {
		return nil, false
	}
	found := false
	out := []string{}
	for _, id := range many {
		if to, ok := options[id]; ok {
			found = true
			if id = to; id == "" {
				continue
			}
		}
		out = append(out, id)
	}
	if !found {
		return nil, false
	}
	if len(out) == 0 {
		return nil, true
	}
	raw, _ := json.Marshal(out) // strings always encode
	v, f := def.Read(raw)
	return v, f == nil
}
