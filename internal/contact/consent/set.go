package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Change is one change of a person's consent by staff or by an integration.
type Change struct {
	Purpose string    `json:"purpose" doc:"A purpose; everything: do not contact"`
	Channel Channel   `json:"channel" enum:"all,wecom,official_account,mini_program,sms,email,phone,in_app" default:"all"`
	State   State     `json:"state" enum:"granted,withdrawn"`
	At      time.Time `json:"at,omitzero" doc:"Since when; default now"`
	Wording int64     `json:"wording,omitempty" minimum:"0" doc:"Version that the person was shown; default the one of that day"`
	Reply   bool      `json:"reply,omitempty" doc:"The person answered a message, such as TD: messageId names it"`
	// MessageID names what the person said it in.
	MessageID string `json:"messageId,omitempty" maxLength:"200"`
}

// Set writes down what somebody told staff or an integration, with the reason.
func (s *Service) Set(ctx context.Context, contactID string, changes []Change, reason string) error {
	reason, err := reasonOf("reason", reason)
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("changes", "request.field_required"))
	}
	by := principal(ctx)
	source := FromStaff
	if by.Via == auth.ViaToken {
		source = FromAPI
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID)
		if err != nil {
			return err
		}
		said := make([]Said, len(changes))
		for i, c := range changes {
			if !c.At.IsZero() && c.At.After(s.Clock.Now().Add(time.Minute)) {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("changes[%d].at", i), "consent.in_future"))
			}
			from := source
			if c.Reply {
				from = FromReply
			}
			said[i] = Said{Contact: num, Purpose: c.Purpose, Channel: c.Channel, State: c.State, At: c.At, Source: from, Wording: c.Wording,
				Proof: Proof{IP: httpx.ClientIP(ctx), StaffID: by.ID, StaffName: by.Name, Note: reason, MessageID: c.MessageID}}
			if said[i].Channel == "" {
				said[i].Channel = All
			}
		}
		rows, err := s.write(ctx, said, true)
		if err != nil {
			return err
		}
		last := rows[len(rows)-1]
		return s.recordContact(ctx, "consent.changed", num, map[string]any{"changes": changes, "seq": last.seq, "hash": last.hash})
	})
	if err != nil {
		return fmt.Errorf("change consent: %w", err)
	}
	return nil
}
