package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

// knownWords is a dictionary with one event.
type knownWords struct{}

func (knownWords) KnownEvents(_ context.Context, text string, _ int) ([]KnownEvent, error) {
	if text == "nothing" {
		return nil, nil
	}
	return []KnownEvent{{Name: "order.paid", Title: "支付订单", Volume: 7}}, nil
}

func (knownWords) KnownProperties(_ context.Context, name string) ([]KnownProperty, error) {
	if name != "order.paid" {
		return nil, errs.New(errs.NotFound, "dictionary.no_event")
	}
	return []KnownProperty{{Name: "paid", Title: "实付金额", Type: "number", Types: []string{"number"}, Samples: []string{"12"}, Count: 3}}, nil
}

// bought gives three people a past: the first bought twice, the second once, the third looked only.
func bought(t *testing.T, p *pond) (m *memory, ids []string) {
	m = &memory{facts: map[int64][]rule.Fact{}}
	for i, facts := range [][]rule.Fact{
		{{Name: "order.paid", At: start.Add(-48 * time.Hour).UnixMilli(), Properties: js(obj{"paid": 80, "phone": "13812341234"})}, {Name: "order.paid", At: start.Add(-time.Hour).UnixMilli(), Properties: js(obj{"paid": 120.5})}},
		{{Name: "order.paid", At: start.Add(-400 * 24 * time.Hour).UnixMilli(), Properties: js(obj{"paid": 300})}},
		{{Name: "page.viewed", At: start.UnixMilli()}},
	} {
		c, err := p.Create(p.ctx, NewContact{Name: fmt.Sprint("人", i), Phone: fmt.Sprint("1380000000", i)})
		require.NoError(t, err)
		num, err := p.NumOf(p.ctx, c.ID)
		require.NoError(t, err)
		m.facts[num], ids = facts, append(ids, c.ID)
	}
	p.who(event.Fact{AnonymousID: "a visitor"})
	p.Behaviours, p.Titles, p.Dictionary = m, titled{}, knownWords{}
	return m, ids
}

func TestRulesAreCheckedEstimatedAndExplained(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		m, ids := bought(t, p)
		s := serve(t, p)
		paid := func(op string, n float64) obj {
			return obj{"event": obj{"name": "order.paid", "op": op, "value": n, "within": obj{"last": 30, "unit": "day"}, "where": []obj{{"property": "paid", "op": "gte", "value": 50}}}}
		}
		ask := obj{"v": 1, "all": []obj{paid("gte", 1), {"field": "name", "op": "startsWith", "value": "人"}}}

		var e Estimate
		s.ok("POST", "/api/rules/estimate", obj{"rule": ask}, &e)
		require.Equal(t, []any{int64(1), int64(3), 33.33, 1}, []any{e.Count, e.Total, e.Percent, len(e.Sample)})
		require.Equal(t, ids[0], e.Sample[0].ID)
		require.Contains(t, e.Sample[0].Phone, "*", "masked")
		require.Equal(t, "did “支付订单” in the last 30 days (where 实付金额 ≥ 50) and Name begins with “人”", e.Said)
		require.True(t, e.AsOf.Equal(start))

		// Of a rule that changes in one place the rest is not asked again, for up to a minute.
		m.asked = nil
		p.clock.Advance(10 * time.Second)
		s.ok("POST", "/api/rules/estimate", obj{"rule": obj{"v": 1, "any": []obj{paid("gte", 1), {"event": obj{"name": "page.viewed"}}}}}, &e)
		require.EqualValues(t, 2, e.Count)
		require.Len(t, m.asked, 1)
		require.Equal(t, "page.viewed", m.asked[0].Leaves[0].Event.Name)
		require.Len(t, m.asked[0].Leaves, 1)
		require.True(t, e.AsOf.Equal(start))
		p.clock.Advance(time.Minute)
		s.ok("POST", "/api/rules/estimate", obj{"rule": ask}, &e)
		require.Len(t, m.asked, 2)
		require.True(t, e.AsOf.After(start))
		s.ok("POST", "/api/rules/estimate", obj{"rule": obj{"v": 1}}, &e)
		require.Equal(t, []any{int64(3), 100.0, "everybody"}, []any{e.Count, e.Percent, e.Said})

		var x Explained
		s.ok("POST", "/api/rules/explain", obj{"rule": ask, "contact": ids[0]}, &x)
		require.True(t, x.Holds)
		require.Equal(t, "rule.all[0]", x.Rule.Parts[0].Path)
		require.Equal(t, []any{"2 times", 2}, []any{x.Rule.Parts[0].Has, len(x.Rule.Parts[0].At)})
		require.True(t, x.Rule.Parts[0].At[0].Equal(start.Add(-time.Hour)), "the newest first")
		require.Equal(t, "人0", x.Rule.Parts[1].Has)
		s.ok("POST", "/api/rules/explain", obj{"rule": ask, "contact": ids[1]}, &x)
		require.Equal(t, []any{false, false, true, "none that counts"}, []any{x.Holds, x.Rule.Parts[0].Holds, x.Rule.Parts[1].Holds, x.Rule.Parts[0].Has})
		s.ok("POST", "/api/rules/explain", obj{"rule": obj{"v": 1, "event": obj{"name": "order.paid", "measure": "first", "property": "phone", "op": "isNot", "value": "x"}}, "contact": ids[0]}, &x)
		require.Equal(t, "first 138****1234 (2 times)", x.Rule.Has, "personal values stay masked")

		status, code := s.call("POST", "/api/rules/explain", "admin", obj{"rule": ask, "contact": "ct_nobody"}, nil)
		require.Equal(t, "404 contact.not_found", fmt.Sprint(status, " ", code))
		broken := obj{"v": 1, "all": []obj{{"event": obj{"name": "order.paid", "op": "likes", "value": 1}}}}
		for _, path := range []string{"estimate", "explain"} {
			status, code := s.call("POST", "/api/rules/"+path, "admin", obj{"rule": broken, "contact": ids[0]}, nil)
			if path == "explain" {
				require.Equal(t, "422 request.invalid rule.all[0].event.op:rule.bad_op", fmt.Sprint(status, " ", code))
			} else {
				require.Equal(t, 422, status)
			}
		}
		for text, want := range map[string]string{
			`{"v":1,"event":{"name":"a"}}`: "", `{"v":1,"evnt":{}}`: "rule rule.not_json", `[]`: "rule rule.not_json", `{"v":3}`: "rule.v rule.bad_version",
			`{"v":1,"any":[{"event":{"name":"a","within":{"last":0,"unit":"day"}}}]}`: "rule.any[0].event.within.last rule.needs_days",
			`{"v":1,"field":"tag","op":"hasAnyOf","value":["tg_none"]}`:               "rule.value[0] contact.no_such_tag",
			`{"v":1,"field":"bucket","key":"x","op":"between","value":[10,10]}`:       "rule.value rule.needs_percents",
			`{"v":1,"field":"bucket","key":"x","op":"between","value":[0,0.001]}`:     "rule.value rule.needs_percents",
			`{"v":1,"field":"bucket","op":"between","value":[0,10]}`:                  "rule.key rule.needs_salt",
		} {
			said, fault := s.said("en", text)
			got := ""
			if fault != nil {
				got = fault.Path + " " + fault.Code
				require.NotEqual(t, fault.Code, fault.Message)
			}
			require.Equal(t, want, got, text)
			require.Equal(t, want == "", said != "")
		}
	})
}

