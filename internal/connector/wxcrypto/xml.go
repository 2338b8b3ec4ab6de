package wxcrypto

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Bounds of a document. Messages are flat; the deepest real ones have five levels.
const (
	maxDepth = 16
	maxNodes = 20_000
)

// Node is an element of a document: its own text and what it holds.
type Node struct {
	Name  string
	Text  string
	Nodes []Node
	raw   bool // written without CDATA: numbers
}

// Parse reads a document of a platform. It takes elements and text alone:
// document types, entities beyond the five of XML, processing instructions,
// other encodings than UTF-8, and more than a callback ever holds are refused.
// Attributes are passed over: no platform uses any.
func Parse(body []byte) (Node, error) {
	if len(body) > MaxBody {
		return Node{}, refuse(TooLarge, "")
	}
	d := xml.NewDecoder(bytes.NewReader(bare(body)))
	d.Strict, d.Entity = true, nil
	var stack []*frame
	var root *Node
	n := 0
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Node{}, refuse(BadBody, err.Error())
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if n++; n > maxNodes || len(stack) >= maxDepth || root != nil {
				return Node{}, refuse(BadBody, "too much in it")
			}
			stack = append(stack, &frame{Node: Node{Name: t.Name.Local}})
		case xml.EndElement:
			if len(stack) == 0 || stack[len(stack)-1].Name != t.Name.Local {
				return Node{}, refuse(BadBody, "an element ends that did not begin")
			}
			done := stack[len(stack)-1].finish()
			if stack = stack[:len(stack)-1]; len(stack) > 0 {
				stack[len(stack)-1].Nodes = append(stack[len(stack)-1].Nodes, done)
			} else {
				root = &done
			}
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.text = append(top.text, t...)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return Node{}, refuse(BadBody, "text outside of the document")
			}
		case xml.Directive:
			return Node{}, refuse(BadBody, "a document type")
		case xml.ProcInst:
			if t.Target != "xml" || root != nil || len(stack) > 0 {
				return Node{}, refuse(BadBody, "an instruction")
			}
		}
	}
	if root == nil || len(stack) > 0 {
		return Node{}, refuse(BadBody, "it ends too early")
	}
	return *root, nil
}

// frame is an element that has not ended. Its text comes in pieces, which are
// joined once: a body made of nothing but tiny pieces costs no more than another.
type frame struct {
	Node
	text []byte
}

func (f *frame) finish() Node {
	f.Text = string(bytes.TrimSpace(f.text))
	return f.Node
}

// bare takes a byte order mark and space around a document off.
func bare(b []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(b), []byte("\xef\xbb\xbf")))
}

// Get gives the text below a path of names, "" when there is none.
func (n Node) Get(path ...string) string {
	for _, name := range path {
		next, ok := n.child(name)
		if !ok {
			return ""
		}
		n = next
	}
	return n.Text
}

// All gives the elements of a name directly below.
func (n Node) All(name string) []Node {
	var out []Node
	for _, c := range n.Nodes {
		if c.Name == name {
			out = append(out, c)
		}
	}
	return out
}

func (n Node) child(name string) (Node, bool) {
	for _, c := range n.Nodes {
		if c.Name == name {
			return c, true
		}
	}
	return Node{}, false
}

// Elem is an element with text in it.
func Elem(name, text string) Node { return Node{Name: name, Text: text} }

// Raw is an element with a number in it, written without CDATA as the platforms do.
func Raw(name, text string) Node { return Node{Name: name, Text: text, raw: true} }

// Group is an element with others in it.
func Group(name string, nodes ...Node) Node { return Node{Name: name, Nodes: nodes} }

// Write writes a document. Names are the program's own; text may be anybody's.
func Write(root string, nodes ...Node) []byte {
	var b bytes.Buffer
	write(&b, Node{Name: root, Nodes: nodes})
	return b.Bytes()
}

func write(b *bytes.Buffer, n Node) {
	b.WriteString("<" + n.Name + ">")
	switch {
	case len(n.Nodes) > 0:
		for _, c := range n.Nodes {
			write(b, c)
		}
	case n.raw:
		_ = xml.EscapeText(b, []byte(n.Text)) // a buffer takes everything
	case n.Text != "":
		b.WriteString("<![CDATA[" + strings.ReplaceAll(clean(n.Text), "]]>", "]]]]><![CDATA[>") + "]]>")
	}
	b.WriteString("</" + n.Name + ">")
}

// clean drops what XML has no way to write.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
