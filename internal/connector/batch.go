package connector

import (
	"context"
	"errors"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Batcher is a Sender whose platform takes several messages in one call.
type Batcher interface {
	Sender
	// SendBatch sends each of them as Send would: one outcome for each, in order.
	SendBatch(ctx context.Context, list []Message) []Sent
}

// Sent is what became of one message of several.
type Sent struct {
	Receipt Receipt
	Err     error
}

// maxBatch bounds what SendAll takes at once: claims are held while it runs.
const maxBatch = 500

var errBatch = errs.New(errs.Invalid, "connector.too_many_messages", "limit", maxBatch)

// SendAll sends several messages through an account, each once as Send does: keys
// that were sent before give the receipt of the first. The error is of the whole;
// what went wrong with one message is in its outcome.
func (s *Service) SendAll(ctx context.Context, accountID string, list []Message) ([]Sent, error) {
	if len(list) > maxBatch {
		return nil, errBatch
	}
	a, sender, err := s.sender(ctx, accountID)
	if err != nil {
		return nil, err
	}
	out := make([]Sent, len(list))
	batcher, many := sender.(Batcher)
	if !many {
		for i, m := range list {
			out[i].Receipt, out[i].Err = s.Send(ctx, accountID, m)
		}
		return out, nil
	}
	var mine []int
	claims := make([]claim, len(list))
	for i, m := range list {
		if m.Key == "" {
			out[i].Err = errNoKey
			continue
		}
		claims[i] = claim{account: a.Account, key: s.Keys.Index(keyField, m.Key)}
		was, claimed, err := s.claimSend(ctx, &claims[i])
		switch {
		case err != nil:
			out[i].Err = err
		case !claimed:
			out[i].Receipt = was
		default:
			mine = append(mine, i)
		}
	}
	if len(mine) == 0 {
		return out, nil
	}
	some := make([]Message, len(mine))
	for i, n := range mine {
		some[i] = list[n]
	}
	short, cancel := context.WithTimeout(ctx, sendIn)
	defer cancel()
	got := sendSafely(short, batcher, some)
	for i, n := range mine {
		out[n].Receipt, out[n].Err = s.settleSend(ctx, claims[n], got[i].Receipt, got[i].Err)
	}
	return out, nil
}

var errOutcomes = errors.New("a connector gave another number of outcomes than messages")

func sendSafely(ctx context.Context, b Batcher, list []Message) []Sent {
	got := b.SendBatch(ctx, list)
	for len(got) < len(list) { // nobody knows what became of the rest
		got = append(got, Sent{Err: errOutcomes})
	}
	return got
}
