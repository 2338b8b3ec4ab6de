package consent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// filePrefix begins the name of a column of a file that says something of
// consent: consent.marketing.sms. Files that go out have the same columns as
// files that come in.
const filePrefix = "consent."

// FileColumn is a purpose and channel as a column of a file.
type FileColumn struct {
	Key          string // consent.<purpose>.<channel>
	Name         Text
	OnlyWithdraw bool // do not contact: a file cannot lift it
	purpose      string
	channel      Channel
	reads        mask // channels that must agree before the column says so
}

// FileColumns lists the columns of consent that a file may have: of each purpose
// its channels, then all of them at once, and do not contact.
func (s *Service) FileColumns(ctx context.Context) ([]FileColumn, error) {
	list, err := s.Purposes(ctx)
	if err != nil {
		return nil, err
	}
	var out []FileColumn
	add := func(p *Purpose, ch Channel) {
		name := func(l i18n.Lang) string {
			if ch != All {
				return p.Name.in(l) + " · " + words[l].Channel[ch]
			}
			if len(p.Channels) == 0 {
				return p.Name.in(l)
			}
			return p.Name.in(l) + " · " + words[l].AllChannels
		}
		out = append(out, FileColumn{Key: filePrefix + p.ID + "." + string(ch), Name: Text{name(i18n.ZH), name(i18n.EN)}, purpose: p.ID, channel: ch, reads: p.reads(ch)})
	}
	for _, p := range list {
		if p.Archived {
			continue
		}
		for _, ch := range p.Channels {
			add(p, ch)
		}
		add(p, All)
	}
	none := Text{words[i18n.ZH].Everything, words[i18n.EN].Everything}
	return append(out, FileColumn{Key: filePrefix + Everything + "." + string(All), Name: none, OnlyWithdraw: true, purpose: Everything, channel: All, reads: useBit}), nil
}

// reads are the channels that a column is about: of all channels those that the
// purpose uses.
func (p *Purpose) reads(ch Channel) mask {
	if ch != All || len(p.Channels) == 0 {
		m, _ := bitOf(ch)
		return m
	}
	var m mask
	for _, c := range p.Channels {
		b, _ := bitOf(c)
		m |= b
	}
	return m
}

// Told is what a row of a file says of one purpose and channel.
type Told struct {
	Contact int64
	Key     string // of a FileColumn
	State   State
	At      time.Time // zero: the file does not say when
	Line    int64     // of the file
}

// WriteFile puts what the rows of an imported file say into the ledger, in the
// transaction of ctx; the import, the file and the line are the proof. Whoever
// stands that way already gets no row. A grant without a date leaves alone whoever
// withdrew, and one with a date whoever withdrew since: they are counted as kept.
func (s *Service) WriteFile(ctx context.Context, importID, file string, told []Told) (written, kept int64, err error) {
	if len(told) == 0 {
		return 0, 0, nil
	}
	columns, err := s.FileColumns(ctx)
	if err != nil {
		return 0, 0, err
	}
	by := map[string]*FileColumn{}
	for i := range columns {
		by[columns[i].Key] = &columns[i]
	}
	nums := make([]int64, len(told))
	for i := range told {
		nums[i] = told[i].Contact
	}
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return 0, 0, err
	}
	for i, n := range nums {
		nums[i] = rootIn(roots, n)
	}
	have, err := s.stands(ctx, nums)
	if err != nil {
		return 0, 0, err
	}
	now := s.Clock.Now()
	who := principal(ctx)
	var said []Said
	for i, t := range told {
		c := by[t.Key]
		if c == nil { // archived since the import was checked
			continue
		}
		at := t.At
		if at.IsZero() || at.After(now) {
			at = now
		}
		st, all := have[stateKey{nums[i], c.purpose}], have[stateKey{nums[i], Everything}]
		switch {
		case st.says(c.reads, t.State):
			continue
		case t.State == Granted && (st.keeps(c.reads, t.At, at) || all.keeps(useBit, t.At, at)):
			kept++
			continue
		}
		st.say(c.channel.covers(), cell{t.State, at.UnixMilli(), 0})
		have[stateKey{nums[i], c.purpose}] = st // what a later line of the same file meets
		said = append(said, Said{Contact: t.Contact, Purpose: c.purpose, Channel: c.channel, State: t.State, At: at, Source: FromImport, Batch: importID,
			Proof: proofOfLine(who, importID, file, t.Line)})
	}
	return int64(len(said)), kept, s.Write(ctx, said)
}

// keeps tells whether a withdrawal among some channels stands against a grant of
// a file: any, when the file does not say when, else one that is not older.
func (s *stand) keeps(m mask, stated, at time.Time) bool {
	for i, c := range s {
		if m&(1<<i) != 0 && c.state == Withdrawn && (stated.IsZero() || c.at >= at.UnixMilli()) {
			return true
		}
	}
	return false
}

func proofOfLine(by *auth.Principal, importID, file string, line int64) Proof {
	return Proof{StaffID: by.ID, StaffName: by.Name, ImportID: importID, Note: fmt.Sprintf("%s #%d", strings.TrimSpace(file), line)}
}

// FileStates gives what people said as cells of a file: granted, withdrawn or
// nothing, by column. Numbers of merged contacts count for whom they are part of.
func (s *Service) FileStates(ctx context.Context, nums []int64, keys []string) (map[int64]map[string]State, error) {
	columns, err := s.FileColumns(ctx)
	if err != nil {
		return nil, err
	}
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return nil, err
	}
	living := make([]int64, len(nums))
	for i, n := range nums {
		living[i] = rootIn(roots, n)
	}
	have, err := s.stands(ctx, living)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	out := make(map[int64]map[string]State, len(nums))
	for i, n := range nums {
		out[n] = map[string]State{}
		for _, c := range columns {
			if wanted[c.Key] {
				st := have[stateKey{living[i], c.purpose}]
				out[n][c.Key] = st.whole(c.reads)
			}
		}
	}
	return out, nil
}

// whole is what holds for each of some channels, "" when they differ.
func (s *stand) whole(m mask) State {
	for _, st := range []State{Granted, Withdrawn} {
		if s.says(m, st) {
			return st
		}
	}
	return ""
}
