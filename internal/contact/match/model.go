package match

import "github.com/koipond/koipond/internal/contact/match/score"

// modelView is a model as it is kept and shown: odds by field and level.
type modelView struct {
	Pairs   int                              `json:"pairs" doc:"Candidate pairs it was learnt from"`
	Twins   int                              `json:"twins" doc:"How many of them are one person, expected"`
	Learned bool                             `json:"learned" doc:"false: too little to learn from, so general figures are used"`
	Odds    map[string]map[string][2]float64 `json:"odds"`
}

func viewOf(l score.Lesson) modelView {
	v := modelView{Pairs: l.Pairs, Twins: int(l.Twins + .5), Learned: l.Applied, Odds: map[string]map[string][2]float64{}}
	for f, ls := range l.Model {
		m := map[string][2]float64{}
		for level, o := range ls {
			if o.M > 0 {
				m[score.Level(level).String()] = [2]float64{o.M, o.U}
			}
		}
		v.Odds[score.Field(f).String()] = m
	}
	return v
}

func (v modelView) model() score.Model {
	m := score.Default()
	for name, ls := range v.Odds {
		f, ok := score.ParseField(name)
		if !ok {
			continue
		}
		for level, o := range ls {
			if l := score.ParseLevel(level); l >= 0 && m[f][l].M > 0 && o[0] > 0 && o[1] > 0 {
				m[f][l] = score.Odds{M: o[0], U: o[1]}
			}
		}
	}
	return m
}
