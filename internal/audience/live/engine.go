package live

// Engine keeps the rules of its owners true.
type Engine struct {
	owners []Owner
}

// Own adds an owner. Call it while wiring.
func (e *Engine) Own(o Owner) { e.owners = append(e.owners, o) }

// Changed says that an owner's rules are others now: they are read anew, and what
// is new in them is worked out in the background. Call it after the transaction
// that changed them.
func (e *Engine) Changed(owner string) {}

// Status tells whether a rule is worked out as it is defined now, and when it is
// not, how much of the work is done (0 to 1). Until then the definition before
// serves, if there was one.
func (e *Engine) Status(owner, key string) (ready bool, progress float64) { return false, 0 }
