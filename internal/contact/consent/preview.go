package consent

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// Draft is a purpose as its editor has it, not yet saved.
type Draft struct {
	ID string `json:"id,omitempty" maxLength:"40" doc:"A purpose that exists, or the id of a new one"`
	PurposeChange
	Wording *Text `json:"wording,omitempty" doc:"The next version of the wording"`
}

// PagePreview is the preference page as it would be.
type PagePreview struct {
	HTML string `json:"html" doc:"The whole page; it has no script, and nothing in it can be sent"`
}

// Preview renders the preference page of somebody who said nothing yet, with a
// draft in the place of what is saved. Names may still be missing: it is shown
// while they are typed.
func (s *Service) Preview(ctx context.Context, lang i18n.Lang, draft *Draft) (PagePreview, error) {
	saved, err := s.Purposes(ctx)
	if err != nil {
		return PagePreview{}, err
	}
	list := slices.Clone(saved)
	if draft != nil {
		if list, err = s.drafted(list, draft); err != nil {
			return PagePreview{}, err
		}
	}
	v, _ := s.newView(ctx, lang)
	v.Heading, v.Action, v.Preview = v.W.Title, "#", true
	v.Who, v.Addresses = v.W.Sample, []string{"138****1234"}
	v.addPurposes(list, 0, nil)
	var b strings.Builder
	if err := page.Execute(&b, v); err != nil {
		return PagePreview{}, fmt.Errorf("render the preview: %w", err)
	}
	return PagePreview{b.String()}, nil
}

// drafted puts a draft into the list.
func (s *Service) drafted(list purposes, d *Draft) (purposes, error) {
	p := &Purpose{ID: d.ID, Basis: Consent, SelfGrant: true, Channels: []Channel{}}
	if i := slices.IndexFunc(list, func(have *Purpose) bool { return have.ID == d.ID }); i >= 0 {
		copied := *list[i]
		p, list[i] = &copied, &copied
	} else {
		for _, have := range list {
			p.Order = max(p.Order, have.Order+10)
		}
		list = append(list, p)
	}
	if err := s.change(p, d.PurposeChange); err != nil {
		for _, f := range errs.As(err).Fields {
			if !strings.HasPrefix(f.Path, "name.") {
				return nil, err
			}
		}
	}
	if d.Wording != nil && *d.Wording != (Text{}) {
		next := Wording{Version: 1, Text: *d.Wording, EffectiveAt: s.Clock.Now()}
		if len(p.Wordings) > 0 {
			next.Version = p.Wordings[0].Version + 1
		}
		p.Wordings = append([]Wording{next}, p.Wordings...)
		p.Current = next.Version
	}
	slices.SortStableFunc(list, func(a, b *Purpose) int { return int(a.Order - b.Order) })
	return list, nil
}

// newView begins a page in a language.
func (s *Service) newView(ctx context.Context, lang i18n.Lang) (view, Brand) {
	brand, err := s.Brand(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "the brand of the preference page is not known", "error", err)
	}
	return view{Lang: lang, W: words[lang], Style: template.CSS(pageCSS), Company: brand.Company}, brand //nolint:gosec // our own file
}

// addPurposes puts the purposes that have a switch on the page.
func (v *view) addPurposes(list purposes, contact int64, have map[stateKey]stand) {
	for _, p := range list {
		chs, on := switchesOf(p, have[stateKey{contact, p.ID}])
		if len(chs) == 0 {
			continue
		}
		text, _ := p.wording(0)
		vp := viewPurpose{ID: p.ID, Name: p.Name.in(v.Lang), Description: p.Description.in(v.Lang), Text: text.Text.in(v.Lang), Version: text.Version, Contract: p.Basis == Contract}
		for i, c := range chs {
			label := v.W.Channel[c]
			if c == All {
				label = v.W.Use
			}
			vp.Switches = append(vp.Switches, viewSwitch{label, p.ID + "/" + string(c), on[i]})
		}
		v.Purposes = append(v.Purposes, vp)
	}
}

type previewInput struct {
	Body struct {
		Lang  i18n.Lang `json:"lang,omitempty" enum:"zh-CN,en" doc:"Language of the page; default that of the request"`
		Draft *Draft    `json:"draft,omitempty" doc:"A purpose that is not saved yet"`
	}
}

func (s *Service) httpPreview(ctx context.Context, in *previewInput) (*output[PagePreview], error) {
	lang := in.Body.Lang
	if !lang.Valid() {
		lang = httpx.Lang(ctx)
	}
	return give(s.Preview(ctx, lang, in.Body.Draft))
}
