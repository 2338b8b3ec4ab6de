package livecode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/qr"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func (p *pond) welcome(s Scan) { p.t.Helper(); require.NoError(p.t, p.Welcome(p.ctx, s)) }

func (p *pond) text(s Scan) string {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.got[s.WelcomeCode].Text
}

func TestWelcomesByCodeTimeAndName(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		d := plain()
		d.Person = "朋友"
		d.Welcome.Text = "{customer}您好，我是{code}的{staff}"
		d.Timed = []Timed{{Windows: []Window{{everyDay, "20:00", "08:00"}}, Welcome: Welcome{Text: "夜里好"}}}
		c := p.make(d)
		p.turn()
		p.out.names["wm1"] = "张三"
		s := p.scanOf(c, "wang", "wm1")
		p.welcome(s)
		require.Equal(t, "张三您好，我是南京路店的王芳", p.text(s))
		p.welcome(s) // the platform told us again
		require.Equal(t, 1, p.out.count("welcome"))

		p.out.refuse["name"] = []error{errors.New("no answer")}
		s = p.scanOf(c, "li", "wm2")
		p.welcome(s)
		require.Equal(t, "朋友您好，我是南京路店的李雷", p.text(s))

		p.clock.Advance(5 * time.Hour)
		asked := p.out.count("name")
		s = p.scanOf(c, "li", "wm3")
		p.welcome(s)
		require.Equal(t, "夜里好", p.text(s))
		require.Equal(t, asked, p.out.count("name"), "who is not named is not asked for")

		require.Len(t, p.in.facts, 3)
		f := p.in.facts[0]
		require.Equal(t, "welcome.sent", f.Name)
		require.Equal(t, "wm1", f.Identifiers[0].Value)
		require.JSONEq(t, `{"account":"ac_1","staff":"wang","code":"`+c.ID+`","codeName":"南京路店"}`, string(f.Properties))
	})
}

func TestFriendsWithoutACodeGetTheGeneralWelcome(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := p.scanOf(nil, "wang", "wm1")
		p.welcome(s)
		require.Zero(t, p.out.count("welcome"), "there is none")
		_, err := p.SetGeneral(p.ctx, "ac_1", Welcome{Text: "欢迎，{customer}"})
		require.NoError(t, err)
		p.out.names["wm2"] = "李四"
		s = p.scanOf(nil, "wang", "wm2")
		s.State = "someone-elses-12"
		p.welcome(s)
		require.Equal(t, "欢迎，李四", p.text(s))

		d := plain()
		d.Greet = GreetNone
		s = p.scanOf(p.make(d), "wang", "wm3")
		p.welcome(s)
		require.Empty(t, p.text(s))
		d.Greet = GreetGeneral
		d.Expiry = &Expiry{At: p.clock.Now().Add(time.Hour), Staff: []string{"zhao"}, Text: "活动已结束"}
		c := p.make(d)
		s = p.scanOf(c, "wang", "wm4")
		p.welcome(s)
		require.Equal(t, "欢迎，您", p.text(s))
		p.clock.Advance(time.Hour)
		s = p.scanOf(c, "zhao", "wm5")
		p.welcome(s)
		require.Equal(t, "活动已结束", p.text(s))
		s = p.scanOf(c, "zhao", "wm6")
		s.WelcomeCode = "" // the platform's own went out
		p.welcome(s)
	})
}

func TestWhatMayBeTriedAgainIs(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		was := again
		again = []time.Duration{time.Millisecond}
		defer func() { again = was }()
		c := p.make(plain())
		p.out.refuse["welcome"] = []error{&Refusal{Code: 41096, Again: true}, &Refusal{Code: -1, Again: true}}
		s := p.scanOf(c, "wang", "wm1")
		p.welcome(s)
		require.Equal(t, "您好", p.text(s))

		p.out.refuse["welcome"] = []error{&Refusal{Code: 41051}}
		s2 := p.scanOf(c, "wang", "wm2")
		p.welcome(s2)
		p.out.refuse["welcome"] = []error{errors.New("the connection broke")}
		s3 := p.scanOf(c, "wang", "wm3")
		p.out.used[s3.WelcomeCode] = true // it had arrived all the same
		p.welcome(s3)
		require.Equal(t, map[string]string{s.Key: "sent", s2.Key: "refused livecode.fault_chatting", s3.Key: "unknown livecode.fault_unknown"}, p.welcomes())
	})
}

