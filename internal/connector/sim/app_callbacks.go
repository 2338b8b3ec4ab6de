package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// appCallback is what a callback of WeChat has beyond one of WeCom.
type appCallback struct {
	id, openid, token string
	plain             bool // signed alone
	json              bool // as mini-programs are set to
	asked             bool // the customer waits for what is answered
}

// tellApp queues an event of somebody for an app. It is called inside the world.
func (s *Sim) tellApp(w *World, a *App, now time.Time, openid, name string, parts ...wxcrypto.Node) {
	nodes := append([]wxcrypto.Node{wxcrypto.Elem("MsgType", "event"), wxcrypto.Elem("Event", name)}, parts...)
	s.postFor(w, a, now, openid, name, nodes)
}

// wordTo queues something that somebody wrote.
func (s *Sim) wordTo(w *World, a *App, now time.Time, openid, form string, parts ...wxcrypto.Node) {
	nodes := append([]wxcrypto.Node{wxcrypto.Elem("MsgType", form)}, parts...)
	s.postFor(w, a, now, openid, "message."+form, append(nodes, wxcrypto.Raw("MsgId", "2"+w.digits(17))))
}

func (s *Sim) postFor(w *World, a *App, now time.Time, openid, name string, parts []wxcrypto.Node) {
	if a.CallbackURL == "" {
		return
	}
	nodes := append([]wxcrypto.Node{wxcrypto.Elem("ToUserName", a.Original), wxcrypto.Elem("FromUserName", openid), wxcrypto.Raw("CreateTime", strconv.FormatInt(now.Unix(), 10))}, parts...)
	cb := &callback{name: name, subject: openid, url: a.CallbackURL, to: a.Original, nonce: w.digits(10),
		app: &appCallback{id: a.ID, openid: openid, token: a.Token, plain: a.Plain, json: a.Kind == AppMini, asked: a.Kind == AppOfficial && a.Open[openid] != "" && !strings.HasSuffix(name, "FINISH")}}
	if cb.app.json {
		cb.body = inJSON(nodes)
	} else {
		cb.body = wxcrypto.Write("xml", nodes...)
	}
	if !a.Plain {
		seal, err := a.seal()
		if err != nil {
			s.log.Error("a callback cannot be sealed", "error", err)
			return
		}
		cb.seal = seal
	}
	s.send(cb)
}

// inJSON writes an event as mini-programs get it: what is in a group of its own in
// XML lies at the top.
func inJSON(nodes []wxcrypto.Node) []byte {
	out := map[string]any{}
	for _, n := range nodes {
		if len(n.Nodes) > 0 {
			for _, list := range n.Nodes {
				one := map[string]string{}
				for _, v := range list.Nodes {
					one[v.Name] = v.Text
				}
				out[list.Name] = one
			}
			continue
		}
		out[n.Name] = n.Text
		if n.Name == "CreateTime" || n.Name == "MsgId" {
			out[n.Name] = json.Number(n.Text)
		}
	}
	raw, _ := json.Marshal(out) // texts and numbers always encode
	return raw
}

func (a *App) seal() (*wxcrypto.Cipher, error) {
	key := a.Token + "\x00" + a.AESKey
	if have, ok := a.seals[key]; ok {
		return have, nil
	}
	made, err := wxcrypto.New(a.Token, a.AESKey, a.ID, nil)
	if err == nil {
		a.seals[key] = made
	}
	return made, err
}

// postApp posts a callback as WeChat does: the signature in the query proves the
// caller, a second one, and the cipher, the body.
func (s *Sim) postApp(ctx context.Context, cb *callback, now time.Time) (int, []byte, error) {
	t := strconv.FormatInt(now.Unix(), 10)
	sign := cb.app.token
	if cb.forged {
		sign = "forged"
	}
	q := url.Values{"signature": {wxcrypto.Signature(sign, t, cb.nonce)}, "timestamp": {t}, "nonce": {cb.nonce}, "openid": {cb.app.openid}}
	kind, body := "text/xml", cb.body
	if !cb.app.plain {
		sealed, err := cb.seal.Seal(cb.body, t, cb.nonce)
		if err != nil {
			return 0, nil, err
		}
		if cb.forged {
			sealed.Signature = wxcrypto.Signature("forged", sealed.Timestamp, sealed.Nonce, sealed.Encrypt)
		}
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", sealed.Signature)
		body = sealed.Callback(cb.to, "")
		if cb.app.json {
			if body, err = json.Marshal(map[string]string{"ToUserName": cb.to, "Encrypt": sealed.Encrypt}); err != nil {
				return 0, nil, err
			}
		}
	}
	if cb.app.json {
		kind = "application/json"
	}
	return s.postTo(ctx, cb.url, q, kind, body)
}

