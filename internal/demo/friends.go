package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Code is a live code of the brand, as far as the past of its friends needs it.
type Code struct {
	Channel  string
	Staff    []string // who meet people there, in turn
	Backup   string   // who does when nobody is on duty
	From, To int      // hours of duty; both 0: always
	Weight   int
}

// Friend is one of the brand's people who became a colleague's friend by a code.
type Friend struct {
	No                               int
	UserID, Name, City, Phone, Staff string
	Gender                           int // 1 male, 2 female
	Code                             int // index; -1: they came otherwise
	At                               time.Time
	GoneAt                           time.Time // zero: friends still
	Group                            bool      // they joined the group of the colleague, too
}

// Leaver is who of the staff left; half of their customers wait for a new owner.
const Leaver = leaver

// FriendDays is for how long back the demo knows who became whose friend.
const FriendDays = 150

// friendsWanted is about how many friendships that are, however many people there are.
const friendsWanted = 900

// leaving is how many of a hundred delete the colleague again, by how they came.
var leaving = map[string]float64{"short_video": .24, "feed_ads": .2, "paid_search": .16, "social": .12, "ecommerce": .08, "offline": .05, "referral": .04}

// Friends draws who became whose friend: people who joined by the channel of a code
// scanned it when they joined. A few of the online customers met the colleague who
// left since, without a code.
func (o Options) Friends(codes []Code) []Friend {
	by := map[string][]int{}
	for i, c := range codes {
		by[c.Channel] = append(by[c.Channel], i)
	}
	from := o.midnight(o.End).AddDate(0, 0, -FriendDays)
	share := min(.6, friendsWanted/(float64(o.Contacts)*.64)) // of the people, about that part comes by a code's channel and in that time
	turn := make([]int, len(codes))
	var out []Friend
	for n := range o.Contacts {
		r := stream(o.Seed, 50, uint64(n))
		if r.Float64() >= share {
			continue
		}
		p := o.makePerson(n)
		at := p.Joined.Add(time.Duration(20+r.IntN(600)) * time.Second)
		if at.Before(from) || !at.Before(o.End) {
			continue
		}
		f := Friend{No: n, UserID: p.UserID, Name: p.Name, City: p.City, Phone: p.Phone, Gender: 2, Code: -1, At: at.Truncate(time.Second), Group: r.Float64() < .3}
		if p.Gender == "male" {
			f.Gender = 1
		}
		switch list := by[p.Channel.ID]; {
		case p.Channel.ID == "ecommerce" && r.Float64() < .35:
			f.Staff = leaver
		case len(list) == 0:
			continue
		default:
			f.Code = pick(r, list, func(i int) int { return codes[i].Weight })
			c := codes[f.Code]
			if h := at.In(o.Zone).Hour(); c.To > 0 && (h < c.From || h >= c.To) {
				f.Staff = c.Backup
			} else {
				f.Staff = c.Staff[turn[f.Code]%len(c.Staff)]
				turn[f.Code]++
			}
		}
		if f.Staff != leaver && r.Float64() < leaving[p.Channel.ID] {
			if gone := at.Add(staying(r)); gone.Before(o.End) {
				f.GoneAt = gone.Truncate(time.Second)
			}
		}
		out = append(out, f)
	}
	return out
}

// staying is how long somebody who leaves was a friend: many go within days.
func staying(r *rand.Rand) time.Duration {
	return time.Duration((.02 + r.ExpFloat64()*9) * 24 * float64(time.Hour))
}

// MessageID names one of the two facts of a friendship.
func (o Options) MessageID(f Friend, what string) string {
	return fmt.Sprintf("demo-friend-%d-%d-%s", o.Seed, f.No, what)
}

// Opening is one of a link by somebody known.
type Opening struct {
	MessageID, UserID, Agent string
	At                       time.Time
}

// opensWanted is about how often one of the brand's older links was opened.
const opensWanted = 160

// Openings draws who opened a link that went out so many days ago: people who came by
// its channel, many in the first days and ever fewer then.
func (o Options) Openings(channel string, days int, link uint64) []Opening {
	var out []Opening
	for n := 0; n < o.Contacts && len(out) < opensWanted; n++ {
		r := stream(o.Seed, 60+link, uint64(n))
		if r.Float64() > min(1, 20*opensWanted/float64(o.Contacts)) {
			continue
		}
		p := o.makePerson(n)
		if p.Channel.ID != channel {
			continue
		}
		day := min(int(r.ExpFloat64()*float64(days)/3), days-1)
		at := o.midnight(o.End).AddDate(0, 0, day-days+1).Add(time.Duration(daySecond(r)) * time.Second)
		if at.Before(p.Joined) || !at.Before(o.End) {
			continue
		}
		out = append(out, Opening{MessageID: fmt.Sprintf("demo-open-%d-%d-%d", o.Seed, link, n), UserID: p.UserID, Agent: agents[r.IntN(len(agents))], At: at})
	}
	return out
}
