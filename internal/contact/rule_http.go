package contact

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

type queryInput struct {
	Body struct {
		Filter FilterBody `json:"filter"`
		Sort   string     `json:"sort,omitempty" enum:"lastSeen,created,name,orders,revenue,lastOrder" default:"lastSeen"`
		Order  string     `json:"order,omitempty" enum:"asc,desc" default:"desc"`
		Cursor string     `json:"cursor,omitempty"`
		Limit  int        `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`

		Attributes []string `json:"attributes,omitempty" maxItems:"20" doc:"Keys of attributes that the rows carry"`
	}
}

// FieldView is something that lists can be filtered by.
type FieldView struct {
	Field   string   `json:"field"`
	Key     string   `json:"key,omitempty"`
	Label   string   `json:"label"`
	Group   string   `json:"group" enum:"person,work,source,activity,orders,consent,attribute" doc:"Where the console offers it"`
	Type    string   `json:"type" enum:"text,choice,multi,number,money,date,bool,bucket"`
	Ops     []string `json:"ops"`
	Options []Option `json:"options,omitempty" doc:"What a choice chooses from, when the list is short and fixed"`
	Blocked string   `json:"blocked,omitempty" doc:"Why it cannot be used just now, in words"`
}

// Option is one value of a choice.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

type fieldsOutput struct {
	Body struct {
		Items []FieldView `json:"items"`
	}
}

type sentenceOutput struct {
	Body struct {
		Count    int64  `json:"count"`
		Sentence string `json:"sentence" doc:"The rule in the caller's language"`
	}
}

func (s *Service) ruleRoutes(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	httpx.Register(api, op("query-contacts", http.MethodPost, "/api/contacts/query", auth.ContactRead, "List contacts by a filter too long for an address"), s.queryContacts)
	httpx.Register(api, op("list-contact-fields", http.MethodGet, "/api/contacts/fields", auth.ContactRead, "List what contacts can be filtered by"), s.listFields)
	httpx.Register(api, op("describe-contact-filter", http.MethodPost, "/api/contacts/describe", auth.ContactRead, "Say a filter in words and count it"), s.describeFilter)
}

func (s *Service) queryContacts(ctx context.Context, in *queryInput) (*rowsOutput, error) {
	b := in.Body
	q := b.Filter.query(ctx)
	q.Sort, q.Ascending, q.Cursor, q.Limit = b.Sort, b.Order == "asc", b.Cursor, b.Limit
	q.Attributes = b.Attributes
	page, err := s.List(ctx, q)
	if err != nil {
		return nil, err
	}
	return &rowsOutput{rowPage(page)}, nil
}

func (s *Service) describeFilter(ctx context.Context, in *struct{ Body FilterBody }) (*sentenceOutput, error) {
	n, err := s.Count(ctx, Selection{Query: in.Body.query(ctx)})
	if err != nil {
		return nil, err
	}
	out := &sentenceOutput{}
	out.Body.Count, out.Body.Sentence = n, s.Sentence(ctx, in.Body.Where)
	return out, nil
}

// fieldGroups is where the console offers a field; those not named are activity.
var fieldGroups = map[string]string{
	"name": "person", "gender": "person", "birthday": "person", "city": "person", "identity": "person",
	"tag": "work", "owner": "work", "department": "work", "ownerTouch": "work", "channel": "source", "source": "source", "medium": "source", "campaign": "source", "import": "source",
	"orders": "orders", "revenue": "orders", "firstOrder": "orders", "lastOrder": "orders",
}

func (s *Service) listFields(ctx context.Context, _ *struct{}) (*fieldsOutput, error) {
	out := &fieldsOutput{}
	for i := range ruleFields {
		f := &ruleFields[i]
		keys := f.keys
		if keys == nil {
			keys = []string{""}
		}
		for _, key := range keys {
			v := FieldView{Field: f.name, Key: key, Type: string(f.typ), Ops: f.ops, Group: fieldGroups[f.name]}
			if v.Ops == nil {
				v.Ops = opsOf[f.typ]
			}
			if v.Group == "" {
				v.Group = "activity"
			}
			p := &speaker{s: s, ctx: ctx, say: func(code string, _ ...any) string { return httpx.Say(ctx, code, nil) }}
			v.Label = p.field(&rule.Node{Field: f.name, Key: key})
			switch f.name {
			case "channel":
				for _, c := range s.engine.channels.ids() {
					v.Options = append(v.Options, Option{c, p.value(&rule.Node{Field: f.name}, c)})
				}
			case "department":
				if s.Staff != nil {
					paths, err := s.Staff.DepartmentPaths(ctx)
					if err != nil {
						return nil, err
					}
					for _, p := range paths {
						v.Options = append(v.Options, Option{p[0], p[1]})
					}
				}
			case "gender":
				for _, g := range []string{"female", "male", "other"} {
					v.Options = append(v.Options, Option{g, httpx.Say(ctx, "contact.gender."+g, nil)})
				}
			case "identity":
				kinds, err := s.kinds(ctx)
				if err != nil {
					return nil, err
				}
				for _, k := range kinds {
					v.Options = append(v.Options, Option{k, k})
				}
			}
			out.Body.Items = append(out.Body.Items, v)
		}
	}
	others, err := s.otherViews(ctx)
	if err != nil {
		return nil, err
	}
	out.Body.Items = append(out.Body.Items, others...)
	attrs, err := s.attributeViews(ctx)
	if err != nil {
		return nil, err
	}
	out.Body.Items = append(out.Body.Items, attrs...)
	return out, nil
}
