package rfm

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Share is some customers and what they came to. Money is in minor units where
// the model sums orders, else as the property says.
type Share struct {
	People int64   `json:"people"`
	Money  float64 `json:"money"`
}

// Cell is the customers with some scores.
type Cell struct {
	R int `json:"r"`
	F int `json:"f"`
	M int `json:"m"`
	Share
}

// GroupShare is one of the nine groups.
type GroupShare struct {
	ID    string `json:"id" enum:"best,loyal,at_risk,promising,attention,fading,newcomer,casual,asleep"`
	Label string `json:"label"`
	Note  string `json:"note" doc:"Who they are and what to do, in a sentence"`
	Tier  string `json:"tier" enum:"high,potential,ordinary,silent"`
	Share
}

// TierShare is one of the four tiers.
type TierShare struct {
	ID    string `json:"id" enum:"high,potential,ordinary,silent"`
	Label string `json:"label"`
	Share
}

// View is a model with its scores.
type View struct {
	Model  Model        `json:"model"`
	At     time.Time    `json:"at" doc:"The midnight of which the scores are"`
	Minor  bool         `json:"minor" doc:"Money is in minor units of the model's currency"`
	Total  Share        `json:"total" doc:"All who bought in the period"`
	Others int64        `json:"others" doc:"People who did not, and have no scores"`
	Cuts   [3][]float64 `json:"cuts" doc:"Points between the scores: days for R, purchases for F, money for M, ascending"`
	Cells  []Cell       `json:"cells" doc:"Those with somebody in"`
	Groups []GroupShare `json:"groups"`
	Tiers  []TierShare  `json:"tiers"`
}

// View gives a model's scores of those whom the caller sees.
func (s *Service) View(ctx context.Context, model string) (View, error) {
	m, err := s.Model(ctx, model)
	if err != nil {
		return View{}, err
	}
	r, err := s.scores(ctx, m, s.today(ctx))
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r)
}

// Preview gives what a model would say, and keeps nothing.
func (s *Service) Preview(ctx context.Context, m Model) (View, error) {
	if err := m.check(); err != nil {
		return View{}, err
	}
	r, err := s.workOut(ctx, m, s.today(ctx))
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r)
}

// seen is whom the caller sees; nil: everybody.
func (s *Service) seen(ctx context.Context) (*numset.Set, error) {
	if auth.ScopeOf(ctx).All {
		return nil, nil
	}
	return s.Contacts.Numbers(ctx, contact.Selection{})
}

func (s *Service) view(ctx context.Context, r *result) (View, error) {
	out := View{Model: r.model, At: r.at, Minor: r.model.minor(), Cells: []Cell{}}
	for i := range r.cuts {
		out.Cuts[i] = r.cuts[i][:]
	}
	seen, err := s.seen(ctx)
	if err != nil {
		return out, err
	}
	var cells [125]Share
	for i, n := range r.nums {
		if seen != nil && !seen.Has(int64(n)) {
			continue
		}
		c := &cells[r.cells[i]]
		c.People, c.Money = c.People+1, c.Money+r.sums[i]
	}
	groups, tiers := map[string]Share{}, map[string]Share{}
	for i, c := range cells {
		if c.People == 0 {
			continue
		}
		sc := scoresOf(uint8(i))
		out.Cells = append(out.Cells, Cell{sc.R, sc.F, sc.M, c})
		g := sc.Group()
		groups[g], tiers[TierOf(g)] = groups[g].and(c), tiers[TierOf(g)].and(c)
		out.Total = out.Total.and(c)
	}
	for _, g := range Groups() {
		out.Groups = append(out.Groups, GroupShare{g, httpx.Say(ctx, "rfm.group."+g, nil), httpx.Say(ctx, "rfm.note."+g, nil), TierOf(g), groups[g]})
	}
	for _, t := range Tiers() {
		out.Tiers = append(out.Tiers, TierShare{t, httpx.Say(ctx, "rfm.tier."+t, nil), tiers[t]})
	}
	people := seen
	if people == nil {
		if people, err = s.Contacts.Matching(ctx, nil, "", nil); err != nil {
			return out, err
		}
	}
	out.Others = max(0, people.Count()-out.Total.People)
	return out, nil
}

