package scene

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// jpegOf is what a platform may answer: no PNG.
func jpegOf(side int) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil) // into memory: cannot fail
	return b.Bytes()
}

func (o *outside) Draw(_ context.Context, _, key string, d Drawing) (Picture, error) {
	if o.refuse != nil {
		return Picture{}, o.refuse
	}
	o.made[key]++
	o.drawn = append(o.drawn, d)
	if o.draws != nil {
		o.draws()
	}
	return Picture{"image/jpeg", jpegOf(64)}, nil
}

func mini() Definition {
	return Definition{Account: "ac_mini", Name: "湖滨店桌贴", Channel: "offline", Tags: []string{"tg_tea"}, Page: "pages/shop/index", Gift: "COUPON20"}
}

func (s *stand) launched(c *Code, person string) event.Stored {
	f := s.fact(event.NameCodeScanned, c, person, false)
	f.Source, f.Properties = "miniprogram", []byte(strings.Replace(string(f.Properties), "ac_1", "ac_mini", 1))
	return f
}

func TestMiniProgramCodes(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		c := s.make(mini())
		require.Regexp(t, regexp.MustCompile(`^[0-9a-z-]{1,32}$`), c.Key, "what the platform takes")
		require.True(t, c.ready())
		require.Equal(t, []Drawing{{"pages/shop/index", "release", true}}, s.out.drawn)
		require.NoError(t, s.Round(s.ctx))
		require.Len(t, s.out.drawn, 1, "it is drawn once")

		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(s.ctx, "GET", "/qr?format=png", nil)
		r.SetPathValue("id", c.ID)
		s.serveQR(w, r)
		require.Equal(t, "image/png", w.Header().Get("Content-Type"))
		img, err := png.Decode(w.Body)
		require.NoError(t, err)
		require.Equal(t, 64, img.Bounds().Dx())
		w, r = httptest.NewRecorder(), httptest.NewRequestWithContext(s.ctx, "GET", "/qr?format=svg", nil)
		r.SetPathValue("id", c.ID)
		s.serveQR(w, r)
		require.Equal(t, 422, w.Code)

		scan := s.launched(c, "o-1")
		l, ok := s.Launched(s.ctx, "ac_mini", c.Key, "o-1", scan.MessageID)
		require.True(t, ok)
		require.Equal(t, Launch{c.ID, true, "COUPON20"}, l)
		s.follow(scan, s.launched(c, "o-1"), s.launched(c, "o-22"))
		s.follow(scan) // after a crash
		l, _ = s.Launched(s.ctx, "ac_mini", c.Key, "o-1", "later")
		require.Equal(t, Launch{Code: c.ID}, l, "the gift is given once")
		_, ok = s.Launched(s.ctx, "ac_1", c.Key, "o-1", "x")
		require.False(t, ok, "another account's")
		require.Equal(t, []string{"[3 4] [tg_tea]"}, s.out.tags)
		f := scan.Fact
		s.Canonical(&f)
		require.Contains(t, string(f.Properties), `"code":"`+c.ID+`"`)
		require.JSONEq(t, `{"channel":"offline"}`, string(f.Context))

		official := s.make(plain())
		rows, _, total, err := s.List(s.ctx, Query{Kind: Mini}, "", 10)
		require.NoError(t, err)
		require.Equal(t, 1, total)
		require.Equal(t, Mini, rows[0].Kind)
		require.Equal(t, Figures{Scans: 3, People: 2}, *rows[0].Month)
		rows, _, _, err = s.List(s.ctx, Query{Kind: Official}, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{official.ID}, []string{rows[0].ID})
		_, err = s.SetState(s.ctx, c.ID, Archived)
		require.NoError(t, err)
		_, ok = s.Launched(s.ctx, "ac_mini", c.Key, "o-9", "x")
		require.False(t, ok, "archived")
	})
}

// What is printed stays, but a page that was refused can be mended, and a picture that
// was drawn for another page meanwhile is not kept.
func TestPagesOfMiniProgramCodes(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		s.out.refuse = errs.New(errs.Conflict, "wechat.bad_page", "number", "41030")
		c := s.make(mini())
		require.Equal(t, "wechat.bad_page", c.fault)
		s.out.refuse = nil
		d := mini()
		d.Page, d.Unchecked = "pages/new/index", true
		_, err := s.Update(s.ctx, c.ID, d)
		require.NoError(t, err)
		s.out.draws = func() {
			s.out.draws = nil
			d.Page = "pages/newer/index"
			_, err := s.Update(s.ctx, c.ID, d)
			require.NoError(t, err)
		}
		require.NoError(t, s.Round(s.ctx))
		c, err = s.Get(s.ctx, c.ID)
		require.NoError(t, err)
		require.False(t, c.ready(), "drawn for a page that is not its own any more")
		s.clock.Advance(time.Minute)
		require.NoError(t, s.Round(s.ctx))
		c, err = s.Get(s.ctx, c.ID)
		require.NoError(t, err)
		require.True(t, c.ready())
		require.Empty(t, c.fault)
		require.Equal(t, []Drawing{{"pages/new/index", "release", false}, {"pages/newer/index", "release", false}}, s.out.drawn)
		for want, change := range map[string]func(d *Definition){
			"page scene.page_stays": func(d *Definition) { d.Page = "" },
			"env scene.page_stays":  func(d *Definition) { d.Env = "trial" },
		} {
			changed := d
			change(&changed)
			_, err := s.Update(s.ctx, c.ID, changed)
			require.Equal(t, want, refusal(err))
		}
	})
}

func TestMiniProgramCodesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		for want, change := range map[string]func(d *Definition){
			"page wechat.no_page":           func(d *Definition) { d.Page = "/pages/index" },
			"env wechat.bad_env":            func(d *Definition) { d.Env = "beta" },
			"reply scene.no_answer_in_mini": func(d *Definition) { d.Reply = "rp_1" },
			"hook scene.no_answer_in_mini":  func(d *Definition) { d.Hook = "rp_1" },
			"days scene.mini_lasts":         func(d *Definition) { d.Days = 3 },
			"gift request.too_long":         func(d *Definition) { d.Gift = strings.Repeat("茶", 201) },
			"gift scene.only_mini":          func(d *Definition) { *d = plain(); d.Gift = "x" },
			"page scene.only_mini":          func(d *Definition) { *d = plain(); d.Page = "pages/index" },
			"unchecked scene.only_mini":     func(d *Definition) { *d = plain(); d.Unchecked = true },
		} {
			d := mini()
			change(&d)
			_, err := s.Create(s.ctx, d)
			require.Equal(t, want, refusal(err))
		}
	})
}
