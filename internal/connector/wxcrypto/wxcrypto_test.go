package wxcrypto

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sampleQuery() url.Values {
	return url.Values{"msg_signature": {sampleSigned}, "timestamp": {sampleTime}, "nonce": {sampleNonce}, "echostr": {sampleEcho}}
}

// The published signature and the published cipher text.
func TestOfficialSample(t *testing.T) {
	require.Equal(t, sampleSigned, Signature(sampleToken, sampleTime, sampleNonce, sampleEcho))
	got, err := sample().Echo(sampleQuery())
	require.NoError(t, err)
	require.Equal(t, "1616140317555161061", string(got))
}

// The published message: what a colleague wrote to an app.
func TestOfficialMessage(t *testing.T) {
	const text = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
	s := Sealed{Encrypt: text, Signature: "477715d11cdb4164915debcba66cb864d751f3e6", Timestamp: "1409659813", Nonce: "1372623149"}
	plain, err := sample().Open(s.Query(), s.Callback(sampleReceiver, "218"))
	require.NoError(t, err)
	doc, err := Parse(plain)
	require.NoError(t, err)
	require.Equal(t, []string{"mycreate", "text", "hello", "4561255354251345929", "218"}, []string{doc.Get("FromUserName"), doc.Get("MsgType"), doc.Get("Content"), doc.Get("MsgId"), doc.Get("AgentID")})
}

func TestSignatureInTheOpen(t *testing.T) {
	sig := Signature("tok", "1700000000", "n1")
	require.NoError(t, VerifyPlain("tok", sig, "1700000000", "n1"))
	for name, err := range map[string]error{
		"other token": VerifyPlain("other", sig, "1700000000", "n1"),
		"other time":  VerifyPlain("tok", sig, "1700000001", "n1"),
		"upper case":  VerifyPlain("tok", strings.ToUpper(sig), "1700000000", "n1"),
		"cut":         VerifyPlain("tok", sig[:39], "1700000000", "n1"),
		"none":        VerifyPlain("tok", "", "1700000000", "n1"),
		"no token":    VerifyPlain("", Signature("", "1700000000", "n1"), "1700000000", "n1"),
	} {
		require.Equal(t, BadSignature, ReasonOf(err), name)
	}
}

// Every length of padding, 1 to 32, comes back as it was.
func TestRoundTrips(t *testing.T) {
	c := sample()
	pads := map[int]bool{}
	for n := range 3*padBlock + 1 {
		msg := bytes.Repeat([]byte{0xE9}, n)
		sealed, err := c.Encrypt(msg)
		require.NoError(t, err)
		raw, err := base64.StdEncoding.DecodeString(sealed)
		require.NoError(t, err)
		require.Zero(t, len(raw)%padBlock)
		pads[len(raw)-header-n-len(sampleReceiver)] = true
		got, err := c.Decrypt(sealed)
		require.NoError(t, err, n)
		require.True(t, bytes.Equal(msg, got), n)
	}
	require.Len(t, pads, padBlock)
	for n := range pads {
		require.True(t, n >= 1 && n <= padBlock, n)
	}
}

func TestRandomness(t *testing.T) {
	c, err := New(sampleToken, sampleKey, sampleReceiver, nil)
	require.NoError(t, err)
	a, err := c.Encrypt([]byte("same"))
	require.NoError(t, err)
	b, err := c.Encrypt([]byte("same"))
	require.NoError(t, err)
	require.NotEqual(t, a, b, "two sealings of one text differ")

	a, err = sample().Encrypt([]byte("same"))
	require.NoError(t, err)
	b, err = sample().Encrypt([]byte("same"))
	require.NoError(t, err)
	require.Equal(t, a, b, "with the bytes fixed they do not")

	c, err = New(sampleToken, sampleKey, sampleReceiver, failing{})
	require.NoError(t, err)
	_, err = c.Encrypt([]byte("x"))
	require.ErrorIs(t, err, errDry)
	_, err = c.Encrypt(make([]byte, MaxBody))
	require.Equal(t, TooLarge, ReasonOf(err))
}

var errDry = errors.New("dry")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDry }

func TestKeys(t *testing.T) {
	for name, key := range map[string]string{
		"empty": "", "short": sampleKey[:42], "long": sampleKey + "A", "padded": sampleKey[:42] + "=", "foreign": sampleKey[:42] + "!",
		"line break": sampleKey[:42] + "\n", "url alphabet": sampleKey[:42] + "-",
	} {
		_, err := New(sampleToken, key, sampleReceiver, nil)
		require.Equal(t, BadKey, ReasonOf(err), name)
	}
}

