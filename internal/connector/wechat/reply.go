package wechat

import (
	"cmp"
	"context"
	"strconv"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// Reply implements connector.Replier: it puts a message into the answer of the call
// it replies to, encrypted when that was. Who has something to say registers with
// connector.Service.Reply, and looks into memory alone: the platform waits five
// seconds, and a customer who got "success" gets no reply any more.
//
// The forms are text, image, voice, video and link; what else a message may be is
// for SendCustomerService.
func (o *Official) Reply(_ context.Context, r connector.Request, in connector.Incoming, m connector.Message) (connector.Answer, error) {
	var k checker
	checkMessage(&k, m, false)
	if err := k.Err(); err != nil {
		return connector.Answer{}, err
	}
	doc, err := parse(in.Body)
	if err != nil {
		return connector.Answer{}, err
	}
	now := strconv.FormatInt(o.env.Clock.Now().Unix(), 10)
	nodes := []wxcrypto.Node{wxcrypto.Elem("ToUserName", doc.Get("FromUserName")), wxcrypto.Elem("FromUserName", doc.Get("ToUserName")), wxcrypto.Raw("CreateTime", now)}
	body := wxcrypto.Write("xml", append(nodes, replyNodes(m)...)...)
	if sealedCall(r) {
		s, err := o.cipher.Seal(body, now, cmp.Or(r.Query.Get("nonce"), now))
		if err != nil {
			return connector.Answer{}, err
		}
		body = s.Reply()
	}
	return connector.Answer{Type: "application/xml; charset=utf-8", Body: body}, nil
}

func replyNodes(m connector.Message) []wxcrypto.Node {
	media := func(name, tag string, more ...wxcrypto.Node) []wxcrypto.Node {
		return []wxcrypto.Node{wxcrypto.Elem("MsgType", name), wxcrypto.Group(tag, append([]wxcrypto.Node{wxcrypto.Elem("MediaId", m.Media)}, more...)...)}
	}
	switch m.Form {
	case FormImage:
		return media("image", "Image")
	case FormVoice:
		return media("voice", "Voice")
	case FormVideo:
		return media("video", "Video", wxcrypto.Elem("Title", m.Title), wxcrypto.Elem("Description", m.Text))
	case FormLink:
		item := wxcrypto.Group("item", wxcrypto.Elem("Title", m.Title), wxcrypto.Elem("Description", m.Text), wxcrypto.Elem("PicUrl", m.Picture), wxcrypto.Elem("Url", m.URL))
		return []wxcrypto.Node{wxcrypto.Elem("MsgType", "news"), wxcrypto.Raw("ArticleCount", "1"), wxcrypto.Group("Articles", item)}
	default:
		return []wxcrypto.Node{wxcrypto.Elem("MsgType", "text"), wxcrypto.Elem("Content", m.Text)}
	}
}
