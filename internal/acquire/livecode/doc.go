// Package livecode answers: whom does a scan meet, and what happens next?
//
// A live code (渠道活码) is a QR code that stays the same while what stands behind
// it changes: the colleagues whose turn it is, whether they confirm a customer by
// hand, the welcome, the tags, the pool. Four things work on it:
//
//   - The round (ways.go) keeps what the platform knows of a code, its contact way,
//     like what the definition says just now: each minute, at once when somebody
//     changes something, and when a colleague is full. It writes only differences.
//   - The welcome (welcome.go) answers a callback within the platform's 20 seconds,
//     from memory, before anything else. It is claimed before it is sent, so that
//     no restart sends it twice or forgets it.
//   - The follower (follow.go) reacts to the facts friend.added and its like,
//     exactly once: tags, pool, what is to be written to the platform, the books.
//   - The books (stats.go) count from what the follower wrote, so they agree with
//     the facts.
//
// It knows no platform: see seams.go.
package livecode
