package app

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
)

// wecomClient gives the client of a WeCom account.
func (a *App) wecomClient(ctx context.Context, account string) (*wecom.Client, error) {
	c, err := a.connectors.Conn(ctx, account)
	if err != nil {
		return nil, err
	}
	client, ok := c.(*wecom.Client)
	if !ok {
		return nil, fmt.Errorf("account %s is not of WeCom", account)
	}
	return client, nil
}

// buildWeCom has the facts stated that follow from WeCom's callbacks.
func (a *App) buildWeCom(ingest facts) {
	told := &wecom.Facts{Conn: a.wecomClient, Ingest: ingest, Log: a.log}
	for name, h := range told.Handlers() {
		a.connectors.On(wecom.Name, name, h)
	}
	a.talks = &wecom.Talks{DB: a.DB, Clock: a.clock, Log: a.log, Conn: a.wecomClient, Ingest: ingest, Answer: a.answerTalk, Send: a.connectors.Send}
	a.talks.Register(a.connectors)
	a.results = &wecom.Results{DB: a.DB, Clock: a.clock, Log: a.log, Conn: a.wecomClient, Ingest: ingest, Put: a.connectors.Put,
		Accounts: func(ctx context.Context) ([]connector.Account, error) { return a.connectors.Accounts(ctx, wecom.Name) }}
}
