package dictionary

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

const path = "/api/dictionary/events"

// Routes adds the dictionary to an API.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, p, summary string, perm auth.Permission) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: p, Tag: "dictionary", Summary: summary, Permission: perm}
	}
	httpx.Register(api, op("list-dictionary-events", http.MethodGet, path, "Events, the busiest of the last 7 days first", auth.DictionaryRead), s.listEvents)
	create := op("create-dictionary-event", http.MethodPost, path, "Expect an event before it is seen", auth.DictionaryWrite)
	create.Idempotent = true
	httpx.Register(api, create, s.createEvent)
	httpx.Register(api, op("get-dictionary-event", http.MethodGet, path+"/{name}", "One event with its properties", auth.DictionaryRead), s.getEvent)
	httpx.Register(api, op("update-dictionary-event", http.MethodPatch, path+"/{name}", "Describe an event", auth.DictionaryWrite), s.changeEvent)
	httpx.Register(api, op("update-dictionary-property", http.MethodPut, path+"/{name}/properties/{property}", "Describe a property", auth.DictionaryWrite), s.changeProperty)
	httpx.Register(api, op("list-dictionary-violations", http.MethodGet, "/api/dictionary/violations", "Deviations from the plan", auth.DictionaryRead), s.listViolations)
}

// EventView is one event as the API shows it. Exported because the API document
// leaves out what an unexported type embeds.
type EventView struct {
	Name        string     `json:"name"`
	DisplayName string     `json:"displayName"`
	Description string     `json:"description"`
	Category    string     `json:"category"`
	State       State      `json:"state" enum:"learned,expected,hidden"`
	Owner       string     `json:"owner,omitempty"`
	FirstSeenAt *time.Time `json:"firstSeenAt,omitempty"`
	LastSeenAt  *time.Time `json:"lastSeenAt,omitempty"`
	Volume7d    int64      `json:"volume7d"`
	Volume      int64      `json:"volume"`
	Properties  int64      `json:"properties"`
	Violations  int64      `json:"violations"`
	Builtin     bool       `json:"builtin"`
}

func toAPIEvent(e Event) EventView {
	return EventView{Name: e.Name, DisplayName: e.DisplayName, Description: e.Description, Category: e.Category, State: e.State, Owner: e.Owner,
		FirstSeenAt: seen(e.FirstSeenAt), LastSeenAt: seen(e.LastSeenAt), Volume7d: e.Volume7d, Volume: e.Volume, Properties: e.Properties,
		Violations: e.Violations, Builtin: e.Builtin}
}

