package match

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact/match/score"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// base is up to when changes of people are on the list; zero: nothing is.
type base struct {
	At int64 `json:"at"` // UTC ms
}

const (
	readAtOnce    = 500
	compareAtOnce = 2000
	// overlap reads again who changed shortly before the last run: a change that
	// was under way then carries an earlier time than its commit.
	overlap = 10 * time.Minute
	// Beyond this many changes, and a quarter of all people, reading everybody is cheaper.
	manyChanges = 20_000
	learnFrom   = 12_000 // candidate pairs that are enough to learn from
	sampleSize  = 2_000  // people from whom pairs are drawn at random
	randomPairs = 20_000
	maxNames    = 100_000 // names whose number is remembered during a run
	maxPeople   = 20_000  // people who are kept open at a time
)

type runParams struct {
	Full bool `json:"full"`
}

// Enqueue asks for a run; one that waits or works already is given back.
func (s *Service) Enqueue(ctx context.Context, full bool) (jobs.Job, error) {
	return s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobRun, Title: title(ctx), Unit: "contacts", Params: runParams{full}, Link: "/matches", Key: jobRun})
}

// title names the job in the language of who asked; the nightly one in Chinese.
func title(ctx context.Context) string {
	if httpx.Lang(ctx) == i18n.EN {
		return "Possible duplicates"
	}
	return "疑似重复"
}

func (s *Service) runJob(ctx context.Context, run jobs.Run) error {
	var p runParams
	if err := run.Params(&p); err != nil {
		return err
	}
	// whoever asked, everybody is compared: what each sees of the list is theirs to see
	r, err := s.Run(auth.With(ctx, auth.System("koipond")), p.Full, run.Progress)
	if err != nil {
		return err
	}
	return run.Result(r)
}

// running is one run.
type running struct {
	*Service
	scorer   *score.Scorer
	number   int64
	report   Report
	progress func(done, total int64)
	names    map[string]int64
	open     map[int64]*score.Person
	failed   error // of a look-up inside the scorer
}

// Run finds pairs that may be one person: among everybody when full, else
// among those who changed since the last run and all others. A run that was
// stopped leaves a list that is right as far as it goes; the next begins anew.
func (s *Service) Run(ctx context.Context, full bool, progress func(done, total int64)) (Report, error) {
	begun := s.Clock.Now()
	took := time.Now()
	r, err := s.begin(ctx, progress)
	if err != nil {
		return Report{}, fmt.Errorf("look for possible duplicates: %w", err)
	}
	var since base
	if _, err := s.recall(ctx, stateBase, &since); err != nil {
		return Report{}, err
	}
	full = full || since.At == 0
	if !full {
		var enough bool
		if enough, err = r.changed(ctx, since.At-overlap.Milliseconds()); err == nil && !enough {
			full = true
		}
	}
	if full && err == nil {
		err = r.everybody(ctx)
	}
	if err != nil {
		return Report{}, fmt.Errorf("look for possible duplicates: %w", err)
	}
	r.report.At, r.report.Full = begun, full
	r.report.Seconds = float64(time.Since(took).Milliseconds()) / 1000
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.remember(ctx, stateBase, base{begun.UnixMilli()}); err != nil {
			return err
		}
		return s.remember(ctx, stateReport, r.report)
	})
	r.progress(r.report.People, r.report.People)
	return r.report, err
}

func (s *Service) begin(ctx context.Context, progress func(done, total int64)) (*running, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	r := &running{Service: s, progress: progress, names: map[string]int64{}, open: map[int64]*score.Person{}}
	set, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if r.report.People, err = s.Contacts.CountPeople(ctx); err != nil {
		return nil, err
	}
	model, err := s.model(ctx)
	if err != nil {
		return nil, err
	}
	r.scorer = &score.Scorer{Model: model, People: r.report.People, Named: func(reading string) int64 { return r.named(ctx, reading) }}
	for _, f := range score.Fields() {
		r.scorer.Ignore[f] = !slices.Contains(set.Fields, f.String())
	}
	if _, err := s.recall(ctx, stateRun, &r.number); err != nil {
		return nil, err
	}
	r.number++
	if err := s.remember(ctx, stateRun, r.number); err != nil {
		return nil, err
	}
	return r, s.follow(ctx)
}

// named tells how many people have a name; beyond some thousands it does not matter.
func (r *running) named(ctx context.Context, reading string) int64 {
	if n, ok := r.names[reading]; ok {
		return n
	}
	n, err := r.Contacts.CountNamed(ctx, reading, int(max(2000, r.report.People/200)))
	if err != nil {
		r.failed = err
		return 0
	}
	if len(r.names) >= maxNames {
		clear(r.names)
	}
	r.names[reading] = n
	return n
}

