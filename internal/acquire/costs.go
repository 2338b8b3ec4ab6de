package acquire

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

const dayForm = "2006-01-02"

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// Costs are what channels cost on the days from one to another, both included.
type Costs struct {
	Currency   string   `json:"currency"`
	Currencies []string `json:"currencies" doc:"Those in which there are costs"`
	Items      []Cost   `json:"items" doc:"By day and channel; those without a cost are left out"`
}

// money is the currency asked for, the company's when none is.
func (s *Service) money(ctx context.Context, currency string) (string, error) {
	currency = strings.ToUpper(strings.TrimSpace(currency))
	if currency != "" {
		if !currencyForm.MatchString(currency) {
			return "", bad("currency", "acquire.bad_currency")
		}
		return currency, nil
	}
	if s.Currency == nil {
		return "CNY", nil
	}
	return s.Currency(ctx)
}

// day reads a day; cost may lie a little ahead, for what is paid in advance.
func (s *Service) day(field, text string) (time.Time, error) {
	d, err := time.Parse(dayForm, text)
	if err != nil {
		return d, bad(field, "request.not_a_date")
	}
	if d.Year() < 2000 || d.After(s.Clock.Now().AddDate(2, 0, 0)) {
		return d, bad(field, "acquire.day_out_of_range")
	}
	return d, nil
}

func (s *Service) span(from, to string, most int) (a, b time.Time, err error) {
	if a, err = s.day("from", from); err != nil {
		return a, b, err
	}
	if b, err = s.day("to", to); err != nil {
		return a, b, err
	}
	if b.Before(a) {
		return a, b, bad("to", "request.bad_period")
	}
	if days(a, b) > most {
		return a, b, bad("to", "acquire.too_many_days", "limit", most)
	}
	return a, b, nil
}

func days(from, to time.Time) int { return int(to.Sub(from)/(24*time.Hour)) + 1 }

// Costs reads the grid.
func (s *Service) Costs(ctx context.Context, from, to, currency string) (Costs, error) {
	out := Costs{Currencies: []string{}, Items: []Cost{}}
	var err error
	if out.Currency, err = s.money(ctx, currency); err != nil {
		return out, err
	}
	if _, _, err := s.span(from, to, maxGridDays); err != nil {
		return out, err
	}
	rows, err := s.DB.Query(ctx, "select channel, day, amount from acquire_costs where currency = $1 and day >= $2 and day <= $3 order by day, channel", out.Currency, from, to)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (c Cost, err error) { return c, r.Scan(&c.Channel, &c.Day, &c.Amount) })
	if err != nil {
		return out, fmt.Errorf("read costs: %w", err)
	}
	out.Items = append(out.Items, list...)
	out.Currencies, err = s.currencies(ctx)
	return out, err
}

func (s *Service) currencies(ctx context.Context) ([]string, error) {
	rows, err := s.DB.Query(ctx, "select distinct currency from acquire_costs order by currency")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (c string, err error) { return c, r.Scan(&c) })
	if err != nil {
		return nil, fmt.Errorf("read currencies of costs: %w", err)
	}
	return append([]string{}, list...), nil
}

// CostsBy sums costs by channel and by day over the days from one to another.
func (s *Service) CostsBy(ctx context.Context, from, to, currency string) (byChannel map[string]int64, byDay map[string]map[string]int64, err error) {
	rows, err := s.DB.Query(ctx, "select channel, day, amount from acquire_costs where currency = $1 and day >= $2 and day <= $3", currency, from, to)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (c Cost, err error) { return c, r.Scan(&c.Channel, &c.Day, &c.Amount) })
	if err != nil {
		return nil, nil, fmt.Errorf("sum costs: %w", err)
	}
	byChannel, byDay = map[string]int64{}, map[string]map[string]int64{}
	for _, c := range list {
		byChannel[c.Channel] += c.Amount
		if byDay[c.Channel] == nil {
			byDay[c.Channel] = map[string]int64{}
		}
		byDay[c.Channel][c.Day] += c.Amount
	}
	return byChannel, byDay, nil
}

