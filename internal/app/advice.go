package app

import (
	"context"
	"math"
	"sort"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// adviceSource is what advice looks at beside the overview itself.
type adviceSource struct {
	store      analytics.Store
	setAside   func(ctx context.Context) (int64, error)
	violations func(ctx context.Context) (int64, error)
	hasKeys    func(ctx context.Context) (bool, error)
	newest     func(ctx context.Context) (time.Time, error) // when the newest fact came, zero never
}

const (
	minPeople  = 30  // people that a comparison needs before it is worth saying
	minChange  = .15 // change against the period before that is worth saying
	maxAdvice  = 5
	quietHours = 24
)

// adviser collects what to do next, the urgent first.
type adviser struct{ out []advice }

func (a *adviser) say(severity, code, link string, params map[string]any) {
	if params == nil {
		params = map[string]any{}
	}
	a.out = append(a.out, advice{Code: code, Params: params, Severity: severity, Link: link})
}

// advise says what to do next, at most five things. All of it is computed from
// facts; ratios in the parameters lie between 0 and 1.
func (s adviceSource) advise(ctx context.Context, o *overview) ([]advice, error) {
	a := &adviser{out: []advice{}}
	if err := s.troubles(ctx, o, a); err != nil {
		return nil, err
	}
	if value(o, "size") >= minPeople {
		changes(o, a)
		channelAdvice(o, a)
		if err := s.buying(ctx, o, a); err != nil {
			return nil, err
		}
	}
	return a.out[:min(len(a.out), maxAdvice)], nil
}

func (s adviceSource) troubles(ctx context.Context, o *overview, a *adviser) error {
	n, err := s.setAside(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		a.say("warn", "set_aside_waiting", "/set-aside", map[string]any{"count": n})
	}
	if n, err = s.violations(ctx); err != nil {
		return err
	}
	if n > 0 {
		a.say("warn", "dictionary_violations", "/dictionary?tab=violations", map[string]any{"count": n})
	}
	keys, err := s.hasKeys(ctx)
	if err != nil {
		return err
	}
	if !keys {
		a.say("info", "no_write_key", "/keys", nil)
		return nil
	}
	at, err := s.newest(ctx)
	if err != nil {
		return err
	}
	if hours := int64(o.UpdatedAt.Sub(at).Hours()); !at.IsZero() && hours >= quietHours {
		a.say("warn", "no_recent_facts", "/live", map[string]any{"hours": hours})
	}
	return nil
}

func value(o *overview, key string) float64 {
	for _, k := range o.KPIs {
		if k.Key == key {
			return k.Value
		}
	}
	return 0
}

// changes speaks of numbers that moved against the period before.
func changes(o *overview, a *adviser) {
	codes := map[string]string{"revenue": "revenue_down", "active": "active_down", "new": "new_down"}
	for _, k := range o.KPIs {
		if k.Previous == nil || *k.Previous <= 0 {
			continue
		}
		change := k.Value/(*k.Previous) - 1
		link := "/people?metric=" + k.People
		switch {
		case k.Key == "repeatRate" && change <= -minChange:
			a.say("warn", "repeat_rate_down", link, map[string]any{"previous": round3(*k.Previous), "rate": round3(k.Value)})
		case codes[k.Key] != "" && change <= -minChange:
			a.say("warn", codes[k.Key], link, map[string]any{"share": round3(-change)})
		case k.Key == "revenue" && change >= minChange:
			a.say("info", "revenue_up", "/orders", map[string]any{"share": round3(change)})
		}
	}
}

// channelAdvice compares how many of each channel's buyers came back to buy.
func channelAdvice(o *overview, a *adviser) {
	var rows []channelRow
	var buyers, again, fresh float64
	for _, c := range o.Channels {
		buyers, again, fresh = buyers+float64(c.Buyers), again+float64(c.Buyers)*c.RepeatRate, fresh+float64(c.New)
		if c.Buyers >= minPeople && c.Channel != "unknown" {
			rows = append(rows, c)
		}
		if c.Channel == "unknown" && c.New >= minPeople && value(o, "new") > 0 && float64(c.New)/value(o, "new") > .2 {
			a.say("info", "unknown_channel", "/people?metric=new&channel=unknown", map[string]any{"count": c.New, "share": round3(float64(c.New) / value(o, "new"))})
		}
	}
	if len(rows) < 2 {
		return
	}
	average := ratio(again, buyers)
	sort.Slice(rows, func(i, j int) bool { return rows[i].RepeatRate > rows[j].RepeatRate })
	if best := rows[0]; best.RepeatRate >= 1.25*average {
		a.say("info", "best_channel", "/contacts?channel="+best.Channel, map[string]any{"channel": best.Channel, "rate": round3(best.RepeatRate), "average": round3(average)})
	}
	for i := len(rows) - 1; i > 0 && fresh > 0; i-- { // the worst that matters: at least a tenth of the newcomers
		worst := rows[i]
		if float64(worst.New)/fresh < .1 || worst.RepeatRate > .75*average {
			continue
		}
		a.say("info", "weak_channel", "/contacts?channel="+worst.Channel,
			map[string]any{"channel": worst.Channel, "share": round3(float64(worst.New) / fresh), "rate": round3(worst.RepeatRate), "average": round3(average)})
		return
	}
}

// buying looks at everyone who ever bought.
func (s adviceSource) buying(ctx context.Context, o *overview, a *adviser) error {
	rows, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: analytics.Filter{Events: []string{event.NameOrderPaid}, ContactKind: event.Person}})
	if err != nil || len(rows) == 0 {
		return err
	}
	bought, again, size := float64(rows[0].People), float64(rows[0].Repeat), value(o, "size")
	if once := bought - again; bought >= minPeople && once/bought >= .5 {
		a.say("info", "one_time_buyers", "/people?metric=buyers", map[string]any{"count": int64(once), "share": round3(once / bought)})
	}
	if never := size - bought; bought > 0 && never/size >= .5 {
		a.say("info", "never_bought", "/contacts?sort=orders&order=asc", map[string]any{"count": int64(never), "share": round3(never / size)})
	}
	return nil
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }
