package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// groupAsked is the state of a group whose hand-over was asked for and of which the
// answer may be lost: the platform is asked whose it is.
const groupAsked = "asked"

// groupsToHand are the groups of a leaver that no open hand-over has.
func (s *Service) groupsToHand(ctx context.Context, account, owner string) ([]handed, error) {
	rows, err := s.DB.Query(ctx, `select id, name from staff_groups where account = $1 and owner = $2 and not exists (select 1 from staff_handed_groups o where o.chat = staff_groups.id and o.state in ('new', 'asked'))
		order by id limit 5000`, account, owner)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (h handed, err error) { return h, r.Scan(&h.id, &h.name) })
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return list, nil
}

// askGroups hands groups over. The platform does it at once, but an owner takes 300
// a day: the rest goes on tomorrow.
func (s *Service) askGroups(ctx context.Context, h open) error {
	if err := s.askedGroups(ctx, h); err != nil {
		return err
	}
	for {
		part, err := s.claim(ctx, h.id, "staff_handed_groups", "chat", groupAsked, GroupsAtOnce)
		if err != nil || len(part) == 0 {
			return err
		}
		bad, err := s.Platform.HandGroups(ctx, h.account, part, h.to)
		if err != nil {
			switch {
			case s.Platform.Refused(err):
				if err := s.settleGroups(ctx, h, part, HandFailed, whyOf(err)); err != nil {
					return err
				}
				continue
			default:
				if _, later := s.Platform.Later(err); later {
					return errors.Join(err, s.settleGroups(ctx, h, part, HandNew, whyLater))
				}
				return err
			}
		}
		var done []string
		for _, chat := range part {
			if e := bad[chat]; e != nil {
				state, why := HandFailed, whyOf(e)
				if _, later := s.Platform.Later(e); later {
					state, why = HandNew, whyLater
				}
				if err := s.settleGroups(ctx, h, []string{chat}, state, why); err != nil {
					return err
				}
				if state == HandNew { // the day's number is reached
					err = errors.Join(err, e)
				}
				continue
			}
			done = append(done, chat)
		}
		if err := errors.Join(err, s.groupsDone(ctx, h, done)); err != nil {
			return err
		}
	}
}

// askedGroups finds out what became of groups whose answer was lost.
func (s *Service) askedGroups(ctx context.Context, h open) error {
	rows, err := s.DB.Query(ctx, "select chat from staff_handed_groups where handover = $1 and state = 'asked' order by chat", h.id)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (c string, err error) { return c, r.Scan(&c) })
	if err != nil {
		return fmt.Errorf("read groups that were asked for: %w", err)
	}
	for _, chat := range list {
		owner, err := s.Platform.GroupOwner(ctx, h.account, chat)
		switch {
		case err != nil:
			return err
		case owner == h.to:
			err = s.groupsDone(ctx, h, []string{chat})
		case owner == "":
			err = s.settleGroups(ctx, h, []string{chat}, HandFailed, "staff.no_group")
		default:
			err = s.settleGroups(ctx, h, []string{chat}, HandNew, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) groupsDone(ctx context.Context, h open, chats []string) error {
	if len(chats) == 0 {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		err := chunked(chats, func(part []any) error {
			_, err := s.DB.Exec(ctx, "delete from staff_groups where account = $1 and id in ("+db.In(2, len(part))+")", append([]any{h.account}, part...)...)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget groups that have an owner: %w", err)
		}
		return s.settleGroups(ctx, h, chats, HandDone, "")
	})
}

func (s *Service) settleGroups(ctx context.Context, h open, chats []string, state, why string) error {
	return chunked(chats, func(part []any) error {
		_, err := s.DB.Exec(ctx, "update staff_handed_groups set state = $1, why = $2, at = $3 where handover = $4 and chat in ("+db.In(5, len(part))+")", append([]any{state, why, s.Clock.Now().UnixMilli(), h.id}, part...)...)
		if err != nil {
			return fmt.Errorf("note hand-over of groups: %w", err)
		}
		return nil
	})
}

// HandedGroups lists the groups of a hand-over.
func (s *Service) HandedGroups(ctx context.Context, id string) ([]HandedGroup, error) {
	rows, err := s.DB.Query(ctx, "select chat, name, state, why, at from staff_handed_groups where handover = $1 order by name, chat limit 5000", id)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (g HandedGroup, err error) {
		var at int64
		err = r.Scan(&g.ID, &g.Name, &g.State, &g.Why, &at)
		g.At = clock.FromMs(at)
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("read groups of a hand-over: %w", err)
	}
	return list, nil
}
