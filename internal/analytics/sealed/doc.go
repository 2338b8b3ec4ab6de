// Package sealed answers: how do facts lie in an analytics store without the
// phone numbers in them? It stands in front of any engine: on the way in,
// personal values (by the rules of package veil) are replaced by their fixed
// sealed form (secret.Ring.Fixed), on the way out they are opened again. So the
// engine and its files never see them, everybody above never sees the sealed
// form, and equal values are still equal to the engine.
//
// Whoever asks the engine about identifiers of facts must ask by Forms.
package sealed