// What the builder suggests, who may ask, and what those see who see only some customers.
func TestRulesAreAskedWithinWhatOneMaySee(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		_, ids := bought(t, p)
		me := "us_1"
		_, err := p.Update(p.ctx, ids[0], Change{OwnerID: &me})
		require.NoError(t, err)
		everybody := &rule.Rule{V: 1, Node: rule.Node{Behaviour: rule.Behaviour{Event: &rule.Event{Name: "order.paid"}}}}
		mine := p.with(owned(false, "us_1"))
		e, err := p.Estimate(p.ctx, everybody, "rule", false)
		require.NoError(t, err)
		require.Equal(t, []int64{2, 3}, []int64{e.Count, e.Total})
		e, err = p.Estimate(mine, everybody, "rule", false)
		require.NoError(t, err)
		require.Equal(t, []any{int64(1), int64(1), 100.0}, []any{e.Count, e.Total, e.Percent})
		require.Equal(t, ids[0], e.Sample[0].ID)
		nobody, err := p.Estimate(p.with(owned(false)), everybody, "rule", false)
		require.NoError(t, err)
		require.Zero(t, nobody.Count+nobody.Total)
		_, err = p.Explain(mine, everybody, "rule", ids[1])
		require.Equal(t, "contact.not_found", errs.CodeOf(err))
		words, err := p.listKnownProperties(mine, &knownPropertiesInput{Name: "order.paid"})
		require.NoError(t, err)
		require.Empty(t, words.Body.Items[0].Samples, "samples are words of anybody's facts")

		s := serve(t, p)
		var events struct{ Items []KnownEvent }
		s.ok("GET", "/api/rules/events?q=nothing", nil, &events)
		require.Empty(t, events.Items)
		s.ok("GET", "/api/rules/events", nil, &events)
		require.Equal(t, "支付订单", events.Items[0].Title)
		var properties struct{ Items []KnownProperty }
		s.ok("GET", "/api/rules/events/order.paid/properties", nil, &properties)
		require.Equal(t, []string{"12"}, properties.Items[0].Samples)
		status, code := s.call("GET", "/api/rules/events/no.such/properties", "admin", nil, nil)
		require.Equal(t, "404 dictionary.no_event", fmt.Sprint(status, " ", code))

		r := httptest.NewRequest(http.MethodGet, "/api/rules/schema", nil)
		r.Header.Set("X-Role", "admin")
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		require.Equal(t, "application/schema+json", w.Header().Get("Content-Type"))
		var schema obj
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &schema))
		require.Equal(t, rule.SchemaID, schema["$id"])

		for path, body := range map[string]any{"POST /api/rules/check": obj{"rule": obj{"v": 1}}, "POST /api/rules/estimate": obj{"rule": obj{"v": 1}}, "POST /api/rules/explain": obj{"rule": obj{"v": 1}, "contact": ids[0]},
			"GET /api/rules/events": nil, "GET /api/rules/events/order.paid/properties": nil, "GET /api/rules/schema": nil} {
			var method, address string
			_, err := fmt.Sscan(path, &method, &address)
			require.NoError(t, err)
			status, _ := s.call(method, address, "copywriter", body, nil)
			require.Equal(t, 403, status, path)
		}
	})
}

// Whoever sees personal values masked cannot try them out by conditions on events either.
func TestConditionsOnEventsDoNotTryOutPersonalValues(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		bought(t, p)
		refused := 0
		for i := range 60 {
			node := &rule.Node{Behaviour: rule.Behaviour{Event: &rule.Event{Name: "order.paid", Where: []rule.Where{{Property: "phone", Op: "is", Value: fmt.Sprintf("138123400%02d", i)}}}}}
			if _, err := p.Condition(p.ctx, node, nil); errs.CodeOf(err) == "contact.too_many_lookups" {
				refused++
			}
		}
		require.Positive(t, refused)
	})
}
