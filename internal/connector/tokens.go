package connector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

const (
	// renewBefore is how long before its end a token is fetched anew; one that lives
	// shorter than forty minutes, in the last eighth of its life.
	renewBefore = 5 * time.Minute
	// fetchLease is how long one node may fetch before another thinks it is gone.
	fetchLease = 20 * time.Second
	// fetchPoll is how often a node looks whether another one has fetched.
	fetchPoll = 50 * time.Millisecond
	// refusedFor is how long nobody asks again after the platform refused the
	// credentials: asking does not make them right, and platforms bar who does.
	refusedFor = 10 * time.Minute
)

// tokens are those that this node knows.
type tokens struct {
	mu    sync.Mutex
	slots map[tokenKey]*slot
}

type tokenKey struct {
	account    string
	generation int64
	name       string
}

// slot is one token. What it holds may be older than what another node fetched:
// who is told so by the platform asks for another one (Env.Refresh).
type slot struct {
	mu      sync.Mutex
	has     token
	refused error
	until   time.Time // of refused
	trying  *attempt
}

type token struct {
	text    string
	version int64
	ends    time.Time
	renew   time.Time
}

// attempt is one fetch for all who wait for it.
type attempt struct {
	done chan struct{}
	got  token
	err  error
}

func (t *tokens) slot(k tokenKey) *slot {
	t.mu.Lock()
	defer t.mu.Unlock()
	sl, ok := t.slots[k]
	if !ok {
		for old := range t.slots { // of the account as it was before a change
			if old.account == k.account && old.generation < k.generation {
				delete(t.slots, old)
			}
		}
		sl = &slot{}
		t.slots[k] = sl
	}
	return sl
}

func (t *tokens) forget(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := range t.slots {
		if k.account == account {
			delete(t.slots, k)
		}
	}
}