func (a Share) and(b Share) Share { return Share{a.People + b.People, a.Money + b.Money} }

// None stands in migrations for those who did not buy in the period.
const None = "none"

// Passage is how many went from one group to another.
type Passage struct {
	From  string `json:"from" doc:"Group, or none: did not buy in the period"`
	To    string `json:"to"`
	Count int64  `json:"count"`
	Value string `json:"value" doc:"Value of the field rfmMove that means these people"`
}

// Migration is who went where between two midnights.
type Migration struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Passages []Passage `json:"passages"`
}

// maxAgo is how long ago a migration may begin.
const maxAgo = 10 * 365

// Migration compares the groups at the beginnings of two days of the company.
func (s *Service) Migration(ctx context.Context, model, from, to string) (Migration, error) {
	out := Migration{Passages: []Passage{}}
	m, err := s.Model(ctx, model)
	if err != nil {
		return out, err
	}
	if out.From, out.To, err = s.dates(ctx, from, to); err != nil {
		return out, err
	}
	counts, err := s.passages(ctx, m, out.From, out.To, func(int64, string, string) bool { return true })
	if err != nil {
		return out, err
	}
	names := append(Groups(), None)
	for _, a := range names {
		for _, b := range names {
			if n := counts[[2]string{a, b}]; n > 0 {
				out.Passages = append(out.Passages, Passage{a, b, n, moveValue(out.From, out.To, a, b)})
			}
		}
	}
	return out, nil
}

func moveValue(from, to time.Time, a, b string) string {
	return from.Format(time.DateOnly) + ":" + to.Format(time.DateOnly) + ":" + a + ":" + b
}

func (s *Service) dates(ctx context.Context, from, to string) (a, b time.Time, err error) {
	today := s.today(ctx)
	read := func(text, path string, other time.Time) (time.Time, error) {
		if text == "" {
			return other, nil
		}
		t, err := time.ParseInLocation(time.DateOnly, text, today.Location())
		if err != nil || t.After(today) || t.Before(today.AddDate(0, 0, -maxAgo)) {
			return t, errInput.On(errs.At(path, "rfm.bad_date"))
		}
		return t, nil
	}
	if b, err = read(to, "to", today); err != nil {
		return a, b, err
	}
	if a, err = read(from, "from", b.AddDate(0, -1, 0)); err != nil {
		return a, b, err
	}
	if !a.Before(b) {
		return a, b, errInput.On(errs.At("from", "rule.wrong_order"))
	}
	return a, b, nil
}

// passages goes through all who bought in either period, in order of their
// numbers, and counts those whom the caller sees and take says yes to.
func (s *Service) passages(ctx context.Context, m Model, from, to time.Time, take func(num int64, a, b string) bool) (map[[2]string]int64, error) {
	was, err := s.scores(ctx, m, from)
	if err != nil {
		return nil, err
	}
	is, err := s.scores(ctx, m, to)
	if err != nil {
		return nil, err
	}
	seen, err := s.seen(ctx)
	if err != nil {
		return nil, err
	}
	out := map[[2]string]int64{}
	for i, k := 0, 0; i < len(was.nums) || k < len(is.nums); {
		a, b, num := None, None, uint32(0)
		switch {
		case k == len(is.nums) || i < len(was.nums) && was.nums[i] < is.nums[k]:
			num, a = was.nums[i], scoresOf(was.cells[i]).Group()
			i++
		case i == len(was.nums) || is.nums[k] < was.nums[i]:
			num, b = is.nums[k], scoresOf(is.cells[k]).Group()
			k++
		default:
			num, a, b = is.nums[k], scoresOf(was.cells[i]).Group(), scoresOf(is.cells[k]).Group()
			i, k = i+1, k+1
		}
		if (seen == nil || seen.Has(int64(num))) && take(int64(num), a, b) {
			out[[2]string{a, b}]++
		}
	}
	return out, nil
}
