package sms

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
)

// Source is the source of the facts that callbacks of short messages state.
const Source = "sms"

// channel is the property that says how a message went.
const channel = "sms"

// maxText is how much of a reply a fact holds, in characters.
const maxText = 500

// Facts turns callbacks into facts. What follows from them is for others: whoever
// replies TD has their consent withdrawn by package consent.
type Facts struct{ Ingest event.Ingester }

// Handle is the handler of all that an account is told.
func (f *Facts) Handle(ctx context.Context, a connector.Account, in connector.Incoming) error {
	t, err := readOne(a, in.Body)
	if err != nil {
		return connector.GiveUp(connector.ErrMalformed.Wrap(err))
	}
	if !t.reply && in.Receipt == nil {
		return connector.GiveUp(connector.ErrMalformed)
	}
	name, props := event.NameMessageDelivered, map[string]any{"account": a.ID, "channel": channel}
	switch {
	case t.reply:
		name = event.NameMessageReceived
		props["text"] = clip(t.text, maxText)
		if Stops(t.text, stopWords(a)) {
			props["stop"] = true
		}
	case t.ok:
		props["message"], props["automatic"] = in.Receipt.ID, true
	default:
		name = event.NameMessageFailed
		why := failureOf(t.code)
		props["automatic"] = true
		props["message"], props["code"], props["reason"], props["permanent"] = in.Receipt.ID, clip(t.code, 60), why.reason, why.gone
	}
	raw, _ := json.Marshal(props) // texts always encode
	fact := event.Fact{MessageID: in.MessageID(a, name), Type: event.Track, Name: name, Identifiers: []event.Identifier{{Kind: "phone", Value: t.number}},
		Timestamp: in.At.UnixMilli(), Source: Source, Properties: raw}
	if _, err := f.Ingest.Ingest(ctx, []event.Fact{fact}); err != nil {
		return fmt.Errorf("state facts: %w", err)
	}
	return nil
}

// readOne reads one kept callback again. The receipt's id is known already, so that
// no secret is needed.
func readOne(a connector.Account, body []byte) (told, error) {
	var p provider = aliyun{&Client{}}
	if a.Kind == Tencent {
		p = tencent{Client: &Client{}}
	} else {
		body = append(append([]byte{'['}, body...), ']')
	}
	list, err := p.read(body)
	if err == nil && len(list) != 1 {
		err = errNothing
	}
	if err != nil {
		return told{}, err
	}
	return list[0], nil
}
