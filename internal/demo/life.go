package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// orderLine and order are what goes into the orders file.
type orderLine struct {
	product
	Quantity int64
	Amount   int64 // fen, after discount
}

type order struct {
	Number string
	Buyer  *person
	At     time.Time
	Lines  []orderLine
	Refund bool // a cancellation; RefundOf names the order
	Of     string
	Coupon string
}

func (o order) total() int64 {
	var t int64
	for _, l := range o.Lines {
		t += l.Amount
	}
	return t
}

// call is one Segment call, as it goes to the intake.
type call map[string]any

// life is what one person did.
type life struct {
	calls  []call
	orders []order
	last   time.Time
}

type writer struct {
	o       Options
	p       *person
	r       *rand.Rand
	n       int
	out     *life
	known   bool // already identified: facts carry the user id
	claimed bool
}

// live plays a person's half year: a first visit as an unknown device, joining
// the pond, then weekly visits while they stay.
func (o Options) live(p *person) life {
	w := &writer{o: o, p: p, r: stream(o.Seed, 2, uint64(p.No)), out: &life{}}
	w.arrive()
	stay := p.Channel.Stay
	if p.Decayed {
		stay = .35
	}
	end := o.midnight(o.End).AddDate(0, 0, 1)
	for week := p.Joined; week.Before(end); week = week.AddDate(0, 0, 7) {
		visits := poisson(w.r, p.Channel.Visits)
		for range visits {
			at := o.midnight(week.AddDate(0, 0, w.r.IntN(7))).Add(time.Duration(daySecond(w.r)) * time.Second)
			if at.After(p.Joined) && at.Before(o.End) {
				w.visit(at, 1)
			}
		}
		w.memberDay(week)
		if w.r.Float64() > stay {
			if w.r.Float64() < .06 { // some come back after a long silence
				week = week.AddDate(0, 0, 28+w.r.IntN(35))
				continue
			}
			break
		}
	}
	return *w.out
}

func (w *writer) send(at time.Time, typ, name string, props call) {
	if !at.Before(w.o.End) {
		return
	}
	w.n++
	c := call{"type": typ, "messageId": fmt.Sprintf("demo-%d-%d-%d", w.o.Seed, w.p.No, w.n), "timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z")}
	if w.known {
		c["userId"] = w.p.UserID
	} else {
		c["anonymousId"] = w.p.Anonymous
	}
	if typ == "track" {
		c["event"] = name
	} else if name != "" {
		c["name"] = name
	}
	if props != nil {
		c["properties"] = props
	}
	w.out.calls = append(w.out.calls, c)
	if at.After(w.out.last) {
		w.out.last = at
	}
}

// campaign is the context of a visit that came by the person's channel.
func (w *writer) campaign(c call) {
	ch := w.p.Channel
	ctx := call{"channel": ch.ID}
	if ch.UTMSource != "" {
		ctx["campaign"] = call{"source": ch.UTMSource, "medium": ch.UTMMedium, "name": ch.Campaign}
	}
	c["context"] = ctx
}

func (w *writer) arrive() {
	at := w.p.Joined.Add(-time.Duration(60+w.r.IntN(1200)) * time.Second)
	w.send(at, "page", "首页", call{"path": "/", "title": Brand})
	if n := len(w.out.calls); n > 0 {
		w.campaign(w.out.calls[n-1])
	}
	if w.r.Float64() < .6 {
		w.send(at.Add(40*time.Second), "page", "文章", call{"path": "/read", "title": articles[w.r.IntN(len(articles))]})
	}
	w.n++
	join := call{"type": "identify", "messageId": fmt.Sprintf("demo-%d-%d-%d", w.o.Seed, w.p.No, w.n),
		"timestamp": w.p.Joined.UTC().Format("2006-01-02T15:04:05.000Z"), "userId": w.p.UserID, "anonymousId": w.p.Anonymous,
		"traits": call{"city": w.p.City, "gender": w.p.Gender}}
	w.campaign(join)
	if w.p.Joined.Before(w.o.End) {
		w.out.calls = append(w.out.calls, join)
	}
	w.known = true
	w.send(w.p.Joined.Add(3*time.Second), "track", "member.joined", call{"entry": w.p.Channel.ID, "store": w.store()})
	w.send(w.p.Joined.Add(8*time.Second), "track", "coupon.claimed", call{"coupon": "新人礼 满 99 减 20", "value": 2000})
	if w.r.Float64() < w.p.Channel.Buy*4 {
		w.buy(w.p.Joined.Add(time.Duration(5+w.r.IntN(90))*time.Minute), "新人礼 满 99 减 20", 2000)
	}
}

func (w *writer) store() string {
	for i, s := range []string{"杭州湖滨店", "上海武康店", "苏州平江店", "南京颐和店"} {
		if w.p.City == cities[i].Name {
			return s
		}
	}
	return ""
}

