package sim

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/qr"
)

// inks of the avatars: quiet colours that white letters are readable on.
var inks = []string{"#3d5a80", "#5b7553", "#8a5a44", "#6b4f7d", "#2f6f6f", "#8c6d2f", "#7a3e4d", "#46607a", "#4f6d4a", "#705d8c"}

// Avatar draws somebody: the first letter of the given name on an ink that stays
// theirs. Nobody's face is used.
func Avatar(id, name string) []byte {
	r := []rune(strings.TrimSpace(name))
	letter := "?"
	if len(r) > 0 {
		letter = string(r[len(r)-1:])
		if r[0] < 128 { // Latin names begin with the given one
			letter = strings.ToUpper(string(r[:1]))
		}
	}
	n := 0
	for _, b := range []byte(id) {
		n = n*31 + int(b)
	}
	ink := inks[(n&0x7fffffff)%len(inks)]
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96"><rect width="96" height="96" rx="14" fill="%s"/><circle cx="72" cy="20" r="46" fill="#fff" opacity=".08"/><text x="48" y="49" fill="#fff" font-family="Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif" font-size="42" font-weight="500" text-anchor="middle" dominant-baseline="central">%s</text></svg>`,
		ink, html.EscapeString(letter))
}

// AvatarOf draws a person or one of the staff by id.
func (s *Sim) AvatarOf(id string) []byte {
	name := ""
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		if p := w.people[id]; p != nil {
			name = p.Name
		}
		for _, c := range w.Corps {
			if m := c.staff[id]; m != nil {
				name = m.Name
			}
		}
		if a := w.app(id); a != nil {
			name = a.Name
		}
		return nil
	})
	if name == "" {
		name = seedCorpName
	}
	return Avatar(id, name)
}

func (s *Sim) serveAvatar(w http.ResponseWriter, _ *http.Request, name string) {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "sandbox")
	w.Header().Set("Cache-Control", "max-age=86400")
	_, _ = w.Write(s.AvatarOf(strings.TrimSuffix(name, ".svg"))) // a caller that went away needs no answer
}

// qrSide is the width of a code's picture in pixels.
const qrSide = 430

// serveCode draws the picture of a code; what it says is an address of the
// simulator's that stands for the platform's.
func (s *Sim) serveCode(w http.ResponseWriter, r *http.Request, name string) {
	id := codeOf(name)
	if id == "" || len(id) > 200 {
		http.NotFound(w, r)
		return
	}
	b, err := drawCode(baseOf(r) + "/sim/c/" + id)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(b) // a caller that went away needs no answer
}

func drawCode(text string) ([]byte, error) { return qr.PNG(text, qr.Look{Size: qrSide}) }

// serveLanding is what a real camera finds behind a code of the simulator.
func (s *Sim) serveLanding(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write([]byte(`<!doctype html><meta name="viewport" content="width=device-width"><title>Koipond</title><body style="font:16px/1.7 sans-serif;max-width:32em;margin:4em auto;padding:0 1em">` +
		`<p>这是模拟器里的活码，真实的微信扫不出好友。请在锦池控制台的“扮演客户”里扫它。</p><p>This code lives in the simulator. Scan it on the console's page “Be a customer”.</p>`)) // a caller that went away needs no answer
}
