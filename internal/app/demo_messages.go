package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/mail"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/sms"
	"github.com/koipond/koipond/internal/event"
)

// simMail is the mail server of the simulated world.
type simMail struct {
	server *smtp.Server
	ln     net.Listener
}

// portMail is where the mail server's port is remembered.
const portMail = stateDemo + ".sim.mail.port"

func (a *App) startSimMail(ctx context.Context, s *sim.Sim) (*simMail, error) {
	port, err := a.state.get(ctx, portMail)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil { // somebody else has the port by now, or there was none yet
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("listen for simulated mail: %w", err)
		}
	}
	if err := a.state.set(ctx, portMail, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	m := &simMail{server: s.MailServer(), ln: ln}
	go func() {
		if err := s.ServeMail(m.server, ln); err != nil {
			a.log.Error("the simulated mail server ended", "error", err)
		}
	}()
	return m, nil
}

func (m *simMail) close() error {
	if m == nil {
		return nil
	}
	_ = m.ln.Close() // the server may not have taken it yet
	_ = m.server.Close()
	return nil
}

// simulatorMail is host and port of the simulated mail server, "" when there is none.
func (a *App) simulatorMail() string {
	if a.sim == nil || a.sim.mail == nil {
		return ""
	}
	return a.sim.mail.ln.Addr().String()
}

// lookupTXT asks the DNS; the simulated world has its own.
func (a *App) lookupTXT(ctx context.Context, name string) ([]string, error) {
	if a.sim != nil {
		if texts, known := a.sim.sim.LookupTXT(name); known {
			return texts, nil
		}
	}
	return net.DefaultResolver.LookupTXT(ctx, name)
}

// simToken proves the calls of the simulated platforms: made from their secrets, so
// that it is the same after a restart.
func simToken(secret string) string {
	return strings.Repeat(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, secret), 2)[:32]
}

// connectSimMessages gives the pond an account for short messages and one for mail
// at the simulated platforms, and has them call back.
func (a *App) connectSimMessages(ctx context.Context, base string) error {
	access := a.sim.sim.SMSAccess(sim.SMSAliyun)
	in := connector.Input{Kind: sms.Aliyun, Name: access.Sign + "（模拟阿里云短信）",
		Settings: map[string]string{"accessKeyId": access.KeyID, "signName": access.Sign, connector.SettingBase: a.sim.url + "/sms/" + sim.SMSAliyun},
		Secrets:  map[string]string{"accessKeySecret": access.Secret, "token": simToken(access.Secret)}}
	id, err := a.demoAccount(ctx, in, connector.SettingBase)
	if err != nil {
		return fmt.Errorf("connect simulated short messages: %w", err)
	}
	if err := a.sim.sim.SetSMSCallback(sim.SMSAliyun, base+connector.HookPath(sms.Aliyun, id)+"?token="+simToken(access.Secret)); err != nil {
		return err
	}
	post := a.sim.sim.MailAccess()
	host, port, err := net.SplitHostPort(a.simulatorMail())
	if err != nil {
		return fmt.Errorf("connect simulated mail: %w", err)
	}
	in = connector.Input{Kind: mail.Name, Name: access.Sign + "（模拟邮件服务器）",
		Settings: map[string]string{"host": host, "port": port, "security": "none", "username": post.User, "from": post.From, "fromName": access.Sign, "returnPath": post.ReturnPath, "dkimSelector": post.Selector},
		Secrets:  map[string]string{"password": post.Password, "dkimKey": post.Key, "token": simToken(post.Password)}}
	if id, err = a.demoAccount(ctx, in, "port"); err != nil {
		return fmt.Errorf("connect simulated mail: %w", err)
	}
	a.sim.sim.SetMailCallback(base + connector.HookPath(mail.Name, id) + "?token=" + simToken(post.Password))
	return nil
}

// demoAccount finds the account of a kind and name or makes it, and corrects where
// it is called when one setting is another by now.
func (a *App) demoAccount(ctx context.Context, in connector.Input, moves string) (string, error) {
	list, err := a.connectors.Accounts(ctx, in.Kind)
	if err != nil {
		return "", err
	}
	for _, have := range list {
		if have.Name != in.Name {
			continue
		}
		if have.Setting(moves) == in.Settings[moves] {
			return have.ID, nil
		}
		_, err := a.connectors.Change(ctx, have.ID, in)
		return have.ID, err
	}
	made, err := a.connectors.Create(ctx, in)
	return made.ID, err
}

// stageMessages is the part of the demo that is sent once the pond is full.
const stageMessages = "messages"

// messages sends a few short messages and mails to people of the simulated world,
// so that their inboxes are not empty: whoever plays a customer finds something to
// reply to. They are people of the pond, known by phone and address from then on.
func (d *demoPond) messages(ctx context.Context, a *App) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stageMessages); err != nil || done || a.sim == nil {
		return err
	}
	texts, err := a.accountOf(ctx, sms.Aliyun)
	if err != nil || texts == "" {
		return err
	}
	mails, err := a.accountOf(ctx, mail.Name)
	if err != nil || mails == "" {
		return err
	}
	templates := a.sim.sim.SMSAccess(sim.SMSAliyun).Templates
	known := 0
	for _, person := range a.sim.sim.People("", 60) {
		phone := a.sim.sim.MobileOf(person.ID)
		if person.External == "" || phone == "" {
			continue
		}
		address := strings.ToLower(strings.TrimPrefix(person.ID, "p_")) + "@post.example"
		traits, _ := json.Marshal(map[string]any{"name": person.Name, "phone": phone, "email": address}) // texts always encode
		seq, err := a.messages.facts.Ingest(ctx, []event.Fact{{MessageID: "demo-known-" + person.ID, Type: event.Identify, Name: event.NameIdentified, Timestamp: a.clock.Now().UnixMilli(), Source: "demo", Traits: traits,
			Identifiers: []event.Identifier{{Kind: "wecom_external_userid", Value: person.External}, {Kind: "phone", Value: phone}, {Kind: "email", Value: address}}}})
		if err != nil {
			return err
		}
		if err := a.messages.facts.Wait(ctx, seq); err != nil {
			return err
		}
		if _, err := a.connectors.Send(ctx, texts, connector.Message{Key: "demo-sms-" + person.ID, To: phone, Template: templates[2], Marketing: true,
			Params: []connector.Param{{Name: "name", Value: person.Name}, {Name: "item", Value: "白茶品饮装一份"}}}); err != nil {
			return err
		}
		link, err := a.unsubscribeLink(ctx, address)
		if err != nil {
			return err
		}
		if _, err := a.connectors.Send(ctx, mails, connector.Message{Key: "demo-mail-" + person.ID, To: address, Title: "会员日：新茶到店", Marketing: true, Form: "html",
			Text:    "<h2>" + person.Name + "，您好</h2><p>今年的头采白茶到店了。会员日期间，到任意门店可以领一份品饮装，也可以先在小程序里看看。</p><p>数量有限，先到先得。</p>",
			Headers: map[string]string{"List-Unsubscribe": "<" + link + ">"}}); err != nil {
			return err
		}
		if known++; known == 3 {
			break
		}
	}
	for _, account := range []string{texts, mails} {
		if _, err := a.connectors.Check(ctx, account); err != nil {
			return err
		}
	}
	return p.Mark(ctx, stageMessages)
}

func (a *App) accountOf(ctx context.Context, kind string) (string, error) {
	list, err := a.connectors.Accounts(ctx, kind)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].ID, nil
}
