package demo

import (
	"context"
	"fmt"
	"net/http"
)

// hotline is the company's own number, which staff once typed for customers without one.
const hotline = "400-820-1688"

// blockedValues are what this company says identifies nobody, by kind.
var blockedValues = []struct {
	kind, note string
	values     []string
}{
	{"phone", "门店客服热线", []string{hotline, "0571-88886666"}},
	{"email", "测试环境的账号", []string{"@test.shanyue.example"}},
	{"device_id", "前台平板", []string{"pos-hangzhou-01", "pos-shanghai-02"}},
}

// muddles are facts such as a real company sends now and then: a number that
// belongs to somebody else, the hotline, a placeholder, a number with a digit missing.
func (o Options) muddles() []call {
	var out []call
	say := func(p *person, traits, context map[string]any) {
		at := o.End.AddDate(0, 0, -3).Add(-1)
		c := call{"type": "identify", "userId": p.UserID, "traits": traits,
			"messageId": fmt.Sprintf("demo-muddle-%d-%d", o.Seed, len(out)), "timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z")}
		if context != nil {
			c["context"] = context
		}
		out = append(out, c)
	}
	for i := range min(6, o.Contacts/60) {
		a, b := o.makePerson(i*13+5), o.makePerson(i*13+8)
		if a.Phone != "" && b.Phone != "" {
			say(a, map[string]any{"phone": b.Phone}, nil) // orders for her mother, by her number
		}
		say(b, map[string]any{"phone": hotline}, nil)
		switch i {
		case 1:
			say(a, map[string]any{"phone": "1380013800"}, nil)
		case 2:
			say(a, map[string]any{"email": "qa@test.shanyue.example"}, nil)
		case 3:
			say(b, map[string]any{"email": "none"}, nil)
		}
	}
	return out
}

// identities lets staff block a few values, and sends what does not fit.
func (f *filler) identities(ctx context.Context) error {
	for _, b := range blockedValues {
		if _, err := f.call(ctx, http.MethodPost, "/api/identity/blocked", map[string]any{"kind": b.kind, "values": b.values, "note": b.note}, nil); err != nil {
			return err
		}
	}
	var out batch
	for _, c := range f.o.muddles() {
		if err := out.add(c); err != nil {
			return err
		}
	}
	if out.n == 0 {
		return nil
	}
	return f.send(ctx, out.close())
}
