package connector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// claimed is a message that was about to leave when it was last heard of. unheard is
// one whose answer got lost, and that may be sent again under its id (see Repeater).
const (
	claimed = "claimed"
	unheard = "unheard"
)

// sendIn is how long sending one message may take; one that was claimed longer ago
// than sendLost, and of which nothing was heard, may or may not have left.
const (
	sendIn   = 30 * time.Second
	sendLost = time.Minute
)

var (
	errNoSender = errs.New(errs.Invalid, "connector.cannot_send")
	errNoKey    = errs.New(errs.Invalid, "connector.message_needs_key")
	errSending  = errs.New(errs.Conflict, "connector.being_sent")
	errUnheard  = errs.New(errs.Unavailable, "connector.answer_lost")
)

// Send sends a message through an account, once: the key is claimed before the
// platform is called, and the same key later gives the receipt of the first. A
// Later or a fault of the network before anything left gives the claim back, so
// that the caller may try again. When the answer got lost, or this program stopped
// before it came, nobody knows whether the message left: a Repeater gets it again,
// under the same id, when the caller tries again; else the receipt says Doubtful and
// nothing is sent again.
func (s *Service) Send(ctx context.Context, accountID string, m Message) (Receipt, error) {
	if m.Key == "" {
		return Receipt{}, errNoKey
	}
	a, sender, err := s.sender(ctx, accountID)
	if err != nil {
		return Receipt{}, err
	}
	rep, ok := sender.(Repeater)
	c := claim{account: a.Account, key: s.Keys.Index(keyField, m.Key), repeats: ok && rep.Repeats(m)}
	was, mine, err := s.claimSend(ctx, &c)
	if err != nil || !mine {
		return was, err
	}
	short, cancel := context.WithTimeout(ctx, sendIn)
	defer cancel()
	got, err := sender.Send(short, m)
	return s.settleSend(ctx, c, got, err)
}

// claim is a message that one caller sends.
type claim struct {
	account Account
	key     string
	repeats bool // it may be sent again: see Repeater
	again   bool // it was sent before, and nobody knows whether it left
}

// sender gives an account that is active, and what sends through it.
func (s *Service) sender(ctx context.Context, id string) (account, Sender, error) {
	a, err := s.account(ctx, id)
	if err != nil {
		return a, nil, err
	}
	if a.State != Active {
		return a, nil, errPaused.With("name", a.Name)
	}
	c, err := s.open(a)
	if err != nil {
		return a, nil, err
	}
	sender, ok := c.(Sender)
	if !ok {
		return a, nil, errNoSender.With("kind", a.Kind)
	}
	return a, sender, nil
}

// settleSend keeps what became of a claimed message.
func (s *Service) settleSend(ctx context.Context, c claim, got Receipt, err error) (Receipt, error) {
	keep := context.WithoutCancel(ctx)
	switch {
	case err == nil:
	case NotSent(err) && c.again: // this time it did not leave; of the first nobody knows
		return Receipt{}, errors.Join(err, s.keepReceipt(keep, c, Receipt{State: unheard, Reason: "connector.answer_lost", At: s.Clock.Now()}))
	case NotSent(err):
		if _, free := s.DB.Exec(keep, "delete from connector_sends where account = $1 and key_index = $2", c.account.ID, c.key); free != nil {
			s.Log.ErrorContext(ctx, "a message that did not leave stays claimed", "account", c.account.ID, "error", free)
		}
		return Receipt{}, err
	case GivenUp(err) && c.again: // most likely because it has the first under this id
		got = Receipt{State: Doubtful, Code: got.Code, Reason: "connector.answer_lost"}
	case GivenUp(err):
		got = Receipt{State: Refused, Code: got.Code, Reason: errs.CodeOf(err)}
	case c.repeats:
		s.Log.WarnContext(ctx, "it is not known whether a message left: it may be sent again", "account", c.account.ID, "error", err)
		if err := s.keepReceipt(keep, c, Receipt{State: unheard, Reason: "connector.answer_lost", At: s.Clock.Now()}); err != nil {
			return Receipt{}, err
		}
		return Receipt{}, errUnheard.Wrap(err)
	default: // nobody knows
		s.Log.WarnContext(ctx, "it is not known whether a message left", "account", c.account.ID, "error", err)
		got = Receipt{State: Doubtful, Reason: "connector.answer_lost"}
	}
	if got.At.IsZero() {
		got.At = s.Clock.Now()
	}
	if err := s.keepReceipt(keep, c, got); err != nil {
		return got, err
	}
	return got, nil
}

type unsent struct{ error }

func (u unsent) Unwrap() error { return u.error }

// Unsent marks an error of Sender.Send after which nothing can have left: no token,
// no connection. The message may be sent again.
func Unsent(err error) error { return unsent{err} }

// NotSent tells whether err was marked by Unsent, or is a Later.
func NotSent(err error) bool {
	var u unsent
	var l *Later
	return errors.As(err, &u) || errors.As(err, &l)
}

