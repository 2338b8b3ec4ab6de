// Package mirror answers: do the tags at a platform, such as the corp tags of
// WeCom, agree with ours?
//
// A tag of theirs may be linked with one of ours, account by account. From then on
// both sides have it on the same people: what a colleague does there comes here,
// what happens to our tag goes there, to every colleague who has the person as a
// friend.
//
// # Without echoes
//
// Changes are not passed on; states are compared. Of each friendship is kept which
// linked tags the platform has on it, as far as is known (held). What the platform
// is found to have is compared with held, and the difference is what somebody did
// there: it is done to our tags in the same transaction that makes held what was
// found. What our tags are is compared with held, and the difference is what is to
// be sent. When both are held nothing is sent and nothing done, whatever was said
// twice, late or never, and whoever said it.
//
// Three things would spoil it, and each has its guard. A call whose answer is lost
// may have been done: the tags it named stay unsure until a later call names them
// again, since naming a tag twice does no harm. What was read before our last call
// was answered says nothing about what that call did: it is read anew. And an older
// finding never follows a newer one.
//
// A tag that goes on one side is not taken from people on the other by itself: the
// link waits for somebody to say what shall become of it.
//
// What it needs of a platform is the interface Platform; package app hands it over.
package mirror
