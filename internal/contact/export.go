package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/sheet"
)

// ExportKind is the kind of jobs that export contacts.
const ExportKind = "contact.export"

// ExportDeps is what exports need beyond the contacts.
type ExportDeps struct {
	Jobs      jobs.Queue
	Catalogue *i18n.Catalogue
	// SheetRows is how many rows a sheet of a workbook holds, its head among
	// them; 0 is what the format allows.
	SheetRows int
	// Sources add columns of what other packages know of contacts.
	Sources []ExportSource
}

// Exports writes contacts into files: a job each, which reads what its asker
// may see and masks what they may not.
type Exports struct {
	ExportDeps
	s *Service
}

// NewExports builds the exports of contacts and registers their kind of job.
func NewExports(s *Service, d ExportDeps) *Exports {
	x := &Exports{ExportDeps: d, s: s}
	d.Jobs.Register(ExportKind, x.run)
	return x
}

// Export asks for a file.
type Export struct {
	Selection Selection `json:"selection"`
	Format    string    `json:"format"`   // csv, xlsx
	Encoding  string    `json:"encoding"` // of a CSV: utf8bom, utf8, gb18030
	Columns   []string  `json:"columns"`
	Clear     bool      `json:"clear"` // personal values in full
	Reason    string    `json:"reason"`
	Lang      i18n.Lang `json:"lang"`
}

// exportColumn is a column of the file: how it is called, and what stands in it.
type exportColumn struct {
	key   string
	label string // code of the head, or the head itself of an attribute
	value func(r *exported) sheet.Cell
}

// exported is what the file says of a contact.
type exported struct {
	Row
	gender, birthday         string
	source, medium, campaign string
	lastChannel              string
	firstOrder, lastOrder    *time.Time
	memberNo                 string
	attributes, sourced      map[string]string
	zone                     *time.Location
	say                      func(code string) string
	channel                  func(id string) string
}

func (r *exported) when(t *time.Time) sheet.Cell {
	if t == nil || t.IsZero() {
		return sheet.Text("")
	}
	return sheet.Text(t.In(r.zone).Format("2006-01-02 15:04:05"))
}

