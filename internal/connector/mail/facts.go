package mail

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
)

// Source is the source of the facts that reports of mails state.
const Source = "mail"

// channel is the property that says how a message went.
const channel = "email"

// Facts turns reports into facts. What follows is for others: package consent puts
// an address that is nobody's on the suppression list, and withdraws the consent of
// whoever calls a mail spam.
type Facts struct{ Ingest event.Ingester }

// Handlers are what turns each sort of report into a fact, by its name.
func (f *Facts) Handlers() map[string]connector.Handler {
	return map[string]connector.Handler{prefix + kindBounce: f.handle, prefix + kindComplaint: f.handle, prefix + kindDelivered: f.handle}
}

func (f *Facts) handle(ctx context.Context, a connector.Account, in connector.Incoming) error {
	var r report
	if err := json.Unmarshal(in.Body, &r); err != nil || r.Recipient == "" {
		return connector.GiveUp(connector.ErrMalformed.Wrap(err))
	}
	name := event.NameMessageDelivered
	props := map[string]any{"account": a.ID, "channel": channel, "automatic": true}
	if r.ID != "" {
		props["message"] = r.ID
	}
	switch r.Kind {
	case kindBounce:
		fate := fateOf(r.Status)
		name = event.NameMessageFailed
		props["code"], props["reason"], props["permanent"] = r.Status, fate.reason, fate.gone
	case kindComplaint:
		name = event.NameMessageReported
	}
	raw, _ := json.Marshal(props) // texts always encode
	fact := event.Fact{MessageID: in.MessageID(a, name), Type: event.Track, Name: name, Identifiers: []event.Identifier{{Kind: "email", Value: r.Recipient}},
		Timestamp: in.At.UnixMilli(), Source: Source, Properties: raw}
	if _, err := f.Ingest.Ingest(ctx, []event.Fact{fact}); err != nil {
		return fmt.Errorf("state facts: %w", err)
	}
	return nil
}