// SetCosts writes cells of the grid: what is given takes the place of what was there.
func (s *Service) SetCosts(ctx context.Context, currency string, cells []Cost) error {
	currency, err := s.money(ctx, currency)
	if err != nil {
		return err
	}
	if len(cells) > maxCells {
		return bad("cells", "request.too_many_items", "limit", maxCells)
	}
	t := s.now.Load()
	seen := map[Cost]bool{}
	for i, c := range cells {
		at := func(f string) string { return fmt.Sprintf("cells[%d].%s", i, f) }
		if t.nodes[c.Channel] == nil {
			return bad(at("channel"), "acquire.no_such_channel")
		}
		if _, err := s.day(at("day"), c.Day); err != nil {
			return err
		}
		if c.Amount < 0 || c.Amount > maxAmount {
			return bad(at("amount"), "acquire.bad_amount")
		}
		key := Cost{Channel: c.Channel, Day: c.Day}
		if seen[key] {
			return bad(at("day"), "acquire.cell_twice")
		}
		seen[key] = true
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.write(ctx, currency, cells); err != nil {
			return err
		}
		return s.recordCosts(ctx, "channel.costs_changed", currency, cells, nil)
	})
}

// write puts cells in place, in one order whoever writes, so that two writers
// wait for each other and never for one another.
func (s *Service) write(ctx context.Context, currency string, cells []Cost) error {
	cells = slices.Clone(cells)
	slices.SortFunc(cells, func(a, b Cost) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Channel, b.Channel)) })
	now := clock.Ms(s.Clock.Now())
	for _, c := range cells {
		var err error
		if c.Amount == 0 {
			_, err = s.DB.Exec(ctx, "delete from acquire_costs where day = $1 and currency = $2 and channel = $3", c.Day, currency, c.Channel)
		} else {
			_, err = s.DB.Exec(ctx, `insert into acquire_costs (day, currency, channel, amount, changed_at) values ($1,$2,$3,$4,$5)
				on conflict (day, currency, channel) do update set amount = excluded.amount, changed_at = excluded.changed_at`, c.Day, currency, c.Channel, c.Amount, now)
		}
		if err != nil {
			return fmt.Errorf("keep cost: %w", err)
		}
	}
	return nil
}

func (s *Service) recordCosts(ctx context.Context, action, currency string, cells []Cost, more map[string]any) error {
	detail := map[string]any{"cells": len(cells), "currency": currency}
	var sum int64
	for i, c := range cells {
		sum += c.Amount
		if i == 0 || c.Day < detail["from"].(string) {
			detail["from"] = c.Day
		}
		if i == 0 || c.Day > detail["to"].(string) {
			detail["to"] = c.Day
		}
	}
	detail["amount"] = sum
	for k, v := range more {
		detail[k] = v
	}
	return s.record(ctx, action, "", "", detail)
}

// Spread is a sum for a stretch of days, such as a yearly fee.
type Spread struct {
	Channel  string `json:"channel" maxLength:"60"`
	Currency string `json:"currency,omitempty" maxLength:"3" doc:"ISO 4217; default the company's"`
	From     string `json:"from" maxLength:"10" doc:"YYYY-MM-DD, included"`
	To       string `json:"to" maxLength:"10" doc:"YYYY-MM-DD, included"`
	Amount   int64  `json:"amount" minimum:"1" doc:"The whole sum, in the smallest unit"`
	Add      bool   `json:"add,omitempty" doc:"On top of what is there; else in its place"`
}

// SpreadCost shares a sum out over days evenly; what does not divide goes to the
// first days, so that the days add up to the sum.
func (s *Service) SpreadCost(ctx context.Context, in Spread) ([]Cost, error) {
	currency, err := s.money(ctx, in.Currency)
	if err != nil {
		return nil, err
	}
	from, to, err := s.span(in.From, in.To, maxSpread)
	if err != nil {
		return nil, err
	}
	if s.now.Load().nodes[in.Channel] == nil {
		return nil, bad("channel", "acquire.no_such_channel")
	}
	n := int64(days(from, to))
	if in.Amount < 1 || in.Amount > maxAmount {
		return nil, bad("amount", "acquire.bad_amount")
	}
	cells := make([]Cost, n)
	for i := range cells {
		cells[i] = Cost{Channel: in.Channel, Day: from.AddDate(0, 0, i).Format(dayForm), Amount: in.Amount / n}
		if int64(i) < in.Amount%n {
			cells[i].Amount++
		}
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if in.Add {
			_, have, err := s.CostsBy(ctx, in.From, in.To, currency)
			if err != nil {
				return err
			}
			for i := range cells {
				if cells[i].Amount += have[in.Channel][cells[i].Day]; cells[i].Amount > maxAmount {
					return bad("amount", "acquire.bad_amount")
				}
			}
		}
		if err := s.write(ctx, currency, cells); err != nil {
			return err
		}
		return s.recordCosts(ctx, "channel.costs_spread", currency, cells, map[string]any{"channel": in.Channel, "sum": in.Amount, "add": in.Add})
	})
	return cells, err
}
