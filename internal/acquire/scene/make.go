package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	makeTime = 20 * time.Second
	longest  = time.Hour // between tries
)

// Round reads what other nodes changed and has the platform make the codes that it
// has not made: each is claimed first, so that of several nodes one asks. A code that
// was made and not noted is made again: the text in it is the same, so is what a scan
// of it brings.
func (s *Service) Round(ctx context.Context) error {
	if err := s.fresh(ctx); err != nil {
		return err
	}
	var faults []error
	for _, c := range s.book.Load().byID {
		if ctx.Err() != nil {
			break
		}
		if !c.ready() && c.State == Active && c.nextAt <= clock.Ms(s.Clock.Now()) {
			faults = append(faults, s.make(ctx, c))
		}
	}
	return errors.Join(faults...)
}

func (s *Service) make(ctx context.Context, c *Code) error {
	now := s.Clock.Now()
	pause := min(time.Minute<<min(c.tries, 6), longest)
	mine, err := s.DB.ExecN(ctx, "update scenes set tries = tries + 1, next_at = $3 where id = $1 and tries = $2 and url = '' and drawn_at = 0", c.ID, c.tries, clock.Ms(now.Add(pause)))
	if err != nil {
		return fmt.Errorf("claim scene code: %w", err)
	}
	if mine == 0 {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, makeTime)
	defer cancel()
	var url string
	var until time.Time
	var drawn Picture
	if c.kind() == Mini {
		drawn, err = s.Platform.Draw(call, c.Account, c.Key, Drawing{Page: c.Page, Env: c.Env, Check: !c.Unchecked})
	} else {
		url, until, err = s.Platform.Create(call, c.Account, c.Key, c.Days)
	}
	fault, params, untilMs := "", "{}", int64(0)
	if err != nil {
		if ctx.Err() != nil { // the program ends
			return nil
		}
		fault = "scene.fault_unreachable"
		var e *errs.Error
		if errors.As(err, &e) {
			fault = e.Code
			if raw, bad := json.Marshal(e.Params); bad == nil && e.Params != nil {
				params = string(raw)
			}
		}
		s.Log.WarnContext(ctx, "a scene code was not made", "code", c.ID, "error", err)
	} else if !until.IsZero() {
		untilMs = clock.Ms(until)
	}
	return s.DB.Tx(context.WithoutCancel(ctx), func(ctx context.Context) error {
		rev, err := s.DB.Reserve(ctx, "scene_revs", 1)
		if err != nil {
			return err
		}
		if drawn.Data != nil {
			if err := s.keepPicture(ctx, c, rev, clock.Ms(s.Clock.Now()), drawn); err != nil {
				return err
			}
		} else if _, err := s.DB.Exec(ctx, "update scenes set rev = $2, url = $3, until = $4, fault = $5, params = $6 where id = $1", c.ID, rev, url, untilMs, fault, params); err != nil {
			return fmt.Errorf("keep scene code: %w", err)
		}
		s.DB.After(ctx, func() {
			if err := s.fresh(context.WithoutCancel(ctx)); err != nil {
				s.Log.ErrorContext(ctx, "scene codes in memory are behind", "error", err)
			}
		})
		return nil
	})
}
