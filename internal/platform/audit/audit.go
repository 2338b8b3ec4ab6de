// Package audit answers: who changed or looked at what, and has the record
// been tampered with? Entries form a hash chain.
package audit

import "context"

// Object is what was touched.
type Object struct {
	Type string `json:"type"` // "contact", "user", "import"…
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Recorder writes audit entries. It takes the actor from the context
// (auth.From; the system when there is none), ip and request id from httpx's
// context values. Inside a transaction the entry commits with it.
type Recorder interface {
	// Record notes an action, `domain.past_tense` such as "user.created".
	// Detail is small JSON-able data: what changed, never a secret or plain personal data.
	Record(ctx context.Context, action string, obj Object, detail map[string]any) error
}