// answered reads a passive reply and shows it on the customer's phone. What is no
// reply shows as a fault, as it does in WeChat.
func (s *Sim) answered(cb *callback, said []byte) {
	said = bytes.TrimSpace(said)
	if !cb.app.asked || len(said) == 0 || string(said) == "success" {
		return
	}
	line, err := cb.read(said)
	_ = s.at(func(w *World, now time.Time) error { // nothing in it fails
		a := w.app(cb.app.id)
		p := w.people[a.Open[cb.app.openid]]
		if p == nil {
			return nil
		}
		if err == nil && line.Media != "" && a.Media[line.Media] == nil {
			err = no(40007)
		}
		if err != nil {
			s.log.Warn("a passive reply cannot be read", "error", err)
			w.appChat(p, a).note(w, now, "service_fault", a.Name)
			s.diary.act(now, "bad_reply", cb.app.openid, "", "")
			return nil
		}
		line.ID, line.At, line.From, line.Name, line.Via = w.next("m", 20), now, "them", a.Name, "reply"
		w.appChat(p, a).say(line)
		s.diary.act(now, "passive_reply", cb.app.openid, "", short(first(line.Text, line.Title), 60))
		return nil
	})
}

// unanswered is what a customer sees when nothing came after all tries.
func (s *Sim) unanswered(cb *callback) {
	if !cb.app.asked {
		return
	}
	_ = s.at(func(w *World, now time.Time) error { // nothing in it fails
		a := w.app(cb.app.id)
		if p := w.people[a.Open[cb.app.openid]]; p != nil {
			w.appChat(p, a).note(w, now, "service_fault", a.Name)
		}
		return nil
	})
}

// read takes a passive reply apart. It has to be encrypted when the call was.
func (cb *callback) read(said []byte) (l Line, err error) {
	doc, err := wxcrypto.Parse(said)
	if err != nil {
		return l, err
	}
	if !cb.app.plain {
		sealed := doc.Get("Encrypt")
		if err := cb.seal.Verify(doc.Get("MsgSignature"), doc.Get("TimeStamp"), doc.Get("Nonce"), sealed); err != nil {
			return l, err
		}
		plain, err := cb.seal.Decrypt(sealed)
		if err != nil {
			return l, err
		}
		if doc, err = wxcrypto.Parse(plain); err != nil {
			return l, err
		}
	}
	if doc.Get("ToUserName") != cb.app.openid || doc.Get("FromUserName") != cb.to || doc.Get("CreateTime") == "" {
		return l, no(40003)
	}
	switch l.Kind = doc.Get("MsgType"); l.Kind {
	case "text":
		if l.Text = doc.Get("Content"); l.Text == "" {
			return l, no(44004)
		}
	case "image":
		l.Media = doc.Get("Image", "MediaId")
	case "voice":
		l.Kind, l.Media = "file", doc.Get("Voice", "MediaId")
	case "video":
		l.Title, l.Media = doc.Get("Video", "Title"), doc.Get("Video", "MediaId")
	case "news":
		l.Kind, l.Title, l.Text = "link", doc.Get("Articles", "item", "Title"), doc.Get("Articles", "item", "Description")
		l.URL, l.Pic = doc.Get("Articles", "item", "Url"), doc.Get("Articles", "item", "PicUrl")
		if doc.Get("ArticleCount") != "1" || checkURL(l.URL) != nil {
			return l, no(45002)
		}
	default:
		return l, no(40008)
	}
	if l.Kind != "text" && l.Kind != "link" && l.Media == "" {
		return l, no(40007)
	}
	return l, nil
}

// SetAppCallback gives an app the address it is called back at, as an administrator
// does in the platform's console: the address must answer the echo first. An empty
// address takes it away.
func (s *Sim) SetAppCallback(ctx context.Context, app, address, key, aesKey string, plain bool) error {
	var echo, nonce string
	err := s.at(func(w *World, _ time.Time) error {
		if w.app(app) == nil {
			return errs.New(errs.NotFound, "sim.app_not_found", "name", short(app, 60))
		}
		echo, nonce = w.digits(19), w.digits(10)
		return nil
	})
	if err != nil {
		return err
	}
	if address != "" {
		bad := func(field string, cause error) error {
			return errs.New(errs.Invalid, "sim.callback_failed").On(errs.At(field, "sim.callback_failed")).Wrap(cause)
		}
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return bad("url", err)
		}
		if _, err := wxcrypto.New(key, aesKey, app, nil); err != nil && !plain {
			return bad("aesKey", err)
		}
		t := strconv.FormatInt(s.clock.Now().Unix(), 10)
		q := url.Values{"signature": {wxcrypto.Signature(key, t, nonce)}, "timestamp": {t}, "nonce": {nonce}, "echostr": {echo}}
		if err := s.echoes(ctx, address, q, echo); err != nil {
			return bad("url", err)
		}
	}
	return s.at(func(w *World, _ time.Time) error {
		a := w.app(app)
		a.CallbackURL, a.Token, a.AESKey, a.Plain = address, key, aesKey, plain
		return nil
	})
}

// SetBackend tells a mini-program where it logs its users in: the address that ends
// before /login.
func (s *Sim) SetBackend(app, address string) error {
	return s.at(func(w *World, _ time.Time) error {
		a, err := w.findApp(app, AppMini)
		if err == nil {
			a.Backend = address
		}
		return err
	})
}

// request is a mini-program calling the company's server.
func (s *Sim) request(ctx context.Context, address string, in, out any) (int, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	status, said, err := s.postTo(ctx, address, nil, "application/json", raw)
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(said, out)
	}
	return status, err
}
