package importer

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// contactBatch is how many people are taken in at once: nobody else writes contacts meanwhile.
const contactBatch = 500

// contacts takes in a contacts file. Every batch commits together with its checkpoint.
func (r *runner) contacts(ctx context.Context) error {
	var batch []person
	var rows []table.Row
	flush := func(line int64) error {
		if err := r.ensureTags(ctx, batch); err != nil {
			return err
		}
		err := r.save(ctx, checkpoint{Line: line}, func(ctx context.Context) error { return r.upsert(ctx, batch, rows) })
		batch, rows = batch[:0], rows[:0]
		return err
	}
	line := r.cp.Line
	for {
		in, err := r.next(ctx)
		if err == io.EOF {
			return flush(line)
		}
		if err != nil {
			return err
		}
		if in.Line <= r.cp.Line {
			continue
		}
		line = in.Line
		r.count()
		row, ok := r.plan.begin(in)
		if ok {
			var p person
			if p, ok = row.person(); ok {
				batch, rows = append(batch, p), append(rows, in)
			}
		}
		if !ok {
			r.reject(in, row.errs)
		}
		if len(batch) == contactBatch || len(r.rejects) >= batchRows {
			if err := flush(line); err != nil {
				return err
			}
		}
	}
}

func (r *runner) upsert(ctx context.Context, batch []person, rows []table.Row) error {
	if len(batch) == 0 {
		return nil
	}
	incoming := make([]contact.Incoming, len(batch))
	for i, p := range batch {
		incoming[i] = p.in
		for _, name := range p.tags {
			incoming[i].Tags = append(incoming[i].Tags, r.tags[name])
		}
	}
	out, err := r.s.Contacts.Upsert(ctx, incoming, contact.UpsertOptions{ImportID: r.imp.ID, Source: r.plan.source, Country: r.plan.country, UpdateExisting: r.plan.update})
	if err != nil {
		return err
	}
	for i, o := range out {
		switch o.State {
		case contact.Refused:
			e := CellError{Code: "import.no_identity"}
			if o.Err != nil {
				e.Code, e.Params = o.Err.Code, o.Err.Params
			}
			r.reject(rows[i], []CellError{e})
			continue
		case contact.Created:
			r.imp.ContactsCreated++
			r.imp.Facts++
		case contact.Updated:
			r.imp.ContactsUpdated++
			r.imp.Facts++
		}
		r.imp.Accepted++
	}
	return r.takeConsents(ctx, batch, rows, out)
}

// ensureTags makes the tags that a batch names. `group:name` chooses the group.
func (r *runner) ensureTags(ctx context.Context, batch []person) error {
	for _, p := range batch {
		for _, name := range p.tags {
			if r.tags[name] != "" {
				continue
			}
			group, tag, ok := strings.Cut(strings.ReplaceAll(name, "：", ":"), ":")
			if !ok || strings.TrimSpace(group) == "" || strings.TrimSpace(tag) == "" {
				group, tag = tagGroup(language(r.imp)), name
			}
			ref, err := r.s.Contacts.EnsureTag(ctx, group, tag)
			if err != nil {
				return fmt.Errorf("make tag %s: %w", name, err)
			}
			r.tags[name] = ref.ID
		}
	}
	return nil
}

// tagGroup is where tags go that name no group.
func tagGroup(lang i18n.Lang) string {
	if lang == i18n.EN {
		return "Imported"
	}
	return "导入"
}

// events takes in an events file.
func (r *runner) events(ctx context.Context) error {
	var facts []event.Fact
	var rows []table.Row
	size := 0
	flush := func(line int64) error {
		bad, err := r.ingest(ctx, facts)
		if err != nil {
			return err
		}
		for i := range facts {
			if f, is := bad[i]; is {
				r.reject(rows[i], []CellError{{Code: f.Code, Params: f.Params}})
				continue
			}
			r.imp.Accepted++
			r.imp.Facts++
		}
		facts, rows, size = facts[:0], rows[:0], 0
		return r.save(ctx, checkpoint{Line: line}, nil)
	}
	line := r.cp.Line
	for {
		in, err := r.next(ctx)
		if err == io.EOF {
			return flush(line)
		}
		if err != nil {
			return err
		}
		if in.Line <= r.cp.Line {
			continue
		}
		line = in.Line
		r.count()
		row, ok := r.plan.begin(in)
		if ok {
			var f event.Fact
			if f, ok = row.occurrence(); ok {
				facts, rows = append(facts, f), append(rows, in)
				size += 200 + len(f.Properties)
			}
		}
		if !ok {
			r.reject(in, row.errs)
		}
		if len(facts) >= batchFacts || size >= batchBytes || len(r.rejects) >= batchRows {
			if err := flush(line); err != nil {
				return err
			}
		}
	}
}
