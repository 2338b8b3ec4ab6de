package score

import "math"

// Odds of a level: how often it is met when the two are one person (M) and when
// they are two (U).
type Odds struct{ M, U float64 }

// Model holds the odds by field and level. Levels that a field does not have are zero.
type Model [fields][levels]Odds

// Default is the model before a pond has taught anything. M are shares among
// the duplicates of customer files that came from several systems, as record
// linkage reports them in general (Christen, "Data Matching", Springer 2012,
// ch. 5–7; Herzog, Scheuren and Winkler, "Data Quality and Record Linkage
// Techniques", Springer 2007, ch. 8): about nine of ten birthdays and eight of
// ten names agree, phone numbers and addresses change. U follow from counting:
// some 18,000 birthdays in use, two genders, the sizes of cities; of names only
// the levels that are not equal, since an equal name counts by its share.
func Default() Model {
	var m Model
	m[Name] = [levels]Odds{
		Same: {.62, 3e-5}, Swapped: {.04, 3e-5}, Latin: {.06, 1e-4}, Sound: {.04, 1e-4}, Close: {.12, 3e-4},
		Part: {.05, 3e-3}, Alike: {.02, 2e-3}, Family: {.015, .05}, Different: {.035, .945},
	}
	m[Birthday] = [levels]Odds{Same: {.90, 6e-5}, Swapped: {.02, 4e-5}, Digit: {.04, 1.7e-3}, Part: {.015, 5e-3}, Different: {.025, .993}}
	m[Gender] = [levels]Odds{Same: {.97, .5}, Different: {.03, .5}}
	m[Phone] = [levels]Odds{Same: {.25, 1e-7}, Digit: {.22, 3e-6}, Tail: {.03, 1e-6}, Different: {.5, .999}}
	m[Email] = [levels]Odds{Same: {.5, 2e-6}, Close: {.1, 1e-5}, Different: {.4, .999}}
	m[Address] = [levels]Odds{Same: {.5, 1e-5}, Close: {.25, 5e-4}, Alike: {.1, 1e-2}, Different: {.15, .989}}
	m[City] = [levels]Odds{Same: {.82, .08}, Different: {.18, .92}}
	m[Number] = [levels]Odds{Same: {.86, 1e-7}, Digit: {.1, 2e-6}, Different: {.04, .999}}
	m[Account] = [levels]Odds{Different: {.4, .85}}
	return m
}

// DefaultFrom is the score from which pairs stand on the review list.
const DefaultFrom = 80

const (
	fillerU      = 4e-3 // of 1 January, which forms fill in by themselves
	expectedTwin = .02  // share of people who are also somebody else in the list
	// A pond of a few hundred says little of how common a name is: it counts as if
	// 20,000 others had been asked, two of whom have the name. Of 1.4 billion
	// Chinese some 290,000 are called 张伟, two in 10,000.
	othersAsked = 20_000
	othersNamed = 2
	commonName  = .2
)

// smallest is the pond that any pond counts as at least: in a smaller one chance
// is no better known, and strangers are no less strange.
const smallest = 5000

// Prior is the chance that two people drawn from a pond of n are one.
func Prior(n int64) float64 { return expectedTwin / float64(max(n, smallest)) }

// Evidence is what one field says.
type Evidence struct {
	Field Field
	Level Level
	Bits  float64 // for (positive) or against being one person
}

// Verdict is what all fields say together.
type Verdict struct {
	Bits     float64 // log2 of the odds, prior included
	Evidence []Evidence
}

// Score is the chance of being one person in percent, rounded down: never 100,
// since no likeness is a proof.
func (v Verdict) Score() int { return min(99, int(100*v.Probability())) }

// Probability that the two are one person.
func (v Verdict) Probability() float64 { return 1 / (1 + math.Exp2(-v.Bits)) }

// Scorer weighs comparisons for one pond.
type Scorer struct {
	Model Model
	// People is the size of the pond.
	People int64
	// Named tells how many of the pond have a name of this reading; 0: not known.
	Named func(reading string) int64
	// Ignore are fields that do not count.
	Ignore [fields]bool
}

// Weigh adds up what the fields say.
func (s *Scorer) Weigh(v Vector) Verdict {
	p := Prior(s.People)
	out := Verdict{Bits: math.Log2(p / (1 - p)), Evidence: make([]Evidence, 0, fields)}
	for f, l := range v.Levels {
		if l == Unsaid || s.Ignore[f] {
			continue
		}
		o := s.Model[f][l]
		if o.M <= 0 || o.U <= 0 {
			continue
		}
		u := o.U
		switch Field(f) {
		case Name:
			u = s.nameU(l, u, v.name)
		case Birthday:
			if l == Same && v.filler {
				u = fillerU
			}
		}
		e := Evidence{Field(f), l, math.Log2(o.M / u)}
		out.Evidence = append(out.Evidence, e)
		out.Bits += e.Bits
	}
	return out
}

// nameU is how often two people have names that compare so: for equal ones, the
// share of the name; for ones that only look alike, never less than that.
func (s *Scorer) nameU(l Level, u float64, reading string) float64 {
	if l > Close || s.Named == nil || reading == "" {
		return u
	}
	n := s.Named(reading)
	if n <= 0 {
		return u
	}
	// the two at hand count once: if they are one person, there are n-1 of the name
	share := min(float64(max(n-1, 1)+othersNamed)/float64(s.People+othersAsked), commonName)
	if l == Same {
		return share
	}
	return max(u, share)
}
