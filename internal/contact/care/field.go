package care

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// field filters lists of contacts by the next thing planned with them.
type field struct{ s *Service }

// Field is the follow-up as a condition of lists.
func (s *Service) Field() contact.Field { return field{s} }

// The values: of those who have an open follow-up that is due then. The first
// two are buckets of the board.
const (
	thisWeek = "week"  // today or on the next six days
	later    = "later" // after these
	nothing  = "none"  // none is open
)

// Views implements contact.Field.
func (f field) Views(ctx context.Context) ([]contact.FieldView, error) {
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field.followUp", nil), Group: "work"}
	for _, o := range []string{Overdue, Today, thisWeek, later, nothing} {
		v.Options = append(v.Options, contact.Option{Value: o, Label: httpx.Say(ctx, "care.filter."+o, nil)})
	}
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f field) Among(ctx context.Context, _, value string) (contact.Among, error) {
	today, tomorrow := f.s.dayOf(ctx, f.s.Clock.Now())
	due := func(from, to time.Time) contact.Among {
		end := int64(1) << 62
		if !to.IsZero() {
			end = clock.Ms(to)
		}
		return contact.Among{Loose: true, Args: []any{clock.Ms(from), end},
			Query: "select contact as n from follow_ups where state = 'open' and due_at >= cast($1 as bigint) and due_at < cast($2 as bigint)"}
	}
	week := today.AddDate(0, 0, 7)
	switch value {
	case Overdue:
		return due(time.UnixMilli(0), today), nil
	case Today:
		return due(today, tomorrow), nil
	case thisWeek:
		return due(today, week), nil
	case later:
		return due(week, time.Time{}), nil
	}
	return contact.Among{None: []contact.Among{due(time.UnixMilli(0), time.Time{})}}, nil
}
