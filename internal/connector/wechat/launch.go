package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
)

// Scan is what the program knows of a mini-program's code that somebody came by. The
// mini-program shows by it what belongs to this code.
type Scan struct {
	Code  string `json:"code" doc:"Id of the scene code"`
	First bool   `json:"first" doc:"This person's first scan of this code"`
	Gift  string `json:"gift,omitempty" doc:"At the first scan: what the code's form has for the mini-program"`
}

// LaunchInput is what a mini-program says when a code opened it while its user is
// logged in.
type LaunchInput struct {
	Session string `json:"session" minLength:"1" maxLength:"2000" doc:"Of the login"`
	Scene   string `json:"scene" minLength:"1" maxLength:"32" doc:"The text of the code: decodeURIComponent(query.scene)"`
	ID      string `json:"id,omitempty" maxLength:"100" doc:"The mini-program's own id of this launch: when the call is repeated it counts once"`
}

// Launch states that a user who is logged in came by a code.
func (s *SignIn) Launch(ctx context.Context, account string, in LaunchInput) (*Scan, error) {
	m, err := s.mini(ctx, account)
	if err != nil {
		return nil, err
	}
	who, err := s.whose(account, in.Session)
	if err != nil {
		return nil, err
	}
	key := in.ID
	if key == "" {
		key = id.Secret(16)
	}
	return s.cameBy(ctx, m.account, Person{OpenID: who.OpenID, UnionID: who.UnionID}, in.Scene, key, "")
}

// whose opens a session of an account.
func (s *SignIn) whose(account, sealed string) (session, error) {
	var who session
	err := s.unseal(sessionField, sealed, &who)
	if err != nil || who.Account != account || who.OpenID == "" || s.Clock.Now().Unix() > who.Until {
		return session{}, errSession.Wrap(err)
	}
	return who, nil
}

// cameBy states that somebody's mini-program was opened by a code. The platform itself
// tells nobody of it: the mini-program finds the text in what opened it, and who says
// so is proven by the login. key tells repeats of one launch.
func (s *SignIn) cameBy(ctx context.Context, a connector.Account, p Person, scene, key, device string) (*Scan, error) {
	if err := checkScene(scene); err != nil {
		return nil, err
	}
	h := sha256.Sum256([]byte(a.ID + "\x00" + p.OpenID + "\x00" + scene + "\x00" + key))
	f := s.fact(a, event.Track, event.NameCodeScanned, p, device, map[string]any{"state": scene, "how": "mini_code"})
	f.MessageID = "mc-" + hex.EncodeToString(h[:16])
	var scan *Scan
	if s.Scanned != nil { // before the fact, which would be an earlier scan
		scan = s.Scanned(ctx, a.ID, scene, p.OpenID, f.MessageID)
	}
	if _, err := s.Ingest.Ingest(ctx, []event.Fact{f}); err != nil {
		return nil, err
	}
	return scan, nil
}

func checkScene(scene string) error {
	if !IsScene(scene) {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("scene", "wechat.bad_scene_text"))
	}
	return nil
}
