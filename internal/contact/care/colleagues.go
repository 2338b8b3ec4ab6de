package care

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Person is a contact as relations are asked about it: by its id, its number, and
// the numbers of all that is it today.
type Person struct {
	ID    string
	Num   int64
	Group []int64
}

// Relation says what one of the staff has to do with a contact: of a kind, so
// many times, the last time when (zero: not known).
type Relation struct {
	User  string
	Kind  string
	Count int64
	Last  time.Time
}

// Relations tells who of the staff has to do with a contact. A connector that
// knows more, such as whose WeCom friend a customer is, adds one with Know.
type Relations func(ctx context.Context, of Person) ([]Relation, error)

// The kinds of relations that this package knows.
const (
	RelOwner    = "owner" // owns or owned it
	RelNote     = "note"
	RelFollowUp = "follow_up"
)

// Know adds a source of relations. Call it while wiring.
func (s *Service) Know(r Relations) { s.relations = append(s.relations, r) }

// Colleague is one of the staff who knows a contact.
type Colleague struct {
	User   contact.Ref    `json:"user"`
	Owner  bool           `json:"owner" doc:"Owns it today"`
	Kinds  []RelationKind `json:"kinds"`
	LastAt *time.Time     `json:"lastAt,omitempty"`
}

// RelationKind is one way in which somebody knows a contact.
type RelationKind struct {
	Kind  string `json:"kind" doc:"owner, note, follow_up, or what a connector tells"`
	Count int64  `json:"count"`
}

// Colleagues lists who of the staff knows a contact: its owner first, then who
// was in touch last.
func (s *Service) Colleagues(ctx context.Context, id string) ([]Colleague, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	of := Person{ID: id, Num: num}
	if of.Group, err = s.Contacts.Group(ctx, num); err != nil {
		return nil, err
	}
	owners, err := s.Contacts.Owners(ctx, []int64{num})
	if err != nil {
		return nil, err
	}
	by := map[string]*Colleague{}
	var users []string
	for _, source := range s.relations {
		all, err := source(ctx, of)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			c := by[r.User]
			if c == nil {
				c = &Colleague{User: contact.Ref{ID: r.User}, Owner: owners[num] == r.User, Kinds: []RelationKind{}}
				by[r.User] = c
				users = append(users, r.User)
			}
			c.Kinds = append(c.Kinds, RelationKind{r.Kind, r.Count})
			if last := r.Last; !last.IsZero() && (c.LastAt == nil || c.LastAt.Before(last)) {
				c.LastAt = &last
			}
		}
	}
	names := s.People.Names(ctx, users)
	out := []Colleague{}
	for _, u := range users {
		if by[u].User.Name = names[u]; names[u] != "" { // an API token knows nobody
			out = append(out, *by[u])
		}
	}
	slices.SortStableFunc(out, func(a, b Colleague) int {
		if a.Owner != b.Owner {
			if a.Owner {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(lastSeen(b), lastSeen(a)), cmp.Compare(a.User.ID, b.User.ID))
	})
	return out, nil
}

func lastSeen(c Colleague) int64 {
	if c.LastAt == nil {
		return 0
	}
	return c.LastAt.UnixMilli()
}

// owned are those who own or owned the contact. Owning is no contact: it has no time.
func (s *Service) owned(ctx context.Context, of Person) ([]Relation, error) {
	changes, err := s.Contacts.OwnersOf(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	var out []Relation
	for _, c := range changes {
		if c.Owner == nil {
			continue
		}
		i := slices.IndexFunc(out, func(r Relation) bool { return r.User == c.Owner.ID })
		if i < 0 {
			out = append(out, Relation{User: c.Owner.ID, Kind: RelOwner})
			i = len(out) - 1
		}
		out[i].Count++
	}
	return out, nil
}

func (s *Service) noted(ctx context.Context, of Person) ([]Relation, error) {
	authors, err := s.Contacts.NoteAuthors(ctx, of.Num)
	out := make([]Relation, len(authors))
	for i, a := range authors {
		out[i] = Relation{a.ID, RelNote, a.Count, a.Last}
	}
	return out, err
}

func (s *Service) followedUp(ctx context.Context, of Person) ([]Relation, error) {
	args := make([]any, len(of.Group))
	for i, n := range of.Group {
		args[i] = n
	}
	rows, err := s.DB.Query(ctx, "select ended_by_id, count(*), max(ended_at) from follow_ups where contact in ("+db.In(1, len(args))+") and state = 'done' group by ended_by_id order by ended_by_id", args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (rel Relation, err error) {
		var at int64
		err = r.Scan(&rel.User, &rel.Count, &at)
		rel.Kind, rel.Last = RelFollowUp, clock.FromMs(at)
		return rel, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who followed up: %w", err)
	}
	return out, nil
}
