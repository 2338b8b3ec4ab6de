package livecode

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Figures are what came of some scans. WeCom tells of no scan that led nowhere:
// whoever looked at a code and did not add anybody is in none of them.
type Figures struct {
	Adds      int64 `json:"adds" doc:"Times that somebody became a friend"`
	People    int64 `json:"people" doc:"Of them, different people"`
	Again     int64 `json:"again" doc:"Adds of people who had come by the same code before"`
	ByThem    int64 `json:"byThem" doc:"Friendships of this time that the customer ended since"`
	ByUs      int64 `json:"byUs" doc:"Friendships of this time that the colleague ended, or handed over, since"`
	Left      int64 `json:"left" doc:"Friendships that the customer ended in this time, whenever they began"`
	Kept1     Kept  `json:"kept1"`
	Kept7     Kept  `json:"kept7"`
	Kept30    Kept  `json:"kept30"`
	Welcomed  int64 `json:"welcomed" doc:"Welcomes that the platform took"`
	Unwelcome int64 `json:"notWelcomed" doc:"Welcomes that were refused, too late, or of unknown outcome"`
}

// Kept tells how many friendships lasted so many days, among those that could have.
type Kept struct {
	Of   int64 `json:"of" doc:"Adds that were so long ago"`
	Kept int64 `json:"kept" doc:"Of them, friends for so long at least"`
}

// Line is figures of one day, colleague or hour.
type Line struct {
	Key   string `json:"key" doc:"Day YYYY-MM-DD, the platform's id of a colleague, or hour 0 to 23"`
	Name  string `json:"name,omitempty" doc:"Of the colleague"`
	Adds  int64  `json:"adds"`
	Again int64  `json:"again"`
	Left  int64  `json:"left" doc:"Day: friendships that customers ended on it. Else: of these friendships"`
	Kept7 Kept   `json:"kept7"`
}

// Stats are the books of a code over some days.
type Stats struct {
	From   string  `json:"from"`
	To     string  `json:"to" doc:"Included"`
	Total  Figures `json:"total"`
	Before Figures `json:"before" doc:"Of as many days before"`
	Days   []Line  `json:"days"`
	Staff  []Line  `json:"staff"`
	Hours  []Line  `json:"hours" doc:"By the hour of the day, all 24"`
}

// whose narrows rows to those of the colleagues whom the caller may see.
type whose struct {
	all bool
	ids []string
}

func (w whose) sql(args []any) (string, []any) {
	if w.all {
		return "", args
	}
	if len(w.ids) == 0 {
		return " and 1 = 0", args
	}
	n := len(args) + 1
	for _, id := range w.ids {
		args = append(args, id)
	}
	return " and staff in (" + db.In(n, len(w.ids)) + ")", args
}

// Stats answers for some codes (of one account) from a day to another.
func (s *Service) Stats(ctx context.Context, c *Code, from, to string) (Stats, error) {
	a, b, err := httpx.Days(s.now(ctx), from, to)
	if err != nil {
		return Stats{}, err
	}
	mine, err := s.whose(ctx, c.Account)
	if err != nil {
		return Stats{}, err
	}
	out := Stats{From: a.Format(time.DateOnly), To: b.Format(time.DateOnly)}
	if out.Total, err = s.figures(ctx, c.ID, a, b, mine); err != nil {
		return out, err
	}
	days := int(b.Sub(a).Hours()/24+.5) + 1
	if out.Before, err = s.figures(ctx, c.ID, clock.DayStart(a, 0, -days), clock.DayStart(a, 0, -1), mine); err != nil {
		return out, err
	}
	if out.Days, err = s.lines(ctx, c, "day", a, b, mine); err != nil {
		return out, err
	}
	if err := s.addLeavers(ctx, c, a, b, mine, out.Days); err != nil {
		return out, err
	}
	if out.Staff, err = s.lines(ctx, c, "staff", a, b, mine); err != nil {
		return out, err
	}
	out.Hours, err = s.lines(ctx, c, "hour", a, b, mine)
	return out, err
}

// keptSQL counts friendships that lasted so many days, among those long enough ago.
func keptSQL(days int, now int64) string {
	ms := int64(days) * 24 * 3600 * 1000
	return fmt.Sprintf("coalesce(sum(case when at <= %d then 1 else 0 end), 0), coalesce(sum(case when at <= %d and (gone_at = 0 or gone_at - at >= %d) then 1 else 0 end), 0)", now-ms, now-ms, ms)
}

