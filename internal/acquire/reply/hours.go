package reply

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event/veil"
)

// minutes of a text HH:MM that was checked.
func minutes(s string) int {
	return int(s[0]-'0')*600 + int(s[1]-'0')*60 + int(s[3]-'0')*10 + int(s[4]-'0')
}

func clockText(s string) bool {
	if len(s) != 5 || s[2] != ':' {
		return false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s == "24:00" || minutes(s) < 24*60 && s[3] < '6'
}

// weekday is 1 Monday to 7 Sunday.
func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// open tells whether people work at a time, which is the company's. A day that has
// words of its own (a holiday, a Saturday worked on) goes before its day of the
// week, also over what an evening before it brings over midnight.
func (h *Hours) open(t time.Time) bool {
	if len(h.Windows) == 0 && len(h.Days) == 0 {
		return true
	}
	at := t.Hour()*60 + t.Minute()
	if d := h.day(t); d != nil {
		return d.From != "" && at >= minutes(d.From) && at < minutes(d.To)
	}
	if len(h.Windows) == 0 {
		return true
	}
	yesterday := t.AddDate(0, 0, -1)
	for _, w := range h.Windows {
		from, to := minutes(w.From), minutes(w.To)
		today := slices.Contains(w.Days, weekday(t))
		if from < to {
			if today && at >= from && at < to {
				return true
			}
			continue
		}
		if today && at >= from || at < to && slices.Contains(w.Days, weekday(yesterday)) && h.day(yesterday) == nil {
			return true
		}
	}
	return false
}

func (h *Hours) day(t time.Time) *Day {
	date := t.Format(time.DateOnly)
	for i := range h.Days {
		if h.Days[i].Date == date {
			return &h.Days[i]
		}
	}
	return nil
}

func (h *Hours) check() error {
	if len(h.Windows) > maxWindows {
		return bad("windows", "reply.too_many", "limit", maxWindows)
	}
	if len(h.Days) > maxDates {
		return bad("days", "reply.too_many", "limit", maxDates)
	}
	for i, w := range h.Windows {
		at := fmt.Sprintf("windows[%d]", i)
		switch {
		case len(w.Days) == 0 || slices.ContainsFunc(w.Days, func(d int) bool { return d < 1 || d > 7 }):
			return bad(at+".days", "livecode.bad_days")
		case !clockText(w.From) || w.From == "24:00":
			return bad(at+".from", "livecode.bad_time")
		case !clockText(w.To) || w.To == w.From:
			return bad(at+".to", "livecode.bad_time")
		}
	}
	seen := map[string]bool{}
	for i := range h.Days {
		d, at := &h.Days[i], fmt.Sprintf("days[%d]", i)
		d.Note = veil.Text(clip(strings.TrimSpace(d.Note), 40))
		if when, err := time.Parse(time.DateOnly, d.Date); err != nil || when.Year() < 2000 || when.Year() > 2200 {
			return bad(at+".date", "rule.needs_date")
		}
		switch {
		case seen[d.Date]:
			return bad(at+".date", "reply.day_twice")
		case d.From == "" && d.To == "":
		case !clockText(d.From) || d.From == "24:00":
			return bad(at+".from", "livecode.bad_time")
		case !clockText(d.To) || minutes(d.To) <= minutes(d.From):
			return bad(at+".to", "livecode.bad_time")
		}
		seen[d.Date] = true
	}
	slices.SortFunc(h.Days, func(a, b Day) int { return strings.Compare(a.Date, b.Date) })
	return nil
}