// token gives a token that is not the stale one.
func (s *Service) token(ctx context.Context, a Account, name, stale string, fetch Fetch) (string, error) {
	sl := s.tokens.slot(tokenKey{a.ID, a.generation, name})
	for {
		now := s.Clock.Now()
		sl.mu.Lock()
		has := sl.has
		good := has.text != "" && has.text != stale && now.Before(has.ends)
		if good && now.Before(has.renew) {
			sl.mu.Unlock()
			return has.text, nil
		}
		if sl.refused != nil && now.Before(sl.until) {
			sl.mu.Unlock()
			return "", sl.refused
		}
		try, mine := sl.trying, false
		if try == nil {
			try, mine = &attempt{done: make(chan struct{})}, true
			sl.trying = try
		}
		sl.mu.Unlock()
		switch {
		case mine:
			try.got, try.err = s.obtain(ctx, a, name, stale, fetch)
			s.settleToken(ctx, a, sl, try)
		case good: // it is being renewed, and lives as long as that takes
			return has.text, nil
		default:
			select {
			case <-try.done:
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		switch err := try.err; {
		case err == nil && (mine || try.got.text != stale):
			return try.got.text, nil
		case err == nil: // it was fetched before ours went stale
		case good && !GivenUp(err):
			return has.text, nil // the next one tries again
		case !mine && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) && ctx.Err() == nil:
			// whoever fetched went away: that says nothing of the platform
		default:
			return "", err
		}
	}
}

// settleToken keeps what an attempt brought and lets those go on who wait for it.
func (s *Service) settleToken(ctx context.Context, a Account, sl *slot, try *attempt) {
	sl.mu.Lock()
	sl.trying = nil
	if try.err == nil {
		sl.has, sl.refused = try.got, nil
	} else if GivenUp(try.err) {
		sl.has, sl.refused, sl.until = token{}, try.err, s.Clock.Now().Add(refusedFor)
	}
	sl.mu.Unlock()
	close(try.done)
	if GivenUp(try.err) {
		s.refused(ctx, a, try.err)
	}
}

// obtain brings a token that is not the stale one: what another node has fetched
// meanwhile, or a new one. One node at a time fetches.
func (s *Service) obtain(ctx context.Context, a Account, name, stale string, fetch Fetch) (token, error) {
	for {
		got, lease, err := s.readToken(ctx, a, name)
		if err != nil {
			return token{}, err
		}
		now := s.Clock.Now()
		if got.text != "" && got.text != stale && now.Before(got.renew) {
			return got, nil
		}
		if lease <= clock.Ms(now) {
			mine, err := s.claimToken(ctx, a, name, got.version, now)
			if err != nil {
				return token{}, err
			}
			if mine {
				return s.fetchToken(ctx, a, name, got.version, fetch)
			}
		}
		select {
		case <-time.After(fetchPoll):
		case <-ctx.Done():
			return token{}, ctx.Err()
		}
	}
}

// readToken reads what the nodes share; the zero token when there is none yet.
func (s *Service) readToken(ctx context.Context, a Account, name string) (t token, lease int64, err error) {
	var sealed string
	var ends, renew, generation int64
	err = s.DB.QueryRow(ctx, "select generation, version, token_enc, expires_at, renew_at, lease from connector_tokens where account = $1 and name = $2", a.ID, name).
		Scan(&generation, &t.version, &sealed, &ends, &renew, &lease)
	if db.NoRows(err) {
		return token{}, 0, nil
	}
	if err != nil {
		return token{}, 0, fmt.Errorf("read token: %w", err)
	}
	if generation < a.generation { // of the credentials before
		return token{version: t.version}, 0, nil
	}
	if sealed == "" {
		return t, lease, nil
	}
	if t.text, err = s.Keys.Open(tokenField, sealed); err != nil {
		return token{}, 0, fmt.Errorf("open token: %w", err)
	}
	t.ends, t.renew = clock.FromMs(ends), clock.FromMs(renew)
	return t, lease, nil
}

// claimToken makes this node the one that fetches the version after. The row says
// whether another one was quicker. An account that changed or is gone gets none.
func (s *Service) claimToken(ctx context.Context, a Account, name string, version int64, now time.Time) (mine bool, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var generation int64
		err := s.DB.QueryRow(ctx, "select generation from connector_accounts where id = $1", a.ID).Scan(&generation)
		if errors.Is(err, sql.ErrNoRows) || err == nil && generation != a.generation {
			return errNone
		}
		if err != nil {
			return fmt.Errorf("look after the account: %w", err)
		}
		n, err := s.DB.ExecN(ctx, `insert into connector_tokens (account, name, generation, version, token_enc, expires_at, renew_at, lease) values ($1, $2, $3, $4, '', 0, 0, $5)
			on conflict (account, name) do update set lease = excluded.lease
			where connector_tokens.version = $4 and (connector_tokens.lease <= $6 or connector_tokens.generation < $3)`,
			a.ID, name, a.generation, version, clock.Ms(now.Add(fetchLease)), clock.Ms(now))
		mine = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("claim token: %w", err)
	}
	return mine, nil
}

// fetchToken fetches, with the claim, and tells all nodes.
func (s *Service) fetchToken(ctx context.Context, a Account, name string, version int64, fetch Fetch) (token, error) {
	short, cancel := context.WithTimeout(ctx, fetchLease-5*time.Second)
	defer cancel()
	text, life, err := fetch(short)
	if err == nil && text == "" {
		err = errors.New("the platform gave an empty token")
	}
	keep := context.WithoutCancel(ctx)
	if err != nil {
		if _, free := s.DB.Exec(keep, "update connector_tokens set lease = 0 where account = $1 and name = $2 and version = $3", a.ID, name, version); free != nil {
			s.Log.ErrorContext(ctx, "the claim on a token stays for a moment", "account", a.ID, "error", free)
		}
		return token{}, err
	}
	ends := s.Clock.Now().Add(life)
	sealed, err := s.Keys.Seal(tokenField, text)
	if err != nil {
		return token{}, fmt.Errorf("seal token: %w", err)
	}
	t := token{text: text, version: version + 1, ends: ends, renew: ends.Add(-min(renewBefore, life/8))}
	if _, err := s.DB.Exec(keep, `update connector_tokens set generation = $4, version = version + 1, token_enc = $5, expires_at = $6, renew_at = $7, lease = 0
		where account = $1 and name = $2 and version = $3`, a.ID, name, version, a.generation, sealed, clock.Ms(t.ends), clock.Ms(t.renew)); err != nil {
		return token{}, fmt.Errorf("keep token: %w", err)
	}
	return t, nil
}
