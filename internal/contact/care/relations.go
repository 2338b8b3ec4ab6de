package care

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	relationField = "care.relation"
	maxRelations  = 200
	maxRelNote    = 200
	// maxChain is how far up inviters are looked for: nobody has been invited so often.
	maxChain = 10_000
)

// role says what one contact is to another: the kind that is stored and, where
// the two sides read differently, whether it is stored the other way round.
type role struct {
	kind     string
	reversed bool
	back     string // what the other side reads
}

var roles = map[string]role{
	"inviter": {"inviter", false, "invitee"}, "invitee": {"inviter", true, "inviter"},
	"referrer": {"referrer", false, "referral"}, "referral": {"referrer", true, "referrer"},
	"household": {"household", false, "household"}, "colleague": {"colleague", false, "colleague"}, "other": {"other", false, "other"},
}

// RelatedPerson is somebody who has to do with a contact.
type RelatedPerson struct {
	ID        string       `json:"id" doc:"Of the relation"`
	Role      string       `json:"role" enum:"inviter,invitee,referrer,referral,household,colleague,other" doc:"What they are to the contact"`
	Contact   *contact.Ref `json:"contact,omitempty" doc:"Left out when outside the caller's data scope"`
	Note      string       `json:"note,omitempty"`
	By        contact.Ref  `json:"by"`
	CreatedAt time.Time    `json:"createdAt"`

	num int64
	ids []string // rows that say the same since contacts were merged
}

// NewRelation says that somebody has to do with a contact.
type NewRelation struct {
	Contact string `json:"contact" doc:"Id of the other contact"`
	Role    string `json:"role" enum:"inviter,invitee,referrer,referral,household,colleague,other" doc:"What the other one is to this one"`
	Note    string `json:"note,omitempty" maxLength:"200"`
}

// RelationsOf lists who has to do with a contact, each once for each role.
func (s *Service) RelationsOf(ctx context.Context, id string) ([]RelatedPerson, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	out, err := s.relationsOf(ctx, group)
	if err != nil {
		return nil, err
	}
	nums := make([]int64, len(out))
	for i, r := range out {
		nums[i] = r.num
	}
	refs, err := s.seen(ctx, nums)
	for i := range out {
		out[i].Contact = refs[out[i].num]
	}
	return out, err
}

// relationsOf reads relations from the side of a group, with the survivors of
// the others; what merges made a relation to oneself or a double is left out.
func (s *Service) relationsOf(ctx context.Context, group []int64) ([]RelatedPerson, error) {
	args := make([]any, len(group))
	for i, n := range group {
		args[i] = n
	}
	in := "(" + db.In(1, len(group)) + ")"
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select id, from_contact, to_contact, kind, note, by_id, by_name, at from contact_relations where from_contact in %s or to_contact in %s order by at, id limit %d", in, in, 5*maxRelations), args...)
	all, err := db.Collect(rows, err, func(r *sql.Rows) (p RelatedPerson, err error) {
		var from, to, at int64
		if err = r.Scan(&p.ID, &from, &to, &p.Role, &p.Note, &p.By.ID, &p.By.Name, &at); err != nil {
			return p, err
		}
		p.CreatedAt, p.num = clock.FromMs(at), to
		if !slices.Contains(group, from) { // seen from the other side
			p.num, p.Role = from, roles[p.Role].back
		}
		if p.Note != "" {
			p.Note, err = s.Keys.Open(relationField, p.Note)
		}
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read relations: %w", err)
	}
	nums := make([]int64, len(all))
	for i, p := range all {
		nums[i] = p.num
	}
	moved, err := s.Contacts.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	type what struct {
		num  int64
		role string
	}
	had := map[what]int{}
	out := []RelatedPerson{}
	for _, p := range all {
		if into := moved[p.num]; into != 0 {
			p.num = into
		}
		if slices.Contains(group, p.num) {
			continue
		}
		key := what{p.num, p.Role}
		if at, ok := had[key]; ok {
			out[at].ids = append(out[at].ids, p.ID)
			continue
		}
		had[key], p.ids = len(out), []string{p.ID}
		out = append(out, p)
	}
	return out, nil
}

// Relate says that another contact has to do with one. The other must be within
// the caller's data scope, too.
func (s *Service) Relate(ctx context.Context, id string, n NewRelation) (RelatedPerson, error) {
	r, known := roles[n.Role]
	n.Note = strings.TrimSpace(n.Note)
	switch {
	case !known:
		return RelatedPerson{}, errInput.On(errs.At("role", "request.not_one_of", "allowed", "inviter, invitee, referrer, referral, household, colleague, other"))
	case utf8.RuneCountInString(n.Note) > maxRelNote:
		return RelatedPerson{}, errInput.On(errs.At("note", "request.too_long", "limit", maxRelNote))
	}
	by, now := principal(ctx), s.Clock.Now()
	made := RelatedPerson{ID: s.IDs.New("rl"), Role: n.Role, Note: n.Note, By: contact.Ref{ID: by.ID, Name: by.Name}, CreatedAt: now}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, id)
		if err != nil {
			return err
		}
		if made.num, err = s.Contacts.NumOf(ctx, n.Contact); err != nil {
			if errs.As(err).Kind == errs.NotFound {
				return errInput.On(errs.At("contact", "contact.not_found", "id", n.Contact))
			}
			return err
		}
		if err := s.mayRelate(ctx, num, made.num, n.Role); err != nil {
			return err
		}
		note := ""
		if n.Note != "" {
			if note, err = s.Keys.Seal(relationField, n.Note); err != nil {
				return err
			}
		}
		from, to := num, made.num
		if r.reversed {
			from, to = to, from
		}
		_, err = s.DB.Exec(ctx, "insert into contact_relations (id, from_contact, to_contact, kind, note, by_id, by_name, at) values ($1,$2,$3,$4,$5,$6,$7,$8)",
			made.ID, from, to, r.kind, note, by.ID, by.Name, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("write relation: %w", err)
		}
		refs, err := s.seen(ctx, []int64{made.num})
		if err != nil {
			return err
		}
		made.Contact = refs[made.num]
		for _, side := range []struct {
			num  int64
			role string
		}{{num, n.Role}, {made.num, r.back}} {
			if err := s.stateOf(ctx, event.NameRelationAdded, side.num, map[string]any{"relation": made.ID, "role": side.role, "by": by.Name}); err != nil {
				return err
			}
		}
		return s.recordOf(ctx, "contact.related", num, map[string]any{"relation": made.ID, "role": n.Role, "other": n.Contact})
	})
	return made, err
}

