package sms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tencentAlgorithm names the third version of Tencent Cloud's signature.
const tencentAlgorithm = "TC3-HMAC-SHA256"

// TencentAuthorization is the header Authorization of a call. signed are the names
// of the headers that are signed, in small letters and in order; service is that of
// the host ("sms"). The simulator checks calls with it, too.
func TencentAuthorization(keyID, secret, service string, at time.Time, r *http.Request, payload []byte, signed ...string) string {
	var head strings.Builder
	for _, n := range signed {
		v := r.Header.Get(n)
		if n == "host" {
			v = r.Host
		}
		head.WriteString(n + ":" + strings.ToLower(strings.TrimSpace(v)) + "\n")
	}
	list := strings.Join(signed, ";")
	canonical := strings.Join([]string{r.Method, "/", r.URL.RawQuery, head.String(), list, hash(payload)}, "\n")
	date := at.UTC().Format("2006-01-02")
	scope := date + "/" + service + "/tc3_request"
	text := strings.Join([]string{tencentAlgorithm, strconv.FormatInt(at.Unix(), 10), scope, hash([]byte(canonical))}, "\n")
	key := []byte("TC3" + secret)
	for _, part := range []string{date, service, "tc3_request"} {
		key = keyed(key, part)
	}
	return tencentAlgorithm + " Credential=" + keyID + "/" + scope + ", SignedHeaders=" + list + ", Signature=" + hex.EncodeToString(keyed(key, text))
}

func keyed(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func digits(n int) string { return strconv.Itoa(n) }