// claimSend makes the caller the one who sends, or gives what is known of the
// message already.
func (s *Service) claimSend(ctx context.Context, c *claim) (was Receipt, mine bool, err error) {
	now := clock.Ms(s.Clock.Now())
	n, err := s.DB.ExecN(ctx, `insert into connector_sends (account, key_index, receipt_id, state, code, reason, claimed_at, at) values ($1, $2, '', $3, '', '', $4, 0)
		on conflict (account, key_index) do nothing`, c.account.ID, c.key, claimed, now)
	if err != nil {
		return was, false, fmt.Errorf("claim message: %w", err)
	}
	if n == 1 {
		return was, true, nil
	}
	var at, claimedAt int64
	err = s.DB.QueryRow(ctx, "select receipt_id, state, code, reason, at, claimed_at from connector_sends where account = $1 and key_index = $2", c.account.ID, c.key).
		Scan(&was.ID, &was.State, &was.Code, &was.Reason, &at, &claimedAt)
	switch {
	case db.NoRows(err): // given back since
		return was, false, errSending
	case err != nil:
		return was, false, fmt.Errorf("read receipt: %w", err)
	}
	was.At = clock.FromMs(at)
	if was.State != claimed && was.State != unheard {
		return was, false, nil
	}
	if was.State == claimed && s.since(claimedAt) < sendLost {
		return Receipt{}, false, errSending
	}
	if !c.repeats {
		was.State, was.Reason, was.At = Doubtful, "connector.answer_lost", clock.FromMs(claimedAt)
		return was, false, nil
	}
	n, err = s.DB.ExecN(ctx, "update connector_sends set state = $3, claimed_at = $4 where account = $1 and key_index = $2 and state = $5 and claimed_at = $6",
		c.account.ID, c.key, claimed, max(now, claimedAt+1), was.State, claimedAt)
	if err != nil {
		return Receipt{}, false, fmt.Errorf("claim message again: %w", err)
	}
	if n == 0 { // another one was faster
		return Receipt{}, false, errSending
	}
	c.again = true
	return Receipt{}, true, nil
}

func (s *Service) keepReceipt(ctx context.Context, c claim, r Receipt) error {
	_, err := s.DB.Exec(ctx, "update connector_sends set receipt_id = $3, state = $4, code = $5, reason = $6, at = $7 where account = $1 and key_index = $2",
		c.account.ID, c.key, r.ID, r.State, r.Code, r.Reason, clock.Ms(r.At))
	if err != nil {
		return fmt.Errorf("keep receipt: %w", err)
	}
	return nil
}

// receipt keeps what the platform told later of a message: a state follows only
// one that it can follow.
func (s *Service) receipt(ctx context.Context, a Account, r Receipt) error {
	if r.ID == "" {
		return nil
	}
	before := map[string]string{Delivered: "'accepted', 'doubtful'", Read: "'accepted', 'doubtful', 'delivered'", Bounced: "'accepted', 'doubtful', 'delivered'", Refused: "'accepted', 'doubtful'"}[r.State]
	if before == "" {
		return nil
	}
	n, err := s.DB.ExecN(ctx, "update connector_sends set state = $3, code = $4, reason = $5, at = $6 where account = $1 and receipt_id = $2 and state in ("+before+")",
		a.ID, r.ID, r.State, r.Code, r.Reason, clock.Ms(r.At))
	if err != nil {
		return fmt.Errorf("keep receipt: %w", err)
	}
	if n > 0 {
		return nil
	}
	// It may be of a message that is leaving just now, and whose id is not kept yet.
	now := s.Clock.Now()
	err = s.DB.QueryRow(ctx, "select count(*) from connector_sends where account = $1 and state = $2 and claimed_at > $3", a.ID, claimed, clock.Ms(now.Add(-sendLost))).Scan(&n)
	if err != nil {
		return fmt.Errorf("look for messages that leave: %w", err)
	}
	if n > 0 {
		return Wait(now.Add(2*time.Second), errSending)
	}
	return nil
}

// ReceiptOf gives what became of the message of a key.
func (s *Service) ReceiptOf(ctx context.Context, account, key string) (Receipt, error) {
	var r Receipt
	var at int64
	err := s.DB.QueryRow(ctx, "select receipt_id, state, code, reason, at from connector_sends where account = $1 and key_index = $2", account, s.Keys.Index(keyField, key)).
		Scan(&r.ID, &r.State, &r.Code, &r.Reason, &at)
	if db.NoRows(err) {
		return r, errNoMessage
	}
	if err != nil {
		return r, fmt.Errorf("read receipt: %w", err)
	}
	if r.State == unheard {
		r.State = Doubtful
	}
	r.At = clock.FromMs(at)
	return r, nil
}

var errNoMessage = errs.New(errs.NotFound, "connector.no_such_message")
