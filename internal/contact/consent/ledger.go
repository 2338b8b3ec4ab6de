package consent

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/vault"
)

// proofField names sealed proofs to the keyring.
const proofField = "consent.proof"

// Sealed are the columns of this package that hold sealed values, for key
// rotation: the chain holds the mark of a proof, so its text may be sealed anew.
func Sealed() []vault.Column {
	return []vault.Column{
		{Table: "consent_ledger", Key: "seq:n", Column: "proof_enc", Field: proofField},
		{Table: "consent_proofs", Key: "id", Column: "name_enc", Field: proofFileField},
	}
}

// entry is a row of the ledger as it is kept.
type entry struct {
	seq        int64
	id         string
	contact    int64
	purpose    string
	channel    Channel
	state      State
	at         int64
	recordedAt int64
	source     Source
	wording    int64
	batch      string
	voids      int64
	proofEnc   string
	proofMark  string
	hash       string
}

// digest chains the row to the one before it. The key is the installation's, so
// whoever has only the database can neither change a row nor make one.
func (s *Service) digest(prev string, e *entry) string {
	var b strings.Builder
	for _, part := range []string{prev, strconv.FormatInt(e.seq, 10), e.id, strconv.FormatInt(e.contact, 10), e.purpose, string(e.channel), string(e.state),
		strconv.FormatInt(e.at, 10), strconv.FormatInt(e.recordedAt, 10), string(e.source), strconv.FormatInt(e.wording, 10), e.batch,
		strconv.FormatInt(e.voids, 10), e.proofMark} {
		b.WriteString(strconv.Itoa(len(part)))
		b.WriteByte(':')
		b.WriteString(part)
	}
	return s.Keys.Index("consent.ledger", b.String())
}

// mark is what the chain holds of a proof: it proves the proof and tells nothing of it.
func (s *Service) mark(id, proof string) string {
	return s.Keys.Index("consent.proof", id+"\x00"+proof)
}

// seal puts a proof away. No proof is kept as nothing.
func (s *Service) seal(e *entry, p Proof) error {
	if p == (Proof{}) {
		return nil
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode proof: %w", err)
	}
	e.proofMark = s.mark(e.id, string(raw))
	e.proofEnc, err = s.Keys.Seal(proofField, string(raw))
	return err
}

// writing is one batch on its way into the ledger.
type writing struct {
	entries []entry
	facts   []event.Fact
	head    head
}

type head struct {
	seq  int64
	hash string
}

// lockHead takes the end of the chain: one writer at a time, until the transaction ends.
func (s *Service) lockHead(ctx context.Context) (h head, err error) {
	err = s.DB.QueryRow(ctx, "update consent_head set name = name where name = 'ledger' returning seq, hash").Scan(&h.seq, &h.hash)
	if err != nil {
		return h, fmt.Errorf("lock the ledger: %w", err)
	}
	return h, nil
}

// Write puts what people said into the ledger, changes what holds now, and states
// facts, in the transaction of ctx or one of its own. Purposes and wordings must
// be known: see Purposes.
func (s *Service) Write(ctx context.Context, said []Said) error {
	_, err := s.write(ctx, said, true)
	return err
}

// write is Write that tells what was written; without tell no fact is stated,
// because one that says so is in the stream already.
func (s *Service) write(ctx context.Context, said []Said, tell bool) ([]entry, error) {
	if len(said) == 0 {
		return nil, nil
	}
	list, err := s.Purposes(ctx)
	if err != nil {
		return nil, err
	}
	var out []entry
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		nums := make([]int64, len(said))
		for i := range said {
			nums[i] = said[i].Contact
		}
		roots, err := s.rootsOf(ctx, nums) // locks contacts, before the ledger
		if err != nil {
			return err
		}
		w := writing{}
		if w.head, err = s.lockHead(ctx); err != nil {
			return err
		}
		now := s.Clock.Now().UnixMilli()
		for i := range said {
			if err := s.prepare(&w, list, &said[i], now, tell); err != nil {
				return err
			}
		}
		if err := s.insert(ctx, &w); err != nil {
			return err
		}
		if err := s.apply(ctx, w.entries, roots); err != nil {
			return err
		}
		if len(w.facts) > 0 {
			if err := s.Emit.Emit(ctx, w.facts...); err != nil {
				return fmt.Errorf("state consent: %w", err)
			}
		}
		out = w.entries
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("write consent: %w", err)
	}
	return out, nil
}

