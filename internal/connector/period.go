package connector

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

//go:embed quotas.json
var quotasText []byte

// QuotasOf are the quotas of a kind as the platforms publish them. They change:
// quotas.json is the one place where they stand, and an account's settings may say
// otherwise.
func QuotasOf(kind string) []Quota {
	var all map[string][]Quota
	if err := json.Unmarshal(quotasText, &all); err != nil {
		panic("connector: quotas.json: " + err.Error()) // it is part of the program
	}
	for _, q := range all[kind] {
		if _, ok := parsePeriod(q.Per); !ok {
			panic("connector: quotas.json: no such time: " + q.Per)
		}
	}
	return slices.Clone(all[kind])
}

// settingQuota begins the settings that replace a limit: quota.<name>.<per>.
const settingQuota = "quota."

// limit is the most that an account may take of a quota; 0: it has no limit.
func (q Quota) limit(a Account) int64 {
	if n, err := strconv.ParseInt(a.Settings[settingQuota+q.Name+"."+q.Per], 10, 64); err == nil {
		return n
	}
	return q.Most
}

// period is a stretch of time that is counted: one of the calendar's, or the last so
// long, which is counted in steps.
type period struct {
	calendar string
	last     time.Duration
}

// china is where the platforms' days begin.
var china = time.FixedZone("Asia/Shanghai", 8*3600)

// steps is in how many parts a stretch that ends now is counted: what was taken
// counts up to one part longer than the platform counts it, and never shorter.
const steps = 24

func parsePeriod(per string) (period, bool) {
	switch per {
	case "minute", "hour", "day", "week", "month":
		return period{calendar: per}, true
	}
	if len(per) < 2 {
		return period{}, false
	}
	n, err := strconv.Atoi(per[:len(per)-1])
	unit, ok := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[per[len(per)-1]]
	if err != nil || n <= 0 || !ok {
		return period{}, false
	}
	return period{last: time.Duration(n) * unit}, true
}

func mustPeriod(per string) period {
	p, ok := parsePeriod(per)
	if !ok {
		panic(fmt.Sprintf("connector: no such time: %q", per))
	}
	return p
}

// bucket is the part of the period that t is in.
func (p period) bucket(t time.Time) (from, to time.Time) {
	c := t.In(china)
	day := time.Date(c.Year(), c.Month(), c.Day(), 0, 0, 0, 0, china)
	switch p.calendar {
	case "minute":
		from = t.Truncate(time.Minute)
		return from, from.Add(time.Minute)
	case "hour":
		from = t.Truncate(time.Hour)
		return from, from.Add(time.Hour)
	case "day":
		return day, day.AddDate(0, 0, 1)
	case "week":
		from = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return from, from.AddDate(0, 0, 7)
	case "month":
		from = day.AddDate(0, 0, 1-day.Day())
		return from, from.AddDate(0, 1, 0)
	}
	step := max(p.last/steps, time.Second)
	from = time.UnixMilli(t.UnixMilli() - t.UnixMilli()%step.Milliseconds())
	return from, from.Add(step)
}

// gone is when what was taken in a bucket counts no more.
func (p period) gone(to time.Time) time.Time { return to.Add(p.last) }