func TestRefusesCipherTexts(t *testing.T) {
	c := sample()
	good, err := c.Encrypt([]byte("hello"))
	require.NoError(t, err)
	for name, x := range map[string]struct {
		text string
		want Reason
	}{
		"empty":             {"", BadLength},
		"not base64":        {"%%%", BadBase64},
		"broken base64":     {good[:len(good)-1], BadBase64},
		"15 bytes":          {base64.StdEncoding.EncodeToString(make([]byte, 15)), BadLength},
		"17 bytes":          {base64.StdEncoding.EncodeToString(make([]byte, 17)), BadLength},
		"huge":              {strings.Repeat("A", MaxBody+4), TooLarge},
		"pad 0":             {forge(append(framed(5, "hello", sampleReceiver, 16)[:48], make([]byte, 16)...)), BadPadding},
		"pad 33":            {forge(framed(5, "hello", sampleReceiver, 33)), BadPadding},
		"pad 255":           {forge(bytes.Repeat([]byte{255}, 256)), BadPadding},
		"pad uneven":        {forge(append(framed(5, "hello", sampleReceiver, 16)[:48], append(bytes.Repeat([]byte{9}, 15), 16)...)), BadPadding},
		"pad beyond":        {forge(bytes.Repeat([]byte{32}, 16)), BadPadding},
		"pad is all":        {forge(bytes.Repeat([]byte{32}, 32)), BadLength},
		"header cut":        {forge(append(bytes.Repeat([]byte{'r'}, 16), bytes.Repeat([]byte{16}, 16)...)), BadLength},
		"length beyond":     {forge(framed(4000, "hello", sampleReceiver, 16)), BadLength},
		"length overflows":  {forge(framed(0xFFFFFFFF, "hello", sampleReceiver, 16)), BadLength},
		"other receiver":    {forge(framed(5, "hello", "wx0000000000000000", 16)), BadReceiver},
		"no receiver":       {forge(framed(12, "hello!hello!", "", 16)), BadReceiver},
		"receiver cut":      {forge(framed(5, "hello", sampleReceiver[:11], 16)), BadReceiver},
		"receiver and more": {forge(framed(4, "hello", sampleReceiver, 5)), BadReceiver},
	} {
		_, err := c.Decrypt(x.text)
		require.Equal(t, x.want, ReasonOf(err), name)
		require.ErrorContains(t, err, string(x.want))
	}
	other, err := New(sampleToken, "A"+sampleKey[1:], sampleReceiver, nil)
	require.NoError(t, err)
	_, err = other.Decrypt(good)
	require.NotEmpty(t, ReasonOf(err), "another key")
	other, err = New(sampleToken, sampleKey, "wwOther", nil)
	require.NoError(t, err)
	_, err = other.Decrypt(good)
	require.Equal(t, BadReceiver, ReasonOf(err))
	require.Empty(t, ReasonOf(errDry))
}

func TestCallback(t *testing.T) {
	c := sample()
	msg := Write("xml", Elem("Content", "你好 ]]> <b>&"), Raw("CreateTime", "1700000000"))
	s, err := c.Seal(msg, "1700000000", "n1")
	require.NoError(t, err)
	body := s.Callback(sampleReceiver, "218")
	got, err := c.Open(s.Query(), body)
	require.NoError(t, err)
	require.Equal(t, string(msg), string(got))
	doc, err := Parse(got)
	require.NoError(t, err)
	require.Equal(t, "你好 ]]> <b>&", doc.Get("Content"))

	got, err = c.Open(s.Query(), append([]byte("\ufeff\n"), body...))
	require.NoError(t, err, "a byte order mark")
	require.Equal(t, msg, got)
	got, err = c.Open(s.Query(), []byte(`{"ToUserName":"x","Encrypt":"`+s.Encrypt+`"}`))
	require.NoError(t, err, "as JSON")
	require.Equal(t, msg, got)

	reply, err := Parse(s.Reply())
	require.NoError(t, err)
	require.NoError(t, c.Verify(reply.Get("MsgSignature"), reply.Get("TimeStamp"), reply.Get("Nonce"), reply.Get("Encrypt")))

	for name, x := range map[string]struct {
		query url.Values
		body  string
		want  Reason
	}{
		"unsigned":         {url.Values{}, string(body), BadSignature},
		"other nonce":      {url.Values{"msg_signature": {s.Signature}, "timestamp": {s.Timestamp}, "nonce": {"n2"}}, string(body), BadSignature},
		"changed text":     {s.Query(), strings.Replace(string(body), s.Encrypt[:4], "AAAA", 1), BadSignature},
		"empty":            {s.Query(), "", BadBody},
		"nothing sealed":   {s.Query(), "<xml><Encrypt></Encrypt></xml>", BadBody},
		"not a document":   {s.Query(), "hello", BadBody},
		"JSON without":     {s.Query(), `{"a":1}`, BadBody},
		"broken JSON":      {s.Query(), `{`, BadBody},
		"huge":             {s.Query(), strings.Repeat(" ", MaxBody+1), TooLarge},
		"echo in the open": {url.Values{"echostr": {"1"}}, string(body), BadSignature},
	} {
		_, err := c.Open(x.query, []byte(x.body))
		require.Equal(t, x.want, ReasonOf(err), name)
	}
	q := sampleQuery()
	q.Set("msg_signature", strings.Repeat("0", 40))
	_, err = c.Echo(q)
	require.Equal(t, BadSignature, ReasonOf(err))
}
