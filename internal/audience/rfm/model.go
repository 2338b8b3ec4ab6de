package rfm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Cuts are a company's own points between scores, each axis ascending.
type Cuts struct {
	R [4]int     `json:"r" doc:"Days since the last purchase: up to the first 5, up to the second 4, …, beyond the last 1"`
	F [4]int     `json:"f" doc:"Purchases: below the first 1, from the first on 2, …, from the last on 5"`
	M [4]float64 `json:"m" doc:"Money, as F; in whole units of the currency"`
}

// Model says what is scored.
type Model struct {
	ID       string `json:"id,omitempty" readOnly:"true"`
	Name     string `json:"name" minLength:"1" maxLength:"40"`
	Event    string `json:"event" minLength:"1" maxLength:"200" doc:"What counts as a purchase"`
	Property string `json:"property,omitempty" maxLength:"200" doc:"Property that holds the money; none: all have the same M"`
	Less     string `json:"less,omitempty" maxLength:"200" doc:"Event that gives money back, e.g. order.refunded"`
	Currency string `json:"currency,omitempty" maxLength:"3" doc:"Only purchases in this currency; empty: whatever it is"`
	Days     int    `json:"days" minimum:"7" maximum:"3650" doc:"How far back purchases count"`
	Cuts     *Cuts  `json:"cuts,omitempty" doc:"Own points between scores; none: quintiles"`

	ChangedAt time.Time   `json:"changedAt,omitempty" readOnly:"true"`
	ChangedBy contact.Ref `json:"changedBy,omitempty" readOnly:"true"`
}

// minor tells whether sums are minor units of a currency: those of orders are.
func (m *Model) minor() bool {
	return m.Property == "total" && (m.Event == event.NameOrderPaid)
}

// First is the model that every company begins with.
const First = "value"

func firstModel(currency string) Model {
	return Model{ID: First, Name: "订单价值 Order value", Event: event.NameOrderPaid, Property: "total", Less: event.NameOrderRefunded, Currency: currency, Days: 365}
}

const (
	maxModels = 10
	minDays   = 7
	maxDays   = 3650
)

var (
	errInput     = errs.New(errs.Invalid, "request.invalid")
	errNoModel   = errs.New(errs.NotFound, "rfm.no_such_model")
	currencyForm = regexp.MustCompile(`^([A-Z]{3})?$`)
)

const modelColumns = "id, name, event, property, less, currency, days, cuts, changed_at, by_id, by_name"

func scanModel(r *sql.Rows) (Model, error) {
	var m Model
	var cuts string
	var at int64
	err := r.Scan(&m.ID, &m.Name, &m.Event, &m.Property, &m.Less, &m.Currency, &m.Days, &cuts, &at, &m.ChangedBy.ID, &m.ChangedBy.Name)
	m.ChangedAt = clock.FromMs(at)
	if err == nil && cuts != "" {
		m.Cuts = &Cuts{}
		err = json.Unmarshal([]byte(cuts), m.Cuts)
	}
	return m, err
}

// Models lists the models in the order they were made.
func (s *Service) Models(ctx context.Context) ([]Model, error) {
	rows, err := s.DB.Query(ctx, "select "+modelColumns+" from rfm_models order by position, id")
	out, err := db.Collect(rows, err, scanModel)
	if err != nil {
		return nil, fmt.Errorf("read RFM models: %w", err)
	}
	if len(out) == 0 { // nobody touched them yet
		currency, err := s.Currency(ctx)
		if err != nil {
			return nil, err
		}
		out = []Model{firstModel(currency)}
	}
	return out, nil
}

// Model finds one; "" is the first.
func (s *Service) Model(ctx context.Context, id string) (Model, error) {
	all, err := s.Models(ctx)
	if err != nil {
		return Model{}, err
	}
	for _, m := range all {
		if m.ID == id || id == "" {
			return m, nil
		}
	}
	return Model{}, errNoModel
}

