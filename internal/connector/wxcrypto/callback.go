package wxcrypto

import (
	"bytes"
	"encoding/json"
	"net/url"
)

// Echo answers the platform's test of a new address: the decrypted echostr,
// which goes back bare.
func (c *Cipher) Echo(query url.Values) ([]byte, error) {
	sealed := query.Get("echostr")
	if err := c.Verify(query.Get("msg_signature"), query.Get("timestamp"), query.Get("nonce"), sealed); err != nil {
		return nil, err
	}
	return c.Decrypt(sealed)
}

// Open verifies and decrypts a callback that was posted: XML, or JSON as
// mini-programs may be set to. It gives the message inside.
func (c *Cipher) Open(query url.Values, body []byte) ([]byte, error) {
	sealed, err := sealedPart(body)
	if err != nil {
		return nil, err
	}
	if err := c.Verify(query.Get("msg_signature"), query.Get("timestamp"), query.Get("nonce"), sealed); err != nil {
		return nil, err
	}
	return c.Decrypt(sealed)
}

func sealedPart(body []byte) (string, error) {
	if len(body) > MaxBody {
		return "", refuse(TooLarge, "")
	}
	body = bare(body)
	if bytes.HasPrefix(body, []byte("{")) {
		var doc struct{ Encrypt string }
		if json.Unmarshal(body, &doc) != nil || doc.Encrypt == "" {
			return "", refuse(BadBody, "no Encrypt in it")
		}
		return doc.Encrypt, nil
	}
	doc, err := Parse(body)
	if err != nil {
		return "", err
	}
	sealed := doc.Get("Encrypt")
	if sealed == "" {
		return "", refuse(BadBody, "no Encrypt in it")
	}
	return sealed, nil
}

// Sealed is a message on its way: the cipher text and what goes with it.
type Sealed struct {
	Encrypt, Signature, Timestamp, Nonce string
}

// Seal encrypts and signs a message.
func (c *Cipher) Seal(message []byte, timestamp, nonce string) (Sealed, error) {
	text, err := c.Encrypt(message)
	if err != nil {
		return Sealed{}, err
	}
	return Sealed{text, c.Sign(timestamp, nonce, text), timestamp, nonce}, nil
}

// Reply is the document of a passive reply.
func (s Sealed) Reply() []byte {
	return Write("xml", Elem("Encrypt", s.Encrypt), Elem("MsgSignature", s.Signature), Raw("TimeStamp", s.Timestamp), Elem("Nonce", s.Nonce))
}

// Callback is the document that a platform posts: to is the corp or app id,
// agent the app's number in WeCom, "" elsewhere.
func (s Sealed) Callback(to, agent string) []byte {
	parts := []Node{Elem("ToUserName", to), Elem("Encrypt", s.Encrypt)}
	if agent != "" {
		parts = append(parts, Elem("AgentID", agent))
	}
	return Write("xml", parts...)
}

// Query are the parameters that go with a callback.
func (s Sealed) Query() url.Values {
	return url.Values{"msg_signature": {s.Signature}, "timestamp": {s.Timestamp}, "nonce": {s.Nonce}}
}
