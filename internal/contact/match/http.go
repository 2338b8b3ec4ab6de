package match

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// PairView is a pair as the API shows it.
type PairView struct {
	ID        string       `json:"id"`
	Score     int          `json:"score" doc:"Chance in percent that the two are one person, by what is known of them"`
	State     State        `json:"state" enum:"open,postponed,merged,rejected"`
	A         contact.Face `json:"a" doc:"The older one; after a merge both are the one that stayed"`
	B         contact.Face `json:"b"`
	Evidence  []Evidence   `json:"evidence"`
	FoundAt   time.Time    `json:"foundAt"`
	Until     *time.Time   `json:"until,omitempty" doc:"When a postponed pair comes back"`
	DecidedAt *time.Time   `json:"decidedAt,omitempty"`
	DecidedBy *contact.Ref `json:"decidedBy,omitempty"`
}

func toAPIPair(p Pair) PairView {
	v := PairView{ID: p.ID, Score: p.Score, State: p.State, A: p.A, B: p.B, Evidence: p.Evidence, FoundAt: p.FoundAt}
	if !p.Until.IsZero() {
		v.Until = &p.Until
	}
	if !p.DecidedAt.IsZero() {
		v.DecidedAt = &p.DecidedAt
	}
	if p.DecidedBy.ID != "" {
		v.DecidedBy = &p.DecidedBy
	}
	return v
}

type listInput struct {
	State    State  `query:"state" enum:"open,postponed,merged,rejected" default:"open"`
	MinScore int    `query:"minScore" minimum:"0" maximum:"100" doc:"Open and postponed pairs begin at the score in the settings"`
	MaxScore int    `query:"maxScore" minimum:"0" maximum:"100" doc:"Exclusive; 0: no end"`
	Contact  string `query:"contact" doc:"Contact id: the pairs of this person"`
	Cursor   string `query:"cursor"`
	Limit    int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type listOutput struct {
	Body struct {
		Items []PairView `json:"items"`
		Next  string     `json:"next,omitempty" doc:"Cursor of the next page"`
		Total int64      `json:"total" doc:"All that match"`
	}
}

type pairInput struct {
	ID string `path:"id" doc:"Pair id"`
}

type postponeInput struct {
	ID   string `path:"id" doc:"Pair id"`
	Body struct {
		Until time.Time `json:"until" doc:"At most a year ahead"`
	}
}

type mergeAllInput struct {
	Body struct {
		MinScore int   `json:"minScore" minimum:"50" maximum:"99" doc:"All open pairs with this score or more"`
		Expected int64 `json:"expected" minimum:"0" doc:"The total that the list gave for this score; refused when it is another by now"`
	}
}

type runInput struct {
	Body struct {
		Full bool `json:"full,omitempty" doc:"Read everybody, not only those who changed since the last run"`
	}
}

type countOutput struct {
	Body struct {
		Open int64 `json:"open" doc:"Pairs that wait for a decision"`
	}
}

type summaryOutput struct {
	Body struct {
		Open      int64       `json:"open"`
		Postponed int64       `json:"postponed"`
		Merged    int64       `json:"merged"`
		Rejected  int64       `json:"rejected"`
		Bands     []Band      `json:"bands" doc:"What reviews said, by score"`
		Last      *Report     `json:"last,omitempty" doc:"The last run"`
		Learned   LearnedView `json:"learned"`
	}
}

// LearnedView tells what the weights rest on.
type LearnedView struct {
	Learned bool `json:"learned" doc:"false: the pond is too small to learn from, general figures are used"`
	Pairs   int  `json:"pairs" doc:"Candidate pairs it was learnt from"`
	Twins   int  `json:"twins" doc:"How many of them are one person, expected"`
}

type settingsInput struct{ Body Settings }

type settingsOutput struct{ Body Settings }

type pairOutput struct{ Body PairView }

type jobOutput struct{ Body jobs.JobView }

// Routes declares the API of possible duplicates.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api/matches" + path, Tag: "matches", Summary: summary, Permission: may}
	}
	httpx.Register(api, op("list-matches", http.MethodGet, "", auth.ContactRead, "List pairs that may be one person, the likeliest first"), s.listPairs)
	httpx.Register(api, op("count-matches", http.MethodGet, "/count", auth.ContactRead, "How many pairs wait for a decision"), s.countPairs)
	httpx.Register(api, op("summarise-matches", http.MethodGet, "/summary", auth.ContactRead, "Counts, the last run, and what reviews say of the scores"), s.getSummary)
	httpx.Register(api, op("get-match-settings", http.MethodGet, "/settings", auth.ContactRead, "Get the settings of possible duplicates"), s.getSettings)
	httpx.Register(api, op("set-match-settings", http.MethodPut, "/settings", auth.SettingsWrite, "Change the settings of possible duplicates"), s.putSettings)
	httpx.Register(api, op("run-matches", http.MethodPost, "/run", auth.ContactWrite, "Look for possible duplicates now, as a job"), s.postRun)
	httpx.Register(api, op("merge-matches", http.MethodPost, "/merge", auth.ContactWrite, "Merge all open pairs from a score on, as a job"), s.postMergeAll)
	httpx.Register(api, op("get-match", http.MethodGet, "/{id}", auth.ContactRead, "Get one pair"), s.getPair)
	httpx.Register(api, op("merge-match", http.MethodPost, "/{id}/merge", auth.ContactWrite, "Make the two one person; the older one stays"), s.postMerge)
	httpx.Register(api, op("reject-match", http.MethodPost, "/{id}/reject", auth.ContactWrite, "Say that they are two people; the pair never comes back"), s.postReject)
	httpx.Register(api, op("postpone-match", http.MethodPost, "/{id}/postpone", auth.ContactWrite, "Take the pair off the list for a while"), s.postPostpone)
	httpx.Register(api, op("resume-match", http.MethodPost, "/{id}/resume", auth.ContactWrite, "Put a postponed pair back on the list"), s.postResume)
}

