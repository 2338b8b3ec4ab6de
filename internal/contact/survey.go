package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// jobSurvey looks at everybody's attributes: how many have which, and what has
// arrived that nobody defined.
const jobSurvey = "attribute.survey"

// Bounds of a survey: what is beyond is counted by no key of its own.
const (
	surveyKeys   = 1000
	surveyValues = 200 // looked at to guess a type
	surveyShown  = 5
)

// Survey starts a look at everybody's attributes; one that is going on is given back.
func (s *Service) Survey(ctx context.Context) (jobs.Job, error) {
	if s.Jobs == nil {
		return jobs.Job{}, errs.New(errs.Unavailable, "attribute.no_jobs")
	}
	j, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobSurvey, Title: "attributes", Unit: "contacts", Link: "/attributes", Key: jobSurvey})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("start survey: %w", err)
	}
	return j, nil
}

// surveyed is what a survey finds of one key.
type surveyed struct {
	people, unfit int64
	values        []json.RawMessage
}

func (s *Service) runSurvey(ctx context.Context, run jobs.Run) error {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return err
	}
	most, err := s.maxNum(ctx)
	if err != nil {
		return err
	}
	found := map[string]*surveyed{}
	own := builtIns()
	var people int64
	for after := int64(0); after < most; after += rewriteWindow {
		rows, err := s.DB.Query(ctx, "select attributes, kinds, name, gender, birthday, city, avatar from contacts where num > $1 and num <= $2 and shown = 1", after, after+rewriteWindow)
		encoded, err := db.Collect(rows, err, func(r *sql.Rows) (t string, err error) {
			var kinds int64
			rec := &record{}
			err = r.Scan(&t, &kinds, &rec.name, &rec.gender, &rec.birthday, &rec.city, &rec.avatar)
			surveyBuiltIns(own, found, rec, uint64(kinds))
			return t, err
		})
		if err != nil {
			return fmt.Errorf("survey attributes: %w", err)
		}
		for _, t := range encoded {
			people++
			m, err := decodeMap[json.RawMessage](t)
			if err != nil {
				return err
			}
			for key, v := range m {
				if err := s.engine.survey(defs, found, key, v); err != nil {
					return err
				}
			}
		}
		run.Progress(min(after+rewriteWindow, most), most)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error { return s.writeSurvey(ctx, defs, found, people) })
}

func (e *engine) survey(defs *definitions, found map[string]*surveyed, key string, kept json.RawMessage) error {
	f := found[key]
	if f == nil {
		if len(found) >= surveyKeys {
			return nil
		}
		f = &surveyed{}
		found[key] = f
	}
	f.people++
	def := defs.get(key)
	if def != nil {
		plain, err := e.openAttribute(key, kept)
		if err != nil {
			return fmt.Errorf("open attribute %s: %w", key, err)
		}
		if _, fault := def.read(plain); fault != nil {
			f.unfit++
		}
		return nil
	}
	if len(f.values) < surveyValues && !isSealed(kept) {
		f.values = append(f.values, kept)
	}
	return nil
}

func (s *Service) writeSurvey(ctx context.Context, defs *definitions, found map[string]*surveyed, people int64) error {
	if _, err := s.DB.Exec(ctx, "delete from contact_attribute_survey"); err != nil {
		return fmt.Errorf("clear survey: %w", err)
	}
	found[""] = &surveyed{people: people}
	keys := sortedKeys(found)
	now := s.Clock.Now().UnixMilli()
	return insertMany(ctx, s.DB, "contact_attribute_survey", columns("key people:n unfit:n guess samples at:n"), len(keys), func(i int) []any {
		f := found[keys[i]]
		guess, samples := "", []string{}
		if keys[i] != "" && defs.get(keys[i]) == nil {
			guess = string(attribute.Guess(f.values, s.engine.readers()))
			for _, v := range f.values {
				if len(samples) < surveyShown {
					samples = addSample(samples, keys[i], v)
				}
			}
		}
		raw, _ := json.Marshal(samples) // strings always encode
		return []any{keys[i], f.people, f.unfit, guess, string(raw), now}
	}, "")
}

func addSample(samples []string, key string, v json.RawMessage) []string {
	word := text(v)
	if word == "" {
		word = string(v)
	}
	word = clip(veil.Value(key, word), 60)
	for _, s := range samples {
		if s == word {
			return samples
		}
	}
	return append(samples, word)
}
