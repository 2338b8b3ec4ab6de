package acquire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Limits of a file of costs.
const (
	maxCostRows  = 20_000
	shownRejects = 200
)

// CostFile is an uploaded file of costs. Columns that are left out are guessed
// by what they are called.
type CostFile struct {
	UploadID       string `json:"uploadId" maxLength:"60"`
	DayColumn      string `json:"dayColumn,omitempty" maxLength:"200"`
	ChannelColumn  string `json:"channelColumn,omitempty" maxLength:"200" doc:"Holds ids, names or paths such as Social / Weibo"`
	AmountColumn   string `json:"amountColumn,omitempty" maxLength:"200"`
	CurrencyColumn string `json:"currencyColumn,omitempty" maxLength:"200" doc:"None: all in the currency given, or the company's"`
	Currency       string `json:"currency,omitempty" maxLength:"3"`
	DryRun         bool   `json:"dryRun,omitempty" doc:"Only tells what it would do"`
}

// Rejected is a row of a file that cannot be used.
type Rejected struct {
	Line   int64  `json:"line"`
	Text   string `json:"text,omitempty" doc:"What stood there"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// CostResult is what a file brought, or would bring.
type CostResult struct {
	Name          string     `json:"name"`
	Columns       []string   `json:"columns" doc:"Of the file"`
	DayColumn     string     `json:"dayColumn"`
	ChannelColumn string     `json:"channelColumn"`
	AmountColumn  string     `json:"amountColumn"`
	Missing       []string   `json:"missing" doc:"Columns that must be chosen: no name of the file says which they are"`
	Rows          int64      `json:"rows"`
	Rejected      int64      `json:"rejected"`
	Rejects       []Rejected `json:"rejects" doc:"The first of them"`
	Cells         int        `json:"cells" doc:"Days of channels that get a cost"`
	Replaced      int        `json:"replaced" doc:"Of them, those that had another one"`
	From          string     `json:"from,omitempty"`
	To            string     `json:"to,omitempty"`
	Sums          []Sum      `json:"sums" doc:"By currency"`
	Done          bool       `json:"done"`
}

// Sum is an amount of a currency.
type Sum struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

var guesses = map[string][]string{
	"day":      {"day", "date", "日期", "时间", "天", "统计日期", "消耗日期", "时间-天"},
	"channel":  {"channel", "source", "渠道", "渠道名称", "来源", "投放渠道", "媒体", "平台"},
	"amount":   {"amount", "cost", "spend", "费用", "花费", "消耗", "成本", "金额", "消费", "费用(元)", "花费(元)", "消耗(元)", "费用（元）", "总消耗"},
	"currency": {"currency", "币种", "货币"},
}

func guess(columns []string, given, what string) string {
	if given != "" {
		return given
	}
	for _, g := range guesses[what] {
		for _, c := range columns {
			if strings.EqualFold(strings.TrimSpace(c), g) {
				return c
			}
		}
	}
	return ""
}

type cellKey struct{ currency, day, channel string }

// ImportCosts reads a file of costs. Rows of one day and channel are added
// together, because platforms write one for each campaign; the sum takes the
// place of what was there, so that the same file twice does no harm.
func (s *Service) ImportCosts(ctx context.Context, in CostFile) (CostResult, error) {
	out := CostResult{Rejects: []Rejected{}, Sums: []Sum{}, Missing: []string{}}
	currency, err := s.money(ctx, in.Currency)
	if err != nil {
		return out, err
	}
	if in.UploadID == "" {
		return out, bad("uploadId", "request.field_required")
	}
	file, err := s.Tables.OpenTable(ctx, in.UploadID)
	if err != nil {
		return out, err
	}
	cells, err := s.readCosts(ctx, file, in, currency, &out)
	if err = errors.Join(err, file.Close()); err != nil {
		return out, err
	}
	byCurrency := map[string][]Cost{}
	for k, amount := range cells {
		byCurrency[k.currency] = append(byCurrency[k.currency], Cost{Channel: k.channel, Day: k.day, Amount: amount})
		if out.From == "" || k.day < out.From {
			out.From = k.day
		}
		out.To = max(out.To, k.day)
	}
	out.Cells = len(cells)
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		for cur, list := range byCurrency {
			_, have, err := s.CostsBy(ctx, out.From, out.To, cur)
			if err != nil {
				return err
			}
			sum := Sum{Currency: cur}
			for _, c := range list {
				sum.Amount += c.Amount
				if old := have[c.Channel][c.Day]; old != 0 && old != c.Amount {
					out.Replaced++
				}
			}
			out.Sums = append(out.Sums, sum)
			if in.DryRun {
				continue
			}
			if err := s.write(ctx, cur, list); err != nil {
				return err
			}
			if err := s.recordCosts(ctx, "channel.costs_imported", cur, list, map[string]any{"file": out.Name, "rejected": out.Rejected}); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(out.Sums, func(a, b Sum) int { return cmp.Compare(a.Currency, b.Currency) })
	out.Done = err == nil && !in.DryRun
	return out, err
}

func (s *Service) readCosts(ctx context.Context, file *contact.Table, in CostFile, currency string, out *CostResult) (map[cellKey]int64, error) {
	out.Name, out.Columns = file.Name, file.Columns
	out.DayColumn, out.ChannelColumn, out.AmountColumn = guess(file.Columns, in.DayColumn, "day"), guess(file.Columns, in.ChannelColumn, "channel"), guess(file.Columns, in.AmountColumn, "amount")
	money := guess(file.Columns, in.CurrencyColumn, "currency")
	at := map[string]int{}
	for _, c := range []struct{ field, name string }{{"dayColumn", out.DayColumn}, {"channelColumn", out.ChannelColumn}, {"amountColumn", out.AmountColumn}, {"currencyColumn", money}} {
		if at[c.field] = slices.Index(file.Columns, c.name); at[c.field] < 0 && (c.field != "currencyColumn" || c.name != "") {
			if c.name == "" && in.DryRun { // whoever asks sees the columns and chooses
				out.Missing = append(out.Missing, c.field)
				continue
			}
			if c.name == "" {
				return nil, bad(c.field, "acquire.column_not_guessed", "columns", strings.Join(file.Columns, ", "))
			}
			return nil, bad(c.field, "contact.no_such_column", "column", c.name)
		}
	}
	cells := map[cellKey]int64{}
	if len(out.Missing) > 0 {
		return cells, nil
	}
	known := map[string]string{}
	for {
		line, row, err := file.Next()
		if err == io.EOF {
			return cells, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read file of costs: %w", err)
		}
		if out.Rows++; out.Rows > maxCostRows {
			return nil, errs.New(errs.Invalid, "acquire.file_too_long", "limit", maxCostRows)
		}
		cell := func(field string) string {
			if i := at[field]; i >= 0 && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		key, amount, code, text := s.costRow(ctx, row != nil, cell, currency, known)
		if code == "" && cells[key]+amount > maxAmount {
			code, text = "acquire.row_bad_amount", cell("amountColumn")
		}
		if code != "" {
			if out.Rejected++; len(out.Rejects) < shownRejects {
				out.Rejects = append(out.Rejects, Rejected{Line: line, Text: clip(text, 60), Code: code, Reason: httpx.Say(ctx, code, nil)})
			}
			continue
		}
		cells[key] += amount
	}
}

// costRow reads one row, or says with which words what is wrong with it.
func (s *Service) costRow(ctx context.Context, readable bool, cell func(string) string, currency string, known map[string]string) (k cellKey, amount int64, code, text string) {
	if !readable {
		return k, 0, "acquire.row_unreadable", ""
	}
	if cur := strings.ToUpper(cell("currencyColumn")); cur != "" {
		if !currencyForm.MatchString(cur) {
			return k, 0, "acquire.row_bad_currency", cur
		}
		currency = cur
	}
	when, ok := s.Tables.Time(ctx, cell("dayColumn"))
	if !ok {
		return k, 0, "acquire.row_bad_day", cell("dayColumn")
	}
	day := clock.FromMs(when).In(s.zone(ctx)).Format(dayForm)
	if _, err := s.day("", day); err != nil {
		return k, 0, "acquire.row_bad_day", cell("dayColumn")
	}
	named := cell("channelColumn")
	channel, seen := known[named]
	if !seen {
		channel = s.Named(ctx, named)
		known[named] = channel
	}
	if channel == "" {
		return k, 0, "acquire.row_no_channel", named
	}
	amount, ok = s.Amount(cell("amountColumn"), currency)
	if !ok || amount < 0 || amount > maxAmount {
		return k, 0, "acquire.row_bad_amount", cell("amountColumn")
	}
	return cellKey{currency, day, channel}, amount, "", ""
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return s.Zone(ctx)
}

func clip(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}
