package connector

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/secret"
)

// The states of a template, or of a signature, at its platform.
const (
	TemplateOK      = "ok"
	TemplatePending = "pending" // somebody there looks at it
	TemplateRefused = "refused"
	TemplateNone    = "none" // there is no such thing
)

// Template is a text that a platform allows, with places for parameters.
type Template struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Text   string   `json:"text"`
	State  string   `json:"state" enum:"ok,pending,refused"`
	Why    string   `json:"why,omitempty" doc:"The platform's words for a refusal"`
	Params []string `json:"params" doc:"Names of the places, in order"`
}

// Preview is what a message says, and what it costs.
type Preview struct {
	Text     string `json:"text"`
	Segments int    `json:"segments,omitempty" doc:"How many short messages it is paid as"`
}

// Tester is a Sender that can send a test: it knows its templates and what a
// message would say. Test refuses, by field, what is wrong with the message.
type Tester interface {
	Sender
	Templates(ctx context.Context) ([]Template, error)
	Test(ctx context.Context, m Message) (Preview, error)
}

// Vet looks at a test before it leaves: whether the address may be written to at
// all, and what an advertisement must carry (the way out of it).
type Vet func(ctx context.Context, a Account, m *Message) error

// TestInput is a message that somebody sends to see whether an account works.
type TestInput struct {
	To        string      `json:"to" minLength:"3" maxLength:"254" doc:"A number, or an address"`
	Template  string      `json:"template,omitempty" maxLength:"100"`
	Params    []TestParam `json:"params,omitempty" maxItems:"20"`
	Title     string      `json:"title,omitempty" maxLength:"400" doc:"Subject of a mail"`
	Text      string      `json:"text,omitempty" maxLength:"20000" doc:"Text of a mail"`
	Marketing bool        `json:"marketing,omitempty" doc:"As an advertisement is sent: with the way out of it"`
	Dry       bool        `json:"dry,omitempty" doc:"Say what it would say and cost, and send nothing"`
}

// TestParam is a parameter of a template.
type TestParam struct {
	Name  string `json:"name" maxLength:"60"`
	Value string `json:"value" maxLength:"200"`
}

// Tested is what became of a test.
type Tested struct {
	Preview
	ID      string   `json:"id,omitempty" doc:"Ask with it for what became of the message later"`
	Receipt *Receipt `json:"receipt,omitempty"`
	Words   string   `json:"message,omitempty" doc:"Why it was refused or did not arrive, in words"`
}

// How many tests one person may send: a few at once, then one a minute.
const (
	testsAtOnce = 5
	testEvery   = time.Minute
	maxTesters  = 1000
)

var (
	errTests  = errs.New(errs.TooMany, "connector.too_many_tests")
	errNoTest = errs.New(errs.Invalid, "connector.cannot_send")
)

// testers count the tests of each person, on this node.
type testers struct {
	mu sync.Mutex
	by map[string]*rate.Limiter
}

func (t *testers) allow(who string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.by[who]
	if l == nil {
		if t.by == nil || len(t.by) >= maxTesters {
			t.by = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(testEvery), testsAtOnce)
		t.by[who] = l
	}
	return l.AllowN(now, 1)
}

// VetTests has f look at each test.
func (s *Service) VetTests(f Vet) { s.vet = f }

func (s *Service) tester(ctx context.Context, id string) (account, Tester, error) {
	a, sender, err := s.sender(ctx, id)
	if err != nil {
		return a, nil, err
	}
	t, ok := sender.(Tester)
	if !ok {
		return a, nil, errNoTest.With("kind", a.Kind)
	}
	return a, t, nil
}

// Templates lists the texts that an account's platform allows.
func (s *Service) Templates(ctx context.Context, id string) ([]Template, error) {
	_, t, err := s.tester(ctx, id)
	if err != nil {
		return nil, err
	}
	return t.Templates(ctx)
}

const testKey = "test:"

// SendTest sends one message to an address that somebody typed. It costs what a
// message costs, is written into the audit log, and each person has a few.
func (s *Service) SendTest(ctx context.Context, id string, in TestInput) (Tested, error) {
	a, t, err := s.tester(ctx, id)
	if err != nil {
		return Tested{}, err
	}
	m := Message{To: strings.TrimSpace(in.To), Template: in.Template, Title: in.Title, Text: in.Text, Marketing: in.Marketing}
	for _, p := range in.Params {
		m.Params = append(m.Params, Param(p))
	}
	var out Tested
	if s.vet != nil {
		if err := s.vet(ctx, a.Account, &m); err != nil {
			return out, err
		}
	}
	if out.Preview, err = t.Test(ctx, m); err != nil || in.Dry {
		return out, err
	}
	who := "program"
	if p := auth.From(ctx); p != nil {
		who = p.ID
	}
	if !s.testers.allow(who, s.Clock.Now()) {
		return out, errTests
	}
	out.ID = s.IDs.New("ct")
	m.Key = testKey + out.ID
	// Written down first: nothing leaves that nobody can be asked about.
	if s.Audit != nil {
		if err := s.Audit.Record(ctx, "connector.tested", audit.Object{Type: "connector", ID: a.ID, Name: a.Name}, map[string]any{"kind": a.Kind, "to": maskedAddress(m.To), "template": m.Template}); err != nil {
			return out, err
		}
	}
	r, err := s.Send(ctx, id, m)
	if err != nil {
		return out, err
	}
	out.Receipt = &r
	return out, nil
}

// TestReceipt is what became of a test since.
func (s *Service) TestReceipt(ctx context.Context, account, test string) (Tested, error) {
	r, err := s.ReceiptOf(ctx, account, testKey+test)
	if err != nil {
		return Tested{}, err
	}
	return Tested{ID: test, Receipt: &r}, nil
}

// maskedAddress shows enough of a number or an address to recognise it.
func maskedAddress(to string) string {
	if strings.Contains(to, "@") {
		return secret.MaskEmail(to)
	}
	return secret.MaskPhone(to)
}
