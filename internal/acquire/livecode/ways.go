package livecode

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// pauses are how long the round waits after what failed, by how often it did.
var pauses = []time.Duration{10 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

const (
	// callTime bounds one call of the round.
	callTime = 15 * time.Second
	// leaseTime is how long one node has a code for itself.
	leaseTime = 2 * time.Minute
	// atOnce is how many codes are worked on at the same time.
	atOnce = 4
)

// Round makes what the platform knows of codes like what they say just now. Each
// code is one step after the other; what fails waits for its next try and holds no
// other code up.
func (s *Service) Round(ctx context.Context) error {
	if err := s.fresh(ctx); err != nil {
		return err
	}
	if err := s.freshMedia(ctx); err != nil { // a welcome then goes without its picture: no reason to stop here
		s.Log.ErrorContext(ctx, "pictures of welcomes cannot be handed to the platform", "error", err)
	}
	now := s.now(ctx)
	today, err := s.newcomers(ctx, clock.DayNumber(now))
	if err != nil {
		return err
	}
	off := map[string]func(string) bool{}
	var faults []error
	for _, c := range s.book.all() {
		if _, ok := off[c.Account]; ok || c.State != Active {
			continue
		}
		staff, err := s.colleagues(ctx, c.Account)
		if err != nil {
			faults = append(faults, err)
			off[c.Account] = nil
			continue
		}
		off[c.Account] = func(id string) bool { k, ok := staff.by[id]; return !ok || k.Off }
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, atOnce)
	for _, c := range s.book.all() {
		if c.State == Active && off[c.Account] == nil || ctx.Err() != nil {
			continue
		}
		want, choice := s.wanted(c, now, off[c.Account], today[c.ID])
		sum := sumOf(c, want)
		if sum == c.way.sum && choice.Why == c.way.why && !(c.way.qr != "" && c.way.text == "" && c.State == Active) || c.way.nextAt > clock.Ms(now) {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := s.settle(ctx, c, want, choice, sum); err != nil {
				mu.Lock()
				faults = append(faults, fmt.Errorf("live code %s: %w", c.ID, err))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return errors.Join(faults...)
}

// newcomers counts those who came on a day, by code and colleague.
func (s *Service) newcomers(ctx context.Context, day int64) (map[string]map[string]int64, error) {
	type row struct {
		code, staff string
		n           int64
	}
	rows, err := s.DB.Query(ctx, "select code, staff, count(*) from livecode_adds where day = $1 group by code, staff", day)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (x row, err error) { return x, r.Scan(&x.code, &x.staff, &x.n) })
	if err != nil {
		return nil, fmt.Errorf("count newcomers: %w", err)
	}
	out := map[string]map[string]int64{}
	for _, x := range list {
		if out[x.code] == nil {
			out[x.code] = map[string]int64{}
		}
		out[x.code][x.staff] = x.n
	}
	return out, nil
}

// wanted is the way that a code should have.
func (s *Service) wanted(c *Code, now time.Time, off func(string) bool, today map[string]int64) (Way, Choice) {
	if c.State != Active {
		return Way{}, Choice{}
	}
	choice := c.Choose(Standing{Now: now, Off: off, Today: today})
	return Way{State: c.Key, Remark: clipRunes(c.Name, wayRemark), Users: choice.Users, Skip: choice.Skip}, choice
}

// sumOf tells ways apart; "" is none.
func sumOf(c *Code, w Way) string {
	if c.State != Active {
		return ""
	}
	raw, _ := json.Marshal(w) // plain values cannot fail
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// settle brings one code up to date with the platform.
func (s *Service) settle(ctx context.Context, c *Code, want Way, choice Choice, sum string) error {
	now := clock.Ms(s.Clock.Now())
	// By the revision: whoever changed the code meanwhile calls for another round.
	n, err := s.DB.ExecN(ctx, "update livecodes set lease = $3 where id = $1 and rev = $2 and lease < $4", c.ID, c.rev, now+leaseTime.Milliseconds(), now)
	if err != nil || n == 0 {
		return err
	}
	is := c.way
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	switch {
	case c.State != Active:
		if is.id != "" {
			err = s.Platform.DeleteWay(call, c.Account, is.id)
		}
		is = way{text: is.text, qr: is.qr}
	case len(want.Users) == 0:
		err = &Refusal{Words: "nobody is left"}
		is.why = WhyNobody
	case is.id == "":
		var made MadeWay
		if made, err = s.Platform.CreateWay(call, c.Account, want); err == nil {
			is.id, is.qr, is.text, is.sum = made.ID, made.QR, "", sum
		}
	case is.sum != sum:
		if err = s.Platform.UpdateWay(call, c.Account, is.id, want); err == nil {
			is.sum = sum
		}
	}
	if ctx.Err() != nil { // the program ends: it was no try. What was made is told again, and not made twice, by its id if that is known
		return s.giveBack(ctx, c.ID)
	}
	if err == nil && c.State == Active {
		is.users, is.skip, is.why = want.Users, want.Skip, choice.Why
		if is.qr != "" && is.text == "" {
			if text, qerr := s.readQR(call, c.Account, is.qr); qerr == nil {
				is.text = text
			} else {
				err = qerr
			}
		}
	}
	return s.settled(ctx, c, is, err)
}

func (s *Service) giveBack(ctx context.Context, id string) error {
	_, err := s.DB.Exec(context.WithoutCancel(ctx), "update livecodes set lease = 0 where id = $1", id)
	return err
}

// settled keeps what the platform said.
func (s *Service) settled(ctx context.Context, c *Code, is way, cause error) error {
	ctx = context.WithoutCancel(ctx)
	now := s.Clock.Now()
	was := c.way
	is.tries, is.nextAt, is.fault, is.faultCode, is.faultAt = 0, 0, "", 0, 0
	if cause != nil {
		is.fault, is.faultCode = faultOf(cause)
		is.faultAt = clock.Ms(now)
		if was.fault != "" && was.fault == is.fault {
			is.faultAt = was.faultAt // since when
		}
		is.tries = was.tries + 1
		is.nextAt = clock.Ms(now.Add(pauses[min(was.tries, len(pauses)-1)]))
		if r, ok := refusalOf(cause); ok && r.After > 0 {
			is.nextAt = clock.Ms(now.Add(r.After))
		}
		s.Log.WarnContext(ctx, "the platform does not take a live code", "code", c.ID, "error", cause)
	}
	if is.at == 0 || is.sum != was.sum {
		is.at = clock.Ms(now)
	}
	if is.users == nil {
		is.users = []string{}
	}
	users, err := json.Marshal(is.users)
	if err != nil {
		return fmt.Errorf("encode way: %w", err)
	}
	skip := 0
	if is.skip {
		skip = 1
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, `update livecodes set rev = $2, way_id = $3, way_qr = $4, way_text = $5, way_sum = $6, way_users = $7, way_skip = $8, way_why = $9, way_at = $10,
			fault = $11, fault_code = $12, fault_at = $13, tries = $14, next_at = $15, lease = 0 where id = $1`,
			c.ID, rev, is.id, is.qr, is.text, is.sum, string(users), skip, is.why, is.at, is.fault, is.faultCode, is.faultAt, is.tries, is.nextAt); err != nil {
			return fmt.Errorf("keep way: %w", err)
		}
		s.DB.After(ctx, func() {
			if err := s.fresh(ctx); err != nil {
				s.Log.ErrorContext(ctx, "live codes in memory are behind", "error", err)
			}
		})
		switch {
		case is.fault != "" && is.fault != was.fault:
			return s.note(ctx, c.ID, "fault", map[string]any{"fault": is.fault, "code": is.faultCode})
		case is.fault == "" && was.fault != "":
			if err := s.note(ctx, c.ID, "mended", nil); err != nil {
				return err
			}
		}
		if is.fault == "" && is.sum != was.sum && c.State == Active {
			return s.note(ctx, c.ID, "way", map[string]any{"staff": is.users, "why": is.why, "skip": is.skip})
		}
		return nil
	})
}
