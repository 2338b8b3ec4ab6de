package sms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// aliyunAlgorithm names the third version of Alibaba Cloud's signature.
const aliyunAlgorithm = "ACS3-HMAC-SHA256"

// AliyunAuthorization is the header Authorization of a call in the third version:
// method, path, query, the signed headers (host, content-type and all x-acs-…) and
// the hash of the body. The simulator checks calls with it, too.
func AliyunAuthorization(keyID, secret string, r *http.Request, payload []byte) string {
	signed := map[string]string{"host": r.Host}
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-acs-") || n == "content-type" {
			signed[n] = strings.TrimSpace(r.Header.Get(name))
		}
	}
	names := slices.Sorted(maps.Keys(signed))
	var head strings.Builder
	for _, n := range names {
		head.WriteString(n + ":" + signed[n] + "\n")
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	list := strings.Join(names, ";")
	canonical := strings.Join([]string{r.Method, path, aliyunQuery(r.URL.Query()), head.String(), list, hash(payload)}, "\n")
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(aliyunAlgorithm + "\n" + hash([]byte(canonical))))
	return aliyunAlgorithm + " Credential=" + keyID + ",SignedHeaders=" + list + ",Signature=" + hex.EncodeToString(m.Sum(nil))
}

// aliyunQuery sorts and escapes a query as RFC 3986 wants it.
func aliyunQuery(q url.Values) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(q)) {
		for _, v := range q[k] {
			out = append(out, escape(k)+"="+escape(v))
		}
	}
	return strings.Join(out, "&")
}

// escape differs from net/url in the space, the star and the tilde.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

func hash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
