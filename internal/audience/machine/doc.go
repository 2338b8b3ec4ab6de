// Package machine answers: where does somebody stand? A machine is a list of
// states, each with a rule; everybody is in exactly one state of each machine.
// There are two: the lifecycle, from new to lost and won back, and the pools, in
// which a company cares for people in different ways. Both can be redefined.
//
// # Which state
//
// States that can only be entered from certain others are looked at first, then
// all others, each in their order; the first whose rule holds and that may be
// entered from where somebody stands is theirs. The one state without a rule
// takes all the rest. Whoever is in a state with a minimum stay remains until it
// is over; whoever a colleague put into a pool remains until the day that was said.
//
// A state that may only be entered from others is left when its stay is over,
// unless it names itself among them: staying is entering again. Old facts that
// come in (an import) let nobody enter such a state: a history that is half there
// shows people as dormant who never were.
//
// # Moves
//
// A move is told as a fact, lifecycle.changed or pool.changed, and kept. Whoever
// stands somewhere for the first time did not move. What a new definition moves is
// kept and is no fact: nobody did anything.
//
// A merged contact takes its survivor's state, or brings its own when the
// survivor has none yet; its row stays, hidden, for the undo.
package machine