var exportColumns = []exportColumn{
	{"id", "contact.export.id", func(r *exported) sheet.Cell { return sheet.Text(r.ID) }},
	{"name", "contact.field.name", func(r *exported) sheet.Cell { return sheet.Text(r.Name) }},
	{"phone", "contact.export.phone", func(r *exported) sheet.Cell { return sheet.Text(r.Phone) }},
	{"email", "contact.export.email", func(r *exported) sheet.Cell { return sheet.Text(r.Email) }},
	{"memberNo", "contact.export.memberNo", func(r *exported) sheet.Cell { return sheet.Text(r.memberNo) }},
	{"gender", "contact.field.gender", func(r *exported) sheet.Cell {
		if r.gender == "" {
			return sheet.Text("")
		}
		return sheet.Text(r.say("contact.gender." + r.gender))
	}},
	{"birthday", "contact.field.birthday", func(r *exported) sheet.Cell { return sheet.Text(r.birthday) }},
	{"city", "contact.field.city", func(r *exported) sheet.Cell { return sheet.Text(r.City) }},
	{"channel", "contact.field.channel", func(r *exported) sheet.Cell { return channelCell(r, r.Channel) }},
	{"lastChannel", "contact.field.lastChannel", func(r *exported) sheet.Cell { return channelCell(r, r.lastChannel) }},
	{"source", "contact.field.source", func(r *exported) sheet.Cell { return sheet.Text(r.source) }},
	{"medium", "contact.field.medium", func(r *exported) sheet.Cell { return sheet.Text(r.medium) }},
	{"campaign", "contact.field.campaign", func(r *exported) sheet.Cell { return sheet.Text(r.campaign) }},
	{"tags", "contact.field.tag", func(r *exported) sheet.Cell {
		names := make([]string, len(r.Tags))
		for i, t := range r.Tags {
			names[i] = t.Group + "/" + t.Name
		}
		return sheet.Text(strings.Join(names, "; "))
	}},
	{"owner", "contact.field.owner", func(r *exported) sheet.Cell {
		if r.Owner == nil {
			return sheet.Text("")
		}
		if r.Owner.Name == "" {
			return sheet.Text(r.Owner.ID)
		}
		return sheet.Text(r.Owner.Name)
	}},
	{"orders", "contact.field.orders", func(r *exported) sheet.Cell { return sheet.Number(float64(r.Orders)) }},
	{"revenue", "contact.field.revenue", func(r *exported) sheet.Cell {
		switch len(r.Revenue) {
		case 0:
			return sheet.Text("")
		case 1:
			return sheet.Number(float64(r.Revenue[0].Amount) / 100)
		}
		parts := make([]string, len(r.Revenue))
		for i, m := range r.Revenue {
			parts[i] = m.Currency + " " + strconv.FormatFloat(float64(m.Amount)/100, 'f', 2, 64)
		}
		return sheet.Text(strings.Join(parts, "; "))
	}},
	{"firstOrder", "contact.field.firstOrder", func(r *exported) sheet.Cell { return r.when(r.firstOrder) }},
	{"lastOrder", "contact.field.lastOrder", func(r *exported) sheet.Cell { return r.when(r.lastOrder) }},
	{"lastSeen", "contact.field.lastSeen", func(r *exported) sheet.Cell { return r.when(r.LastSeenAt) }},
	{"stage", "contact.field.stage", func(r *exported) sheet.Cell {
		if r.Stage == nil {
			return sheet.Text("")
		}
		return sheet.Text(r.Stage.Name)
	}},
	{"pool", "contact.field.pool", func(r *exported) sheet.Cell {
		if r.Pool == nil {
			return sheet.Text("")
		}
		return sheet.Text(r.Pool.Name)
	}},
	{"created", "contact.field.created", func(r *exported) sheet.Cell { return r.when(&r.CreatedAt) }},
}

func channelCell(r *exported, ch string) sheet.Cell {
	if ch == "" {
		return sheet.Text("")
	}
	return sheet.Text(r.channel(ch))
}

// attributeColumn is the prefix of columns that are custom attributes.
const attributeColumn = "attr:"

// Start queues an export. Personal values are masked unless clear is asked for,
// which needs contact.unmask beside contact.export, and a reason.
func (x *Exports) Start(ctx context.Context, e Export) (jobs.Job, error) {
	me := principal(ctx)
	e.Reason = strings.TrimSpace(e.Reason)
	if len(e.Columns) == 0 {
		e.Columns = []string{"id", "name", "phone", "email", "city", "channel", "tags", "owner", "orders", "revenue", "lastSeen", "created"}
	}
	if _, err := x.columns(ctx, e); err != nil {
		return jobs.Job{}, err
	}
	if e.Clear {
		if !me.May(auth.ContactUnmask) {
			return jobs.Job{}, errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ContactUnmask))
		}
		if e.Reason == "" {
			return jobs.Job{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("reason", "contact.reason_required"))
		}
	}
	n, err := x.s.Count(ctx, e.Selection) // also: is the filter in order?
	if err != nil {
		return jobs.Job{}, err
	}
	if n == 0 {
		return jobs.Job{}, errs.New(errs.Invalid, "contact.nobody_to_export")
	}
	var job jobs.Job
	err = x.s.DB.Tx(ctx, func(ctx context.Context) error {
		spec := jobs.Spec{Kind: ExportKind, Title: x.Catalogue.Translate(e.Lang, "contact.export.title", map[string]any{"count": n}), Unit: "contacts", Params: e, FilePermission: auth.ContactExport}
		if e.Clear {
			spec.FilePermission = auth.ContactUnmask
		}
		if job, err = x.Jobs.Enqueue(ctx, spec); err != nil {
			return err
		}
		return x.record(ctx, "contact.export_started", job.ID, e, n)
	})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("queue export: %w", err)
	}
	return job, nil
}

