package app

import (
	"context"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/mail"
	"github.com/koipond/koipond/internal/connector/sms"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// askEvery is how often reports are fetched for accounts that are not called.
const askEvery = time.Minute

// messages lets short messages and mails report back.
type messages struct {
	a     *App
	facts facts
	run   rounds.Runner
}

// buildMessages has the facts stated that follow from what becomes of messages, and
// looks at tests before they leave.
func (a *App) buildMessages(ingest facts) {
	texts := &sms.Facts{Ingest: ingest}
	for _, k := range sms.Kinds() {
		a.connectors.On(k.Name, "sms.*", texts.Handle)
	}
	for name, h := range (&mail.Facts{Ingest: ingest}).Handlers() {
		a.connectors.On(mail.Name, name, h)
	}
	a.connectors.VetTests(a.vetTest)
	a.messages = &messages{a: a, facts: ingest}
}

// Start begins to fetch reports. Safe to call twice.
func (m *messages) Start(ctx context.Context) error {
	m.run.Start(auth.With(ctx, auth.System("messages")), func(ctx context.Context) {
		rounds.Every(ctx, askEvery, nil, m.ask)
	})
	return nil
}

// Stop ends what Start began. Safe to call twice.
func (m *messages) Stop(context.Context) error {
	m.run.Stop()
	return nil
}

// ask fetches what became of messages for each account that is set to be asked.
// Two nodes that ask at the same time bring the same twice, which the inbox notices.
func (m *messages) ask(ctx context.Context) {
	for _, kind := range []string{sms.Tencent, mail.Name} {
		list, err := m.a.connectors.Accounts(ctx, kind)
		if err != nil {
			m.a.log.ErrorContext(ctx, "accounts cannot be read", "error", err)
			return
		}
		for _, account := range list {
			if account.State != connector.Active {
				continue
			}
			if err := m.askOne(ctx, account); err != nil && ctx.Err() == nil {
				m.a.log.WarnContext(ctx, "reports of messages cannot be fetched", "account", account.ID, "error", err)
			}
		}
	}
}

func (m *messages) askOne(ctx context.Context, account connector.Account) error {
	c, err := m.a.connectors.Conn(ctx, account.ID)
	if err != nil {
		return err
	}
	switch c := c.(type) {
	case *sms.Client:
		got, err := c.PullReceipts(ctx)
		if err != nil || len(got) == 0 {
			return err
		}
		return m.a.connectors.Put(ctx, account, got...)
	case *mail.Client:
		_, err := c.ReadReports(ctx)
		return err
	}
	return nil
}

// marketing is the purpose that an advertisement needs.
const marketing = "marketing"

// vetTest keeps tests from addresses that nobody may write to, and gives an
// advertisement the link that ends it.
func (a *App) vetTest(ctx context.Context, account connector.Account, m *connector.Message) error {
	kind := contact.KindPhone
	if account.Kind == mail.Name {
		kind = contact.KindEmail
	}
	barred, err := a.consent.Barred(ctx, kind, m.To)
	if err != nil {
		return nil //nolint:nilerr // what is no address the connector refuses, by field
	}
	if barred {
		return errs.New(errs.Conflict, "connector.test_barred").On(errs.At("to", "connector.test_barred"))
	}
	if account.Kind != mail.Name || !m.Marketing {
		return nil
	}
	link, err := a.unsubscribeLink(ctx, m.To)
	if err != nil {
		return err
	}
	m.Headers = map[string]string{"List-Unsubscribe": "<" + link + ">"}
	return nil
}

// unsubscribeLink is where the mail program of whoever has an address posts to end
// advertisements.
func (a *App) unsubscribeLink(ctx context.Context, address string) (string, error) {
	at, err := a.contacts.AddressOf(contact.KindEmail, address)
	if err != nil {
		return "", err
	}
	held, err := a.contacts.Holders(ctx, contact.KindEmail, []string{at.Lookup})
	if err != nil {
		return "", err
	}
	num, ok := held[at.Lookup]
	if !ok {
		return "", errs.New(errs.Invalid, "connector.test_nobody").On(errs.At("marketing", "connector.test_nobody"))
	}
	link, err := a.consent.UnsubscribeFor(ctx, num, marketing)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(link, "/") { // the server does not know its own address; in the demo it is this machine's
		base := a.ownAddress()
		if base == "" {
			return "", errs.New(errs.Conflict, "connector.test_no_url").On(errs.At("marketing", "connector.test_no_url"))
		}
		link = base + link
	}
	return link, nil
}

// ownAddress is where this machine reaches the program, known in the demo alone.
func (a *App) ownAddress() string {
	if a.sim == nil {
		return ""
	}
	if own := a.sim.own.Load(); own != nil {
		return "http://" + own.String()
	}
	return ""
}
