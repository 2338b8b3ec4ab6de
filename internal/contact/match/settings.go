package match

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact/match/score"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Settings say what stands on the list and when it is made.
type Settings struct {
	From    int      `json:"from" minimum:"50" maximum:"99" doc:"Pairs with this score or more are on the list"`
	Fields  []string `json:"fields" doc:"What counts: name, birthday, gender, phone, email, address, city, number, account"`
	Nightly bool     `json:"nightly" doc:"Run by itself every night"`
	Hour    int      `json:"hour" minimum:"0" maximum:"23" doc:"When, in the company's time zone"`
}

// keepFrom is the least score of pairs that are kept: so that a lower threshold
// shows more at once.
const keepFrom = 50

func defaults() Settings {
	s := Settings{From: score.DefaultFrom, Nightly: true, Hour: 3}
	for _, f := range score.Fields() {
		s.Fields = append(s.Fields, f.String())
	}
	return s
}

// The names in match_state.
const (
	stateSettings = "settings"
	stateModel    = "model"
	stateBase     = "base"  // up to when changes of people are known
	stateNight    = "night" // the day of the last nightly run
	stateReport   = "report"
	stateRun      = "run" // number of the last run
)

// recall reads a part of the state into v; false when it was never written.
func (s *Service) recall(ctx context.Context, name string, v any) (bool, error) {
	var raw string
	err := s.DB.QueryRow(ctx, "select value from match_state where name = $1", name).Scan(&raw)
	if db.NoRows(err) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(raw), v)
	}
	if err != nil {
		return false, fmt.Errorf("read %s of possible duplicates: %w", name, err)
	}
	return true, nil
}

func (s *Service) remember(ctx context.Context, name string, v any) error {
	raw, err := json.Marshal(v)
	if err == nil {
		_, err = s.DB.Exec(ctx, "insert into match_state (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value", name, string(raw))
	}
	if err != nil {
		return fmt.Errorf("write %s of possible duplicates: %w", name, err)
	}
	return nil
}

// Settings reads them.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	set := defaults()
	_, err := s.recall(ctx, stateSettings, &set)
	return set, err
}

// SetSettings changes them. Other fields count from the next run on, which then reads everybody.
func (s *Service) SetSettings(ctx context.Context, set Settings) (Settings, error) {
	if err := set.check(); err != nil {
		return Settings{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		old, err := s.Settings(ctx)
		if err != nil {
			return err
		}
		if err := s.remember(ctx, stateSettings, set); err != nil {
			return err
		}
		if !slices.Equal(old.Fields, set.Fields) {
			if err := s.remember(ctx, stateBase, base{}); err != nil {
				return err
			}
		}
		return s.record(ctx, "match.settings_changed", audit.Object{Type: "match", ID: "settings"},
			map[string]any{"from": set.From, "fields": set.Fields, "nightly": set.Nightly, "hour": set.Hour})
	})
	return set, err
}

func (set *Settings) check() error {
	bad := errs.New(errs.Invalid, "request.invalid")
	if set.From < keepFrom || set.From > 99 {
		return bad.On(errs.At("from", "match.bad_score", "min", keepFrom, "max", 99))
	}
	if set.Hour < 0 || set.Hour > 23 {
		return bad.On(errs.At("hour", "match.bad_hour"))
	}
	counted := 0
	for i, f := range set.Fields {
		p, ok := score.ParseField(f)
		if !ok || slices.Contains(set.Fields[:i], f) {
			return bad.On(errs.At(fmt.Sprintf("fields[%d]", i), "match.bad_field", "field", f))
		}
		if p != score.Gender && p != score.City && p != score.Account { // these three tell nobody apart
			counted++
		}
	}
	if counted < 2 {
		return bad.On(errs.At("fields", "match.too_few_fields"))
	}
	slices.SortFunc(set.Fields, func(a, b string) int {
		x, _ := score.ParseField(a)
		y, _ := score.ParseField(b)
		return int(x) - int(y)
	})
	return nil
}

func (s *Service) record(ctx context.Context, action string, obj audit.Object, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, obj, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// principal is who asks: the program itself when nobody is signed in.
func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("match")
}

// Tick does what is due: postponed pairs come back, and the nightly run begins.
// It is called every minute, on every node.
func (s *Service) Tick(ctx context.Context) error {
	now := s.Clock.Now()
	if _, err := s.DB.Exec(ctx, "update match_pairs set state = 'open', until_at = 0 where state = 'postponed' and until_at <= $1", now.UnixMilli()); err != nil {
		return fmt.Errorf("bring back postponed pairs: %w", err)
	}
	set, err := s.Settings(ctx)
	if err != nil || !set.Nightly {
		return err
	}
	local := now.In(s.Zone(ctx))
	if local.Hour() != set.Hour {
		return nil
	}
	today := local.Format(time.DateOnly)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		var last string
		if _, err := s.recall(ctx, stateNight, &last); err != nil || last >= today {
			return err
		}
		if err := s.remember(ctx, stateNight, today); err != nil {
			return err
		}
		_, err := s.Enqueue(auth.With(ctx, auth.System("koipond")), false)
		return err
	})
}
