/** How receivers verify a signature, ready to be copied. The Go test of Sign and samples.test.ts hold them to one known signature. */
export const LANGUAGES = ['node', 'python', 'go'] as const
export type CodeLanguage = (typeof LANGUAGES)[number]

export const SAMPLES: Record<CodeLanguage, string> = {
  node: `import { createHmac, timingSafeEqual } from 'node:crypto'

// body: the text of the request as it came, before it is parsed
export function verify(secret, headers, body) {
  const id = headers['webhook-id'], at = headers['webhook-timestamp']
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const want = Buffer.from('v1,' + createHmac('sha256', key).update(id + '.' + at + '.' + body).digest('base64'))
  const signed = headers['webhook-signature'].split(' ').some((s) => {
    const got = Buffer.from(s)
    return got.length === want.length && timingSafeEqual(got, want)
  })
  return signed && Math.abs(Date.now() / 1000 - Number(at)) < 300
}`,
  python: `import base64, hashlib, hmac, time

# body: the bytes of the request as they came, before they are parsed
def verify(secret, headers, body):
    id, at = headers["webhook-id"], headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256)
    want = "v1," + base64.b64encode(mac.digest()).decode()
    signed = any(hmac.compare_digest(s, want) for s in headers["webhook-signature"].split())
    return signed and abs(time.time() - int(at)) < 300`,
  go: `import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// body: the bytes of the request as they came, before they are parsed
func verify(secret string, h http.Header, body []byte) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	at, _ := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	age := time.Since(time.Unix(at, 0)).Abs()
	for _, s := range strings.Fields(h.Get("webhook-signature")) {
		if hmac.Equal([]byte(s), []byte(want)) {
			return age < 5*time.Minute
		}
	}
	return false
}`,
}

/** A delivery as a receiver gets it. */
export const DELIVERY = `POST /your/path HTTP/1.1
Content-Type: application/json
webhook-id: wd_01K4Z6M8Q2T7
webhook-timestamp: 1772330400
webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

{
  "type": "segment.members",
  "events": [
    {
      "event": "segment.entered",
      "segment": { "id": "sg_01K4Z6", "name": "VIP" },
      "contactId": "ct_01K4Z7",
      "at": "2026-03-01T02:00:00Z",
      "reason": "fact",
      "live": true
    }
  ]
}`