func (s *Service) figures(ctx context.Context, code string, a, b time.Time, mine whose) (f Figures, err error) {
	now := clock.Ms(s.Clock.Now())
	cond, args := mine.sql([]any{code, clock.DayNumber(a), clock.DayNumber(b)})
	err = s.DB.QueryRow(ctx, `select count(*), count(distinct person), coalesce(sum(case when nth > 1 then 1 else 0 end), 0),
		coalesce(sum(case when gone_by = 'customer' then 1 else 0 end), 0), coalesce(sum(case when gone_by in ('colleague', 'transfer') then 1 else 0 end), 0), `+
		keptSQL(1, now)+", "+keptSQL(7, now)+", "+keptSQL(30, now)+" from livecode_adds where fake = 0 and code = $1 and day >= $2 and day <= $3"+cond, args...).
		Scan(&f.Adds, &f.People, &f.Again, &f.ByThem, &f.ByUs, &f.Kept1.Of, &f.Kept1.Kept, &f.Kept7.Of, &f.Kept7.Kept, &f.Kept30.Of, &f.Kept30.Kept)
	if err != nil {
		return f, fmt.Errorf("count scans: %w", err)
	}
	if err = s.DB.QueryRow(ctx, "select count(*) from livecode_adds where fake = 0 and code = $1 and gone_day >= $2 and gone_day <= $3 and gone_by = 'customer'"+cond, args...).Scan(&f.Left); err != nil {
		return f, fmt.Errorf("count who left: %w", err)
	}
	cond, args = mine.sql([]any{code, clock.Ms(a), clock.Ms(clock.DayStart(b, 0, 1))})
	err = s.DB.QueryRow(ctx, `select coalesce(sum(case when state = 'sent' then 1 else 0 end), 0), coalesce(sum(case when state in ('refused', 'late', 'unknown') then 1 else 0 end), 0)
		from livecode_welcomes where code = $1 and at >= $2 and at < $3`+cond, args...).Scan(&f.Welcomed, &f.Unwelcome)
	if err != nil {
		return f, fmt.Errorf("count welcomes: %w", err)
	}
	return f, nil
}

func (s *Service) lines(ctx context.Context, c *Code, by string, a, b time.Time, mine whose) ([]Line, error) {
	cond, args := mine.sql([]any{c.ID, clock.DayNumber(a), clock.DayNumber(b)})
	rows, err := s.DB.Query(ctx, "select cast("+by+" as text), count(*), coalesce(sum(case when nth > 1 then 1 else 0 end), 0), coalesce(sum(case when gone_by = 'customer' then 1 else 0 end), 0), "+
		keptSQL(7, clock.Ms(s.Clock.Now()))+" from livecode_adds where fake = 0 and code = $1 and day >= $2 and day <= $3"+cond+" group by "+by, args...)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (l Line, err error) {
		return l, r.Scan(&l.Key, &l.Adds, &l.Again, &l.Left, &l.Kept7.Of, &l.Kept7.Kept)
	})
	if err != nil {
		return nil, fmt.Errorf("count scans by %s: %w", by, err)
	}
	have := make(map[string]Line, len(list))
	for _, l := range list {
		have[l.Key] = l
	}
	out := []Line{}
	switch by {
	case "day":
		for t := a; !t.After(b); t = clock.DayStart(t, 0, 1) {
			l := have[fmt.Sprint(clock.DayNumber(t))]
			l.Key, l.Left = t.Format(time.DateOnly), 0
			out = append(out, l)
		}
	case "hour":
		for h := range 24 {
			l := have[fmt.Sprint(h)]
			l.Key = fmt.Sprint(h)
			out = append(out, l)
		}
	default:
		for _, l := range list {
			l.Name = s.named(c.Account, l.Key)
			out = append(out, l)
		}
		slices.SortFunc(out, func(x, y Line) int {
			if x.Adds != y.Adds {
				return int(y.Adds - x.Adds)
			}
			return strings.Compare(x.Key, y.Key)
		})
	}
	return out, nil
}

// addLeavers adds to each day the friendships that customers ended on it.
func (s *Service) addLeavers(ctx context.Context, c *Code, a, b time.Time, mine whose, days []Line) error {
	cond, args := mine.sql([]any{c.ID, clock.DayNumber(a), clock.DayNumber(b)})
	rows, err := s.DB.Query(ctx, "select gone_day, count(*) from livecode_adds where fake = 0 and code = $1 and gone_day >= $2 and gone_day <= $3 and gone_by = 'customer'"+cond+" group by gone_day", args...)
	left := map[string]int64{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var day, n int64
		err = r.Scan(&day, &n)
		left[dateOf(day)] = n
		return x, err
	})
	if err != nil {
		return fmt.Errorf("count who left: %w", err)
	}
	for i := range days {
		days[i].Left = left[days[i].Key]
	}
	return nil
}

