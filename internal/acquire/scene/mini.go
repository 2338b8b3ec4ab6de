package scene

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// The kinds of codes, by whose they are.
const (
	Official = "official"
	Mini     = "mini"
)

// The versions of a mini-program that a code opens.
const (
	envRelease = "release"
	envTrial   = "trial"
	envDevelop = "develop"
)

// miniPrefix begins the text of a mini-program's code: with the 26 letters of an id it
// has the 32 that the platform takes.
const miniPrefix = "koi-m-"

func miniKeyOf(id string) string { return miniPrefix + strings.TrimPrefix(strings.ToLower(id), "sc_") }

func (c *Code) kind() string {
	if strings.HasPrefix(c.Key, miniPrefix) {
		return Mini
	}
	return Official
}

// ready tells whether the platform has made it.
func (c *Code) ready() bool { return c.url != "" || c.drawnAt > 0 }

// Drawing is what a mini-program's code is drawn by.
type Drawing struct {
	Page, Env string
	// Check has the platform refuse a page that is not released.
	Check bool
}

// Picture is an image of a code.
type Picture struct {
	Mime string
	Data []byte
}

// checkKind looks at what only codes of one kind have.
func checkKind(d *Definition, kind string) error {
	if kind == Official {
		for field, has := range map[string]bool{"page": d.Page != "", "env": d.Env != "", "unchecked": d.Unchecked, "gift": d.Gift != ""} {
			if has {
				return bad(field, "scene.only_mini")
			}
		}
		return nil
	}
	d.Page, d.Gift = strings.TrimSpace(d.Page), strings.TrimSpace(d.Gift)
	if d.Env == "" {
		d.Env = envRelease
	}
	switch {
	case d.Reply != "":
		return bad("reply", "scene.no_answer_in_mini")
	case d.Hook != "":
		return bad("hook", "scene.no_answer_in_mini")
	case d.Days != 0:
		return bad("days", "scene.mini_lasts")
	case strings.HasPrefix(d.Page, "/"), strings.ContainsAny(d.Page, "?# \t\r\n"):
		return bad("page", "wechat.no_page")
	case len(d.Page) > maxPage:
		return bad("page", "request.too_long", "limit", maxPage)
	case d.Env != envRelease && d.Env != envTrial && d.Env != envDevelop:
		return bad("env", "wechat.bad_env")
	case utf8.RuneCountInString(d.Gift) > maxGift:
		return bad("gift", "request.too_long", "limit", maxGift)
	}
	return nil
}

// Launch is what is known of a code that opened a mini-program.
type Launch struct {
	Code  string
	First bool   // this person's first scan of it
	Gift  string // at the first scan
}

// Launched tells what belongs to a code that opened a mini-program; false when it is
// none of ours, or archived. messageID is the id of the scan's fact: what was booked of
// this very scan is not an earlier one.
func (s *Service) Launched(ctx context.Context, account, key, person, messageID string) (Launch, bool) {
	c := s.find(ctx, key)
	if c == nil || c.Account != account || c.State != Active {
		return Launch{}, false
	}
	l := Launch{Code: c.ID}
	before, err := s.before(ctx, c, person, messageID)
	if err != nil {
		s.Log.WarnContext(ctx, "it is not known whether a person scanned before", "code", c.ID, "error", err)
		return l, true // better no gift than two
	}
	if l.First = !before; l.First {
		l.Gift = c.Gift
	}
	return l, true
}

// before tells whether somebody scanned a code before.
func (s *Service) before(ctx context.Context, c *Code, person, messageID string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var n int
	err := s.DB.QueryRow(ctx, "select count(*) from scene_scans where person = $1 and account = $2 and code = $3 and message <> $4", person, c.Account, c.ID, messageID).Scan(&n)
	return n > 0, err
}

// keepPicture keeps a code that was drawn, unless somebody changed what it is drawn by
// meanwhile: then it is drawn again. It is called inside a transaction.
func (s *Service) keepPicture(ctx context.Context, c *Code, rev, now int64, p Picture) error {
	n, err := s.DB.ExecN(ctx, "update scenes set rev = $2, drawn_at = $3, fault = '', params = '{}' where id = $1 and rev = $4", c.ID, rev, now, c.rev)
	if err != nil {
		return fmt.Errorf("keep scene code: %w", err)
	}
	if n == 0 {
		return nil
	}
	if _, err := s.DB.Exec(ctx, "insert into scene_pictures (code, mime, body) values ($1, $2, $3) on conflict (code) do update set mime = excluded.mime, body = excluded.body", c.ID, p.Mime, p.Data); err != nil {
		return fmt.Errorf("keep a code's picture: %w", err)
	}
	return nil
}

// picture gives the picture of a mini-program's code as PNG.
func (s *Service) picture(ctx context.Context, id string) ([]byte, error) {
	var p Picture
	err := s.DB.QueryRow(ctx, "select mime, body from scene_pictures where code = $1", id).Scan(&p.Mime, &p.Data)
	if db.NoRows(err) {
		return nil, errs.New(errs.Conflict, "scene.not_ready")
	}
	if err != nil {
		return nil, fmt.Errorf("read a code's picture: %w", err)
	}
	if p.Mime == "image/png" {
		return p.Data, nil
	}
	img, err := jpeg.Decode(bytes.NewReader(p.Data))
	if err != nil {
		return nil, fmt.Errorf("read a code's picture: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw a code's picture: %w", err)
	}
	return b.Bytes(), nil
}

// servePicture answers with the picture that the platform drew; it has one size.
func (s *Service) servePicture(w http.ResponseWriter, r *http.Request, c *Code) {
	if r.URL.Query().Get("format") == "svg" {
		httpx.WriteError(w, r, bad("format", "scene.picture_only"))
		return
	}
	b, err := s.picture(r.Context(), c.ID)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", "scene-"+c.ID+".png"))
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(b) // a caller that went away needs no answer
}
