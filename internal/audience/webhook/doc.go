// Package webhook tells other programs who came into a segment and who left: it
// posts what the facts segment.entered and segment.left say to addresses that
// administrators name.
//
// It follows the facts as a subscriber and writes what is to be told in the
// transaction that moves its place in the stream: no fact is lost, and none is
// queued twice. Deliveries of one webhook go out one after the other, so that
// they arrive in order; one that fails is tried again, later and later, and the
// others wait for it. After the last try it is put aside, where a person can
// send it again. A receiver may meet the same delivery twice (when its answer
// was lost): the id in the header is then the same.
//
// Headers and signature are those of the Standard Webhooks specification:
// webhook-id, webhook-timestamp and webhook-signature, the last being "v1," and
// the base64 of HMAC-SHA256 over "id.timestamp.body" with the secret's bytes.
package webhook