func (m *Model) check() error {
	m.Name, m.Event, m.Property, m.Less = strings.TrimSpace(m.Name), strings.TrimSpace(m.Event), strings.TrimSpace(m.Property), strings.TrimSpace(m.Less)
	switch {
	case m.Name == "":
		return errInput.On(errs.At("name", "request.field_required"))
	case len([]rune(m.Name)) > 40:
		return errInput.On(errs.At("name", "request.too_long", "limit", 40))
	case m.Event == "":
		return errInput.On(errs.At("event", "request.field_required"))
	case m.Event == m.Less:
		return errInput.On(errs.At("less", "rfm.less_is_event"))
	case m.Days < minDays || m.Days > maxDays:
		return errInput.On(errs.At("days", "rule.out_of_range", "least", minDays, "limit", maxDays))
	case !currencyForm.MatchString(m.Currency):
		return errInput.On(errs.At("currency", "rfm.bad_currency"))
	}
	if m.Property != "" {
		if err := analytics.CheckProperty(m.Property); err != nil {
			return errInput.On(errs.At("property", "rfm.bad_property"))
		}
	}
	if c := m.Cuts; c != nil {
		for path, ok := range map[string]bool{"cuts.r": rising(c.R[:]) && c.R[0] >= 0, "cuts.f": rising(c.F[:]) && c.F[0] >= 1, "cuts.m": rising(c.M[:])} {
			if !ok {
				return errInput.On(errs.At(path, "rfm.cuts_rise"))
			}
		}
	}
	return nil
}

func rising[T int | float64](v []T) bool {
	for i := 1; i < len(v); i++ {
		if !(v[i] > v[i-1]) {
			return false
		}
	}
	return true
}

// Save makes a model (id "") or changes one.
func (s *Service) Save(ctx context.Context, id string, m Model) (Model, error) {
	if err := m.check(); err != nil {
		return m, err
	}
	by := auth.From(ctx)
	m.ChangedAt, m.ChangedBy = s.Clock.Now(), contact.Ref{ID: by.ID, Name: by.Name}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		all, err := s.Models(ctx)
		if err != nil {
			return err
		}
		action, at := "rfm.model_changed", slices.IndexFunc(all, func(o Model) bool { return o.ID == id })
		switch {
		case id == "" && len(all) >= maxModels:
			return errInput.On(errs.At("name", "rfm.too_many_models", "limit", maxModels))
		case id == "":
			m.ID, action = s.IDs.New("rf"), "rfm.model_created"
			all = append(all, m)
		case at < 0:
			return errNoModel
		default:
			m.ID = id
			all[at] = m
		}
		if err := s.write(ctx, all); err != nil {
			return err
		}
		return s.Audit.Record(ctx, action, audit.Object{Type: "rfm_model", ID: m.ID, Name: m.Name}, map[string]any{"event": m.Event, "property": m.Property, "days": m.Days, "cuts": m.Cuts})
	})
	s.forget(m.ID)
	s.renewed()
	return m, errors.Join(err, s.watch(ctx))
}

// Remove takes a model away; one is always left.
func (s *Service) Remove(ctx context.Context, id string) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		all, err := s.Models(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(o Model) bool { return o.ID == id })
		switch {
		case at < 0:
			return errNoModel
		case len(all) == 1:
			return errs.New(errs.Conflict, "rfm.last_model")
		}
		gone := all[at]
		if err := s.write(ctx, slices.Delete(all, at, at+1)); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "rfm.model_removed", audit.Object{Type: "rfm_model", ID: gone.ID, Name: gone.Name}, nil)
	})
	s.forget(id)
	s.renewed()
	return errors.Join(err, s.watch(ctx))
}

// write puts all models anew: there are few.
func (s *Service) write(ctx context.Context, all []Model) error {
	if _, err := s.DB.Exec(ctx, "delete from rfm_models"); err != nil {
		return fmt.Errorf("write RFM models: %w", err)
	}
	for i, m := range all {
		cuts := ""
		if m.Cuts != nil {
			b, err := json.Marshal(m.Cuts)
			if err != nil {
				return fmt.Errorf("write cuts: %w", err)
			}
			cuts = string(b)
		}
		_, err := s.DB.Exec(ctx, "insert into rfm_models ("+modelColumns+", position) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
			m.ID, m.Name, m.Event, m.Property, m.Less, m.Currency, m.Days, cuts, m.ChangedAt.UnixMilli(), m.ChangedBy.ID, m.ChangedBy.Name, i)
		if err != nil {
			return fmt.Errorf("write RFM models: %w", err)
		}
	}
	return nil
}