func (x *Exports) record(ctx context.Context, action, job string, e Export, n int64) error {
	if x.s.Audit == nil {
		return nil
	}
	detail := map[string]any{"count": n, "format": e.Format, "columns": strings.Join(e.Columns, ","), "clear": e.Clear}
	if e.Reason != "" {
		detail["reason"] = clip(e.Reason, 500)
	}
	if e.Selection.Query.Where != nil {
		detail["rule"] = string(e.Selection.Query.Where.JSON())
	}
	return x.s.Audit.Record(ctx, action, audit.Object{Type: "export", ID: job}, detail)
}

// columns finds the columns of an export.
func (x *Exports) columns(ctx context.Context, e Export) ([]exportColumn, error) {
	sourced, err := x.sourceColumns(ctx)
	if err != nil {
		return nil, err
	}
	var out []exportColumn
	for i, key := range e.Columns {
		at := slices.IndexFunc(exportColumns, func(c exportColumn) bool { return c.key == key })
		switch attr, custom := strings.CutPrefix(key, attributeColumn); {
		case at >= 0:
			out = append(out, exportColumns[at])
		case slices.ContainsFunc(sourced, func(c SourceColumn) bool { return c.Key == key }):
			out = append(out, exportColumn{key, key, func(r *exported) sheet.Cell { return sheet.Text(r.sourced[key]) }})
		case custom && attr != "" && len(attr) <= maxAttributeKey:
			out = append(out, exportColumn{key, attr, func(r *exported) sheet.Cell { return sheet.Text(r.attributes[attr]) }})
		default:
			return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("columns[%d]", i), "contact.no_such_column", "column", clip(key, 100)))
		}
	}
	return out, nil
}

