package autotag

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Give gives a contact a tag that another part of the program found, with what it
// weighs (how sure it is, say). Weights of models do not fade: a model says anew
// what it thinks. A contact who has the tag keeps it as it was given, and only the
// weight is another; an exception, or another tag of an exclusive group, stands
// above a model. It tells whether the contact has the tag afterwards.
func (s *Service) Give(ctx context.Context, model, tag string, num int64, weight float64) (bool, error) {
	if model == "" || math.IsNaN(weight) || math.IsInf(weight, 0) {
		return false, errs.New(errs.Invalid, "request.invalid").On(errs.At("weight", "autotag.number_between", "least", -maxThreshold, "limit", maxThreshold))
	}
	given := false
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		moved, err := s.Contacts.Survivors(ctx, []int64{num})
		if err != nil {
			return err
		}
		if into, ok := moved[num]; ok {
			num = into
		}
		give, err := s.unless(ctx, tag, []int64{num})
		if err != nil || len(give) == 0 {
			return err
		}
		out, err := s.Contacts.AutoTag(ctx, tag, give, nil, contact.AutoGiving{Source: contact.SourceModel, By: model, Reason: reasonModel, Live: true})
		if err != nil {
			return err
		}
		if given = len(out.Lost) == 0; !given {
			return s.noteLosses(ctx, tag, contact.SourceModel, out.Lost)
		}
		_, err = s.DB.Exec(ctx, `insert into tag_model_weights (tag, contact, model, weight, at) values ($1, $2, $3, $4, $5)
			on conflict (tag, contact) do update set model = excluded.model, weight = excluded.weight, at = excluded.at`, tag, num, model, weight, s.Clock.Now().UnixMilli())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("give tag of model %s: %w", model, err)
	}
	return given, nil
}

// Take takes a tag from a contact that a model gave, and forgets what it weighed.
func (s *Service) Take(ctx context.Context, model, tag string, num int64) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		moved, err := s.Contacts.Survivors(ctx, []int64{num})
		if err != nil {
			return err
		}
		if into, ok := moved[num]; ok {
			num = into
		}
		if _, err := s.DB.Exec(ctx, "delete from tag_model_weights where tag = $1 and contact = $2", tag, num); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "delete from tag_losses where tag = $1 and contact = $2 and source = $3", tag, num, contact.SourceModel); err != nil {
			return err
		}
		_, err = s.Contacts.AutoTag(ctx, tag, nil, []int64{num}, contact.AutoGiving{Source: contact.SourceModel, By: model, Reason: reasonModel, Live: true})
		return err
	})
	if err != nil {
		return fmt.Errorf("take tag of model %s: %w", model, err)
	}
	return nil
}

// Weights implements contact.AutoTagger.
func (s *Service) Weights(ctx context.Context, num int64) (map[string]contact.TagWeight, error) {
	out := map[string]contact.TagWeight{}
	groups, err := s.Contacts.Groups(ctx, []int64{num})
	if err != nil {
		return nil, err
	}
	members := slices.Clone(groups[num])
	err = s.eachIn(ctx, "read weights of models", "select tag, weight from tag_model_weights where contact in ({in}) order by at", nil, members, func(r *sql.Rows) error {
		var tag string
		var w contact.TagWeight
		err := r.Scan(&tag, &w.Weight)
		out[tag] = w // the newest of those who are one now
		return err
	})
	if err != nil {
		return nil, err
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now().UnixMilli()
	for _, a := range all {
		if !a.serves() {
			continue
		}
		var f fading
		var ends int64
		err := s.DB.QueryRow(ctx, "select value, at, ends_at from tag_scores where sums = $1 and contact = $2", a.sums, num).Scan(&f.value, &f.at, &ends)
		if db.NoRows(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read score: %w", err)
		}
		out[a.tag] = contact.TagWeight{Weight: a.active.Score.shown(f.then(now, a.active.Score.half())), Ends: ends}
	}
	return out, nil
}
