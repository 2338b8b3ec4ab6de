package connector

import (
	"context"
	"time"
)

// Pauses are those between tries, for tests.
var Pauses = pauses

// MaxBody is the longest body of a callback.
const MaxBody = maxBody

// Bad calls from one address until it is barred.
const BadMost, BadWithin = badMost, badWithin

// RenewBefore is how long before its end a token is fetched anew.
const RenewBefore = renewBefore

// RefusedFor is how long refused credentials are not tried again.
const RefusedFor = refusedFor

// UrgentPause is between the tries of urgent handlers.
const UrgentPause = urgentPause

// Kept is how long what was done is kept.
const Kept time.Duration = keepDone

// VeilBody masks what is personal in a message.
var VeilBody = veilBody

// LetGo lets held callbacks go beyond so many, as the sweep does with its own bound.
func (s *Service) LetGo(ctx context.Context, most int64) error { return s.letGo(ctx, most) }

// HeldFor is how long they are kept.
const HeldFor = heldFor