// visit is one session: looking, sometimes carting, sometimes buying.
func (w *writer) visit(at time.Time, lift float64) {
	switch x := w.r.Float64(); {
	case x < .22:
		a := articles[w.r.IntN(len(articles))]
		w.send(at, "track", "article.read", call{"title": a, "seconds": 15 + w.r.IntN(240), "shared": w.r.Float64() < .07})
	case x < .30:
		w.send(at, "track", "checkin.done", call{"streak": 1 + w.r.IntN(14), "points": 5})
	case x < .36:
		w.send(at, "track", "group.message", call{"group": []string{"山月茶友一群", "山月茶友二群", "冷泡研究所", "门店会员群"}[w.r.IntN(4)], "length": 4 + w.r.IntN(60)})
	case x < .40:
		w.send(at, "track", "live.joined", call{"topic": liveTopics[w.r.IntN(len(liveTopics))], "minutes": 1 + w.r.IntN(70)})
	default:
		p := pick(w.r, products, func(p product) int { return p.Weight })
		w.send(at, "track", "product.viewed", call{"sku": p.SKU, "name": p.Name, "category": p.Category, "price": float64(p.Price) / 100})
		if w.r.Float64() < .30 {
			w.send(at.Add(35*time.Second), "track", "cart.added", call{"sku": p.SKU, "name": p.Name, "quantity": 1, "price": float64(p.Price) / 100})
		}
	}
	if w.r.Float64() < w.p.Channel.Buy*lift {
		w.buy(at.Add(4*time.Minute), "", 0)
	}
	if w.r.Float64() < .015 {
		w.send(at.Add(9*time.Minute), "track", "review.posted", call{"stars": 3 + w.r.IntN(3), "text": reviews[w.r.IntN(len(reviews))]})
	}
}

// memberDay is the campaign that worked: who claims its coupon buys at about
// twice the usual rate that week.
func (w *writer) memberDay(week time.Time) {
	day := w.o.start().AddDate(0, 0, w.o.campaignDay())
	if week.After(day) || !week.AddDate(0, 0, 7).After(day) || w.claimed {
		return
	}
	w.claimed = true
	at := day.Add(time.Duration(daySecond(w.r)) * time.Second)
	w.send(at, "track", "message.opened", call{"campaign": "会员日·桂花季", "channel": "wecom"})
	if w.r.Float64() > .42 {
		return
	}
	w.send(at.Add(time.Minute), "track", "coupon.claimed", call{"coupon": "会员日 满 199 减 50", "value": 5000, "campaign": "会员日·桂花季"})
	if w.r.Float64() < .30+w.p.Channel.Buy*2 {
		w.buy(at.Add(time.Duration(1+w.r.IntN(96*60))*time.Minute), "会员日 满 199 减 50", 5000)
	}
}

func (w *writer) buy(at time.Time, coupon string, off int64) {
	if !at.Before(w.o.End) {
		return
	}
	o := order{Number: fmt.Sprintf("SY%s%05d%02d", at.In(w.o.Zone).Format("060102"), w.p.No, len(w.out.orders)), Buyer: w.p, At: at, Coupon: coupon}
	for range 1 + w.r.IntN(3) {
		p := pick(w.r, products, func(p product) int { return p.Weight })
		q := int64(1)
		if w.p.Wealth > 1.5 && w.r.Float64() < .5 {
			q += int64(w.r.IntN(int(w.p.Wealth * 2)))
		}
		o.Lines = append(o.Lines, orderLine{p, q, p.Price * q})
	}
	if off > 0 && o.total() > 4*off {
		o.Lines[0].Amount = max(o.Lines[0].Amount-off, 0)
	}
	w.out.orders = append(w.out.orders, o)
	if at.After(w.out.last) {
		w.out.last = at
	}
	if w.r.Float64() < .028 {
		back := o
		back.Number, back.Of, back.Refund, back.At = "R"+o.Number, o.Number, true, at.Add(time.Duration(20+w.r.IntN(120))*time.Hour)
		if back.At.Before(w.o.End) {
			w.out.orders = append(w.out.orders, back)
		}
	}
}

// stranger is a device that looked around and never said who it was.
func (o Options) stranger(n int) []call {
	r := stream(o.Seed, 3, uint64(n))
	ch := pick(r, channels, func(c channel) int { return c.Weight })
	p := &person{No: 10_000_000 + n, Anonymous: fmt.Sprintf("vis-%08x", r.Uint32()), Channel: &ch}
	w := &writer{o: o, p: p, r: r, out: &life{}}
	at := o.start().AddDate(0, 0, r.IntN(o.Days)).Add(time.Duration(daySecond(r)) * time.Second)
	w.send(at, "page", "首页", call{"path": "/", "title": Brand})
	if len(w.out.calls) > 0 {
		w.campaign(w.out.calls[0])
	}
	for range poisson(r, 1.4) {
		at = at.Add(time.Duration(20+r.IntN(200)) * time.Second)
		w.send(at, "page", "文章", call{"path": "/read", "title": articles[r.IntN(len(articles))]})
	}
	return w.out.calls
}

func poisson(r *rand.Rand, mean float64) int {
	n, t := 0, r.ExpFloat64()
	for t < mean {
		n++
		t += r.ExpFloat64()
	}
	return n
}
