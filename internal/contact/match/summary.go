package match

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/platform/auth"
)

// Band is what reviews said of the pairs with scores in a span.
type Band struct {
	From  int   `json:"from" doc:"Score, inclusive"`
	To    int   `json:"to" doc:"Score, exclusive"`
	Right int64 `json:"right" doc:"Pairs reviewed one by one and merged"`
	Wrong int64 `json:"wrong" doc:"Pairs rejected, or merged and taken back"`
	Open  int64 `json:"open" doc:"Pairs that wait"`
}

// Summary is how the list stands.
type Summary struct {
	Open      int64
	Postponed int64
	Merged    int64
	Rejected  int64
	Bands     []Band
	Last      *Report
	Model     modelView
	Settings  Settings
}

// bandEdges cut the scores. What a threshold means is seen at its band.
var bandEdges = []int{keepFrom, 60, 70, 80, 90, 95, 99, 100}

// Summary tells how many pairs there are, what reviews said of the scores, and when the list was made.
func (s *Service) Summary(ctx context.Context) (Summary, error) {
	var out Summary
	var err error
	if out.Settings, err = s.Settings(ctx); err != nil {
		return out, err
	}
	if !auth.ScopeOf(ctx).All {
		if err := s.sumVisible(ctx, &out); err != nil {
			return out, err
		}
		return out, s.lastAndModel(ctx, &out)
	}
	for state, n := range map[State]*int64{Open: &out.Open, Postponed: &out.Postponed, Merged: &out.Merged, Rejected: &out.Rejected} {
		if *n, err = s.Count(ctx, Query{State: state}); err != nil {
			return out, err
		}
	}
	if out.Bands, err = s.bands(ctx); err != nil {
		return out, err
	}
	return out, s.lastAndModel(ctx, &out)
}

func (s *Service) lastAndModel(ctx context.Context, out *Summary) error {
	var last Report
	ok, err := s.recall(ctx, stateReport, &last)
	if err != nil {
		return err
	}
	if ok {
		out.Last = &last
	}
	_, err = s.recall(ctx, stateModel, &out.Model)
	return err
}

func emptyBands() []Band {
	out := make([]Band, len(bandEdges)-1)
	for i := range out {
		out[i].From, out[i].To = bandEdges[i], bandEdges[i+1]
	}
	return out
}

func (s *Service) bands(ctx context.Context) ([]Band, error) {
	out := emptyBands()
	for i := range out {
		b := &out[i]
		for _, c := range []struct {
			cond string
			into *int64
		}{{"state = 'merged' and reviewed = 1", &b.Right}, {"state = 'rejected' and reviewed = 1", &b.Wrong}, {"state = 'open'", &b.Open}} {
			n, err := s.count(ctx, c.cond+" and weight >= $1 and weight < $2", weightOf(b.From), weightOf(b.To))
			if err != nil {
				return nil, fmt.Errorf("count reviews: %w", err)
			}
			*c.into = n
		}
	}
	return out, nil
}
