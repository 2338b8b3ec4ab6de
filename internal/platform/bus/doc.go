// Package bus answers: what has been accepted but not yet worked on?
//
// It is NATS JetStream, inside the process (no port is opened) or a cluster by
// URL; the code above cannot tell which. A Stream is one ordered log of opaque
// messages. An acknowledged message is synced to disk; a full stream refuses
// and never drops; what has been worked on is trimmed from the front, so that
// sequences stay gapless, also in a backup.
package bus
