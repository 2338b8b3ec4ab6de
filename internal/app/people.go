package app

import (
	"context"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

var errMetric = errs.New(errs.Invalid, "people.unknown_metric")

// peoplePage is the people behind a number. Total and Outside together are the
// number of the overview, which counts the whole company.
type peoplePage struct {
	Items   []contact.Row `json:"items"`
	Next    string        `json:"next,omitempty"`
	Total   int64         `json:"total" doc:"Those whom the caller may see"`
	Outside int64         `json:"outside,omitempty" doc:"How many more there are outside the caller's data scope"`
}

type peopleCursor struct {
	After   int64 `json:"a"`
	Total   int64 `json:"t,omitempty"` // counted with the first page, for callers who see only some
	Outside int64 `json:"o,omitempty"`
}

// peopleStep is how many people are read at once to find those whom the caller may see.
const peopleStep = 5000

// peopleBehind lists who a number of the overview counts. The filters are those
// of the overview, so that the total equals the number.
func (s *overviewService) peopleBehind(ctx context.Context, contacts *contact.Service, q overviewQuery, metric, cursor string, limit int) (*peoplePage, error) {
	if metric == "size" || metric == "new" || metric == "firstBuyers" {
		return s.arrivals(ctx, contacts, q, metric, cursor, limit)
	}
	pq := analytics.PeopleQuery{}
	switch name, isEvent := strings.CutPrefix(metric, "event:"); {
	case metric == "active":
		pq.Filter = q.active()
	case metric == "visitors":
		pq.Filter = q.visitors()
	case metric == "buyers", metric == "repeat", metric == "cohort":
		pq.Filter = q.money(event.NameOrderPaid)
		if metric == "cohort" {
			pq.Filter = q.cohort(event.NameOrderPaid)
		}
		pq.ContactKind = event.Person
		if metric == "repeat" {
			pq.MinCount = 2
		}
	case strings.HasPrefix(metric, "page:"), strings.HasPrefix(metric, "link:"):
		var ok bool
		var err error
		if pq.Filter, ok, err = s.visits(ctx, metric, q); err != nil {
			return nil, err
		}
		if !ok {
			return nil, errMetric.With("metric", metric).On(errs.At("metric", "people.unknown_metric", "metric", metric))
		}
	case isEvent && name != "":
		pq.Filter = q.filter(name)
	default:
		return nil, errMetric.With("metric", metric).On(errs.At("metric", "people.unknown_metric", "metric", metric))
	}
	var c peopleCursor
	if cursor != "" {
		if err := httpx.DecodeCursor(cursor, &c); err != nil {
			return nil, err
		}
	}
	if !auth.ScopeOf(ctx).All {
		return s.peopleSeen(ctx, contacts, pq, c, limit)
	}
	total, err := s.store.CountPeople(ctx, pq)
	if err != nil {
		return nil, err
	}
	pq.After, pq.Limit = c.After, limit+1
	nums, err := s.store.People(ctx, pq)
	if err != nil {
		return nil, err
	}
	page := &peoplePage{Total: total, Items: []contact.Row{}}
	if len(nums) > limit {
		nums = nums[:limit]
		page.Next = httpx.EncodeCursor(peopleCursor{After: nums[limit-1]})
	}
	if len(nums) == 0 {
		return page, nil
	}
	page.Items, err = contacts.ListByNums(ctx, nums)
	return page, err
}

// visits is the filter behind a figure of a landing page or short link:
// page:<id>:viewed, page:<id>:submitted, link:<code>. The channel is that of the
// very visit, as those figures count it.
func (s *overviewService) visits(ctx context.Context, metric string, q overviewQuery) (analytics.Filter, bool, error) {
	parts := strings.Split(metric, ":")
	switch {
	case parts[0] == "page" && len(parts) == 3 && parts[1] != "":
		return s.pages.Filter(ctx, parts[1], parts[2], q.Channel, q.From, q.To)
	case parts[0] == "link" && len(parts) == 2 && parts[1] != "":
		f, err := s.links.Filter(ctx, parts[1], q.From, q.To)
		return f, true, err
	}
	return analytics.Filter{}, false, nil
}

// peopleSeen is a page of those people whom the caller may see. The first page
// goes through all of them once, to count.
func (s *overviewService) peopleSeen(ctx context.Context, contacts *contact.Service, pq analytics.PeopleQuery, c peopleCursor, limit int) (*peoplePage, error) {
	first := c.After == 0
	var seen []int64
	for pq.After, pq.Limit = c.After, peopleStep; first || len(seen) <= limit; {
		nums, err := s.store.People(ctx, pq)
		if err != nil {
			return nil, err
		}
		some, err := contacts.InScope(ctx, nums)
		if err != nil {
			return nil, err
		}
		if seen = append(seen, some...); first {
			c.Total += int64(len(some))
			c.Outside += int64(len(nums) - len(some))
			seen = seen[:min(len(seen), limit+1)]
		}
		if len(nums) < peopleStep {
			break
		}
		pq.After = nums[len(nums)-1]
	}
	page := &peoplePage{Total: c.Total, Outside: c.Outside, Items: []contact.Row{}}
	if len(seen) > limit {
		seen = seen[:limit]
		c.After = seen[limit-1]
		page.Next = httpx.EncodeCursor(c)
	}
	var err error
	page.Items, err = contacts.ListByNums(ctx, seen)
	return page, err
}

func (s *overviewService) arrivals(ctx context.Context, contacts *contact.Service, q overviewQuery, metric, cursor string, limit int) (*peoplePage, error) {
	cq := contact.Query{Channel: q.Channel, Sort: "created", Cursor: cursor, Limit: limit}
	switch metric {
	case "firstBuyers":
		cq.BoughtFrom, cq.BoughtTo = q.From, q.To
	case "new":
		cq.CreatedFrom, cq.CreatedTo = q.From, q.To
	default:
		cq.CreatedTo = q.To
	}
	p, err := contacts.List(ctx, cq)
	if err != nil {
		return nil, err
	}
	page := &peoplePage{Items: p.Items, Next: p.Next, Total: p.Total}
	if !auth.ScopeOf(ctx).All {
		company, err := contacts.Count(auth.With(ctx, auth.System("overview")), contact.Selection{Query: cq})
		if err != nil {
			return nil, err
		}
		page.Outside = max(0, company-p.Total)
	}
	return page, nil
}

// spanOf reads a period from the outside: without an end it ends now, without
// a beginning it is thirty days long.
func spanOf(from, to, now time.Time, zone *time.Location) (time.Time, time.Time, error) {
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		d := to.In(zone).AddDate(0, 0, -29)
		from = time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
	}
	if !from.Before(to) {
		return from, to, errs.New(errs.Invalid, "request.bad_period").On(errs.At("from", "request.bad_period"))
	}
	if to.Sub(from) > 20*366*24*time.Hour {
		return from, to, errs.New(errs.Invalid, "request.period_too_long").On(errs.At("from", "request.period_too_long"))
	}
	return from.UTC(), to.UTC(), nil
}
