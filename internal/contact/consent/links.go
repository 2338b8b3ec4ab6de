package consent

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
)

// Link is a way to a person's preference page. The address holds a random id and
// a signature of it, and nothing of the person: it can be neither guessed nor
// made by whoever reads the database.
type Link struct {
	ID        string     `json:"id" doc:"First characters of the random part: names the link, opens nothing"`
	Path      string     `json:"path" doc:"Address on this server"`
	URL       string     `json:"url,omitempty" doc:"Whole address, when the server knows where customers reach it"`
	CreatedAt time.Time  `json:"createdAt"`
	By        string     `json:"by,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
	UsedAt    *time.Time `json:"usedAt,omitempty" doc:"When a choice was last saved through it"`
}

const (
	idBytes    = 16
	idLength   = 22 // of 16 bytes in base64
	signLength = 24 // hex digits: 96 bits
	shownID    = 8
)

// PagePath and UnsubscribePath are where links lead, before the token.
const (
	PagePath        = "/p/prefs/"
	UnsubscribePath = "/p/unsubscribe/"
)

// token signs a link's id.
func (s *Service) token(id string) string {
	return id + s.Keys.Index("consent.link", id)[:signLength]
}

// parseToken gives the id of a token that this installation signed.
func (s *Service) parseToken(token string) (string, bool) {
	if len(token) != idLength+signLength {
		return "", false
	}
	for i := range len(token) {
		c := token[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return "", false
		}
	}
	id := token[:idLength]
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.token(id))) != 1 {
		return "", false
	}
	return id, true
}

// linkRow is a link as it is kept.
type linkRow struct {
	id                                 string
	contact                            int64
	createdAt, expires, revoked, usedA int64
	by                                 string
}

func (l *linkRow) live(now int64) bool {
	return l.revoked == 0 && (l.expires == 0 || now < l.expires)
}

const linkColumns = "id, contact, created_at, expires_at, revoked_at, used_at, by_name"

func (l *linkRow) fields() []any {
	return []any{&l.id, &l.contact, &l.createdAt, &l.expires, &l.revoked, &l.usedA, &l.by}
}

func (s *Service) linkByID(ctx context.Context, id string) (l linkRow, err error) {
	err = s.DB.QueryRow(ctx, "select "+linkColumns+" from consent_links where id = $1", id).Scan(l.fields()...)
	return l, err
}

// newest is the contact's newest link that works.
func (s *Service) newest(ctx context.Context, num int64) (l linkRow, ok bool, err error) {
	err = s.DB.QueryRow(ctx, "select "+linkColumns+" from consent_links where contact = $1 and revoked_at = 0 and (expires_at = 0 or expires_at > $2) order by created_at desc, id limit 1",
		num, s.Clock.Now().UnixMilli()).Scan(l.fields()...)
	if db.NoRows(err) {
		return l, false, nil
	}
	return l, err == nil, err
}

func (s *Service) showLink(l linkRow) Link {
	out := Link{ID: l.id[:shownID], Path: PagePath + s.token(l.id), CreatedAt: clock.FromMs(l.createdAt), By: l.by, ExpiresAt: timeOf(l.expires), UsedAt: timeOf(l.usedA)}
	if s.PublicURL != "" {
		out.URL = strings.TrimSuffix(s.PublicURL, "/") + out.Path
	}
	return out
}

// LinkFor gives the link of a contact for a message: the newest one that works,
// or a new one without an end. It joins the transaction of ctx.
func (s *Service) LinkFor(ctx context.Context, num int64) (Link, error) {
	l, ok, err := s.newest(ctx, num)
	if err != nil {
		return Link{}, fmt.Errorf("find preference link: %w", err)
	}
	if ok && l.expires == 0 {
		return s.showLink(l), nil
	}
	return s.newLink(ctx, num, 0)
}

// UnsubscribeFor is the address for List-Unsubscribe of a mail (RFC 8058): a
// POST to it withdraws one purpose by e-mail.
func (s *Service) UnsubscribeFor(ctx context.Context, num int64, purpose string) (string, error) {
	l, err := s.LinkFor(ctx, num)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(s.PublicURL, "/") + UnsubscribePath + strings.TrimPrefix(l.Path, PagePath) + "?purpose=" + purpose, nil
}

func (s *Service) newLink(ctx context.Context, num, expires int64) (Link, error) {
	by := principal(ctx)
	l := linkRow{id: id.Secret(idBytes), contact: num, createdAt: s.Clock.Now().UnixMilli(), expires: expires, by: by.Name}
	_, err := s.DB.Exec(ctx, "insert into consent_links (id, contact, created_at, by_id, by_name, expires_at) values ($1,$2,$3,$4,$5,$6)", l.id, num, l.createdAt, by.ID, by.Name, expires)
	if err != nil {
		return Link{}, fmt.Errorf("make preference link: %w", err)
	}
	return s.showLink(l), nil
}

// MakeLink gives staff a link for a contact; days 0: it does not end. fresh makes
// a new one although an old one works.
func (s *Service) MakeLink(ctx context.Context, contactID string, days int, fresh bool) (Link, error) {
	var out Link
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID)
		if err != nil {
			return err
		}
		if !fresh && days == 0 {
			l, ok, err := s.newest(ctx, num)
			if err != nil {
				return err
			}
			if ok && l.expires == 0 {
				out = s.showLink(l)
				return nil
			}
		}
		expires := int64(0)
		if days > 0 {
			expires = s.Clock.Now().AddDate(0, 0, days).UnixMilli()
		}
		if out, err = s.newLink(ctx, num, expires); err != nil {
			return err
		}
		return s.recordContact(ctx, "consent.link_made", num, map[string]any{"link": out.ID, "days": days})
	})
	if err != nil {
		return Link{}, fmt.Errorf("make preference link: %w", err)
	}
	return out, nil
}

// RevokeLinks makes every link of a contact stop working.
func (s *Service) RevokeLinks(ctx context.Context, contactID string) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID)
		if err != nil {
			return err
		}
		group, err := s.Contacts.Group(ctx, num)
		if err != nil {
			return err
		}
		now, total := s.Clock.Now().UnixMilli(), int64(0)
		for _, n := range group {
			k, err := s.DB.ExecN(ctx, "update consent_links set revoked_at = $1 where contact = $2 and revoked_at = 0", now, n)
			if err != nil {
				return err
			}
			total += k
		}
		if total == 0 {
			return nil
		}
		return s.recordContact(ctx, "consent.link_revoked", num, map[string]any{"links": total})
	})
	if err != nil {
		return fmt.Errorf("revoke preference links: %w", err)
	}
	return nil
}

func (s *Service) recordContact(ctx context.Context, action string, num int64, detail map[string]any) error {
	refs, err := s.Contacts.Refs(ctx, []int64{num})
	if err != nil {
		return err
	}
	return s.record(ctx, action, audit.Object{Type: "contact", ID: refs[num].ID, Name: refs[num].Name}, detail)
}

// pace keeps one sender from trying out tokens, and one link from filling the ledger.
type pace struct {
	mu    *sync.Mutex
	by    map[string]*rate.Limiter
	most  int
	every rate.Limit
	burst int
}

func newPace() pace {
	return pace{mu: &sync.Mutex{}, by: map[string]*rate.Limiter{}, most: 8192, every: rate.Every(6 * time.Second), burst: 20}
}

// allow counts one try.
func (p *pace) allow(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.by[key]
	if l == nil {
		if len(p.by) >= p.most { // forgetting everybody is kinder than growing without end
			clear(p.by)
		}
		l = rate.NewLimiter(p.every, p.burst)
		p.by[key] = l
	}
	return l.AllowN(now, 1)
}