// everybody is a full run: read all people, sort their keys, compare who shares one.
func (r *running) everybody(ctx context.Context) (err error) {
	r.report.Read, r.report.Compared, r.report.Found, r.report.Skipped = 0, 0, 0, 0
	if err := r.remember(ctx, stateBase, base{}); err != nil { // if this run is stopped, the next must begin anew
		return err
	}
	if err := r.clearKeys(ctx); err != nil {
		return err
	}
	keys, err := newSpill(r.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = keys.remove() }() // hashes only; what stays is cleared with the folder
	sample, err := r.readAll(ctx, keys)
	if err != nil {
		return err
	}
	pairs, err := newSpill(r.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = pairs.remove() }()
	if err := r.block(ctx, keys, pairs); err != nil {
		return err
	}
	_ = keys.remove() // the disk is needed
	if err := r.learn(ctx, pairs, sample); err != nil {
		return err
	}
	if err := r.weighAll(ctx, pairs); err != nil {
		return err
	}
	if _, err := r.DB.Exec(ctx, "delete from match_pairs where state = 'open' and run <> $1", r.number); err != nil {
		return fmt.Errorf("take away pairs that are none any more: %w", err)
	}
	return nil
}

func (r *running) readAll(ctx context.Context, keys *spill) (sample []*score.Person, err error) {
	rnd := rand.New(rand.NewPCG(uint64(r.number), 7))
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		nums, err := r.Contacts.WalkPeople(ctx, 0, after, readAtOnce)
		if err != nil || len(nums) == 0 {
			return sample, err
		}
		after = nums[len(nums)-1]
		people, err := r.read(ctx, nums, true)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			for _, k := range p.keys {
				if err := keys.add(entry{k, p.num}); err != nil {
					return nil, err
				}
			}
			r.report.Read++
			if len(sample) < sampleSize { // each has the same chance to be in the sample
				sample = append(sample, p.p)
			} else if i := rnd.Int64N(r.report.Read); i < sampleSize {
				sample[i] = p.p
			}
		}
		r.progress(min(r.report.Read, r.report.People)/2, r.report.People)
	}
}

// block writes keys in their order and gathers the pairs that share one.
func (r *running) block(ctx context.Context, keys, pairs *spill) error {
	var rows []entry
	var block []int64
	key, size := int64(0), 0
	end := func() error {
		if size > blockLimit {
			r.report.Skipped++
			return nil
		}
		for i, a := range block {
			for _, b := range block[i+1:] {
				if err := pairs.add(entry{a, b}); err != nil { // ascending: a < b
					return err
				}
			}
		}
		return nil
	}
	write := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.DB.Tx(ctx, func(ctx context.Context) error { return r.insertKeys(ctx, rows) })
		rows = rows[:0]
		return err
	}
	err := keys.each(func(e entry) error {
		if e.hi != key || size == 0 {
			if err := end(); err != nil {
				return err
			}
			key, size, block = e.hi, 0, block[:0]
		}
		if size++; size > blockLimit+1 { // enough is known of it: too common
			return nil
		}
		block = append(block, e.lo)
		if rows = append(rows, e); len(rows) >= 20*rowsAtOnce {
			return write()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := end(); err != nil {
		return err
	}
	return write()
}

// learn bends the model to the pond, from a part of the candidates.
func (r *running) learn(ctx context.Context, pairs *spill, sample []*score.Person) error {
	every := max(1, pairs.added/learnFrom)
	var some []score.Vector
	var batch []entry
	n := int64(0)
	look := func() error {
		vs, err := r.compare(ctx, batch)
		some = append(some, vs...)
		batch = batch[:0]
		return err
	}
	err := pairs.each(func(e entry) error {
		if n++; n%every != 0 {
			return nil
		}
		if batch = append(batch, e); len(batch) < compareAtOnce {
			return nil
		}
		return look()
	})
	if err == nil {
		err = look()
	}
	if err != nil {
		return err
	}
	clear(r.open)
	rnd := rand.New(rand.NewPCG(uint64(r.number), 11))
	var random []score.Vector
	for range randomPairs {
		if len(sample) < 2 {
			break
		}
		i := rnd.IntN(len(sample))
		j := (i + 1 + rnd.IntN(len(sample)-1)) % len(sample)
		random = append(random, score.Compare(sample[i], sample[j]))
	}
	return r.adopt(ctx, score.Learn(score.Default(), some, random))
}

// weighAll compares all candidate pairs.
func (r *running) weighAll(ctx context.Context, pairs *spill) error {
	var batch []entry
	done := int64(0)
	weigh := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := r.weigh(ctx, batch)
		done += int64(len(batch))
		batch = batch[:0]
		half := r.report.People / 2
		r.progress(half+int64(float64(r.report.People-half)*min(1, float64(done)/float64(max(1, pairs.added)))), r.report.People)
		return err
	}
	err := pairs.each(func(e entry) error {
		if batch = append(batch, e); len(batch) < compareAtOnce {
			return nil
		}
		return weigh()
	})
	if err != nil {
		return err
	}
	return weigh()
}

// changed is a run over those who changed. enough is false when so many did
// that a full run is the better way.
func (r *running) changed(ctx context.Context, since int64) (enough bool, err error) {
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		nums, err := r.Contacts.WalkPeople(ctx, since, after, readAtOnce)
		if err != nil || len(nums) == 0 {
			return true, err
		}
		after = nums[len(nums)-1]
		if r.report.Read += int64(len(nums)); r.report.Read > max(manyChanges, r.report.People/4) {
			return false, nil
		}
		if err := r.changedOnes(ctx, nums); err != nil {
			return false, err
		}
		r.progress(min(r.report.Read, r.report.People-1), r.report.People)
	}
}

