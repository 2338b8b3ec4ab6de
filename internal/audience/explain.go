package audience

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Standing is how somebody stands to a segment.
type Standing struct {
	Member bool               `json:"member" doc:"As it is kept"`
	Since  *time.Time         `json:"since,omitempty" doc:"When they entered, as far as their timeline tells: whom a new definition brought did not enter"`
	Why    *contact.Explained `json:"why,omitempty" doc:"Of dynamic ones: what the rule says of them now, condition by condition"`
}

// StandingOf says whether somebody is in a segment, since when, and why.
func (s *Service) StandingOf(ctx context.Context, id, who string) (Standing, error) {
	var out Standing
	g, err := s.get(ctx, id)
	if err != nil {
		return out, err
	}
	num, err := s.Contacts.NumOf(ctx, who) // also: may the caller see them?
	if err != nil {
		return out, err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return out, err
	}
	var set *numset.Set
	if g.dynamic() && g.readyVersion == 0 {
		set, err = s.matching(ctx, g.rule)
	} else {
		set, err = s.Sets.Has(ctx, g.id, group)
	}
	if err != nil {
		return out, err
	}
	for _, n := range group {
		out.Member = out.Member || set.Has(n)
	}
	if g.dynamic() && out.Member && s.Contacts.Timeline != nil {
		entries, _, err := s.Contacts.TimelineOf(ctx, who, contact.TimelineQuery{Names: []string{event.NameSegmentEntered, event.NameSegmentLeft}, Limit: 200})
		if err != nil {
			return out, err
		}
		for _, e := range entries { // the newest first
			if e.Properties["segment"] != g.id {
				continue
			}
			if e.Name == event.NameSegmentEntered {
				out.Since = &e.Timestamp
			}
			break
		}
	}
	if g.dynamic() {
		why, err := s.Contacts.Explain(ctx, g.rule, "rule", who)
		if err != nil {
			return out, err
		}
		out.Why = &why
	}
	return out, nil
}

type standingInput struct {
	SegmentInput
	Contact string `query:"contact" required:"true" maxLength:"60" doc:"Contact id"`
}

type standingOutput struct{ Body Standing }

func (s *Service) standingRoute(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	httpx.Register(api, op("explain-segment", http.MethodGet, "/api/segments/{id}/explain", auth.ContactRead, "Say whether somebody is in a segment, since when, and why"), func(ctx context.Context, in *standingInput) (*standingOutput, error) {
		if err := need(ctx, auth.SegmentRead); err != nil {
			return nil, err
		}
		x, err := s.StandingOf(ctx, in.ID, in.Contact)
		return &standingOutput{x}, err
	})
}
