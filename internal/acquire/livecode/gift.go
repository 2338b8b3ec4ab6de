package livecode

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// had is a gift that a person had before: by which code, and when.
type had struct {
	code string
	at   int64
}

// claimGift tells whether the person is to get the code's gift with this welcome, or
// how they came by it before. A gift is told by its name, whichever codes carry it:
// of two welcomes at one moment, on any nodes, the primary key lets one through.
// Persons are told by the platform's id, so that contacts may become one, and two
// again, without anybody's getting a gift twice or losing it.
func (s *Service) claimGift(ctx context.Context, r *claimRow, now int64) (bool, *had, error) {
	before, err := s.hadByCode(ctx, r)
	if err != nil || before != nil {
		return false, before, err
	}
	n, err := s.DB.ExecN(ctx, `insert into livecode_gifts (gift, person, code, welcome, given, at) values ($1, $2, $3, $4, 0, $5)
		on conflict (gift, person) do update set code = excluded.code, welcome = excluded.welcome, at = excluded.at
		where livecode_gifts.given = 0 and (livecode_gifts.welcome = '' or livecode_gifts.welcome = excluded.welcome)`,
		r.gift, r.Customer, r.code, r.Key, now)
	if err != nil {
		return false, nil, fmt.Errorf("claim gift: %w", err)
	}
	if n > 0 {
		return true, nil, nil
	}
	before = &had{}
	if err := s.DB.QueryRow(ctx, "select code, at from livecode_gifts where gift = $1 and person = $2", r.gift, r.Customer).Scan(&before.code, &before.at); err != nil {
		return false, nil, fmt.Errorf("read who had a gift: %w", err)
	}
	return false, before, nil
}

// hadByCode looks at what was given while gifts were told by code: by this code
// whatever it gave, and by others that carry the same gift today.
func (s *Service) hadByCode(ctx context.Context, r *claimRow) (*had, error) {
	rows, err := s.DB.Query(ctx, "select code, at from livecode_hooks where person = $1 and (given > 0 or welcome <> '' and welcome <> $2) order by at, code", r.Customer, r.Key)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (h had, err error) { return h, r.Scan(&h.code, &h.at) })
	if err != nil {
		return nil, fmt.Errorf("read who had a hook: %w", err)
	}
	for _, h := range list {
		if h.code == r.code {
			return &h, nil
		}
		if c := s.book.get(h.code); c != nil && c.Hook != nil && c.Hook.Name == r.gift {
			return &h, nil
		}
	}
	return nil, nil
}

// giftOutcome keeps what became of a gift that was claimed with a welcome. What may
// have arrived counts as given: better not at all than twice.
func (s *Service) giftOutcome(ctx context.Context, o *outcome, now int64) error {
	query := "update livecode_gifts set welcome = '', at = $3 where gift = $1 and person = $2 and given = 0 and welcome = $4"
	switch {
	case !o.withHook || o.state == refused || o.state == late:
	case o.state == unknown:
		query = "update livecode_gifts set given = 2, at = $3 where gift = $1 and person = $2 and welcome = $4"
	default:
		query = "update livecode_gifts set given = 1, at = $3 where gift = $1 and person = $2 and welcome = $4"
	}
	if _, err := s.DB.Exec(ctx, query, o.gift, o.Customer, now, o.Key); err != nil {
		return fmt.Errorf("keep what became of a gift: %w", err)
	}
	return nil
}

// withheldFact says that somebody did not get a gift again, and with which code and
// when they had it.
func (s *Service) withheldFact(r *claimRow, h *had) event.Fact {
	now := clock.Ms(s.Clock.Now())
	props := map[string]any{"account": r.Account, "staff": r.Staff, "hook": r.gift, "code": r.code, "before": h.code, "beforeAt": clock.FromMs(h.at).UTC().Format(time.RFC3339)}
	if c := s.book.get(r.code); c != nil {
		props["codeName"] = c.Name
		if c.Channel != "" {
			props["channel"] = c.Channel
		}
	}
	if c := s.book.get(h.code); c != nil {
		props["beforeName"] = c.Name
	}
	raw, _ := json.Marshal(props) // texts always encode
	return event.Fact{MessageID: "withheld/" + r.Key, Type: event.Track, Name: event.NameGiftWithheld, Timestamp: now, ReceivedAt: now, Source: "livecode",
		Identifiers: []event.Identifier{{Kind: "wecom_external_userid", Value: r.Customer}}, Properties: raw}
}
