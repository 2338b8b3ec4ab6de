package audit

import (
	"context"
	"fmt"
	"math"
)

// verifyBatch bounds what Verify holds in memory.
const verifyBatch = 1000

// Verify reads the whole chain and reports the first fault. It neither blocks
// writers nor minds entries that come meanwhile.
func (s *Service) Verify(ctx context.Context) (Report, error) {
	seen := s.anchor.last() // before the head is read: the chain may only be further
	h, last, err := s.store.extent(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("verify audit log: %w", err)
	}
	w := walk{seal: s.seal, seen: seen, report: Report{Head: h.hash}}
	for from := int64(math.MinInt64); ; {
		entries, err := s.store.after(ctx, from, last, verifyBatch)
		if err != nil {
			return Report{}, fmt.Errorf("verify audit log: %w", err)
		}
		for i := range entries {
			w.step(&entries[i])
			from = entries[i].Seq
		}
		if len(entries) < verifyBatch || w.report.Fault != "" {
			break
		}
	}
	w.end(h)
	w.report.OK = w.report.Fault == ""
	return w.report, nil
}

// walk follows the chain. It stops taking note at the first fault.
type walk struct {
	seal   sealer
	seen   head
	seq    int64 // of the last good entry
	hash   string
	report Report
}

func (w *walk) fault(seq int64, f Fault) {
	if w.report.Fault == "" {
		w.report.FirstBad, w.report.Fault = max(seq, 1), f
	}
}

func (w *walk) step(e *Entry) {
	if w.report.Fault != "" {
		return
	}
	w.report.Checked++
	switch {
	case e.Seq < 1:
		w.fault(e.Seq, Inserted)
	case e.Seq != w.seq+1:
		w.fault(w.seq+1, Missing)
	case e.digest() != e.Hash, e.Prev != w.hash, !w.seal.holds(sealEntry, e.Seq, e.Hash, e.seal):
		w.fault(e.Seq, Edited)
	case e.Seq == w.seen.seq && e.Hash != w.seen.hash:
		w.fault(e.Seq, Rolled)
	}
	w.seq, w.hash = e.Seq, e.Hash
}

// end compares the last entry with the head and with what was seen before.
func (w *walk) end(h head) {
	switch {
	case w.report.Fault != "":
	case h.seq > w.seq:
		w.fault(w.seq+1, Cut)
	case w.seen.seq > w.seq:
		w.fault(w.seq+1, Rolled)
	case h.seq < w.seq:
		w.fault(h.seq+1, Inserted)
	case h.seq == 0 && h.hash == "" && h.seal == "":
	case h.hash != w.hash || !w.seal.holds(sealHead, h.seq, h.hash, h.seal):
		w.fault(h.seq, Sealing)
	}
}

// Accept seals the end of a broken chain again, after a person has looked into
// it, and writes into the log that it was broken and how. Faulty entries stay
// faulty for ever. The anchor starts anew. It is for the command line.
func (s *Service) Accept(ctx context.Context, why string) error {
	r, err := s.Verify(ctx)
	if err != nil || r.OK {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		h, err := s.store.lockHead(ctx)
		if err != nil {
			return err
		}
		last, err := s.store.last(ctx)
		if err != nil {
			return err
		}
		if last.seq >= h.seq {
			h.seq, h.at, h.hash = last.seq, max(h.at, last.at), last.hash
		}
		h.seal = s.seal.sign(sealHead, h.seq, h.hash)
		if h.seq == 0 {
			h.seal = ""
		}
		if err := s.store.setHead(ctx, h); err != nil {
			return err
		}
		if err := s.anchor.reset(h); err != nil {
			return err
		}
		return s.Record(ctx, "audit.break_accepted", Object{Type: "audit"},
			map[string]any{"fault": string(r.Fault), "seq": r.FirstBad, "why": clean(why, 500)})
	})
}
