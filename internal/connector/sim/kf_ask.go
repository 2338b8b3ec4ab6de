package sim

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Ask is a customer writing to a customer service account or an official account;
// the first word of a person who comes into customer service opens the session.
func (s *Sim) Ask(who, account, text string) error {
	if text == "" || len(text) > 4000 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "sim.text_length", "most", 4000))
	}
	return s.ask(who, account, func(_ *Chat) (string, string, error) { return text, "", nil })
}

// Tap is a customer tapping a line of a menu in a message: what names it by its id or
// by its words, in the newest menu that has one. It says the words, and the company
// is told which line it was.
func (s *Sim) Tap(who, account, what string) error {
	return s.ask(who, account, func(c *Chat) (text, id string, err error) {
		for _, l := range slices.Backward(c.Lines) {
			for _, m := range l.Menu {
				if m.ID != "" && (m.ID == what || m.Text == what) {
					return m.Text, m.ID, nil
				}
			}
		}
		return "", "", errs.New(errs.NotFound, "sim.button_not_found", "name", short(what, 60))
	})
}

// ask finds whom somebody writes to; word gives what they say there, and the id of
// the menu's line that says it.
func (s *Sim) ask(who, account string, word func(c *Chat) (text, id string, err error)) error {
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		for _, c := range w.Corps {
			for _, k := range c.Kf {
				if k.ID == account || k.Name == account || account == "" {
					text, id, err := word(p.chat("kf", c.ID, k.ID))
					if err == nil {
						s.kfWord(w, c, k, p, text, id, now)
					}
					return err
				}
			}
		}
		if a, err := w.findApp(account, ""); err == nil && account != "" {
			text, id, err := word(w.appChat(p, a))
			if err != nil {
				return err
			}
			return s.write(w, a, p, text, id, now)
		}
		return errs.New(errs.NotFound, "sim.staff_not_found", "name", short(account, 60))
	})
}

func (s *Sim) kfWord(w *World, c *Corp, k *KfAccount, p *Person, text, menu string, now time.Time) {
	fill(&k.Talks)
	fill(&k.Codes)
	ext := w.externalID(c, p)
	talk := k.Talks[ext]
	if talk == nil || talk.State == 4 {
		code := w.next("", 40)
		k.Codes[code] = &KfCode{External: ext, At: now}
		body, _ := json.Marshal(answer{"event_type": "enter_session", "open_kfid": k.ID, "external_userid": ext, "welcome_code": code, "scene": ""}) // plain texts always encode
		k.Messages = append(k.Messages, &KfMessage{ID: w.next("msg_", 24), External: ext, At: now, Origin: 4, Type: "event", Body: body})
		talk = &KfTalk{}
		k.Talks[ext] = talk
	}
	talk.Last, talk.Sent = now, 0
	said := answer{"content": text}
	if menu != "" {
		said["menu_id"] = menu
	}
	body, _ := json.Marshal(said) // plain texts always encode
	k.Messages = append(k.Messages, &KfMessage{ID: w.next("msg_", 24), External: ext, At: now, Origin: 3, Type: "text", Body: body})
	p.chat("kf", c.ID, k.ID).say(Line{ID: w.next("m", 20), At: now, From: "me", Name: p.Name, Kind: "text", Text: text})
	s.diary.act(now, "ask", ext, "", short(text, 60))
	s.tellKf(w, c, k, ext, now)
}

// menuWord is the part of a callback that tells which line of a menu says the words.
func menuWord(id string) []wxcrypto.Node {
	if id == "" {
		return nil
	}
	return []wxcrypto.Node{wxcrypto.Elem("bizmsgmenuid", id)}
}
