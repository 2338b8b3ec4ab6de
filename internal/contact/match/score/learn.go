package score

import "math"

const (
	rounds    = 60    // of estimating; it settles in a few dozen
	settled   = 1e-6  // change of the share of matches at which it stops
	trust     = 150.0 // pairs that the model taught before is worth
	minPairs  = 500   // fewer candidates teach nothing
	minTwins  = 30.0  // and so do fewer pairs that are likely one person
	sureStart = .1    // share of candidates taken for one person at first
)

// Lesson is what a pond taught.
type Lesson struct {
	Model   Model
	Pairs   int     // candidates looked at
	Twins   float64 // how many of them are one person, expected
	Applied bool    // false: too little to learn from, the model is the one given
}

// Learn estimates the model from a pond without knowing any truth. M comes from
// candidate pairs by expectation maximisation (Dempster, Laird and Rubin 1977;
// for record linkage: Winkler, "Using the EM Algorithm for Weight Computation
// in the Fellegi-Sunter Model", 1988), which takes them for a mixture of pairs
// that are one person and pairs that are two. U comes from pairs drawn at
// random, nearly all of which are two people: candidates are alike by
// construction and would overstate chance.
//
// The model given counts like 150 pairs of its own, so that a small or strange
// pond bends it but does not break it.
func Learn(base Model, candidates, random []Vector) Lesson {
	out := Lesson{Model: base, Pairs: len(candidates)}
	if len(candidates) < minPairs {
		return out
	}
	m, chance := base, chanceOf(base, candidates)
	share := sureStart
	likely := make([]float64, len(candidates))
	for range rounds {
		twins := expect(m, chance, share, candidates, likely)
		m, chance = maximise(base, candidates, likely)
		before := share
		share = min(max(twins/float64(len(candidates)), 1e-4), .95)
		out.Twins = twins
		if math.Abs(share-before) < settled {
			break
		}
	}
	if out.Twins < minTwins {
		return out
	}
	out.Applied = true
	u := maximiseU(base, random)
	for f := range m {
		for l := range m[f] {
			m[f][l].U = u[f][l].U
		}
	}
	out.Model = m
	return out
}

// expect tells of each pair how likely it is one person, and how many are.
func expect(m, chance Model, share float64, pairs []Vector, likely []float64) (twins float64) {
	for i, v := range pairs {
		yes, no := math.Log(share), math.Log(1-share)
		for f, l := range v.Levels {
			if l == Unsaid || m[f][l].M <= 0 {
				continue
			}
			yes += math.Log(m[f][l].M)
			no += math.Log(chance[f][l].U)
		}
		likely[i] = 1 / (1 + math.Exp(no-yes))
		twins += likely[i]
	}
	return twins
}

// maximise counts levels among the pairs that are likely one person and among
// the rest. The rest are candidates too: their chance serves the mixture only.
func maximise(base Model, pairs []Vector, likely []float64) (m, chance Model) {
	var yes, no [fields][levels]float64
	for i, v := range pairs {
		for f, l := range v.Levels {
			if l != Unsaid {
				yes[f][l] += likely[i]
				no[f][l] += 1 - likely[i]
			}
		}
	}
	m, chance = base, base
	for f := range base {
		var sumYes, sumNo float64
		for l := range base[f] {
			sumYes += yes[f][l]
			sumNo += no[f][l]
		}
		for l := range base[f] {
			if base[f][l].M > 0 && Field(f) != Account { // having an account each is one level: nothing to count
				m[f][l].M = (yes[f][l] + trust*base[f][l].M) / (sumYes + trust)
				chance[f][l].U = (no[f][l] + .5) / (sumNo + .5*float64(levels))
			}
		}
	}
	return m, chance
}

// chanceOf begins with how often levels are met among the candidates.
func chanceOf(base Model, pairs []Vector) Model {
	_, chance := maximise(base, pairs, make([]float64, len(pairs)))
	return chance
}

// maximiseU counts levels among pairs drawn at random.
func maximiseU(base Model, random []Vector) Model {
	out := base
	var n [fields][levels]float64
	for _, v := range random {
		for f, l := range v.Levels {
			if l != Unsaid {
				n[f][l]++
			}
		}
	}
	for f := range base {
		sum := 0.0
		for l := range base[f] {
			sum += n[f][l]
		}
		// Chances of one in thousands need thousands of pairs to be seen; a pair
		// that is one person among them would be taken for chance. What is rare stays.
		weight := max(trust, sum/4)
		for l := range base[f] {
			if o := base[f][l]; o.U > 2e-3 && o.M > 0 && Field(f) != Account {
				out[f][l].U = (n[f][l] + weight*o.U) / (sum + weight)
			}
		}
	}
	return out
}
