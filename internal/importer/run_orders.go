package importer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/errs"
)

// ordering is an orders file on its way. Rows of one order usually stand
// together; a first look at the file finds the orders for which that is not
// so, and only their rows are held until the end.
type ordering struct {
	*runner
	scattered scattered
	held      held
	open      *order // whose rows are being read
	full      string // number of an order that was cut off: it has more rows than one may have
	batch     []*order
	size      int // bytes of the batch, about
}

func (r *runner) orders(ctx context.Context) (err error) {
	o := &ordering{runner: r, held: held{dir: r.s.TempDir, limit: r.s.HeldBytes}}
	defer func() { err = errors.Join(err, o.held.close()) }()
	if err := o.survey(ctx); err != nil {
		return err
	}
	last := r.cp.Line
	for {
		in, err := r.next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := o.row(ctx, in, last); err != nil {
			return err
		}
		last = max(last, in.Line)
	}
	if err := o.close(ctx, last); err != nil {
		return err
	}
	if err := o.flush(ctx, checkpoint{Line: last, Held: r.cp.Held}); err != nil {
		return err
	}
	return o.release(ctx, last)
}

// survey reads only the order numbers of the file.
func (o *ordering) survey(ctx context.Context) error {
	rows, err := table.Open(o.src, o.info)
	if err != nil {
		return err
	}
	defer rows.Close()
	size := o.src.Size
	if o.info.Compressed || o.info.Format == table.XLSX {
		size *= 10
	}
	seen := newBloom(size)
	o.scattered.hashes = map[uint64]struct{}{}
	last := ""
	total := int64(0)
	for {
		if total%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := rows.Next()
		if err == io.EOF {
			o.imp.RowsTotal = total
			return nil
		}
		if err != nil {
			return err
		}
		total++
		n := o.plan.number(row)
		if n == "" || n == last {
			continue
		}
		last = n
		if h := numberHash(n); !o.scattered.all && seen.seen(h) {
			o.scattered.add(h)
		}
	}
}

// row takes in one row. before is the line up to which everything was read.
// Rows that an earlier try did are passed over, but for those it only held.
func (o *ordering) row(ctx context.Context, in table.Row, before int64) error {
	done := in.Line <= o.cp.Line
	n := o.plan.number(in)
	h := uint64(0)
	if n != "" {
		h = numberHash(n)
	}
	hold := n != "" && o.scattered.has(h)
	if done && !hold {
		return nil
	}
	if o.open != nil && n != "" && n != o.open.number && !hold {
		if err := o.close(ctx, before); err != nil {
			return err
		}
	}
	if !done {
		o.count()
	}
	row, ok := o.plan.begin(in)
	var l line
	if ok {
		l, ok = row.line()
	}
	if ok && hold {
		return o.held.add(h, in)
	}
	if done { // held, but refused before
		return nil
	}
	if ok && l.number == o.full {
		row.fail(-1, "import.order_too_long", "limit", maxOrderRows)
		ok = false
	}
	if ok {
		if o.open == nil {
			o.open = &order{}
		}
		if ok = o.open.add(&row, l); ok {
			o.size += 96
			return nil
		}
	}
	o.reject(in, row.errs)
	switch {
	case len(o.rejects) < batchRows:
	case o.open == nil:
		return o.close(ctx, in.Line)
	case len(o.rejects) > 4*batchRows:
		o.full = o.open.number
		return o.close(ctx, in.Line)
	}
	return nil
}

// close ends the open order; a full batch is sent.
func (o *ordering) close(ctx context.Context, line int64) error {
	if o.open != nil {
		o.take(o.open)
		o.open = nil
	}
	if o.size >= batchBytes || len(o.batch) >= batchFacts || len(o.rejects) >= batchRows {
		return o.flush(ctx, checkpoint{Line: line, Held: o.cp.Held})
	}
	return nil
}

func (o *ordering) take(x *order) {
	if len(x.rows) == 0 {
		return
	}
	o.batch = append(o.batch, x)
	o.size += len(x.paid.lines) + len(x.back.lines) + 300
}

// release gives out the orders whose rows were held.
func (o *ordering) release(ctx context.Context, last int64) error {
	done, skip := 0, o.cp.Held
	err := o.held.each(o.plan.number, func(rows []table.Row) error {
		if done++; done <= skip {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		x := &order{}
		for _, in := range rows {
			row, ok := o.plan.begin(in)
			var l line
			if ok {
				l, ok = row.line()
			}
			if !ok || !x.add(&row, l) {
				o.reject(in, row.errs)
			}
		}
		o.take(x)
		if o.size >= batchBytes || len(o.batch) >= batchFacts {
			return o.flush(ctx, checkpoint{Line: last, Held: done})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return o.flush(ctx, checkpoint{Line: last, Held: max(done, skip)})
}

// flush sends the batch and records it.
func (o *ordering) flush(ctx context.Context, cp checkpoint) error {
	facts, owner, err := o.facts(ctx)
	if err != nil {
		return err
	}
	bad, err := o.ingest(ctx, facts)
	if err != nil {
		return err
	}
	refused := map[*order]errs.Field{}
	for i, f := range facts {
		if why, is := bad[i]; is {
			refused[owner[i]] = why
			continue
		}
		o.imp.Facts++
		if f.Name == event.NameOrderPaid {
			o.imp.Orders++
		}
	}
	for _, x := range o.batch {
		if why, is := refused[x]; is {
			o.rejectOrder(x, CellError{Code: why.Code, Params: why.Params})
		} else if len(x.rows) > 0 {
			o.imp.Accepted += int64(len(x.rows))
		}
	}
	o.batch, o.size = o.batch[:0], 0
	return o.save(ctx, cp, nil)
}

// facts states the batch's orders, but for what is on record from elsewhere:
// the same file taken in twice must not count twice.
func (o *ordering) facts(ctx context.Context) ([]event.Fact, []*order, error) {
	var paid, back []string
	for _, x := range o.batch {
		if x.paid.rows > 0 || x.paidAlso {
			paid = append(paid, x.number)
		}
		if x.back.rows > 0 {
			back = append(back, x.number)
		}
	}
	known, err := o.s.Orders.Known(ctx, o.plan.source, paid)
	if err != nil {
		return nil, nil, fmt.Errorf("look for known orders: %w", err)
	}
	knownBack, err := o.s.Orders.KnownRefunds(ctx, o.plan.source, back)
	if err != nil {
		return nil, nil, fmt.Errorf("look for known refunds: %w", err)
	}
	elsewhere := func(m map[string]string, number string) bool {
		imp, ok := m[number]
		return ok && imp != o.imp.ID
	}
	var facts []event.Fact
	var owner []*order
	for _, x := range o.batch {
		n := len(facts)
		for _, f := range x.facts(o.plan, elsewhere(known, x.number)) {
			if f.Name == event.NameOrderRefunded && elsewhere(knownBack, x.number) {
				continue
			}
			facts, owner = append(facts, f), append(owner, x)
		}
		if len(facts) == n {
			o.rejectOrder(x, CellError{Column: o.plan.columns[o.plan.at[fNumber]], Value: x.number, Code: "import.order_exists"})
		}
	}
	return facts, owner, nil
}

// rejectOrder rejects all rows of an order.
func (o *ordering) rejectOrder(x *order, why CellError) {
	for _, in := range x.rows {
		o.reject(in, []CellError{why})
	}
	x.rows = nil
}
