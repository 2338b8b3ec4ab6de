package wxcrypto

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	doc, err := Parse([]byte("\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- c --><xml>\n<A><![CDATA[a]]>b&amp;&#x4f60;</A><L><Item>1</Item><Item>2</Item></L><E/><S a=\"1\"> s </S></xml>\n"))
	require.NoError(t, err)
	require.Equal(t, "xml", doc.Name)
	require.Equal(t, "ab&你", doc.Get("A"))
	require.Equal(t, "1", doc.Get("L", "Item"))
	require.Equal(t, "s", doc.Get("S"))
	require.Empty(t, doc.Get("E"))
	require.Empty(t, doc.Get("None", "Item"))
	require.Len(t, doc.Nodes[1].All("Item"), 2)
	require.Equal(t, "2", doc.Nodes[1].All("Item")[1].Text)
}

func TestParseRefuses(t *testing.T) {
	bomb := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml>&b;</xml>`
	for name, x := range map[string]string{
		"nothing":         "",
		"text":            "hello",
		"document type":   `<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>`,
		"entities":        bomb,
		"inside":          `<xml><!ENTITY x SYSTEM "http://example.com"></xml>`,
		"unknown entity":  "<xml>&nbsp;</xml>",
		"instruction":     "<?php 1 ?><xml/>",
		"late":            `<xml><?xml version="1.0"?></xml>`,
		"encoding":        `<?xml version="1.0" encoding="gbk"?><xml/>`,
		"two roots":       "<xml/><xml/>",
		"text behind":     "<xml/>x",
		"not ended":       "<xml><A>",
		"wrongly ended":   "<xml><A></xml></A>",
		"ended too often": "<xml/></xml>",
		"bad characters":  "<xml>\x00</xml>",
		"bad UTF-8":       "<xml>\xff</xml>",
		"deep":            strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1),
		"many":            "<xml>" + strings.Repeat("<a/>", maxNodes) + "</xml>",
		"huge text":       "<xml>" + strings.Repeat("a", MaxBody) + "</xml>",
	} {
		_, err := Parse([]byte(x))
		require.Contains(t, []Reason{BadBody, TooLarge}, ReasonOf(err), name)
	}
}

// A body of nothing but tiny pieces is read about as fast as one of one piece.
func TestParseManyPieces(t *testing.T) {
	n := (MaxBody - 100) / len("<![CDATA[a]]>")
	began := time.Now()
	doc, err := Parse([]byte("<xml>" + strings.Repeat("<![CDATA[a]]>", n) + "</xml>"))
	require.NoError(t, err)
	require.Len(t, doc.Text, n)
	require.Less(t, time.Since(began), 2*time.Second)
}

func TestWrite(t *testing.T) {
	got := Write("xml", Elem("A", "x]]>y"), Raw("N", "12"), Elem("E", ""), Group("L", Elem("Item", "1"), Elem("Item", "2")), Elem("Bad", "a\x00\xffb"), Raw("R", "<&"))
	require.Equal(t, "<xml><A><![CDATA[x]]]]><![CDATA[>y]]></A><N>12</N><E></E><L><Item><![CDATA[1]]></Item><Item><![CDATA[2]]></Item></L><Bad><![CDATA[a\ufffdb]]></Bad><R>&lt;&amp;</R></xml>", string(got))
	doc, err := Parse(got)
	require.NoError(t, err)
	require.Equal(t, "x]]>y", doc.Get("A"))
	require.Equal(t, "<&", doc.Get("R"))
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<xml><A><![CDATA[a]]></A></xml>"))
	f.Add([]byte("\ufeff<xml><L><Item>1</Item></L></xml>"))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := Parse(b)
		if err != nil {
			require.NotEmpty(t, ReasonOf(err))
			return
		}
		require.NotEmpty(t, doc.Name)
		_ = doc.Get("A", "B")
	})
}

// Whatever text is written comes back, but for space around it and what XML
// cannot carry.
func FuzzWrite(f *testing.F) {
	f.Add("你好 ]]> & <b>")
	f.Add("]]]]>>\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		doc, err := Parse(Write("xml", Elem("A", s), Raw("B", s)))
		require.NoError(t, err)
		want := strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(clean(s)))
		require.Equal(t, want, doc.Get("A"))
	})
}

func FuzzDecrypt(f *testing.F) {
	good, _ := sample().Encrypt([]byte("hello"))
	f.Add(good)
	f.Add(sampleEcho)
	f.Add(forge(framed(0xFFFFFFFF, "x", sampleReceiver, 16)))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := sample().Decrypt(s); err != nil {
			require.NotEmpty(t, ReasonOf(err))
		}
	})
}

// Any blocks whatever, rightly encrypted: what a stranger with the key could send.
func FuzzDecryptForged(f *testing.F) {
	f.Add([]byte(framed(5, "hello", sampleReceiver, 16)))
	f.Add([]byte("rrrrrrrrrrrrrrrr\x00\x00\x00\x05helloxxxxxxx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		b = append(b, make([]byte, (16-len(b)%16)%16)...)
		if len(b) == 0 {
			return
		}
		got, err := sample().Decrypt(forge(b))
		if err != nil {
			require.NotEmpty(t, ReasonOf(err))
			return
		}
		require.LessOrEqual(t, len(got), len(b))
	})
}

func FuzzOpen(f *testing.F) {
	s, _ := sample().Seal([]byte("<xml/>"), "1", "2")
	f.Add(s.Query().Encode(), s.Callback("x", "1"))
	f.Add(s.Query().Encode(), []byte(fmt.Sprintf(`{"Encrypt":%q}`, s.Encrypt)))
	f.Add("msg_signature=1", []byte("<xml></xml>"))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		q := parseQuery(query)
		if _, err := sample().Open(q, body); err != nil {
			require.NotEmpty(t, ReasonOf(err))
		}
		if _, err := sample().Echo(q); err != nil {
			require.NotEmpty(t, ReasonOf(err))
		}
	})
}
