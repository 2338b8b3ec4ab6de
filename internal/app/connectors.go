package app

import (
	"context"
	"log/slog"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/mail"
	"github.com/koipond/koipond/internal/connector/sms"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/outbound"
)

// buildConnectors makes the service of accounts outside. Kinds are registered here,
// and who wants to hear of their callbacks asks for them before Start.
func (a *App) buildConnectors() {
	a.connectors = connector.NewService(connector.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit,
		Guard: outbound.Guard{Private: a.cfg.OutboundPrivate}, PublicURL: a.cfg.URL, Node: a.nodeName(), Metrics: a.telemetry.registry, Simulator: a.simulatorURL, Local: a.localURL,
		SimulatorMail: a.simulatorMail, LookupTXT: a.lookupTXT})
	a.connectors.Register(wecom.Kind())
	a.connectors.Register(wechat.Kind())
	a.connectors.Register(wechat.KindMini())
	for _, k := range sms.Kinds() {
		a.connectors.Register(k)
	}
	a.connectors.Register(mail.Kind())
}

// accounts reads what the last checks of accounts outside found. What it gives says
// so, once the caller has said its own.
func (d *doctor) accounts(ctx context.Context, r *db.DB) (say func()) {
	list, err := connector.ReadKnown(ctx, r)
	return func() {
		if err != nil {
			d.say("accounts", "fail", err.Error(), "")
			return
		}
		words, err := i18n.Load(slog.New(slog.DiscardHandler))
		if err != nil {
			d.say("accounts", "fail", err.Error(), "")
			return
		}
		for _, a := range list {
			d.account(words, a)
		}
	}
}

// account says what is known of one account: one line when all is well.
func (d *doctor) account(words *i18n.Catalogue, a connector.Known) {
	check := a.Kind + " " + a.Name
	const look = "check it in the console under Connections, Accounts"
	switch {
	case a.State == connector.Paused:
		d.say(check, "ok", "paused", "")
		return
	case a.CheckedAt.IsZero():
		d.say(check, "warn", "never checked", look)
		return
	}
	fine := true
	if a.Fault != "" {
		fine = false
		d.say(check, "fail", words.Translate(i18n.EN, a.Fault, a.FaultParams), look)
	}
	for _, f := range a.Findings {
		if f.State == connector.OK {
			continue
		}
		fine = false
		state, mend := "warn", look
		if f.State == connector.Fail {
			state = "fail"
		}
		if f.Mend != "" {
			mend = words.Translate(i18n.EN, f.Mend, f.Params)
		}
		d.say(check, state, words.Translate(i18n.EN, f.Check, f.Params)+": "+words.Translate(i18n.EN, f.Code, f.Params), mend)
	}
	if fine {
		d.say(check, "ok", "checked "+a.CheckedAt.Local().Format("2006-01-02 15:04"), "")
	}
}
