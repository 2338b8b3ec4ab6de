package importer

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/shop"
)

// How long a preview may read, and how many rows it shows.
const (
	previewTime = 5 * time.Second
	previewGood = 20
	previewBad  = 50
)

// PreviewRow is one row as the import would take it.
type PreviewRow struct {
	Line   int64
	OK     bool
	Record map[string]any
	Errors []CellError
}

// Preview says what an import would do, without doing it.
type Preview struct {
	Checked, Good, Bad int64
	Complete           bool // the whole file was read
	Rows               []PreviewRow
	People, Orders     int64
	Revenue            *shop.Money // in the option's or the company's currency
	From, To           time.Time
}

// previewing adds up what the rows say.
type previewing struct {
	*plan
	out      Preview
	good     int
	bad      int
	people   map[uint64]struct{}
	orders   map[uint64]bool // true: its total is counted
	revenue  int64
	from, to int64
}

// Preview reads as much of the file as five seconds allow.
func (s *Service) Preview(ctx context.Context, uploadID string, kind Kind, m Mapping, o Options) (Preview, error) {
	u, err := s.upload(ctx, uploadID)
	if err != nil {
		return Preview{}, err
	}
	if err := mayLook(ctx, u.by); err != nil {
		return Preview{}, err
	}
	src := s.source(ctx, u)
	in, err := table.Sniff(src, o.Sheet)
	if err != nil {
		return Preview{}, err
	}
	p, err := s.compile(ctx, kind, in, m, o)
	if err != nil {
		return Preview{}, err
	}
	rows, err := table.Open(src, in)
	if err != nil {
		return Preview{}, err
	}
	defer rows.Close()
	v := &previewing{plan: p, people: map[uint64]struct{}{}, orders: map[uint64]bool{}}
	v.out.Rows = []PreviewRow{}
	until := time.Now().Add(previewTime)
	for {
		if v.out.Checked%1024 == 1023 && (ctx.Err() != nil || time.Now().After(until)) {
			break
		}
		row, err := rows.Next()
		if err == io.EOF {
			v.out.Complete = true
			break
		}
		if err != nil {
			return Preview{}, err
		}
		v.row(row)
	}
	return v.sum(), ctx.Err()
}

func (v *previewing) row(in table.Row) {
	v.out.Checked++
	row, ok := v.begin(in)
	var record func() map[string]any
	if ok {
		switch v.kind {
		case Contacts:
			record, ok = v.person(&row)
		case Orders:
			record, ok = v.line(&row)
		default:
			record, ok = v.event(&row)
		}
	}
	if !ok {
		v.out.Bad++
		if v.bad++; v.bad <= previewBad {
			v.out.Rows = append(v.out.Rows, PreviewRow{Line: in.Line, Record: v.raw(in), Errors: row.errs})
		}
		return
	}
	v.out.Good++
	if v.good++; v.good <= previewGood {
		v.out.Rows = append(v.out.Rows, PreviewRow{Line: in.Line, OK: true, Record: record()})
	}
}

// raw shows a row that cannot be taken as it is.
func (v *previewing) raw(in table.Row) map[string]any {
	out := map[string]any{}
	for i, name := range v.columns {
		if i < len(in.Cells) && in.Cells[i] != "" {
			out[name] = clip(in.Cells[i], 200)
		}
	}
	return out
}

func (v *previewing) who(ids []event.Identifier) {
	if len(ids) > 0 { // the strongest one stands for the person
		v.people[xxhash.Sum64String(ids[0].Kind+"\x00"+ids[0].Value)] = struct{}{}
	}
}

func (v *previewing) when(ms int64) {
	if ms == 0 {
		return
	}
	if v.from == 0 || ms < v.from {
		v.from = ms
	}
	v.to = max(v.to, ms)
}

func identifiers(out map[string]any, ids []event.Identifier) {
	for _, id := range ids {
		out[id.Kind] = id.Value
	}
}

func (v *previewing) person(r *row) (func() map[string]any, bool) {
	p, ok := r.person()
	if !ok {
		return nil, false
	}
	v.who(p.in.Identifiers)
	v.when(p.in.CreatedAt)
	return func() map[string]any {
		out := map[string]any{}
		identifiers(out, p.in.Identifiers)
		for k, x := range p.in.Attributes {
			out[k] = x
		}
		if p.in.CreatedAt != 0 {
			out[fCreated] = timeOf(p.in.CreatedAt)
		}
		if p.in.Touch.Channel != "" {
			out[fChannel] = p.in.Touch.Channel
		} else if p.in.Touch.Source != "" {
			out[fChannel] = p.in.Touch.Source
		}
		if len(p.tags) > 0 {
			out[fTag] = p.tags
		}
		for _, t := range p.told {
			out[t.key] = t.text
		}
		return out
	}, true
}

func (v *previewing) line(r *row) (func() map[string]any, bool) {
	l, ok := r.line()
	if !ok {
		return nil, false
	}
	v.who(l.ids)
	v.when(l.at)
	h := numberHash(l.number)
	worth, counts := l.amount, true
	if l.hasTotal { // stands in every row of its order
		worth, counts = l.total, !v.orders[h]
	}
	if _, seen := v.orders[h]; !seen || l.hasTotal {
		v.orders[h] = v.orders[h] || l.hasTotal
	}
	if counts && l.currency == v.currency {
		switch {
		case l.paidAlso: // paid and given back
		case l.refund:
			v.revenue -= worth
		default:
			v.revenue += worth
		}
	}
	if !l.refund || l.paidAlso {
		v.out.Orders += v.fresh(h)
	}
	return func() map[string]any {
		out := map[string]any{fNumber: l.number, "refund": l.refund, "amount": shop.Money{Amount: worth, Currency: l.currency}, fPaidAt: timeOf(l.at)}
		identifiers(out, l.ids)
		if l.hasLine {
			out[fQuantity], out[fPrice] = l.quantity, shop.Money{Amount: l.price, Currency: l.currency}
		}
		for k, x := range map[string]string{fSKU: l.sku, fProduct: l.name, fRefundOf: l.refundOf, fName: r.text(fName), fCity: r.text(fCity)} {
			if x != "" {
				out[k] = x
			}
		}
		return out
	}, true
}

// fresh is 1 for an order that was not counted yet. Orders are told apart from
// the marks of totals by another hash.
func (v *previewing) fresh(h uint64) int64 {
	k := h ^ 0x9E3779B97F4A7C15
	if _, seen := v.orders[k]; seen {
		return 0
	}
	v.orders[k] = false
	return 1
}

func (v *previewing) event(r *row) (func() map[string]any, bool) {
	f, ok := r.occurrence()
	if !ok {
		return nil, false
	}
	ids, _ := r.identities()
	v.who(ids)
	v.when(f.Timestamp)
	return func() map[string]any {
		out := map[string]any{fEvent: f.Name, fTimestamp: timeOf(f.Timestamp)}
		identifiers(out, ids)
		var props map[string]any
		if len(f.Properties) > 0 && json.Unmarshal(f.Properties, &props) == nil {
			out["properties"] = props
		}
		return out
	}, true
}

func (v *previewing) sum() Preview {
	v.out.People = int64(len(v.people))
	if v.kind == Orders {
		v.out.Revenue = &shop.Money{Amount: v.revenue, Currency: v.currency}
	}
	if v.from != 0 {
		v.out.From, v.out.To = timeOf(v.from), timeOf(v.to)
	}
	return v.out
}
