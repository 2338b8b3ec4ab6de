package analytics

// Rememberer is an engine that can keep at hand what each contact did, so that
// conditions on behaviour of few contacts need no look at the others' facts.
type Rememberer interface {
	// Remember has the engine keep in memory, as far as it may use any, what the
	// leaves of q look at. It returns at once; the facts are read in the background,
	// and from then on Behaviour with Among answers leaves that look at nothing else
	// from there. The answers are the same with it and without. What was remembered
	// before and is not asked for any more is forgotten.
	Remember(q BehaviourQuery) error
	// Recall tells how much is remembered.
	Recall() Recall
}

// Recall is what an engine remembers.
type Recall struct {
	Ready   bool // everything that was asked for is there
	Loading bool
	Full    bool // it needs more memory than it may use: nothing is remembered
	Facts   int64
	Bytes   int64
}
