// Package care answers: who is to speak with whom next, when, and what came of
// it? It keeps follow-ups, tells their assignees in time, and gives every user a
// list of notifications.
//
// A follow-up belongs to a contact and an assignee and is due at a moment or on
// a day. It is open until it is done (with an outcome) or cancelled. A reminder
// is given once for each time it is due: marking it as given and writing the
// notification is one transaction, so that a crash in between repeats both or
// neither, and two nodes that look at once give it once.
package care
