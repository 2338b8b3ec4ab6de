package contact

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// PageInput is where a list goes on and how much of it is wanted.
type PageInput struct {
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listInput struct {
	PageInput
	Q           string    `query:"q" maxLength:"200" doc:"Beginning of the name, its pinyin or initials; or a phone number, e-mail address, id or member number in full"`
	Channel     string    `query:"channel" doc:"Channel of the first touch"`
	Tag         string    `query:"tag" doc:"Tag id"`
	TagBelow    bool      `query:"tagBelow" doc:"Or a tag that stands below it"`
	Owner       string    `query:"owner" doc:"User id; none: nobody's; me: mine"`
	Department  string    `query:"department" doc:"Department id: contacts of its people and of all below it"`
	Kind        string    `query:"kind" enum:"person,visitor" default:"person"`
	CreatedFrom time.Time `query:"createdFrom"`
	CreatedTo   time.Time `query:"createdTo"`
	Where       string    `query:"where" maxLength:"65536" doc:"A rule as JSON, e.g. {\"v\":1,\"all\":[{\"field\":\"orders\",\"op\":\"gte\",\"value\":2}]}; long ones go by POST /api/contacts/query"`
	Sort        string    `query:"sort" enum:"lastSeen,created,name,orders,revenue,lastOrder" default:"lastSeen"`
	Order       string    `query:"order" enum:"asc,desc" default:"desc"`
	Attributes  []string  `query:"attributes,explode" maxItems:"20" doc:"Keys of attributes that the rows carry"`
}

type countOutput struct {
	Body struct {
		Count int64 `json:"count"`
	}
}

type rowPage struct {
	Items []Row  `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page"`
	Total int64  `json:"total" doc:"All that match"`
}

// SelectionBody is a Selection as requests give it: on every operation that
// works on many contacts. Give either ids or filter; filter takes what the list takes.
type SelectionBody struct {
	IDs    []string    `json:"ids,omitempty" maxItems:"10000" doc:"Contact ids"`
	Filter *FilterBody `json:"filter,omitempty" doc:"All that match; {} is everybody"`
	Except []string    `json:"except,omitempty" maxItems:"10000" doc:"Contact ids left out of what the filter matches"`
}

// FilterBody narrows contacts as the query of the list does.
type FilterBody struct {
	Q           string     `json:"q,omitempty" maxLength:"200"`
	Channel     string     `json:"channel,omitempty"`
	Tag         string     `json:"tag,omitempty"`
	TagBelow    bool       `json:"tagBelow,omitempty" doc:"Or a tag that stands below it"`
	Owner       string     `json:"owner,omitempty" doc:"User id; none: nobody's; me: mine"`
	Department  string     `json:"department,omitempty" doc:"Department id: contacts of its people and of all below it"`
	Kind        string     `json:"kind,omitempty" enum:"person,visitor" default:"person"`
	CreatedFrom time.Time  `json:"createdFrom,omitzero"`
	CreatedTo   time.Time  `json:"createdTo,omitzero"`
	Where       *rule.Rule `json:"where,omitempty" doc:"And whom this rule means"`
}

func (b *FilterBody) query(ctx context.Context) Query {
	owner := b.Owner
	if owner == "me" {
		owner = principal(ctx).ID
	}
	return Query{Q: b.Q, Channel: b.Channel, Tag: b.Tag, TagBelow: b.TagBelow, Owner: owner, Department: b.Department, Kind: event.Kind(b.Kind), CreatedFrom: b.CreatedFrom, CreatedTo: b.CreatedTo, Where: b.Where}
}

// Selection reads the choice. Naming nobody and giving no filter is refused:
// work on everybody must be meant.
func (b SelectionBody) Selection(ctx context.Context) (Selection, error) {
	switch {
	case len(b.IDs) > 0:
		return Selection{IDs: b.IDs}, nil
	case b.Filter != nil:
		return Selection{Query: b.Filter.query(ctx), Except: b.Except}, nil
	}
	return Selection{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("ids", "contact.select_somebody"))
}

// IDInput names a contact in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type IDInput struct {
	ID string `path:"id" doc:"Contact id"`
}

type createInput struct {
	Body struct {
		Name       string         `json:"name" maxLength:"120"`
		Phone      string         `json:"phone,omitempty" maxLength:"64"`
		Email      string         `json:"email,omitempty" maxLength:"256"`
		MemberNo   string         `json:"memberNo,omitempty" maxLength:"256"`
		ExternalID string         `json:"externalId,omitempty" maxLength:"256"`
		Attributes map[string]any `json:"attributes,omitempty"`
		Tags       []string       `json:"tags,omitempty" maxItems:"100" doc:"Tag ids"`
	}
}