// run writes the file of one export. After a crash it begins anew: half a file is no file.
func (x *Exports) run(ctx context.Context, run jobs.Run) error {
	var e Export
	if err := run.Params(&e); err != nil {
		return fmt.Errorf("read what to export: %w", err)
	}
	if e.Clear && !principal(ctx).May(auth.ContactUnmask) { // it may have been taken away since
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ContactUnmask))
	}
	if !principal(ctx).May(auth.ContactExport) {
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ContactExport))
	}
	cols, err := x.columns(ctx, e)
	if err != nil {
		return err
	}
	total, err := x.s.Count(ctx, e.Selection)
	if err != nil {
		return err
	}
	run.Progress(0, total)
	name := "contacts-" + x.s.Clock.Now().In(x.s.zone(ctx)).Format("20060102-1504") + "." + e.Format
	kind := "text/csv"
	if e.Format == "xlsx" {
		kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	file, err := run.File(name, kind)
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	say := func(code string) string { return x.Catalogue.Translate(e.Lang, code, nil) }
	head := make([]string, len(cols))
	for i, c := range cols {
		head[i] = c.label
		if slices.ContainsFunc(exportColumns, func(own exportColumn) bool { return own.key == c.key }) {
			head[i] = say(c.label)
		}
	}
	var out sheet.Writer
	if e.Format == "xlsx" {
		out, err = sheet.NewWorkbook(file, say("contact.export.sheet"), head, x.SheetRows)
	} else {
		out, err = sheet.NewCSV(file, sheet.Encoding(e.Encoding), head)
	}
	if err != nil {
		return err
	}
	var done, after int64
	for {
		nums, err := x.s.Walk(ctx, e.Selection, after, 500)
		if err != nil {
			return err
		}
		if len(nums) == 0 {
			break
		}
		after = nums[len(nums)-1]
		rows, err := x.s.exportRows(ctx, nums, e.Clear)
		if err != nil {
			return err
		}
		sourced, err := x.sourceCells(ctx, nums, e.Columns)
		if err != nil {
			return err
		}
		zone := x.s.zone(ctx)
		for i := range rows {
			rows[i].zone, rows[i].say, rows[i].sourced = zone, say, sourced[rows[i].num]
			rows[i].channel = func(id string) string { return x.s.engine.channels.name(id, say) }
			line := make([]sheet.Cell, len(cols))
			for c := range cols {
				line[c] = cols[c].value(&rows[i])
			}
			if err := out.Row(line); err != nil {
				return err
			}
		}
		done += int64(len(rows))
		run.Progress(done, max(total, done))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	// What was taken out is on record before the file can be fetched.
	if err := x.record(ctx, "contact.exported", run.Job().ID, e, done); err != nil {
		return fmt.Errorf("record the export: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("keep the file: %w", err)
	}
	run.Progress(done, done)
	return run.Result(map[string]any{"contacts": done, "clear": e.Clear})
}

// exportRows reads what files say of contacts.
func (s *Service) exportRows(ctx context.Context, nums []int64, clear bool) ([]exported, error) {
	rows, err := s.ListByNums(ctx, nums)
	if err != nil {
		return nil, err
	}
	out := make([]exported, len(rows))
	at := map[int64]*exported{}
	for i, r := range rows {
		out[i] = exported{Row: r}
		at[r.num] = &out[i]
	}
	err = selectIn(ctx, s.DB, "read contacts to export", `select num, gender, birthday, first_source, first_medium, first_campaign, last_channel, first_order_at, last_order_at, attributes
		from contacts where num in (%s)`, nil, nums, func(r *sql.Rows) error {
		var num, first, last int64
		var e exported
		var encoded string
		if err := r.Scan(&num, &e.gender, &e.birthday, &e.source, &e.medium, &e.campaign, &e.lastChannel, &first, &last, &encoded); err != nil {
			return err
		}
		row := at[num]
		if row == nil {
			return nil
		}
		e.Row, e.firstOrder, e.lastOrder = row.Row, timeOrNil(first), timeOrNil(last)
		attrs, err := s.attributes(ctx, encoded)
		if err != nil {
			return err
		}
		e.attributes = map[string]string{}
		for _, a := range attrs {
			e.attributes[a.Key] = attributeText(a.Value)
		}
		*row = e
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = selectIn(ctx, s.DB, "read identities to export", "select contact, kind, lookup, value_enc, last_seen from identities"+s.DB.Pick(" indexed by identities_by_contact", "")+" where contact in (%s) and kind in ('phone', 'email', 'member_no')",
		nil, nums, s.identityOf(at, clear))
	return out, err
}

// identityOf puts the newest phone number, e-mail address and member number into rows.
func (s *Service) identityOf(rows map[int64]*exported, clear bool) func(r *sql.Rows) error {
	type which struct {
		num  int64
		kind string
	}
	newest := map[which]int64{}
	return func(r *sql.Rows) error {
		var w which
		var lookup, sealed string
		var at int64
		if err := r.Scan(&w.num, &w.kind, &lookup, &sealed, &at); err != nil {
			return err
		}
		row, seen := rows[w.num], newest[w]
		if row == nil || seen > at {
			return nil
		}
		newest[w] = at
		if w.kind == KindMemberNo {
			row.memberNo = lookup
			return nil
		}
		if !clear {
			return nil // the row is masked already
		}
		plain, err := s.Keys.Open(field(w.kind), sealed)
		if err != nil {
			return fmt.Errorf("open %s: %w", w.kind, err)
		}
		if w.kind == KindPhone {
			row.Phone = plain
		} else {
			row.Email = plain
		}
		return nil
	}
}

// attributeText is an attribute's value as a file holds it.
func attributeText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = attributeText(v[i])
		}
		return strings.Join(parts, "; ")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
