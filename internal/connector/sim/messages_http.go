package sim

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// NumberInput names a phone number in the path, BoxInput an address, LetterInput a
// mail. They are exported because the API layer reads no parameters of embedded
// types that are not.
type NumberInput struct {
	Number string `path:"number" maxLength:"30" doc:"Such as +8613800001234"`
}

// BoxInput names a mailbox.
type BoxInput struct {
	Address string `path:"address" maxLength:"254"`
}

// LetterInput names a mail.
type LetterInput struct {
	ID string `path:"id" maxLength:"40"`
}

type (
	inboxesOutput struct {
		Body struct {
			Items []Inbox `json:"items"`
		}
	}
	textsOutput struct {
		Body struct {
			Items []Text `json:"items" doc:"The oldest first"`
		}
	}
	answerInput struct {
		NumberInput
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"900"`
		}
	}
	numberStateInput struct {
		NumberInput
		Body struct {
			State string `json:"state" enum:"fine,absent,off,refuses"`
		}
	}
	boxesOutput struct {
		Body struct {
			Items []Box `json:"items"`
		}
	}
	lettersOutput struct {
		Body struct {
			Items []Letter `json:"items" doc:"The newest first"`
		}
	}
	boxStateInput struct {
		BoxInput
		Body struct {
			State string `json:"state" enum:"fine,absent,gone,full"`
		}
	}
	letterActInput struct {
		LetterInput
		Body struct {
			Does string `json:"does" enum:"open,unsubscribe,report"`
		}
	}
	letterOutput struct{ Body Letter }
)

// shown is how many numbers, mailboxes and messages a page shows.
const shown = 100

// messageRoutes declares the inboxes of "be a customer".
func messageRoutes(api *httpx.API, op opMaker, get func() (*Sim, error)) {
	httpx.Register(api, op("list-sim-inboxes", http.MethodGet, "/api/sim/inboxes", auth.ConnectorRead, "Phones that got short messages from the simulated platforms"), func(_ context.Context, _ *struct{}) (*inboxesOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &inboxesOutput{}
		out.Body.Items = s.Inboxes(shown)
		return out, nil
	})
	httpx.Register(api, op("list-sim-texts", http.MethodGet, "/api/sim/inboxes/{number}", auth.ConnectorRead, "Short messages on one phone"), func(_ context.Context, in *NumberInput) (*textsOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &textsOutput{}
		out.Body.Items = s.TextsOf(in.Number, shown)
		return out, nil
	})
	httpx.Register(api, op("answer-sim-text", http.MethodPost, "/api/sim/inboxes/{number}/reply", auth.ConnectorWrite, "Reply to the last short message on a phone"), func(_ context.Context, in *answerInput) (*struct{}, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		return nil, s.Answer(in.Number, in.Body.Text)
	})
	httpx.Register(api, op("set-sim-number", http.MethodPut, "/api/sim/inboxes/{number}", auth.ConnectorWrite, "What becomes of short messages to a number"), func(_ context.Context, in *numberStateInput) (*struct{}, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		return nil, s.SetNumber(in.Number, in.Body.State)
	})
	httpx.Register(api, op("list-sim-mailboxes", http.MethodGet, "/api/sim/mailboxes", auth.ConnectorRead, "Mailboxes that got mail at the simulated server"), func(_ context.Context, _ *struct{}) (*boxesOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &boxesOutput{}
		out.Body.Items = s.MailBoxes(shown)
		return out, nil
	})
	httpx.Register(api, op("list-sim-letters", http.MethodGet, "/api/sim/mailboxes/{address}", auth.ConnectorRead, "Mails in one mailbox"), func(_ context.Context, in *BoxInput) (*lettersOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &lettersOutput{}
		out.Body.Items = s.LettersOf(in.Address, shown)
		return out, nil
	})
	httpx.Register(api, op("set-sim-mailbox", http.MethodPut, "/api/sim/mailboxes/{address}", auth.ConnectorWrite, "What becomes of mails to an address"), func(_ context.Context, in *boxStateInput) (*struct{}, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		return nil, s.SetMailBox(in.Address, in.Body.State)
	})
	httpx.Register(api, op("do-sim-letter", http.MethodPost, "/api/sim/letters/{id}/acts", auth.ConnectorWrite, "Open a mail, end it with one click, or report it as spam"), func(ctx context.Context, in *letterActInput) (*letterOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		switch in.Body.Does {
		case "unsubscribe":
			err = s.LeaveLetter(ctx, in.ID)
		case "report":
			err = s.ReportLetter(in.ID)
		}
		if err != nil {
			return nil, err
		}
		l, err := s.OpenLetter(in.ID)
		return &letterOutput{l}, err
	})
}