// Came is one who came by a code.
type Came struct {
	Contact   string     `json:"contact,omitempty" doc:"Id; left out for a contact that the caller may not see"`
	Name      string     `json:"name,omitempty"`
	Staff     string     `json:"staff" doc:"The platform's id of the colleague they met"`
	StaffName string     `json:"staffName"`
	At        time.Time  `json:"at"`
	Again     bool       `json:"again,omitempty" doc:"They had come by this code before"`
	GoneAt    *time.Time `json:"goneAt,omitempty"`
	GoneBy    string     `json:"goneBy,omitempty" enum:"customer,colleague,transfer"`
	Welcome   string     `json:"welcome,omitempty" enum:"claimed,sent,refused,unknown,late" doc:"What became of their welcome; left out: there was none to send"`
	Fault     string     `json:"fault,omitempty" doc:"Why it did not arrive: a code"`
	FaultCode int        `json:"faultCode,omitempty" doc:"The platform's number"`
	Words     string     `json:"message,omitempty" doc:"The fault in words"`
	at        int64
	id        string
	num       int64
}

// Who lists who came by a code before a moment (0: the newest), newest first.
func (s *Service) Who(ctx context.Context, c *Code, before int64, beforeID string, limit int) ([]Came, error) {
	mine, err := s.whose(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	if before <= 0 {
		before, beforeID = 1<<62, ""
	}
	cond, args := mine.sql([]any{c.ID, before, beforeID})
	rows, err := s.DB.Query(ctx, fmt.Sprintf(`select a.id, a.contact, a.staff, a.at, a.nth, a.gone_at, a.gone_by, a.person from livecode_adds a
		where a.code = $1 and (a.at < $2 or a.at = $2 and a.id < $3)%s order by a.at desc, a.id desc limit %d`, cond, limit), args...)
	people := []string{}
	list, err := db.Collect(rows, err, func(r *sql.Rows) (w Came, err error) {
		var nth, gone int64
		var person string
		if err = r.Scan(&w.id, &w.num, &w.Staff, &w.at, &nth, &gone, &w.GoneBy, &person); err != nil {
			return w, err
		}
		w.At, w.Again, w.StaffName = clock.FromMs(w.at), nth > 1, s.named(c.Account, w.Staff)
		if gone > 0 {
			t := clock.FromMs(gone)
			w.GoneAt = &t
		}
		people = append(people, person)
		return w, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list who came: %w", err)
	}
	if err := s.addWelcomes(ctx, c.ID, people, list); err != nil {
		return nil, err
	}
	nums := make([]int64, len(list))
	for i := range list {
		nums[i] = list[i].num
	}
	known, err := s.People.People(ctx, nums)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if p, ok := known[list[i].num]; ok {
			list[i].Contact, list[i].Name = p.ID, p.Name
		}
	}
	return list, nil
}

// addWelcomes adds what became of each welcome: the one nearest to the scan.
func (s *Service) addWelcomes(ctx context.Context, code string, people []string, list []Came) error {
	if len(people) == 0 {
		return nil
	}
	args := []any{code}
	for _, p := range people {
		args = append(args, p)
	}
	type row struct {
		person, staff, state, fault string
		at                          int64
		code                        int
	}
	rows, err := s.DB.Query(ctx, "select person, staff, state, fault, fault_code, at from livecode_welcomes where code = $1 and person in ("+db.In(2, len(people))+")", args...)
	got, err := db.Collect(rows, err, func(r *sql.Rows) (x row, err error) {
		return x, r.Scan(&x.person, &x.staff, &x.state, &x.fault, &x.code, &x.at)
	})
	if err != nil {
		return fmt.Errorf("read welcomes: %w", err)
	}
	for i := range list {
		for _, w := range got {
			if w.person == people[i] && w.staff == list[i].Staff && abs(w.at-list[i].at) < time.Minute.Milliseconds() {
				list[i].Welcome, list[i].Fault, list[i].FaultCode = w.state, w.fault, w.code
			}
		}
	}
	return nil
}

func abs(n int64) int64 { return max(n, -n) }