type updateInput struct {
	IDInput
	Body struct {
		Name       *string        `json:"name,omitempty" maxLength:"120"`
		Attributes map[string]any `json:"attributes,omitempty" doc:"null takes an attribute away; gender, birthday, city and avatar are set here too"`
		OwnerID    *string        `json:"ownerId,omitempty" doc:"Empty: nobody"`
	}
}

type tagsInput struct {
	IDInput
	Body struct {
		Add    []string `json:"add,omitempty" maxItems:"100" doc:"Tag ids"`
		Remove []string `json:"remove,omitempty" maxItems:"100" doc:"Tag ids"`
	}
}

type notesInput struct {
	IDInput
	PageInput
}

type noteInput struct {
	IDInput
	Body struct {
		Text string `json:"text"`
	}
}

type noteIDInput struct {
	IDInput
	Note string `path:"note" doc:"Note id"`
}

type timelineInput struct {
	IDInput
	PageInput
	Names string    `query:"names" doc:"Event names, separated by commas"`
	From  time.Time `query:"from"`
	To    time.Time `query:"to"`
}

type unmaskInput struct {
	IDInput
	Body struct {
		Field  string `json:"field" doc:"phone, email, attribute:<key>, or the id of an identity"`
		Reason string `json:"reason" maxLength:"500" doc:"Kept in the audit log"`
	}
}

type (
	rowsOutput    struct{ Body rowPage }
	contactOutput struct{ Body Contact }
	noteOutput    struct{ Body Note }
	notesOutput   struct {
		Body struct {
			Items []Note `json:"items"`
			Next  string `json:"next,omitempty"`
		}
	}
	timelineOutput struct {
		Body struct {
			Items []Entry `json:"items"`
			Next  string  `json:"next,omitempty"`
		}
	}
	unmaskOutput struct {
		Body struct {
			Value string `json:"value"`
		}
	}
	ownersOutput struct {
		Body struct {
			Items []OwnerChange `json:"items"`
		}
	}
	looksOutput struct {
		Body struct {
			Items []Look `json:"items"`
		}
	}
)

// Routes declares the API of contacts and tags.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "contacts", Summary: summary, Permission: may}
	}
	creates := func(o httpx.Op) httpx.Op { o.Idempotent = true; return o }
	httpx.Register(api, op("list-contacts", http.MethodGet, "/api/contacts", auth.ContactRead, "List contacts"), s.listContacts)
	s.ruleRoutes(api, op)
	s.rulesRoutes(api)
	s.views.routes(api, op)
	httpx.Register(api, op("count-contacts", http.MethodPost, "/api/contacts/count", auth.ContactRead, "Count a selection of contacts"), s.countContacts)
	httpx.Register(api, creates(op("create-contact", http.MethodPost, "/api/contacts", auth.ContactWrite, "Make a person")), s.createContact)
	httpx.Register(api, op("get-contact", http.MethodGet, "/api/contacts/{id}", auth.ContactRead, "Get a contact's profile"), s.getContact)
	httpx.Register(api, op("update-contact", http.MethodPatch, "/api/contacts/{id}", auth.ContactWrite, "Change a contact"), s.updateContact)
	httpx.Register(api, op("set-contact-tags", http.MethodPut, "/api/contacts/{id}/tags", auth.ContactWrite, "Add and remove tags"), s.setContactTags)
	httpx.Register(api, op("list-contact-owners", http.MethodGet, "/api/contacts/{id}/owners", auth.ContactRead, "Who owned a contact, newest first"), func(ctx context.Context, in *IDInput) (*ownersOutput, error) {
		out := &ownersOutput{}
		var err error
		out.Body.Items, err = s.OwnersOf(ctx, in.ID)
		return out, err
	})
	httpx.Register(api, op("list-contact-notes", http.MethodGet, "/api/contacts/{id}/notes", auth.ContactRead, "List notes, newest first"), s.listNotes)
	httpx.Register(api, creates(op("add-contact-note", http.MethodPost, "/api/contacts/{id}/notes", auth.ContactWrite, "Write a note")), s.addNote)
	httpx.Register(api, op("delete-contact-note", http.MethodDelete, "/api/contacts/{id}/notes/{note}", auth.ContactWrite, "Delete a note"), s.deleteNote)
	httpx.Register(api, op("list-contact-timeline", http.MethodGet, "/api/contacts/{id}/timeline", auth.ContactRead, "List a contact's events, newest first"), s.listTimeline)
	httpx.Register(api, op("unmask-contact", http.MethodPost, "/api/contacts/{id}/unmask", auth.ContactUnmask, "Show a personal value in full; audited"), s.unmask)
	s.attributeRoutes(api)
	httpx.Register(api, op("list-contact-looks", http.MethodGet, "/api/contacts/{id}/looks", auth.ContactRead, "List who saw personal values of a contact, newest first"), s.listLooks)
	s.mergeRoutes(api)
	s.identityRoutes(api)
	s.tagRoutes(api)
}

