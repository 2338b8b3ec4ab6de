package menu

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"
)

// The properties of menu.clicked that tell which button it was.
const (
	byKey = "key"
	byURL = "url"
)

// Target is what the platform says of a button that was tapped, as it stands in the
// facts: two buttons of one target cannot be told apart.
type Target struct {
	Property string `json:"property" enum:"key,url" doc:"Of the fact menu.clicked"`
	Value    string `json:"value"`
}

// id is a short name of a target.
func (t Target) id() string {
	h := sha256.Sum256([]byte(t.Property + " " + t.Value))
	return hex.EncodeToString(h[:12])
}

// keyBytes and urlBytes are as much of a key and an address as the facts hold.
const (
	keyBytes = 200
	urlBytes = 1024
)

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// EventKey is the key that a button has on the platform, or would have there.
func (b Button) EventKey() string {
	switch b.Kind {
	case Reply:
		return KeyOf(b.Reply)
	case Scan, Photo, Location:
		return "koi-" + b.Kind
	case App:
		return b.Page
	}
	return b.Key
}

// target is what is said of the button when it is tapped.
func (b Button) target() Target {
	if b.Kind == View {
		return Target{byURL, cut(b.URL, urlBytes)}
	}
	return Target{byKey, cut(b.EventKey(), keyBytes)}
}