// prepare makes the next row of the chain, and its fact.
func (s *Service) prepare(w *writing, list purposes, d *Said, now int64, tell bool) error {
	at := now
	if !d.At.IsZero() {
		at = min(clock.Ms(d.At), now) // nothing is said in the future
	}
	if d.State != Granted && d.State != Withdrawn {
		return fmt.Errorf("consent of contact %d: state %q", d.Contact, d.State)
	}
	name := ""
	if d.Purpose != Everything {
		p := list.find(d.Purpose)
		if p == nil {
			return errNoPurpose(d.Purpose)
		}
		if d.Channel != All && !p.uses(d.Channel) {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("channel", "consent.channel_not_used", "purpose", d.Purpose, "channel", string(d.Channel)))
		}
		if d.Wording == 0 {
			d.Wording = p.on(at)
		} else if _, ok := p.wording(d.Wording); !ok {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("wording", "consent.no_such_wording", "version", d.Wording))
		}
		name = p.Name.ZH
	} else {
		d.Channel, d.Wording = All, 0
	}
	e := entry{seq: w.head.seq + 1, id: s.IDs.New("cn"), contact: d.Contact, purpose: d.Purpose, channel: d.Channel, state: d.State, at: at, recordedAt: now,
		source: d.Source, wording: d.Wording, batch: d.Batch}
	if err := s.seal(&e, d.Proof); err != nil {
		return err
	}
	s.link(w, &e)
	if tell {
		w.facts = append(w.facts, s.fact(&e, name))
	}
	return nil
}

// link puts a row at the end of the chain.
func (s *Service) link(w *writing, e *entry) {
	e.hash = s.digest(w.head.hash, e)
	w.head = head{e.seq, e.hash}
	w.entries = append(w.entries, *e)
}

// fact states a row. Its message id is the row's id: so the row's own fact is
// known when it comes back with the stream.
func (s *Service) fact(e *entry, purposeName string) event.Fact {
	name := event.NameConsentGranted
	if e.state == Withdrawn {
		name = event.NameConsentWithdrawn
	}
	props, _ := json.Marshal(map[string]any{"purpose": e.purpose, "purposeName": purposeName, "channel": e.channel, "source": e.source, "wording": e.wording}) // plain values
	return event.Fact{MessageID: e.id, Type: event.Track, Name: name, Contact: e.contact, Timestamp: e.at, ReceivedAt: e.recordedAt, Source: sourceName, Properties: props}
}

var entryColumns = []string{"seq", "id", "contact", "purpose", "channel", "state", "at", "recorded_at", "source", "wording", "batch", "voids", "proof_enc", "proof_mark", "hash"}

// insert writes the rows and moves the end of the chain.
func (s *Service) insert(ctx context.Context, w *writing) error {
	const rowsAtOnce = 64
	for part := range slices.Chunk(w.entries, rowsAtOnce) {
		args := make([]any, 0, len(part)*len(entryColumns))
		for _, e := range part {
			args = append(args, e.seq, e.id, e.contact, e.purpose, string(e.channel), string(e.state), e.at, e.recordedAt, string(e.source), e.wording, e.batch, e.voids, e.proofEnc, e.proofMark, e.hash)
		}
		if _, err := s.DB.Exec(ctx, "insert into consent_ledger ("+strings.Join(entryColumns, ",")+") values "+rowValues(len(part), len(entryColumns)), args...); err != nil {
			return fmt.Errorf("write the ledger: %w", err)
		}
	}
	if _, err := s.DB.Exec(ctx, "update consent_head set seq = $1, hash = $2 where name = 'ledger'", w.head.seq, w.head.hash); err != nil {
		return fmt.Errorf("move the end of the ledger: %w", err)
	}
	return nil
}

// rowValues are placeholders for rows of columns: ($1,$2),($3,$4).
func rowValues(rows, cols int) string {
	var b strings.Builder
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(" + db.In(r*cols+1, cols) + ")")
	}
	return b.String()
}

func scanEntry(r *sql.Rows) (e entry, err error) {
	err = r.Scan(&e.seq, &e.id, &e.contact, &e.purpose, &e.channel, &e.state, &e.at, &e.recordedAt, &e.source, &e.wording, &e.batch, &e.voids, &e.proofEnc, &e.proofMark, &e.hash)
	return e, err
}

