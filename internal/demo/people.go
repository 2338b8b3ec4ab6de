package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Options of a pond.
type Options struct {
	Seed     int64
	Contacts int
	Days     int       // length of history
	End      time.Time // last day (its midnight in Zone starts the day after)
	Zone     *time.Location
}

// channel carries how many people come by it and what they are like.
type channel struct {
	ID, UTMSource, UTMMedium, Campaign string
	Weight                             int
	Stay                               float64 // chance a week that an active one stays
	Buy                                float64 // chance a visit ends in an order
	Visits                             float64 // visits a week while active
}

// The planted qualities: offline and referral are the best, short video the worst.
var channels = []channel{
	{"short_video", "douyin", "short_video", "爆款短视频", 26, .70, .020, 1.6},
	{"feed_ads", "tencent_ads", "feed", "朋友圈广告", 16, .78, .026, 1.4},
	{"social", "xiaohongshu", "social", "种草笔记", 15, .87, .046, 1.9},
	{"offline", "store", "qrcode", "门店扫码", 12, .95, .085, 1.5},
	{"ecommerce", "tmall", "parcel_card", "包裹卡", 11, .90, .062, 1.1},
	{"referral", "member", "referral", "老友邀请", 9, .95, .092, 1.8},
	{"paid_search", "baidu", "cpc", "品牌词", 5, .82, .048, 1.2},
	{"partner", "yoga_studio", "partner", "瑜伽馆联名", 3, .92, .060, 1.3},
	{"organic", "", "organic", "", 3, .88, .040, 1.2},
}

// person is one made-up contact before anything happened.
type person struct {
	No                 int
	Name, Gender, City string
	Phone, Email       string
	UserID, MemberNo   string
	Anonymous          string // device before they were known
	Birthday           time.Time
	Joined             time.Time
	Channel            *channel
	Tags               []string
	Wealth             float64 // multiplies basket size
	Decayed            bool    // of the cohort that leaves at once
	rng                *rand.Rand
}

func stream(seed int64, what, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed)*0x9E3779B97F4A7C15+what, n+1))
}

func pick[T any](r *rand.Rand, items []T, weight func(T) int) T {
	total := 0
	for _, it := range items {
		total += weight(it)
	}
	n := r.IntN(total)
	for _, it := range items {
		if n -= weight(it); n < 0 {
			return it
		}
	}
	return items[len(items)-1]
}

func (o Options) start() time.Time { return o.midnight(o.End).AddDate(0, 0, -o.Days+1) }

func (o Options) midnight(t time.Time) time.Time {
	t = t.In(o.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, o.Zone)
}

// makePerson draws person n. People join all along the half year, a little
// more in the campaign weeks, and a fifth were customers before it.
func (o Options) makePerson(n int) *person {
	r := stream(o.Seed, 1, uint64(n))
	p := &person{No: n, rng: r}
	p.Gender = "female"
	given := givenFemale
	if r.Float64() < .38 {
		p.Gender, given = "male", givenMale
	}
	p.Name = pick(r, surnames, func(s struct {
		Name   string
		Weight int
	}) int {
		return s.Weight
	}).Name + given[r.IntN(len(given))]
	p.City = pick(r, cities, func(c struct {
		Name   string
		Weight int
	}) int {
		return c.Weight
	}).Name
	ch := pick(r, channels, func(c channel) int { return c.Weight })
	for i := range channels {
		if channels[i].ID == ch.ID {
			p.Channel = &channels[i]
		}
	}
	p.Joined = o.joinTime(r, p.Channel)
	week := int(p.Joined.Sub(o.start()).Hours()/24) / 7
	p.Decayed = p.Channel.ID == "short_video" && week >= 9 && week <= 10
	p.Phone = fmt.Sprintf("%s%08d", prefixes[r.IntN(len(prefixes))], (n*7919+int(r.Uint32N(7919)))%100000000)
	if r.Float64() < .22 {
		p.Email = fmt.Sprintf("tea%06d@%s", n*37%1000000, []string{"mail.example", "inbox.example", "post.example"}[r.IntN(3)])
	}
	p.UserID = fmt.Sprintf("u%07d", n+1)
	p.MemberNo = fmt.Sprintf("SY%08d", 10000000+n*13)
	p.Anonymous = fmt.Sprintf("dev-%08x", r.Uint32())
	if r.Float64() < .55 {
		age := 20 + r.IntN(45)
		p.Birthday = time.Date(o.End.Year()-age, time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	}
	p.Wealth = .6 + r.ExpFloat64()*.5
	p.Tags = p.drawTags()
	return p
}

func (o Options) joinTime(r *rand.Rand, ch *channel) time.Time {
	day := r.IntN(o.Days)
	if ch.ID == "short_video" && r.Float64() < .3 {
		day = 63 + r.IntN(14) // the viral fortnight
	}
	if r.Float64() < .12 {
		day = o.campaignDay() - 3 + r.IntN(8)
	}
	day = min(max(day, 0), o.Days-1)
	return o.start().AddDate(0, 0, day).Add(time.Duration(daySecond(r)) * time.Second)
}

// campaignDay is the member day, about three weeks before the end.
func (o Options) campaignDay() int { return max(0, o.Days-22) }

// daySecond draws a second of the day: quiet nights, a lunch hump, a high evening.
func daySecond(r *rand.Rand) int {
	weights := [24]int{6, 3, 2, 1, 1, 2, 6, 14, 22, 28, 32, 34, 44, 38, 30, 28, 28, 30, 34, 46, 60, 62, 44, 18}
	hour := pick(r, hours[:], func(h int) int { return weights[h] })
	return hour*3600 + r.IntN(3600)
}

var hours = [24]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}

// level is the member level: by what they spend.
func (p *person) level() string {
	return []string{"新叶", "清友", "雅客", "茶主"}[min(int(p.Wealth*1.4), 3)]
}
