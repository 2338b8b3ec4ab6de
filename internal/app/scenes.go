package app

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/acquire/scene"
	"github.com/koipond/koipond/internal/connector/wechat"
)

// codeMaker is the platform of scene codes.
type codeMaker struct{ official }

// Accounts implements scene.Platform.
func (o codeMaker) Accounts(ctx context.Context) ([]scene.Account, error) {
	var out []scene.Account
	for _, x := range []struct{ kind, of string }{{wechat.Name, scene.Official}, {wechat.NameMini, scene.Mini}} {
		list, err := o.a.connectors.Accounts(ctx, x.kind)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out = append(out, scene.Account{ID: a.ID, Name: a.Name, Kind: x.of})
		}
	}
	return out, nil
}

// Create implements scene.Platform.
func (o codeMaker) Create(ctx context.Context, account, key string, days int) (string, time.Time, error) {
	c, err := o.conn(ctx, account)
	if err != nil {
		return "", time.Time{}, err
	}
	made, err := c.CreateSceneCode(ctx, wechat.SceneCode{Scene: key, Lasting: days == 0, For: time.Duration(days) * 24 * time.Hour})
	return made.URL, made.Until, err
}

// miniWidth is the widest picture that the platform draws: codes are printed.
const miniWidth = 1280

// Draw implements scene.Platform.
func (o codeMaker) Draw(ctx context.Context, account, key string, d scene.Drawing) (scene.Picture, error) {
	c, err := o.a.connectors.Conn(ctx, account)
	if err != nil {
		return scene.Picture{}, err
	}
	m, ok := c.(*wechat.Mini)
	if !ok {
		return scene.Picture{}, fmt.Errorf("account %s: %w", account, errNotMini)
	}
	p, err := m.CreateMiniCode(ctx, wechat.MiniCode{Scene: key, Page: d.Page, Env: d.Env, Check: d.Check, Width: miniWidth})
	return scene.Picture{Mime: p.Mime, Data: p.Data}, err
}

// opened tells a mini-program what belongs to the code that opened it.
func (a *App) opened(ctx context.Context, account, key, person, messageID string) *wechat.Scan {
	l, ok := a.scenes.Launched(ctx, account, key, person, messageID)
	if !ok {
		return nil
	}
	return &wechat.Scan{Code: l.Code, First: l.First, Gift: l.Gift}
}