// mayRelate refuses a relation to oneself, one that is there, a second inviter,
// and somebody as inviter whom this one invited, over however many.
func (s *Service) mayRelate(ctx context.Context, num, other int64, as string) error {
	if num == other {
		return errInput.On(errs.At("contact", "relation.self"))
	}
	group, err := s.Contacts.Group(ctx, num) // nobody merges contacts from here on
	if err != nil {
		return err
	}
	there, err := s.relationsOf(ctx, group)
	if err != nil {
		return err
	}
	if len(there) >= maxRelations {
		return errs.New(errs.Conflict, "relation.too_many", "limit", maxRelations)
	}
	if slices.ContainsFunc(there, func(p RelatedPerson) bool { return p.num == other && p.Role == as }) {
		return errInput.On(errs.At("contact", "relation.there"))
	}
	if roles[as].kind != "inviter" {
		return nil
	}
	invited, inviter := num, other
	if roles[as].reversed {
		invited, inviter = other, num
	}
	up, err := s.invitersOf(ctx, invited)
	if err != nil {
		return err
	}
	if len(up) > 0 {
		return errInput.On(errs.At("contact", "relation.has_inviter"))
	}
	seen := map[int64]bool{}
	for ask := []int64{inviter}; len(ask) > 0 && len(seen) < maxChain; {
		at := ask[0]
		if ask = ask[1:]; seen[at] {
			continue
		}
		if seen[at] = true; at == invited {
			return errInput.On(errs.At("contact", "relation.cycle"))
		}
		up, err := s.invitersOf(ctx, at)
		if err != nil {
			return err
		}
		ask = append(ask, up...)
	}
	return nil
}

// invitersOf are those who invited a contact, as they are today.
func (s *Service) invitersOf(ctx context.Context, num int64) ([]int64, error) {
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	all, err := s.relationsOf(ctx, group)
	var out []int64
	for _, p := range all {
		if p.Role == "inviter" {
			out = append(out, p.num)
		}
	}
	return out, err
}

// Unrelate takes a relation away, with its doubles that merges made.
func (s *Service) Unrelate(ctx context.Context, id, relation string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, id)
		if err != nil {
			return err
		}
		group, err := s.Contacts.Group(ctx, num)
		if err != nil {
			return err
		}
		all, err := s.relationsOf(ctx, group)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(p RelatedPerson) bool { return p.ID == relation })
		if i < 0 {
			return errs.New(errs.NotFound, "relation.not_found")
		}
		for _, row := range all[i].ids {
			if _, err := s.DB.Exec(ctx, "delete from contact_relations where id = $1", row); err != nil {
				return fmt.Errorf("delete relation: %w", err)
			}
		}
		return s.recordOf(ctx, "contact.unrelated", num, map[string]any{"relation": relation, "role": all[i].Role})
	})
}
