package livecode

import (
	"slices"
	"time"
)

// Why a way does not hold those whose turn it is by the pool.
const (
	WhyBackup  = "backup"  // all are off or full: the backups
	WhyExpired = "expired" // the code is over: the staff of its expiry
	WhyNobody  = "nobody"  // nobody at all: the whole pool, so that a scan meets somebody
)

// Why somebody in the pool does not meet who scans just now.
const (
	OutOff     = "off"     // left, or not allowed to meet customers
	OutOffline = "offline" // by hand
	OutShift   = "shift"   // not on duty
	OutFull    = "full"    // their cap for today
	OutTurn    = "turn"    // had their share: the others first
)

// Standing is what the choice depends on beside the definition.
type Standing struct {
	Now   time.Time               // in the company's zone
	Off   func(staff string) bool // left, or not allowed
	Today map[string]int64        // newcomers by this code today, by colleague
}

// Choice is who meets a scan, and why others do not.
type Choice struct {
	Users []string
	Skip  bool
	Why   string
	Out   map[string]string
}

// holds tells whether a moment lies in the window.
func (w Window) holds(t time.Time) bool {
	from, to := minutes(w.From), minutes(w.To)
	at := t.Hour()*60 + t.Minute()
	day := (int(t.Weekday())+6)%7 + 1
	if from < to {
		return at >= from && at < to && slices.Contains(w.Days, day)
	}
	yesterday := (day+5)%7 + 1
	return at >= from && slices.Contains(w.Days, day) || at < to && slices.Contains(w.Days, yesterday)
}

// within tells whether a moment lies in one of the windows.
func within(list []Window, t time.Time) bool {
	return slices.ContainsFunc(list, func(w Window) bool { return w.holds(t) })
}

// minutes reads HH:MM, which was checked before.
func minutes(s string) int {
	if len(s) != 5 {
		return 0
	}
	digit := func(i int) int { return int(s[i] - '0') }
	return (digit(0)*10+digit(1))*60 + digit(3)*10 + digit(4)
}

// Choose says who meets a scan just now: the same for the same standing.
func (d *Definition) Choose(s Standing) Choice {
	c := Choice{Out: map[string]string{}, Skip: d.Verify != VerifyAsk && (d.Verify != VerifyWindows || within(d.Skip, s.Now))}
	there := func(list []string) (out []string) {
		for _, id := range list {
			if !s.Off(id) && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
		return out
	}
	if d.Expiry != nil && !s.Now.Before(d.Expiry.At) {
		c.Why, c.Users = WhyExpired, there(d.Expiry.Staff)
		if len(c.Users) > 0 {
			return c
		}
	}
	var free []Member
	for _, m := range d.Members {
		switch {
		case s.Off(m.Staff):
			c.Out[m.Staff] = OutOff
		case m.Offline:
			c.Out[m.Staff] = OutOffline
		case len(m.Shifts) > 0 && !within(m.Shifts, s.Now):
			c.Out[m.Staff] = OutShift
		case m.Cap > 0 && s.Today[m.Staff] >= int64(m.Cap):
			c.Out[m.Staff] = OutFull
		default:
			free = append(free, m)
		}
	}
	if c.Why == WhyExpired { // the pool is over, and who was to follow is gone
		free = nil
	}
	c.Users = inTurn(free, s.Today, c.Out)
	if len(c.Users) == 0 && c.Why == "" {
		c.Why, c.Users = WhyBackup, there(d.Backups)
	}
	if len(c.Users) == 0 {
		c.Why = WhyNobody
		for _, m := range d.Members {
			c.Users = append(c.Users, m.Staff)
		}
		if c.Users = there(c.Users); len(c.Users) == 0 {
			c.Users = nil
		}
	}
	slices.Sort(c.Users)
	return c
}

// inTurn leaves out who is ahead of their share. With equal weights all stay, and
// the platform deals them out evenly. With others it goes by laps: in each lap
// everybody takes as many as their weight and then waits for the rest, so that the
// day comes out by weight, whoever was on duty when.
func inTurn(free []Member, today map[string]int64, out map[string]string) (users []string) {
	equal := true
	weight := func(m Member) int64 { return int64(max(m.Weight, 1)) }
	for _, m := range free {
		equal = equal && weight(m) == weight(free[0])
	}
	lap := int64(-1)
	for _, m := range free {
		if n := today[m.Staff] / weight(m); lap < 0 || n < lap {
			lap = n
		}
	}
	for _, m := range free {
		if !equal && today[m.Staff]/weight(m) > lap {
			out[m.Staff] = OutTurn
			continue
		}
		users = append(users, m.Staff)
	}
	return users
}

// welcomeAt is the welcome that is due at a time.
func (d *Definition) welcomeAt(t time.Time) Welcome {
	for _, w := range d.Timed {
		if within(w.Windows, t) {
			return w.Welcome
		}
	}
	return d.Welcome
}
