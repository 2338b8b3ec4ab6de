package machine

import (
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
)

// standing is where some people stand in a machine.
type standing struct {
	people *numset.Set            // all that are looked at
	in     map[string]*numset.Set // by state; whoever is in none stands nowhere yet
	held   *numset.Set            // those who may not move now
	old    bool                   // old facts came in: nobody came back just now
}

// move is those who go from one state to another; From is "" for those who stood nowhere.
type move struct {
	From, To string
	Who      *numset.Set
}

// decide says who moves where. holds gives whom the rule of a state holds for;
// the sets it gives are not changed.
func (d *Definition) decide(now standing, holds func(state string) (*numset.Set, error)) ([]move, error) {
	left := now.people.Clone()
	left.AndNot(now.held)
	var out []move
	settle := func(to string, who *numset.Set) {
		left.AndNot(who)
		nowhere := who.Clone()
		for from, in := range now.in {
			nowhere.AndNot(in)
			if from == to {
				continue
			}
			moved := who.Clone()
			moved.And(in)
			if moved.Count() > 0 {
				out = append(out, move{from, to, moved})
			}
		}
		if nowhere.Count() > 0 {
			out = append(out, move{"", to, nowhere})
		}
	}
	for _, s := range d.asked() {
		if now.old && len(s.From) > 0 { // half of a history makes people dormant who never were
			continue
		}
		got, err := holds(s.ID)
		if err != nil {
			return nil, err
		}
		who := got.Clone()
		who.And(left)
		if len(s.From) > 0 {
			may := &numset.Set{}
			for _, from := range s.From {
				if in := now.in[from]; in != nil {
					may.Or(in)
				}
			}
			who.And(may)
		}
		settle(s.ID, who)
	}
	if rest := d.rest(); rest != "" {
		settle(rest, left.Clone())
	}
	return out, nil
}

// stayOver is the latest moment since when somebody may have been in a state
// with a minimum stay and leave it now.
func stayOver(days int, now time.Time) int64 {
	return now.Add(-time.Duration(days) * 24 * time.Hour).UnixMilli()
}