func (r *running) changedOnes(ctx context.Context, nums []int64) error {
	people, err := r.read(ctx, nums, true)
	if err != nil {
		return err
	}
	var keys []int64
	for _, p := range people {
		keys = append(keys, p.keys...)
	}
	slices.Sort(keys)
	members, err := r.members(ctx, slices.Compact(keys))
	if err != nil {
		return err
	}
	var rows, pairs []entry
	for _, p := range people {
		for _, k := range p.keys {
			if len(members[k]) > blockLimit {
				r.report.Skipped++
				continue
			}
			known := false
			for _, o := range members[k] {
				if known = known || o == p.num; o != p.num {
					pairs = append(pairs, entry{min(o, p.num), max(o, p.num)})
				}
			}
			if !known {
				members[k] = append(members[k], p.num)
				rows = append(rows, entry{k, p.num})
			}
		}
	}
	slices.SortFunc(rows, entry.compare)
	if err := r.DB.Tx(ctx, func(ctx context.Context) error { return r.insertKeys(ctx, rows) }); err != nil {
		return err
	}
	listed, err := r.listed(ctx, nums)
	if err != nil {
		return err
	}
	pairs = append(pairs, listed...)
	slices.SortFunc(pairs, entry.compare)
	pairs = slices.Compact(pairs)
	clear(r.open)
	for _, p := range people {
		r.open[p.num] = p.p
	}
	var gone []entry
	for chunk := range slices.Chunk(pairs, compareAtOnce) {
		low, err := r.weigh(ctx, chunk)
		if err != nil {
			return err
		}
		gone = append(gone, low...)
	}
	return r.unlist(ctx, listed, gone)
}

// compare reads who is not open yet and compares pairs; those of whom one is
// gone are left out.
func (r *running) compare(ctx context.Context, pairs []entry) ([]score.Vector, error) {
	if err := r.opened(ctx, pairs); err != nil {
		return nil, err
	}
	out := make([]score.Vector, 0, len(pairs))
	for _, e := range pairs {
		if a, b := r.open[e.hi], r.open[e.lo]; a != nil && b != nil {
			out = append(out, score.Compare(a, b))
		}
	}
	return out, nil
}

// opened reads the people of pairs that come in ascending order: whoever is
// below the first of them is not met again.
func (r *running) opened(ctx context.Context, pairs []entry) error {
	if len(r.open) > maxPeople && len(pairs) > 0 {
		for n := range r.open {
			if n < pairs[0].hi {
				delete(r.open, n)
			}
		}
		if len(r.open) > maxPeople {
			clear(r.open)
		}
	}
	var miss []int64
	for _, e := range pairs {
		for _, n := range [2]int64{e.hi, e.lo} {
			if _, ok := r.open[n]; !ok {
				r.open[n] = nil
				miss = append(miss, n)
			}
		}
	}
	people, err := r.read(ctx, miss, false)
	if err != nil {
		return err
	}
	for _, p := range people {
		r.open[p.num] = p.p
	}
	return nil
}

// weigh compares pairs and puts on the list those that score enough; it gives
// back those that do not.
func (r *running) weigh(ctx context.Context, pairs []entry) (low []entry, err error) {
	if err := r.opened(ctx, pairs); err != nil {
		return nil, err
	}
	var found []candidate
	for _, e := range pairs {
		a, b := r.open[e.hi], r.open[e.lo]
		if a == nil || b == nil {
			low = append(low, e)
			continue
		}
		r.report.Compared++
		v := r.scorer.Weigh(score.Compare(a, b))
		if r.failed != nil {
			return nil, r.failed
		}
		if v.Score() < keepFrom {
			low = append(low, e)
			continue
		}
		found = append(found, candidate{e, v})
	}
	if found, err = r.unrejected(ctx, found); err != nil {
		return nil, err
	}
	n, err := r.list(ctx, found)
	r.report.Found += n
	return low, err
}

// model is what the last full run learnt, or the default.
func (s *Service) model(ctx context.Context) (score.Model, error) {
	var m modelView
	ok, err := s.recall(ctx, stateModel, &m)
	if err != nil || !ok {
		return score.Default(), err
	}
	return m.model(), nil
}

// adopt weighs by what was learnt from now on.
func (r *running) adopt(ctx context.Context, l score.Lesson) error {
	r.scorer.Model = l.Model
	return r.remember(ctx, stateModel, viewOf(l))
}
