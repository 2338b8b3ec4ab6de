package app

import (
	"context"
	"errors"
	"net/url"
	"time"

	rules "github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/shop"
	"github.com/koipond/koipond/internal/team"
)

// The small types here let one package's answer pass for another's question.

type writeKeys struct{ team *team.Service }

// Lookup implements intake.WriteKeys.
func (w writeKeys) Lookup(ctx context.Context, key string) (intake.WriteKey, bool, error) {
	k, err := w.team.LookupKey(ctx, key)
	if errors.Is(err, team.ErrBadKey) {
		return intake.WriteKey{}, false, nil
	}
	return intake.WriteKey{ID: k.ID, Name: k.Name, Source: k.Source}, err == nil, err
}

type buyers struct {
	*contact.Service
	currency func(ctx context.Context) (string, error)
}

// SetOrderSummary implements shop.Contacts.
func (b buyers) SetOrderSummary(ctx context.Context, sums []shop.Summary) error {
	main, err := b.currency(ctx)
	if err != nil {
		return err
	}
	out := make([]contact.OrderSummary, len(sums))
	for i, s := range sums {
		out[i] = contact.OrderSummary{Num: s.Contact, Orders: s.Orders, Revenue: s.Revenue, FirstAt: s.FirstAt, LastAt: s.LastAt}
	}
	return b.Service.SetOrderSummary(ctx, main, out)
}

// importedPeople is the importer's door to people.
type importedPeople struct {
	*contact.Service
	consent   *consent.Service
	audiences *rules.Engine
}

// UndoImport implements importer.ContactDoor: what the import said of consent is
// taken back while the people are still there.
func (p importedPeople) UndoImport(ctx context.Context, importID string, progress func(done, total int64)) (contact.UndoResult, error) {
	if _, err := p.consent.VoidBatch(ctx, importID, nil); err != nil {
		return contact.UndoResult{}, err
	}
	defer p.audiences.Recheck() // its facts and orders were taken back before
	return p.Service.UndoImport(ctx, importID, progress)
}

// fileConsents is the consent that files bring and take along.
type fileConsents struct {
	consent *consent.Service
}

// Columns implements importer.ConsentBook.
func (f fileConsents) Columns(ctx context.Context) ([]importer.ConsentColumn, error) {
	list, err := f.consent.FileColumns(ctx)
	out := make([]importer.ConsentColumn, len(list))
	for i, c := range list {
		out[i] = importer.ConsentColumn{Key: c.Key, ZH: c.Name.ZH, EN: c.Name.EN, OnlyWithdraw: c.OnlyWithdraw}
	}
	return out, err
}

// Take implements importer.ConsentBook.
func (f fileConsents) Take(ctx context.Context, importID, file string, told []importer.ConsentTold) (written, kept int64, err error) {
	rows := make([]consent.Told, len(told))
	for i, t := range told {
		rows[i] = consent.Told{Contact: t.Contact, Key: t.Key, State: consent.Withdrawn, At: clock.FromMs(t.At), Line: t.Line}
		if t.Granted {
			rows[i].State = consent.Granted
		}
	}
	return f.consent.WriteFile(ctx, importID, file, rows)
}

// ExportColumns implements contact.ExportSource.
func (f fileConsents) ExportColumns(ctx context.Context) ([]contact.SourceColumn, error) {
	list, err := f.consent.FileColumns(ctx)
	out := make([]contact.SourceColumn, len(list))
	for i, c := range list {
		out[i] = contact.SourceColumn{Key: c.Key, ZH: c.Name.ZH, EN: c.Name.EN, Group: "consent"}
	}
	return out, err
}

// ExportCells implements contact.ExportSource: the words are those that imports read.
func (f fileConsents) ExportCells(ctx context.Context, nums []int64, keys []string) (map[int64]map[string]string, error) {
	have, err := f.consent.FileStates(ctx, nums, keys)
	out := make(map[int64]map[string]string, len(have))
	for n, cells := range have {
		out[n] = make(map[string]string, len(cells))
		for key, st := range cells {
			out[n][key] = string(st)
		}
	}
	return out, err
}

// joiner lets the review of possible duplicates merge people and keep them apart.
type joiner struct{ *contact.Service }

// Join implements match.Joiner.
func (j joiner) Join(ctx context.Context, keep, other, why string) error {
	_, err := j.MergeByHand(ctx, keep, other, why)
	return err
}

// Part implements match.Joiner.
func (j joiner) Part(ctx context.Context, a, b int64, why string) error {
	return j.KeepApart(ctx, a, b, why)
}

type importNames struct{ a *App }

// Names implements contact.Imports. The importer is built after the contacts,
// hence through the app.
func (i importNames) Names(ctx context.Context, ids []string) (map[string]string, error) {
	return i.a.importer.Names(ctx, ids)
}

// tagTables are the uploaded files that name people to tag.
type tagTables struct{ a *App }

// OpenTable implements contact.Tables.
func (t tagTables) OpenTable(ctx context.Context, uploadID string) (*contact.Table, error) {
	return t.a.importer.OpenTable(ctx, uploadID)
}

// Time implements contact.Tables.
func (t tagTables) Time(ctx context.Context, text string) (ms int64, ok bool) {
	return importer.ParseTime(text, t.a.zone(ctx))
}

type describer struct{ contacts *contact.Service }

// Describe implements pipeline.Contacts.
func (d describer) Describe(ctx context.Context, numbers []int64) (map[int64]pipeline.Contact, error) {
	known, err := d.contacts.Describe(ctx, numbers)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]pipeline.Contact, len(known))
	for n, c := range known {
		out[n] = pipeline.Contact{ID: c.ID, Name: c.Name, Kind: c.Kind}
	}
	return out, nil
}

func (a *App) eventNames(ctx context.Context, names []string) map[string]string {
	t, err := a.dict.Titles(ctx, names)
	if err != nil {
		a.log.WarnContext(ctx, "event titles not read", "error", err)
	}
	return t
}

func (a *App) hasKeys(ctx context.Context) (bool, error) {
	keys, err := a.Team.ListWriteKeys(ctx)
	for _, k := range keys {
		if k.RevokedAt.IsZero() {
			return true, err
		}
	}
	return false, err
}

// newestFact tells when the newest fact came.
func (a *App) newestFact(ctx context.Context) (time.Time, error) {
	p, err := a.pipe.Stats(ctx)
	return p.NewestAt, err
}

// settle returns when every fact taken so far, from outside or inside, is seen by all subscribers.
func (a *App) settle(ctx context.Context) error {
	seq, err := a.intake.Flush(ctx)
	if err != nil {
		return err
	}
	st, err := a.stream.State(ctx)
	if err != nil {
		return err
	}
	return a.pipe.Wait(ctx, max(seq, st.Last))
}

func s3Endpoint(s string) (host string, insecure bool) {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		return u.Host, u.Scheme == "http"
	}
	return s, false
}

// aloneAfter is after how many days without a word of its owner a contact counts
// as left alone. The watch is built after the contacts, hence through the app.
func (a *App) aloneAfter(ctx context.Context) int {
	set, err := a.care.StaleSettings(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "the watch over owners is not known just now", "error", err)
		return 30
	}
	return set.Days
}
