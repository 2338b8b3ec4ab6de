package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/contact/care"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/vault"
)

// sealedSources are all places where sealed values lie. A package that seals
// something is named here: TestRotation plants through every door and searches
// for what was left under the old key.
func (a *App) sealedSources() []vault.Source {
	var out []vault.Source
	answers := []vault.Column{{Table: httpx.SealedTable, Key: httpx.SealedKey, Column: httpx.SealedColumn, Field: httpx.SealedField}}
	for _, columns := range [][]vault.Column{a.contacts.Sealed(), pipeline.Sealed(), intake.Sealed(), importer.Sealed(), consent.Sealed(), care.Sealed(), a.segments.Sealed(), a.webhooks.Sealed(), a.autotags.Sealed(), a.livecodes.Sealed(), a.replies.Sealed(), a.menus.Sealed(), a.scenes.Sealed(), connector.Sealed(), a.staff.Sealed(), a.groups.Sealed(), answers} {
		for _, c := range columns {
			out = append(out, c.Source(a.DB, a.ring))
		}
	}
	params := vault.Column{Table: jobs.SealedTable, Key: jobs.SealedKey, Column: jobs.SealedColumn, Inside: a.jobParams().Anew}
	out = append(out, params.Source(a.DB, a.ring))
	return append(out, sealedFiles{a}, sealedFacts{a}, sealedStream{a})
}

// jobParams seals what is personal in the input of jobs, such as a filter by phone.
func (a *App) jobParams() veil.Inside { return veil.Inside{Keys: a.ring, Field: "jobs.params"} }

// sealedFiles are the files of the blob store.
type sealedFiles struct{ a *App }

// Name implements vault.Source.
func (s sealedFiles) Name() string { return "files" }

// Reseal implements vault.Source. A file can be large, so each is a step.
func (s sealedFiles) Reseal(ctx context.Context, after string, _ int) (next string, seen, changed int, err error) {
	for info, err := range s.a.files.List(ctx, "") {
		if err != nil {
			return "", seen, changed, err
		}
		if info.Key <= after {
			continue
		}
		seen++
		did, err := s.a.files.Reseal(ctx, info.Key)
		if err != nil {
			return "", seen, changed, fmt.Errorf("file %s: %w", info.Key, err)
		}
		if did {
			return info.Key, seen, changed + 1, nil
		}
	}
	return "", seen, changed, nil
}

// Under implements vault.Source.
func (s sealedFiles) Under(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for info, err := range s.a.files.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		key, err := s.a.files.KeyOf(ctx, info.Key)
		if errors.Is(err, blob.ErrNotFound) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		out[key]++
	}
	return out, nil
}

// sealedFacts are the facts of the analytics store.
type sealedFacts struct{ a *App }

// Name implements vault.Source.
func (s sealedFacts) Name() string { return "facts" }

// factsPause follows each step, so that appends and questions go first.
const factsPause = 20 * time.Millisecond

// Reseal implements vault.Source.
func (s sealedFacts) Reseal(ctx context.Context, after string, limit int) (next string, seen, changed int, err error) {
	var at event.Position
	if after != "" {
		if err := json.Unmarshal([]byte(after), &at); err != nil {
			return "", 0, 0, err
		}
	}
	limit *= 10 // facts are changed many at a time in one statement
	to, seen, changed, err := s.a.store.Reseal(ctx, at, limit)
	if err != nil || seen < limit {
		return "", seen, changed, err
	}
	select {
	case <-time.After(factsPause):
	case <-ctx.Done():
		return "", seen, changed, ctx.Err()
	}
	raw, err := json.Marshal(to)
	return string(raw), seen, changed, err
}

// Under implements vault.Source. Facts in clear cannot be told from those that
// have nothing personal in them: see Unsure.
func (s sealedFacts) Under(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for _, id := range s.a.ring.KeyIDs() {
		n, err := s.a.store.Under(ctx, id)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out[id] = n
		}
	}
	return out, nil
}

// Unsure implements vault.Unsure.
func (s sealedFacts) Unsure(ctx context.Context) (int64, error) {
	st, err := s.a.store.Stats(ctx)
	return st.Facts, err
}

// sealedStream are the messages that wait to be worked on. They are not sealed
// anew: they leave by themselves.
type sealedStream struct{ a *App }

// Name implements vault.Source.
func (s sealedStream) Name() string { return "stream" }

// Reseal implements vault.Source.
func (s sealedStream) Reseal(context.Context, string, int) (string, int, int, error) {
	return "", 0, 0, nil
}

// Under implements vault.Source. The first message has the oldest key; those
// behind it are counted with it.
func (s sealedStream) Under(ctx context.Context) (map[string]int64, error) {
	st, err := s.a.stream.State(ctx)
	if err != nil || st.Messages == 0 {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r := s.a.stream.Reader(st.First)
	defer r.Close()
	m, err := r.Next(short)
	if err != nil {
		if short.Err() != nil && ctx.Err() == nil { // it was trimmed meanwhile, and none came after it
			return nil, nil
		}
		return nil, err
	}
	return map[string]int64{wire.KeyOf(m.Data): int64(st.Messages)}, nil
}

var errKeysElsewhere = errs.New(errs.Conflict, "keys.not_in_file")

// RotateKeys adds a key to the key file: see vault.Keeper.Rotate.
func (r *Records) RotateKeys(ctx context.Context) (id string, active bool, err error) {
	if r.KeyFile() == "" {
		return "", false, errKeysElsewhere
	}
	return r.Vault().Rotate(ctx, r.KeyFile())
}

// RetireKey takes a key out of the key file: see vault.Keeper.Retire.
func (r *Records) RetireKey(ctx context.Context, id string) error {
	if r.KeyFile() == "" {
		return errKeysElsewhere
	}
	return r.Vault().Retire(ctx, r.KeyFile(), id)
}