func TestTimeRunsOut(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		was := again
		again = []time.Duration{time.Millisecond}
		defer func() { again = was }()
		c := p.make(plain())
		s := p.scanOf(c, "wang", "wm1")
		p.clock.Advance(20 * time.Second)
		p.welcome(s)
		require.Zero(t, p.out.count("welcome"))
		fresh := p.scanOf(c, "wang", "wm2")
		fresh.At = p.clock.Now().Add(-time.Minute) // the platform's clock is behind, and it told us just now
		fresh.Received = p.clock.Now()
		p.welcome(fresh)
		require.Equal(t, "您好", p.text(fresh))

		p.out.slow = func(call string) {
			if call == "welcome" {
				p.clock.Advance(7 * time.Second)
			}
		}
		for range 5 {
			p.out.refuse["welcome"] = append(p.out.refuse["welcome"], &Refusal{Code: 41096, Again: true})
		}
		busy := p.scanOf(c, "wang", "wm3")
		p.welcome(busy)
		require.Equal(t, map[string]string{s.Key: "late livecode.fault_late", fresh.Key: "sent", busy.Key: "refused livecode.fault_other_app"}, p.welcomes())
	})
}

// After a crash in the middle: the same callback comes again.
func TestACrashWelcomesNobodyTwice(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		before, after := p.scanOf(c, "wang", "wm1"), p.scanOf(c, "wang", "wm2")
		for _, s := range []Scan{before, after} { // claimed, and the program dies
			ans := p.claim.do(p.ctx, &asking{row: &claimRow{Scan: s, code: c.ID, lease: p.clock.Now().Add(claimLease).UnixMilli()}})
			require.True(t, ans.mine)
		}
		p.out.used[after.WelcomeCode] = true // after the platform took it
		p.Service = NewService(p.Deps)       // the same node, anew
		p.clock.Advance(2 * time.Second)
		p.welcome(before)
		p.welcome(after)
		require.Equal(t, "您好", p.text(before), "it had not left: it does now, in time")
		require.Equal(t, map[string]string{before.Key: "sent", after.Key: "unknown livecode.fault_unknown"}, p.welcomes())

		late := p.scanOf(c, "wang", "wm3")
		require.True(t, p.claim.do(p.ctx, &asking{row: &claimRow{Scan: late, code: c.ID, lease: p.clock.Now().Add(claimLease).UnixMilli()}}).mine)
		lost := p.scanOf(c, "wang", "wm4")
		require.True(t, p.claim.do(p.ctx, &asking{row: &claimRow{Scan: lost, code: c.ID, lease: p.clock.Now().Add(claimLease).UnixMilli()}}).mine)
		p.Service = NewService(p.Deps)
		p.clock.Advance(40 * time.Second)
		n := p.out.count("welcome")
		p.welcome(late)
		require.NoError(t, p.Work(p.ctx)) // nobody tells of the last one again
		require.Equal(t, n, p.out.count("welcome"), "late ones are never sent")
		require.Equal(t, "unknown livecode.fault_unknown", p.welcomes()[late.Key])
		require.Equal(t, "unknown livecode.fault_unknown", p.welcomes()[lost.Key])
	})
}

func TestTwoNodesWelcomeOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		d := p.Deps
		d.Node = "n2"
		other := NewService(d)
		s := p.scanOf(c, "wang", "wm1")
		require.True(t, p.claim.do(p.ctx, &asking{row: &claimRow{Scan: s, code: c.ID, lease: p.clock.Now().Add(claimLease).UnixMilli()}}).mine)
		require.ErrorIs(t, other.Welcome(p.ctx, s), errElsewhere, "the first is at it; the inbox tells again")
		p.clock.Advance(claimLease + time.Second)
		require.NoError(t, other.Welcome(p.ctx, s), "the first has died")
		require.Equal(t, "您好", p.text(s))
	})
}

func TestTheProgramEndsInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		ctx, cancel := context.WithCancel(p.ctx)
		p.out.slow = func(call string) {
			if call == "welcome" {
				cancel()
			}
		}
		s := p.scanOf(c, "wang", "wm1")
		require.Error(t, p.Welcome(ctx, s))
		p.out.slow = nil
		p.Service = NewService(p.Deps)
		p.welcome(s)
		require.Equal(t, "您好", p.text(s))
	})
}

func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		scans := make([]Scan, 300)
		for i := range scans {
			scans[i] = p.scanOf(c, "wang", fmt.Sprint("wm", i))
		}
		var wait sync.WaitGroup
		faults := make([]error, 2*len(scans))
		for i := range faults {
			wait.Go(func() {
				if faults[i] = p.Welcome(p.ctx, scans[i%len(scans)]); errors.Is(faults[i], errElsewhere) {
					faults[i] = nil // told twice at once: the inbox tells again
				}
			})
		}
		wait.Wait()
		require.NoError(t, errors.Join(faults...))
		require.Equal(t, len(scans), p.out.count("welcome"))
		require.Len(t, p.in.facts, len(scans))
		for _, s := range scans {
			require.Equal(t, "sent", p.welcomes()[s.Key])
			break
		}
	})
}

func TestHooksAreGivenOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		d := plain()
		d.Hook = &Hook{Name: "新人礼", Text: "礼券：https://x.example/gift", Attachment: &Attachment{Kind: PartLink, Title: "领取", URL: "https://x.example/gift"}}
		c := p.make(d)
		first := p.scanOf(c, "wang", "wm1")
		p.welcome(first)
		require.Equal(t, "您好\n\n礼券：https://x.example/gift", p.text(first))
		require.Len(t, p.out.got[first.WelcomeCode].Parts, 1)
		require.Contains(t, string(p.in.facts[0].Properties), `"hook":"新人礼"`)
		second := p.scanOf(c, "li", "wm1")
		p.welcome(second)
		require.Equal(t, "您好", p.text(second), "they have had it")

		p.out.refuse["welcome"] = []error{&Refusal{Code: 41051}}
		p.welcome(p.scanOf(c, "li", "wm2"))
		again := p.scanOf(c, "wang", "wm2")
		p.welcome(again)
		require.Contains(t, p.text(again), "礼券", "what did not arrive is still theirs")

		d.Greet = GreetNone
		alone := p.make(d)
		s := p.scanOf(alone, "wang", "wm3")
		p.welcome(s)
		require.Equal(t, "礼券：https://x.example/gift", p.text(s))
	})
}

func TestAttachmentsAreHandedOverAhead(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		raw, err := qr.PNG("logo", qr.Look{Size: 200})
		require.NoError(t, err)
		pic, err := p.AddFile(p.ctx, "海报.png", bytes.NewReader(raw))
		require.NoError(t, err)
		require.True(t, pic.Picture)
		pdf, err := p.AddFile(p.ctx, "手册.pdf", strings.NewReader("%PDF-1.4 x"))
		require.NoError(t, err)
		d := plain()
		d.Welcome.Attachments = []Attachment{{Kind: PartImage, File: pic.ID}, {Kind: PartFile, File: pdf.ID}, {Kind: PartLink, Title: "官网", URL: "https://x.example", File: pic.ID},
			{Kind: PartApp, Title: "商城", AppID: "wx1", AppPath: "pages/index", File: pic.ID}}
		c := p.make(d)
		p.turn()
		require.Equal(t, 3, p.out.count("media"), "one picture serves twice, and once more as an address")
		s := p.scanOf(c, "wang", "wm1")
		p.welcome(s)
		require.Equal(t, 3, p.out.count("media"), "nothing before the welcome")
		parts := p.out.got[s.WelcomeCode].Parts
		require.Len(t, parts, 4)
		require.NotEmpty(t, parts[2].Picture)
		require.Equal(t, parts[0].Media, parts[3].Media)
		p.clock.Advance(61 * time.Hour)
		p.turn()
		require.Equal(t, 6, p.out.count("media"), "before the platform forgets them")
	})
}

func TestQRCodesCanBeRead(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	p.Audit = nil
	c := p.make(plain())
	_, err := p.Picture(p.ctx, c, "png", Drawing{})
	require.ErrorIs(t, err, errNotReady)
	p.turn()
	c = p.now(c.ID)
	var logo bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 300, 200))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{0xaa, 0x22, 0x22, 0xff}), image.Point{}, draw.Src)
	require.NoError(t, png.Encode(&logo, img))
	f, err := p.AddFile(p.ctx, "logo.png", &logo)
	require.NoError(t, err)
	for _, d := range []Drawing{{}, {Size: 120}, {Size: 1000, Color: "#1f3a5f"}, {Size: 333, Logo: f.ID}, {Size: 1200, Logo: f.ID, Color: "#123456"}} {
		raw, err := p.Picture(p.ctx, c, "png", d)
		require.NoError(t, err)
		text, err := qr.Read(raw)
		require.NoError(t, err, "%+v", d)
		require.Equal(t, c.way.text, text)
	}
	svg, err := p.Picture(p.ctx, c, "svg", Drawing{Logo: f.ID})
	require.NoError(t, err)
	require.Contains(t, string(svg), "<image ")
	for _, d := range []Drawing{{Size: 10}, {Color: "#ffffff"}, {Color: `"/><script>`}} {
		_, err := p.Picture(p.ctx, c, "svg", d)
		require.Error(t, err)
	}
}
