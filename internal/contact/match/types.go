package match

import (
	"math"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/match/score"
)

// State of a pair.
type State string

// The states. Joined pairs became one person otherwise: by a fact, an import,
// or a merge of others; they are shown nowhere.
const (
	Open      State = "open"
	Postponed State = "postponed"
	Merged    State = "merged"
	Rejected  State = "rejected"
	Joined    State = "joined"
)

// Pair is two people who may be one.
type Pair struct {
	ID        string
	Score     int // 0…99: the chance that they are one
	State     State
	A, B      contact.Face // the older one first; the same one when they were merged
	Evidence  []Evidence
	FoundAt   time.Time
	Until     time.Time // of a postponed one
	DecidedAt time.Time
	DecidedBy contact.Ref

	weight int64
}

// Evidence is what one field says.
type Evidence struct {
	Field string  `json:"field" enum:"name,birthday,gender,phone,email,address,city,number,account"`
	Level string  `json:"level" enum:"same,swapped,latin,sound,digit,close,tail,part,alike,family,different" doc:"How the two values compare"`
	Bits  float64 `json:"bits" doc:"Each bit doubles (above zero) or halves (below) the odds of being one person"`
}

// Report is what a run did.
type Report struct {
	At       time.Time `json:"at"`
	Full     bool      `json:"full" doc:"Everybody was read, not only those who changed"`
	People   int64     `json:"people" doc:"How many there are"`
	Read     int64     `json:"read" doc:"How many were read"`
	Compared int64     `json:"compared" doc:"Pairs compared"`
	Found    int64     `json:"found" doc:"Pairs new on the list"`
	Skipped  int64     `json:"skipped" doc:"Forms too common to compare by"`
	Seconds  float64   `json:"seconds"`
}

// scoreOf turns thousandths of a bit into 0…99.
func scoreOf(weight int64) int { return score.Verdict{Bits: float64(weight) / 1000}.Score() }

// weightOf is the smallest weight with a score.
func weightOf(n int) int64 {
	switch {
	case n <= 0:
		return math.MinInt32
	case n >= 100:
		return math.MaxInt32
	}
	p := float64(n) / 100
	w := int64(math.Ceil(1000 * math.Log2(p/(1-p))))
	for scoreOf(w) < n { // what rounding does to the last thousandth
		w++
	}
	for scoreOf(w-1) >= n {
		w--
	}
	return w
}