func (s *Service) listContacts(ctx context.Context, in *listInput) (*rowsOutput, error) {
	b := &FilterBody{Q: in.Q, Channel: in.Channel, Tag: in.Tag, TagBelow: in.TagBelow, Owner: in.Owner, Kind: in.Kind, CreatedFrom: in.CreatedFrom, CreatedTo: in.CreatedTo}
	if in.Where != "" {
		var err error
		if b.Where, err = rule.Parse(in.Where, "where"); err != nil {
			return nil, err
		}
	}
	q := b.query(ctx)
	q.Sort, q.Ascending, q.Cursor, q.Limit = in.Sort, in.Order == "asc", in.Cursor, in.Limit
	q.Attributes = in.Attributes
	page, err := s.List(ctx, q)
	if err != nil {
		return nil, err
	}
	return &rowsOutput{rowPage(page)}, nil
}

func (s *Service) countContacts(ctx context.Context, in *struct{ Body SelectionBody }) (*countOutput, error) {
	sel, err := in.Body.Selection(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.Count(ctx, sel)
	if err != nil {
		return nil, err
	}
	out := &countOutput{}
	out.Body.Count = n
	return out, nil
}

func (s *Service) createContact(ctx context.Context, in *createInput) (*contactOutput, error) {
	b := in.Body
	c, err := s.Create(ctx, NewContact{Name: b.Name, Phone: b.Phone, Email: b.Email, MemberNo: b.MemberNo, ExternalID: b.ExternalID, Attributes: b.Attributes, Tags: b.Tags})
	if err != nil {
		return nil, err
	}
	return &contactOutput{c}, nil
}

func (s *Service) getContact(ctx context.Context, in *IDInput) (*contactOutput, error) {
	c, err := s.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &contactOutput{c}, nil
}

func (s *Service) updateContact(ctx context.Context, in *updateInput) (*contactOutput, error) {
	c, err := s.Update(ctx, in.ID, Change{Name: in.Body.Name, Attributes: in.Body.Attributes, OwnerID: in.Body.OwnerID})
	if err != nil {
		return nil, err
	}
	return &contactOutput{c}, nil
}

func (s *Service) setContactTags(ctx context.Context, in *tagsInput) (*contactOutput, error) {
	c, err := s.SetTags(ctx, in.ID, in.Body.Add, in.Body.Remove)
	if err != nil {
		return nil, err
	}
	return &contactOutput{c}, nil
}

func (s *Service) listNotes(ctx context.Context, in *notesInput) (*notesOutput, error) {
	notes, next, err := s.Notes(ctx, in.ID, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &notesOutput{}
	out.Body.Items, out.Body.Next = notes, next
	return out, nil
}

func (s *Service) addNote(ctx context.Context, in *noteInput) (*noteOutput, error) {
	n, err := s.AddNote(ctx, in.ID, in.Body.Text)
	if err != nil {
		return nil, err
	}
	return &noteOutput{n}, nil
}

func (s *Service) deleteNote(ctx context.Context, in *noteIDInput) (*struct{}, error) {
	return nil, s.DeleteNote(ctx, in.ID, in.Note)
}

func (s *Service) listTimeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	q := TimelineQuery{From: in.From, To: in.To, Cursor: in.Cursor, Limit: in.Limit}
	for n := range strings.SplitSeq(in.Names, ",") {
		if n = strings.TrimSpace(n); n != "" {
			q.Names = append(q.Names, n)
		}
	}
	entries, next, err := s.TimelineOf(ctx, in.ID, q)
	if err != nil {
		return nil, err
	}
	out := &timelineOutput{}
	out.Body.Items, out.Body.Next = entries, next
	return out, nil
}

func (s *Service) unmask(ctx context.Context, in *unmaskInput) (*unmaskOutput, error) {
	v, err := s.Unmask(ctx, in.ID, in.Body.Field, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &unmaskOutput{}
	out.Body.Value = v
	return out, nil
}

func (s *Service) listLooks(ctx context.Context, in *IDInput) (*looksOutput, error) {
	looks, err := s.Looks(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &looksOutput{}
	out.Body.Items = looks
	return out, nil
}