// show opens a row for people to read.
func (s *Service) show(e *entry) (Row, error) {
	r := Row{Seq: e.seq, ID: e.id, Purpose: e.purpose, Channel: e.channel, State: e.state, At: clock.FromMs(e.at), RecordedAt: clock.FromMs(e.recordedAt),
		Source: e.source, Wording: e.wording, Batch: e.batch, Voids: e.voids, Hash: e.hash}
	if e.proofEnc == "" {
		return r, nil
	}
	raw, err := s.Keys.Open(proofField, e.proofEnc)
	if err == nil {
		err = json.Unmarshal([]byte(raw), &r.Proof)
	}
	if err != nil {
		return r, fmt.Errorf("open the proof of %s: %w", e.id, err)
	}
	return r, nil
}

// void takes rows back: what holds now is as if they had never been. It joins
// the transaction of ctx.
func (s *Service) void(ctx context.Context, olds []entry, source Source, p Proof) error {
	if len(olds) == 0 {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		nums := make([]int64, len(olds))
		for i := range olds {
			nums[i] = olds[i].contact
		}
		roots, err := s.rootsOf(ctx, nums)
		if err != nil {
			return err
		}
		w := writing{}
		if w.head, err = s.lockHead(ctx); err != nil {
			return err
		}
		now := s.Clock.Now().UnixMilli()
		touched := map[int64]bool{}
		for i := range olds {
			o := &olds[i]
			e := entry{seq: w.head.seq + 1, id: s.IDs.New("cn"), contact: o.contact, purpose: o.purpose, channel: o.channel, state: voided, at: now, recordedAt: now,
				source: source, batch: o.batch, voids: o.seq}
			if err := s.seal(&e, p); err != nil {
				return err
			}
			s.link(&w, &e)
			touched[rootIn(roots, o.contact)] = true
		}
		if err := s.insert(ctx, &w); err != nil {
			return err
		}
		before, after, err := s.recompute(ctx, keysOf(touched), true)
		if err != nil {
			return err
		}
		return s.tellVoided(ctx, olds, w.entries, roots, before, after)
	})
}

// tellVoided states what holds again where a row was taken back and that changed something.
func (s *Service) tellVoided(ctx context.Context, olds, voids []entry, roots map[int64]int64, before, after map[stateKey]stand) error {
	list, err := s.Purposes(ctx)
	if err != nil {
		return err
	}
	var facts []event.Fact
	for i := range olds {
		key := stateKey{rootIn(roots, olds[i].contact), olds[i].purpose}
		was, is := before[key], after[key]
		m, _ := bitOf(olds[i].channel)
		a, b := was.of(m), is.of(m)
		if a.state == b.state {
			continue
		}
		e := voids[i]
		e.state = b.state
		if b.state == "" { // nobody said anything again: not granted, if that is what it was
			e.state = Withdrawn
			if a.state == Withdrawn {
				continue
			}
		}
		name := ""
		if p := list.find(e.purpose); p != nil {
			name = p.Name.ZH
		}
		facts = append(facts, s.fact(&e, name))
	}
	if len(facts) == 0 {
		return nil
	}
	return s.Emit.Emit(ctx, facts...)
}

// history lists the ledger of everybody that is one person, newest first.
func (s *Service) history(ctx context.Context, nums []int64, before int64, limit int) ([]entry, error) {
	if before == 0 {
		before = 1 << 62
	}
	var out []entry
	for part := range slices.Chunk(nums, 400) {
		args := []any{before, limit}
		for _, n := range part {
			args = append(args, n)
		}
		rows, err := s.DB.Query(ctx, "select "+strings.Join(entryColumns, ",")+" from consent_ledger where seq < $1 and contact in ("+db.In(3, len(part))+") order by seq desc limit $2", args...)
		got, err := db.Collect(rows, err, scanEntry)
		if err != nil {
			return nil, fmt.Errorf("read the ledger of a person: %w", err)
		}
		out = append(out, got...)
	}
	slices.SortFunc(out, func(a, b entry) int { return int(b.seq - a.seq) })
	return out[:min(limit, len(out))], nil
}

func timeOf(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := clock.FromMs(ms)
	return &t
}
