package app

import (
	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/connector/wechat"
)

// buildWeChat has the facts stated that follow from WeChat's callbacks, and lets
// customers say who they are.
func (a *App) buildWeChat(ingest facts) {
	told := &wechat.Facts{Conn: a.connectors.Conn, Ingest: ingest, Log: a.log}
	for _, kind := range []string{wechat.Name, wechat.NameMini} {
		for name, h := range told.Handlers(kind) {
			a.connectors.On(kind, name, h)
		}
	}
	a.signIn = &wechat.SignIn{Conn: a.connectors.Conn, Ingest: ingest, Keys: a.ring, Clock: a.clock, Log: a.log, URL: a.ownURL, Visitor: link.Visitor, Scanned: a.opened}
}

// ownURL is the program's address as browsers know it; the demo knows its own though
// nobody told it.
func (a *App) ownURL() string {
	if a.cfg.URL != "" {
		return a.cfg.URL
	}
	return a.localURL()
}
