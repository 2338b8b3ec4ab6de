package audience

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Membership is a segment that somebody is in.
type Membership struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind" enum:"dynamic,static"`
}

type contactInput struct {
	ID string `path:"id" maxLength:"60" doc:"Contact id"`
}

type membershipsOutput struct {
	Body struct {
		Items []Membership `json:"items"`
	}
}

// OfContact lists the segments that a contact is in, by name, as they are kept.
// What is archived is left out, and so is what was never worked out yet. Whoever
// may not see the contact is told that there is none.
func (s *Service) OfContact(ctx context.Context, id string) ([]Membership, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	// Static lists keep the number a contact was added under, also after it became part of another.
	groups, err := s.Contacts.Groups(ctx, []int64{num})
	if err != nil {
		return nil, err
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, g := range all {
		if g.archived == 0 {
			keys = append(keys, g.id)
		}
	}
	has, err := s.Sets.HasAll(ctx, keys, groups[num])
	if err != nil {
		return nil, err
	}
	out := []Membership{}
	for _, g := range all {
		set := has[g.id]
		if set == nil {
			continue
		}
		// Rules are worked out for whoever is there now; lists name who was there then.
		if in := set.Has(num) || !g.dynamic() && set.Count() > 0; in {
			out = append(out, Membership{ID: g.id, Name: g.name, Kind: g.kind})
		}
	}
	return out, nil
}

func (s *Service) contactRoutes(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	httpx.Register(api, op("list-contact-segments", http.MethodGet, "/api/contacts/{id}/segments", auth.ContactRead, "List the segments that a contact is in"), func(ctx context.Context, in *contactInput) (*membershipsOutput, error) {
		if err := need(ctx, auth.SegmentRead); err != nil {
			return nil, err
		}
		out := &membershipsOutput{}
		var err error
		out.Body.Items, err = s.OfContact(ctx, in.ID)
		return out, err
	})
}