func (s *Service) listPairs(ctx context.Context, in *listInput) (*listOutput, error) {
	page, err := s.List(ctx, Query(*in))
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Next, out.Body.Total, out.Body.Items = page.Next, page.Total, make([]PairView, len(page.Items))
	for i, p := range page.Items {
		out.Body.Items[i] = toAPIPair(p)
	}
	return out, nil
}

func (s *Service) countPairs(ctx context.Context, _ *struct{}) (*countOutput, error) {
	out := &countOutput{}
	var err error
	out.Body.Open, err = s.OpenCount(ctx)
	return out, err
}

func (s *Service) getSummary(ctx context.Context, _ *struct{}) (*summaryOutput, error) {
	sum, err := s.Summary(ctx)
	if err != nil {
		return nil, err
	}
	out := &summaryOutput{}
	b := &out.Body
	b.Open, b.Postponed, b.Merged, b.Rejected, b.Bands, b.Last = sum.Open, sum.Postponed, sum.Merged, sum.Rejected, sum.Bands, sum.Last
	b.Learned = LearnedView{sum.Model.Learned, sum.Model.Pairs, sum.Model.Twins}
	return out, nil
}

func (s *Service) getSettings(ctx context.Context, _ *struct{}) (*settingsOutput, error) {
	set, err := s.Settings(ctx)
	return &settingsOutput{set}, err
}

func (s *Service) putSettings(ctx context.Context, in *settingsInput) (*settingsOutput, error) {
	set, err := s.SetSettings(ctx, in.Body)
	return &settingsOutput{set}, err
}

func (s *Service) postRun(ctx context.Context, in *runInput) (*jobOutput, error) {
	job, err := s.Enqueue(ctx, in.Body.Full)
	if err != nil {
		return nil, err
	}
	return &jobOutput{jobs.View(ctx, job)}, nil
}

func (s *Service) postMergeAll(ctx context.Context, in *mergeAllInput) (*jobOutput, error) {
	job, err := s.MergeAll(ctx, in.Body.MinScore, in.Body.Expected)
	if err != nil {
		return nil, err
	}
	return &jobOutput{jobs.View(ctx, job)}, nil
}

func (s *Service) getPair(ctx context.Context, in *pairInput) (*pairOutput, error) {
	p, err := s.Get(ctx, in.ID)
	return &pairOutput{toAPIPair(p)}, err
}

func (s *Service) postMerge(ctx context.Context, in *pairInput) (*struct{}, error) {
	return nil, s.Merge(ctx, in.ID, "")
}

func (s *Service) postReject(ctx context.Context, in *pairInput) (*struct{}, error) {
	return nil, s.Reject(ctx, in.ID)
}

func (s *Service) postPostpone(ctx context.Context, in *postponeInput) (*struct{}, error) {
	return nil, s.Postpone(ctx, in.ID, in.Body.Until)
}

func (s *Service) postResume(ctx context.Context, in *pairInput) (*struct{}, error) {
	return nil, s.Resume(ctx, in.ID)
}
