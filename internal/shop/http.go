package shop

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// listedLines is how many lines of each order a contact's list of orders shows; LineCount says how many there are.
const listedLines = 50

// OrderView is an order as the API gives it.
type OrderView struct {
	ID        string       `json:"id"`
	Number    string       `json:"number"`
	Contact   *contact.Ref `json:"contact,omitempty"`
	State     State        `json:"state" enum:"paid,partly_refunded,refunded"`
	Type      Type         `json:"type" enum:"order,refund" doc:"refund: something given back whose order is not known"`
	Total     Money        `json:"total"`
	Refunded  Money        `json:"refunded"`
	PaidAt    time.Time    `json:"paidAt"`
	Source    string       `json:"source"`
	Lines     []Line       `json:"lines"`
	LineCount int          `json:"lineCount"`
	ImportID  string       `json:"importId,omitempty"`
	First     string       `json:"firstChannel,omitempty" doc:"By which the buyer first came"`
	Last      string       `json:"lastChannel,omitempty" doc:"By which they came last before they paid, within the company's window"`
	Settling  bool         `json:"settling,omitempty" doc:"The channels are being worked out"`
}

type orderPage struct {
	Items []OrderView `json:"items"`
	Next  string      `json:"next,omitempty" doc:"Cursor of the next page"`
}

// PageInput is where a list goes on and how much of it is wanted.
type PageInput struct {
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listInput struct {
	PageInput
	Q       string    `query:"q" maxLength:"128" doc:"Beginning of an order number"`
	Contact string    `query:"contact" doc:"Contact id"`
	State   string    `query:"state" enum:"paid,partly_refunded,refunded"`
	First   string    `query:"firstChannel" maxLength:"60" doc:"Channel of the first touch, with those below it"`
	Last    string    `query:"lastChannel" maxLength:"60" doc:"Channel of the last touch, with those below it"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
}

type orderInput struct {
	ID string `path:"id"`
}

type contactInput struct {
	PageInput
	ID string `path:"id"`
}

type touchInput struct {
	Body struct {
		Days int `json:"days" minimum:"0" maximum:"730"`
	}
}

type touchOutput struct{ Body TouchSettings }
type orderOutput struct{ Body OrderView }
type pageOutput struct{ Body orderPage }

// Routes declares the API of orders.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, path, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: http.MethodGet, Path: path, Tag: "orders", Summary: summary, Permission: auth.OrderRead}
	}
	httpx.Register(api, op("list-orders", "/api/orders", "List orders, newest first, without their lines"), s.listOrders)
	httpx.Register(api, op("get-order-touches", "/api/order-touches", "Which touch counts as an order's last one"), func(ctx context.Context, _ *struct{}) (*touchOutput, error) {
		t, err := s.TouchSettings(ctx)
		return &touchOutput{t}, err
	})
	httpx.Register(api, httpx.Op{ID: "set-order-touches", Method: http.MethodPut, Path: "/api/order-touches", Tag: "orders", Permission: auth.AcquireWrite, Summary: "Change the window; all orders are worked out anew"},
		func(ctx context.Context, in *touchInput) (*touchOutput, error) {
			t, err := s.SetTouchDays(ctx, in.Body.Days)
			return &touchOutput{t}, err
		})
	httpx.Register(api, op("get-order", "/api/orders/{id}", "Get an order with its lines"), s.getOrder)
	httpx.Register(api, op("list-contact-orders", "/api/contacts/{id}/orders", "List the orders of a contact, newest first"), s.listContactOrders)
}

func (s *Service) listOrders(ctx context.Context, in *listInput) (*pageOutput, error) {
	q := Query{Number: in.Q, State: State(in.State), First: in.First, Last: in.Last, From: in.From, To: in.To}
	if in.Contact != "" {
		n, err := s.Contacts.NumOf(ctx, in.Contact)
		if err != nil {
			return nil, err
		}
		q.Contact = n
	}
	return s.page(ctx, q, in.PageInput)
}

func (s *Service) listContactOrders(ctx context.Context, in *contactInput) (*pageOutput, error) {
	n, err := s.Contacts.NumOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.page(ctx, Query{Contact: n, Lines: listedLines}, in.PageInput)
}

func (s *Service) getOrder(ctx context.Context, in *orderInput) (*orderOutput, error) {
	o, err := s.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	views, err := s.Views(ctx, []Order{o})
	if err != nil {
		return nil, err
	}
	return &orderOutput{views[0]}, nil
}

func (s *Service) page(ctx context.Context, q Query, p PageInput) (*pageOutput, error) {
	if p.Cursor != "" {
		q.After = &Cursor{}
		if err := httpx.DecodeCursor(p.Cursor, q.After); err != nil {
			return nil, err
		}
	}
	q.Limit = p.Limit + 1
	orders, err := s.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &pageOutput{}
	if len(orders) > p.Limit {
		orders = orders[:p.Limit]
		out.Body.Next = httpx.EncodeCursor(CursorOf(orders[p.Limit-1]))
	}
	out.Body.Items, err = s.Views(ctx, orders)
	return out, err
}

// Views shows orders as the API does, with the names of their contacts.
func (s *Service) Views(ctx context.Context, orders []Order) ([]OrderView, error) {
	numbers := make([]int64, 0, len(orders))
	for _, o := range orders {
		if o.Contact != 0 {
			numbers = append(numbers, o.Contact)
		}
	}
	names, err := s.Contacts.Refs(ctx, numbers)
	if err != nil {
		return nil, err
	}
	out := make([]OrderView, len(orders))
	for i, o := range orders {
		out[i] = OrderView{ID: o.ID, Number: o.Number, State: o.State, Type: o.Type, Total: Money{Amount: o.Total, Currency: o.Currency},
			Refunded: Money{Amount: o.Refunded, Currency: o.Currency}, PaidAt: o.PaidAt, Source: o.Source, Lines: o.Lines, LineCount: o.LineCount, ImportID: o.ImportID, First: o.First, Last: o.Last, Settling: o.TouchDue}
		if ref, ok := names[o.Contact]; ok {
			out[i].Contact = &ref
		}
	}
	return out, nil
}
