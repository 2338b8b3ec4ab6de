package contact

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Dictionary knows what events there are and what stands in them, for whoever
// writes a rule (package event's dictionary implements it, through app). Hidden
// ones are left out.
type Dictionary interface {
	// KnownEvents lists events whose name or title holds a text, those of the last
	// seven days first, the busiest of them at the top.
	KnownEvents(ctx context.Context, text string, limit int) ([]KnownEvent, error)
	// KnownProperties lists the properties of an event, the most frequent first.
	// Samples hold no personal values.
	KnownProperties(ctx context.Context, event string) ([]KnownProperty, error)
}

// KnownEvent is an event that a rule can speak of.
type KnownEvent struct {
	Name       string     `json:"name"`
	Title      string     `json:"title" doc:"What people call it, in the caller's language; the name when they call it nothing"`
	Category   string     `json:"category,omitempty"`
	Volume     int64      `json:"volume" doc:"How often it happened, ever"`
	Volume7d   int64      `json:"volume7d" doc:"In the last seven days"`
	LastSeenAt *time.Time `json:"lastSeenAt,omitempty"`
}

// KnownProperty is a property of an event that a rule can speak of.
type KnownProperty struct {
	Name    string   `json:"name"`
	Title   string   `json:"title" doc:"What people call it, in the caller's language; the name when they call it nothing"`
	Type    string   `json:"type" enum:"string,number,boolean,time,array,object,null" doc:"What it holds most often"`
	Types   []string `json:"types" doc:"All that it was seen to hold, the most frequent first"`
	Samples []string `json:"samples" doc:"Values seen; none for callers who see only some customers, and no personal ones"`
	Count   int64    `json:"count"`
}

type knownEventsInput struct {
	Q     string `query:"q" maxLength:"200" doc:"Part of the name or title"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type knownEventsOutput struct {
	Body struct {
		Items []KnownEvent `json:"items"`
	}
}

type knownPropertiesInput struct {
	Name string `path:"name" doc:"Name of the event"`
}

type knownPropertiesOutput struct {
	Body struct {
		Items []KnownProperty `json:"items"`
	}
}

func (s *Service) wordRoutes(api *httpx.API, op func(id, method, path, summary string) httpx.Op) {
	httpx.Register(api, op("list-rule-events", http.MethodGet, "/api/rules/events", "List the events that rules can speak of"), s.listKnownEvents)
	httpx.Register(api, op("list-rule-event-properties", http.MethodGet, "/api/rules/events/{name}/properties", "List what is known of an event's properties, to write conditions on them"), s.listKnownProperties)
}

func (s *Service) listKnownEvents(ctx context.Context, in *knownEventsInput) (*knownEventsOutput, error) {
	out := &knownEventsOutput{}
	out.Body.Items = []KnownEvent{}
	if s.Dictionary == nil {
		return out, nil
	}
	list, err := s.Dictionary.KnownEvents(ctx, strings.TrimSpace(in.Q), in.Limit)
	if err != nil {
		return nil, err
	}
	out.Body.Items = append(out.Body.Items, list...)
	return out, nil
}

func (s *Service) listKnownProperties(ctx context.Context, in *knownPropertiesInput) (*knownPropertiesOutput, error) {
	out := &knownPropertiesOutput{}
	out.Body.Items = []KnownProperty{}
	if s.Dictionary == nil {
		return nil, errs.New(errs.NotFound, "dictionary.no_event")
	}
	list, err := s.Dictionary.KnownProperties(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	some := !auth.ScopeOf(ctx).All // samples are words of anybody's facts
	for _, p := range list {
		if some || p.Samples == nil {
			p.Samples = []string{}
		}
		p.Types = slices.Clip(p.Types)
		out.Body.Items = append(out.Body.Items, p)
	}
	return out, nil
}
