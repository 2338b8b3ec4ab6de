package consent

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func stored(num int64, typ event.Type, name, body string) event.Stored {
	f := event.Stored{Fact: event.Fact{MessageID: "m-" + name + body, Type: typ, Name: name, Contact: num, Timestamp: start.UnixMilli(), ReceivedAt: start.UnixMilli(), Source: "小程序"}}
	if typ == event.Identify {
		f.Traits = json.RawMessage(body)
	} else {
		f.Properties = json.RawMessage(body)
	}
	f.Context = json.RawMessage(`{"ip":"203.0.113.9","userAgent":"Mini/1"}`)
	return f
}

func TestWhatSDKsSay(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n := p.people(1)[0]
		p.react(stored(n, event.Track, "consent.granted", `{"purpose":"marketing","channels":["sms","email"],"wording":1}`))
		require.Equal(t, "granted", p.may(n, "marketing", SMS))
		require.Equal(t, "!unknown", p.may(n, "marketing", WeCom))
		require.Empty(t, p.emit.names(), "the fact is in the stream already")

		p.react(stored(n, event.Track, "consent.granted", `{"purpose":"third_party"}`), stored(n, event.Track, "consent.granted", `{"purpose":"nothing"}`),
			stored(n, event.Track, "consent.granted", `{"purpose":"sensitive","channel":"sms"}`), stored(n, event.Track, "consent.granted", `nonsense`),
			stored(n, event.Track, "consent.granted", `{"purpose":"marketing","channel":"pigeon"}`), stored(n, event.Track, "viewed", `{"purpose":"surveys"}`))
		require.EqualValues(t, 2, p.rows(), "no SDK grants what needs a consent of its own, and slips count for nothing")

		p.react(stored(n, event.Track, "consent.withdrawn", `{"purpose":"everything"}`))
		require.Equal(t, "!do_not_contact", p.may(n, "marketing", SMS))
		p.clock.Advance(time.Hour)
		late := stored(n, event.Track, "consent.granted", `{"purpose":"everything"}`)
		late.Timestamp += 1000
		p.react(late)
		require.Equal(t, "!do_not_contact", p.may(n, "marketing", SMS), "a write key cannot lift it")
	})
}

func TestTraitsAreWrittenOnceAndStated(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n := p.people(1)[0]
		f := stored(n, event.Identify, "contact.identified", `{"name":"x","consents":{"marketing":{"sms":true,"email":false,"pigeon":true},"recommendation":false,"surveys":null}}`)
		p.react(f)
		p.react(f, f)
		require.EqualValues(t, 3, p.rows(), "SDKs send traits with every call")
		require.Equal(t, []string{"consent.granted", "consent.withdrawn", "consent.withdrawn"}, p.emit.names())
		require.Equal(t, "granted", p.may(n, "marketing", SMS))
		require.Equal(t, "!withdrawn", p.may(n, "recommendation", All))

		// what was stated comes back with the stream and counts once
		var back []event.Stored
		for _, x := range p.emit.facts {
			if x.Name == event.NameConsentGranted || x.Name == event.NameConsentWithdrawn {
				back = append(back, event.Stored{Fact: x})
			}
		}
		p.react(back...)
		require.EqualValues(t, 3, p.rows())
		p.sound()
	})
}

func TestImportsMayGrantAndBeTakenBack(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n := p.people(1)[0]
		f := stored(n, event.Track, "consent.granted", `{"purpose":"third_party"}`)
		f.ImportID = "im_1"
		p.react(f)
		require.Equal(t, "granted", p.may(n, "third_party", All))
		done, err := p.VoidBatch(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, done)
		require.Equal(t, "!unknown", p.may(n, "third_party", All))
		_, err = p.VoidBatch(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.EqualValues(t, 2, p.rows(), "nothing is taken back twice")
		p.sound()
	})
}

func FuzzSignals(f *testing.F) {
	for _, s := range []string{`{"purpose":"marketing","channels":["sms"]}`, `{"consents":{"marketing":{"sms":true}}}`, `{"consents":[1]}`, `{`, `null`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		fact := stored(1, event.Track, event.NameConsentGranted, body)
		for _, g := range append(trackSignals(&fact), traitSignals(json.RawMessage(body))...) {
			if _, ok := bitOf(g.channel); !ok || g.state != Granted && g.state != Withdrawn {
				t.Fatalf("%q gave %+v", body, g)
			}
		}
	})
}

func FuzzStand(f *testing.F) {
	f.Add("ff+kx1b2c.1a 8-kx1b2d.2")
	f.Add("zz+")
	f.Fuzz(func(t *testing.T, text string) {
		st, err := decodeStand(text)
		if err != nil {
			return
		}
		again, err := decodeStand(st.encode())
		if err != nil || again != st {
			t.Fatalf("%q: %v, %v", text, again, err)
		}
	})
}
