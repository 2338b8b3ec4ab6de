package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Retype asks for another type, with what the new type needs. Values that do not
// fit are dealt with as Failing says.
type Retype struct {
	Type     attribute.Type     `json:"type" enum:"text,number,money,date,flag,enum,multi,phone,email,region"`
	Options  []attribute.Option `json:"options,omitempty" maxItems:"200"`
	Unit     string             `json:"unit,omitempty" maxLength:"20"`
	Decimals int                `json:"decimals,omitempty" minimum:"0" maximum:"4"`
	Currency string             `json:"currency,omitempty" maxLength:"3"`
	Failing  Failing            `json:"failing,omitempty" enum:"keep,move,drop" default:"keep"`
	Fallback string             `json:"fallback,omitempty" maxLength:"64" doc:"With move: key of the text attribute that takes what does not fit"`
	DryRun   bool               `json:"dryRun,omitempty" doc:"Only count, over everybody"`
}

// RetypeExample is one value and what becomes of it.
type RetypeExample struct {
	From   string `json:"from"`
	To     string `json:"to,omitempty"`
	Reason string `json:"reason,omitempty" doc:"Message code, when it does not fit"`
	Detail string `json:"detail,omitempty" doc:"The reason in the language of the request"`
}

// RetypePreview says what a change of type would do, by a sample.
type RetypePreview struct {
	Sampled  int64              `json:"sampled"`
	Fits     int64              `json:"fits"`
	Fails    int64              `json:"fails"`
	Examples []RetypeExample    `json:"examples" doc:"Those that do not fit come first"`
	Options  []attribute.Option `json:"options,omitempty" doc:"Proposed from the values, when an enum or multi is asked for without any"`
	Uses     []Use              `json:"uses" doc:"Where the attribute is used"`
}

// Bounds of a preview: enough to see by, soon enough to wait for.
const (
	previewValues   = 1000
	previewWindows  = 60
	previewExamples = 20
)

func (s *Service) retyped(ctx context.Context, key string, r Retype) (from *definition, to attribute.Definition, err error) {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, to, err
	}
	if from = defs.get(key); from == nil {
		return nil, to, noAttribute(key)
	}
	to = from.Definition
	to.Type, to.Options, to.Unit, to.Decimals, to.Currency = r.Type, s.optionIDs(r.Options), r.Unit, r.Decimals, r.Currency
	to.Min, to.Max, to.MinLength, to.MaxLength, to.Pattern, to.Default = nil, nil, 0, 0, "", nil
	switch r.Type {
	case attribute.Flag, attribute.Enum, attribute.Multi, attribute.Region:
		to.Unique = false
	}
	return from, to, nil
}

// PreviewRetype reads a sample of the values as the new type.
func (s *Service) PreviewRetype(ctx context.Context, key string, r Retype) (RetypePreview, error) {
	out := RetypePreview{Examples: []RetypeExample{}}
	from, d, err := s.retyped(ctx, key, r)
	if err != nil {
		return out, err
	}
	if out.Uses, err = s.Uses(ctx, Term{Attribute: key}); err != nil {
		return out, err
	}
	values, err := s.sample(ctx, key)
	if err != nil {
		return out, err
	}
	if (d.Type == attribute.Enum || d.Type == attribute.Multi) && len(d.Options) == 0 {
		if from.Personal.Sealed() {
			return out, errs.New(errs.Invalid, "request.invalid").On(errs.At("options", "attribute.no_options"))
		}
		out.Options = s.propose(from.Attribute, d.Type, values)
		d.Options = out.Options
	}
	to, f := attribute.Compile(d, s.engine.readers())
	if f != nil {
		return out, invalid(f)
	}
	var good, bad []RetypeExample
	for _, v := range values {
		out.Sampled++
		e := RetypeExample{From: clip(from.Show(v), 80)}
		got, f := attribute.Convert(from.Attribute, to, v)
		if f != nil {
			out.Fails++
			e.Reason, e.Detail = f.Code, httpx.Say(ctx, f.Code, paramsOf(f))
		} else {
			out.Fits++
			e.To = clip(to.Show(got), 80)
		}
		if from.Personal.Sealed() {
			e.From, e.To = "****", strings.Repeat("*", min(len(e.To), 4))
		}
		list := &good
		if f != nil {
			list = &bad
		}
		if len(*list) < previewExamples && !slices.Contains(*list, e) {
			*list = append(*list, e)
		}
	}
	out.Examples = append(bad, good[:min(len(good), max(5, previewExamples-len(bad)))]...)
	if out.Examples == nil {
		out.Examples = []RetypeExample{}
	}
	return out, nil
}

// sample reads the first values there are, opened.
func (s *Service) sample(ctx context.Context, key string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	windows := 0
	err := s.eachValue(ctx, key, 0, func(_ context.Context, batch []valueOf) error {
		for _, v := range batch {
			plain, err := s.engine.openAttribute(key, v.kept)
			if err != nil {
				return fmt.Errorf("open attribute %s: %w", key, err)
			}
			if plain != nil {
				out = append(out, plain)
			}
		}
		if windows++; len(out) >= previewValues || windows >= previewWindows {
			return errEnough
		}
		return nil
	})
	return out[:min(len(out), previewValues)], err
}

// propose makes options of the words that values hold, the most frequent first.
func (s *Service) propose(from *attribute.Attribute, to attribute.Type, values []json.RawMessage) []attribute.Option {
	counts := map[string]int{}
	for _, v := range values {
		words := []string{from.Show(v)}
		if to == attribute.Multi {
			words = attribute.Words(from.Show(v))
		}
		for _, w := range words {
			if w = strings.TrimSpace(w); w != "" && len([]rune(w)) <= 30 {
				counts[w]++
			}
		}
	}
	words := sortedKeys(counts)
	slices.SortStableFunc(words, func(a, b string) int { return counts[b] - counts[a] })
	var out []attribute.Option
	seen := map[string]bool{}
	for _, w := range words {
		if f := attribute.Fold(w); !seen[f] && len(out) < 50 {
			seen[f] = true
			out = append(out, attribute.Option{ID: s.IDs.New("op"), Label: w})
		}
	}
	return out
}

// StartRetype starts the job that changes the type, or counts what would fail.
// Until the whole of the values is checked, the old type stands.
func (s *Service) StartRetype(ctx context.Context, key string, r Retype) (jobs.Job, error) {
	from, d, err := s.retyped(ctx, key, r)
	if err != nil {
		return jobs.Job{}, err
	}
	if from.settling {
		return jobs.Job{}, errs.New(errs.Conflict, "attribute.settling")
	}
	to, f := attribute.Compile(d, s.engine.readers())
	if f != nil {
		return jobs.Job{}, invalid(f)
	}
	if r.Failing == "" {
		r.Failing = FailKeep
	}
	if r.Failing == FailMove {
		if err := s.checkFallback(ctx, from, r.Fallback); err != nil {
			return jobs.Job{}, err
		}
	}
	return s.enqueueRewrite(ctx, to, rewriteParams{Key: key, Op: opRetype, Definition: &to.Definition, Failing: r.Failing, Fallback: r.Fallback, DryRun: r.DryRun})
}

func (s *Service) checkFallback(ctx context.Context, from *definition, key string) error {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return err
	}
	fb := defs.get(key)
	switch {
	case fb == nil || fb.archived || fb.Type != attribute.Text || key == from.Key:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("fallback", "attribute.bad_fallback"))
	case from.Personal.Sealed() && !fb.Personal.Sealed():
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("fallback", "attribute.fallback_open"))
	}
	return nil
}
