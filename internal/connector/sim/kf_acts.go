package sim

import (
	"encoding/json"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// talking finds a person's conversation in customer service.
func (w *World) talking(p *Person) (*Corp, *KfAccount, *KfTalk, error) {
	for _, c := range w.Corps {
		for _, k := range c.Kf {
			if t := k.Talks[c.ids[p.ID]]; t != nil {
				return c, k, t, nil
			}
		}
	}
	return nil, nil, nil, errs.New(errs.Conflict, "sim.nothing_waits")
}

// Serve is one of the staff answering a person in customer service, by hand: with
// the first answer they take the conversation over.
func (s *Sim) Serve(staff, who, text string) error {
	if text == "" || len(text) > 4000 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "sim.text_length", "most", 4000))
	}
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		_, m, err := w.employee(staff)
		if err != nil {
			return err
		}
		c, k, talk, err := w.talking(p)
		if err != nil {
			return err
		}
		ext := c.ids[p.ID]
		if talk.State != 3 || talk.Staff != m.UserID {
			change := 1
			if talk.State == 3 {
				change = 2
			}
			s.kfEvent(w, k, ext, now, answer{"event_type": "session_status_change", "open_kfid": k.ID, "external_userid": ext, "change_type": change, "old_servicer_userid": talk.Staff, "new_servicer_userid": m.UserID})
			talk.State, talk.Staff = 3, m.UserID
		}
		body, _ := json.Marshal(answer{"content": text}) // plain texts always encode
		k.Messages = append(k.Messages, &KfMessage{ID: w.next("msg_", 24), External: ext, At: now, Origin: 5, Staff: m.UserID, Type: "text", Body: body})
		p.chat("kf", c.ID, k.ID).say(Line{ID: w.next("m", 20), At: now, From: "them", Name: m.Name, Kind: "text", Text: text, Via: "kf"})
		s.diary.act(now, "serve", ext, m.UserID, short(text, 60))
		s.tellKf(w, c, k, ext, now)
		return nil
	})
}

// EndService is one of the staff ending a conversation.
func (s *Sim) EndService(staff, who string) error {
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		c, k, talk, err := w.talking(p)
		if err != nil {
			return err
		}
		if talk.State == 4 {
			return errs.New(errs.Conflict, "sim.nothing_waits")
		}
		ext := c.ids[p.ID]
		s.kfEvent(w, k, ext, now, answer{"event_type": "session_status_change", "open_kfid": k.ID, "external_userid": ext, "change_type": 3, "old_servicer_userid": first(staff, talk.Staff)})
		talk.State = 4
		s.diary.act(now, "close", ext, first(staff, talk.Staff), "")
		s.tellKf(w, c, k, ext, now)
		return nil
	})
}

func (s *Sim) kfEvent(w *World, k *KfAccount, ext string, now time.Time, body answer) {
	raw, _ := json.Marshal(body) // plain texts always encode
	k.Messages = append(k.Messages, &KfMessage{ID: w.next("msg_", 24), External: ext, At: now, Origin: 4, Type: "event", Body: raw})
}

// tellKf calls back that there is something to fetch.
func (s *Sim) tellKf(w *World, c *Corp, k *KfAccount, ext string, now time.Time) {
	fill(&k.Tokens)
	token := w.next("ENC", 60)
	k.Tokens[token] = now.UnixMilli()
	for t, at := range k.Tokens {
		if now.Sub(time.UnixMilli(at)) > time.Hour {
			delete(k.Tokens, t)
		}
	}
	s.tell(c, now, "kf_msg_or_event", ext, "", wxcrypto.Elem("Token", token), wxcrypto.Elem("OpenKfId", k.ID))
}