func seen(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type apiProperty struct {
	Name         string         `json:"name"`
	DisplayName  string         `json:"displayName"`
	Description  string         `json:"description"`
	Types        []apiTypeCount `json:"types"`
	ExpectedType string         `json:"expectedType,omitempty"`
	Required     bool           `json:"required"`
	State        State          `json:"state" enum:"learned,expected,hidden"`
	Column       bool           `json:"column" doc:"Has a typed column in the analytics store"`
	Samples      []string       `json:"samples"`
	FirstSeenAt  *time.Time     `json:"firstSeenAt,omitempty"`
	LastSeenAt   *time.Time     `json:"lastSeenAt,omitempty"`
	Count        int64          `json:"count"`
}

type apiTypeCount struct {
	Type  string `json:"type" enum:"string,number,boolean,time,array,object,null"`
	Count int64  `json:"count"`
}

// toAPIProperty shows a property. Samples are words of anybody's facts: callers
// who see only some customers get none.
func toAPIProperty(ctx context.Context, p Property) apiProperty {
	if !auth.ScopeOf(ctx).All {
		p.Samples = nil
	}
	out := apiProperty{Name: p.Name, DisplayName: p.DisplayName, Description: p.Description, ExpectedType: p.ExpectedType, Required: p.Required, State: p.State,
		Column: p.Column, Samples: p.Samples, FirstSeenAt: seen(p.FirstSeenAt), LastSeenAt: seen(p.LastSeenAt), Count: p.Count}
	for _, t := range p.Types {
		out.Types = append(out.Types, apiTypeCount(t))
	}
	return out
}

type listEventsInput struct {
	Q      string `query:"q" maxLength:"200" doc:"Part of the name, title, description or category"`
	State  State  `query:"state" enum:"learned,expected,hidden" doc:"All but the hidden ones when not given"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listEventsOutput struct {
	Body struct {
		Items []EventView `json:"items"`
		Next  string      `json:"next,omitempty"`
		Total int         `json:"total"`
	}
}

func (s *Service) listEvents(ctx context.Context, in *listEventsInput) (*listEventsOutput, error) {
	q := EventQuery{Text: in.Q, State: in.State, Limit: in.Limit + 1}
	if in.Cursor != "" {
		q.After = &EventCursor{}
		if err := httpx.DecodeCursor(in.Cursor, q.After); err != nil {
			return nil, err
		}
	}
	list, total, err := s.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &listEventsOutput{}
	out.Body.Total = total
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(list[in.Limit-1].cursor())
	}
	for _, e := range list {
		out.Body.Items = append(out.Body.Items, toAPIEvent(e))
	}
	return out, nil
}

type eventOutput struct{ Body EventView }

type createEventInput struct {
	Body struct {
		Name        string `json:"name" minLength:"1" maxLength:"256"`
		DisplayName string `json:"displayName,omitempty" maxLength:"200"`
		Description string `json:"description,omitempty" maxLength:"2000"`
		Category    string `json:"category,omitempty" maxLength:"100"`
	}
}

func (s *Service) createEvent(ctx context.Context, in *createEventInput) (*eventOutput, error) {
	e, err := s.Expect(ctx, NewEvent(in.Body))
	if err != nil {
		return nil, err
	}
	return &eventOutput{toAPIEvent(e)}, nil
}

type getEventInput struct {
	Name     string `path:"name"`
	Timezone string `query:"timezone" default:"Asia/Shanghai" maxLength:"60" doc:"For the days of the trend"`
}

type apiDay struct {
	Date  string `json:"date"`
	Count int64  `json:"count"`
}

type getEventOutput struct {
	Body struct {
		EventView
		Items []apiProperty `json:"items"`
		Trend []apiDay      `json:"trend" doc:"The last 14 days"`
	}
}

const trendDays = 14

func (s *Service) getEvent(ctx context.Context, in *getEventInput) (*getEventOutput, error) {
	zone, err := time.LoadLocation(in.Timezone)
	if err != nil {
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("timezone", "facts.bad_timezone")).Wrap(err)
	}
	e, err := s.Event(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	props, err := s.Properties(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	days, err := s.Trend(ctx, in.Name, trendDays, zone)
	if err != nil {
		return nil, err
	}
	out := &getEventOutput{}
	out.Body.EventView = toAPIEvent(e)
	for _, p := range props {
		out.Body.Items = append(out.Body.Items, toAPIProperty(ctx, p))
	}
	for _, d := range days {
		out.Body.Trend = append(out.Body.Trend, apiDay(d))
	}
	return out, nil
}

type changeEventInput struct {
	Name string `path:"name"`
	Body struct {
		DisplayName *string `json:"displayName,omitempty" maxLength:"200"`
		Description *string `json:"description,omitempty" maxLength:"2000"`
		Category    *string `json:"category,omitempty" maxLength:"100"`
		Owner       *string `json:"owner,omitempty" maxLength:"200"`
		State       *State  `json:"state,omitempty" enum:"learned,expected,hidden"`
	}
}

func (s *Service) changeEvent(ctx context.Context, in *changeEventInput) (*eventOutput, error) {
	b := in.Body
	e, err := s.Change(ctx, in.Name, EventChange{DisplayName: b.DisplayName, Description: b.Description, Category: b.Category, Owner: b.Owner, State: b.State})
	if err != nil {
		return nil, err
	}
	return &eventOutput{toAPIEvent(e)}, nil
}

type changePropertyInput struct {
	Name     string `path:"name"`
	Property string `path:"property"`
	Body     struct {
		DisplayName  *string `json:"displayName,omitempty" maxLength:"200"`
		Description  *string `json:"description,omitempty" maxLength:"2000"`
		ExpectedType *string `json:"expectedType,omitempty" enum:"string,number,boolean,time,array,object," doc:"Empty: any"`
		Required     *bool   `json:"required,omitempty"`
		State        *State  `json:"state,omitempty" enum:"learned,expected,hidden"`
		Column       *bool   `json:"column,omitempty" doc:"true: make it a typed column in the background"`
	}
}

type propertyOutput struct{ Body apiProperty }

func (s *Service) changeProperty(ctx context.Context, in *changePropertyInput) (*propertyOutput, error) {
	b := in.Body
	p, err := s.ChangeProperty(ctx, in.Name, in.Property, PropertyChange{DisplayName: b.DisplayName, Description: b.Description, ExpectedType: b.ExpectedType,
		Required: b.Required, State: b.State, Column: b.Column})
	if err != nil {
		return nil, err
	}
	return &propertyOutput{toAPIProperty(ctx, p)}, nil
}

type listViolationsInput struct {
	Event  string `query:"event" maxLength:"256"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type apiViolation struct {
	ID       string    `json:"id"`
	Event    string    `json:"event"`
	Property string    `json:"property,omitempty"`
	Kind     Kind      `json:"kind" enum:"unexpected_event,missing_property,unexpected_property,wrong_type,never_seen"`
	Count    int64     `json:"count"`
	FirstAt  time.Time `json:"firstAt"`
	LastAt   time.Time `json:"lastAt"`
	Sample   string    `json:"sample,omitempty"`
	Source   string    `json:"source,omitempty"`
}

type listViolationsOutput struct {
	Body struct {
		Items []apiViolation `json:"items"`
		Next  string         `json:"next,omitempty"`
	}
}

func (s *Service) listViolations(ctx context.Context, in *listViolationsInput) (*listViolationsOutput, error) {
	var after *ViolationCursor
	if in.Cursor != "" {
		after = &ViolationCursor{}
		if err := httpx.DecodeCursor(in.Cursor, after); err != nil {
			return nil, err
		}
	}
	list, err := s.Violations(ctx, in.Event, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &listViolationsOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		last := list[in.Limit-1]
		out.Body.Next = httpx.EncodeCursor(ViolationCursor{last.LastAt.UnixMilli(), last.ID})
	}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, apiViolation(v))
	}
	return out, nil
}
