package link

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Path begins every short link.
const Path = "/l/"

// letters are those of codes: none that is read as another one.
const letters = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"

const codeLength = 7 // 54^7 is more than 10^12: guessing finds nothing

func newCode() string {
	out := make([]byte, 0, codeLength)
	buf := make([]byte, 32)
	for len(out) < codeLength {
		_, _ = rand.Read(buf) // never fails since Go 1.24
		for _, b := range buf {
			if b &= 63; int(b) < len(letters) && len(out) < codeLength {
				out = append(out, letters[b])
			}
		}
	}
	return string(out)
}

func validCode(code string) bool {
	return len(code) == codeLength && strings.Trim(code, letters) == ""
}

var errNone = errs.New(errs.NotFound, "link.not_found")

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

// checkTarget tells what is wrong with an address. A page of our own begins with
// a slash; anything else is http or https with a host, and no name or password.
func checkTarget(text string) string {
	switch {
	case text == "":
		return "request.field_required"
	case len(text) > maxTarget:
		return "link.target_too_long"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return "link.bad_target"
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil {
		return "link.bad_target"
	}
	if strings.HasPrefix(text, "/") {
		if !strings.HasPrefix(text, "/p/") || strings.Contains(text, "..") {
			return "link.bad_path"
		}
	} else if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "link.bad_target"
	}
	if veil.Text(text) != text {
		return "link.target_personal"
	}
	return ""
}

// leads is the target with the utm fields that it lacks.
func leads(x *row) string {
	u, err := url.Parse(x.target)
	if err != nil {
		return x.target
	}
	q := u.Query()
	add := url.Values{}
	for _, f := range [][2]string{{"utm_source", x.source}, {"utm_medium", x.medium}, {"utm_campaign", x.campaign}, {"utm_content", x.content}} {
		if f[1] != "" && !q.Has(f[0]) {
			add.Set(f[0], f[1])
		}
	}
	if len(add) == 0 {
		return x.target
	}
	if u.RawQuery != "" { // what is there keeps its order and its spelling
		u.RawQuery += "&"
	}
	u.RawQuery += add.Encode()
	return u.String()
}

func (s *Service) check(ctx context.Context, in *Input) error {
	in.Title = veil.Text(strings.Join(strings.Fields(in.Title), " "))
	in.Target = strings.TrimSpace(in.Target)
	switch {
	case in.Title == "":
		return bad("title", "request.field_required")
	case utf8.RuneCountInString(in.Title) > maxTitle:
		return bad("title", "request.too_long", "limit", maxTitle)
	}
	if code := checkTarget(in.Target); code != "" {
		return bad("target", code, "limit", maxTarget)
	}
	if in.Channel != "" && !s.Channels.Open(in.Channel) {
		return bad("channel", "acquire.no_such_channel")
	}
	for field, text := range map[string]*string{"source": &in.Source, "medium": &in.Medium, "campaign": &in.Campaign, "content": &in.Content} {
		*text = veil.Text(strings.TrimSpace(*text))
		if utf8.RuneCountInString(*text) > maxWord {
			return bad(field, "request.too_long", "limit", maxWord)
		}
	}
	if in.Owner != "" && s.People != nil && s.People.Names(ctx, []string{in.Owner})[in.Owner] == "" {
		return bad("owner", "user.not_found")
	}
	if !in.ExpiresAt.IsZero() && (in.ExpiresAt.Year() < 2000 || in.ExpiresAt.Year() > 2200) {
		return bad("expiresAt", "request.not_a_time")
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Create makes links, all or none.
func (s *Service) Create(ctx context.Context, list ...Input) ([]Link, error) {
	return s.CreateAt(ctx, s.Clock.Now(), list...)
}

// CreateAt is Create for links that have a past: they went out then.
func (s *Service) CreateAt(ctx context.Context, at time.Time, list ...Input) ([]Link, error) {
	for i := range list {
		if err := s.check(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	me, now := principal(ctx), clock.Ms(at)
	made := make([]*row, len(list))
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from links").Scan(&n); err != nil {
			return fmt.Errorf("count links: %w", err)
		}
		if n+int64(len(list)) > maxLinks {
			return errs.New(errs.Conflict, "link.too_many", "limit", maxLinks)
		}
		for i, in := range list {
			if in.Owner == "" && !auth.ScopeOf(ctx).All {
				in.Owner = me.ID // or they would not see what they made
			}
			x := &row{code: newCode(), title: in.Title, target: in.Target, channel: in.Channel, source: in.Source, medium: in.Medium, campaign: in.Campaign, content: in.Content,
				owner: in.Owner, notify: in.Notify, carry: in.Carry, paused: in.Paused, expires: clock.Ms(in.ExpiresAt), by: me.Name, created: now, changed: now}
			x.leads = leads(x)
			_, err := s.DB.Exec(ctx, `insert into links (code, title, target, channel, source, medium, campaign, content, owner_id, notify, carry, expires_at, paused, by_id, by_name, created_at, changed_at)
				values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$16)`, x.code, x.title, x.target, x.channel, x.source, x.medium, x.campaign, x.content, x.owner,
				flag(x.notify), flag(x.carry), x.expires, flag(x.paused), me.ID, me.Name, now)
			if err != nil {
				return fmt.Errorf("make link: %w", err)
			}
			made[i] = x
			if len(list) == 1 {
				if err := s.record(ctx, "link.created", x.code, x.title, map[string]any{"target": x.target, "channel": x.channel}); err != nil {
					return err
				}
			}
		}
		if len(list) > 1 {
			return s.record(ctx, "link.batch_created", "", "", map[string]any{"links": len(list)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.keep(made...)
	return s.show(ctx, made)
}

// Titles gives the code of each link by its title, as far as memory knows them.
func (s *Service) Titles(context.Context) (map[string]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make(map[string]string, len(s.links))
	for code, x := range s.links {
		out[x.title] = code
	}
	return out, nil
}

// Update changes a link; its code and what is counted of it stay.
func (s *Service) Update(ctx context.Context, code string, in Input) (Link, error) {
	if err := s.check(ctx, &in); err != nil {
		return Link{}, err
	}
	now := clock.Ms(s.Clock.Now())
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, `update links set title=$2, target=$3, channel=$4, source=$5, medium=$6, campaign=$7, content=$8, owner_id=$9, notify=$10, carry=$11, expires_at=$12, paused=$13,
			changed_at = case when changed_at >= $14 then changed_at + 1 else $14 end where code = $1`, code, in.Title, in.Target, in.Channel, in.Source, in.Medium, in.Campaign, in.Content, in.Owner,
			flag(in.Notify), flag(in.Carry), clock.Ms(in.ExpiresAt), flag(in.Paused), now)
		if err != nil {
			return fmt.Errorf("change link: %w", err)
		}
		if n == 0 {
			return errNone
		}
		return s.record(ctx, "link.updated", code, in.Title, map[string]any{"target": in.Target, "channel": in.Channel, "paused": in.Paused})
	})
	if err != nil {
		return Link{}, err
	}
	x, err := s.reread(ctx, code)
	if err != nil {
		return Link{}, err
	}
	list, err := s.show(ctx, []*row{x})
	if err != nil {
		return Link{}, err
	}
	return list[0], nil
}

func (s *Service) reread(ctx context.Context, code string) (*row, error) {
	if !validCode(code) {
		return nil, errNone
	}
	rows, err := s.DB.Query(ctx, "select "+rowColumns+" from links where code = $1", code)
	list, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	if len(list) == 0 {
		return nil, errNone
	}
	s.keep(list[0])
	if !visible(auth.ScopeOf(ctx), list[0]) {
		return nil, errNone
	}
	return list[0], nil
}

// visible tells whether callers of a scope see a link: who sees only some customers
// sees the links of those whose customers they see.
func visible(scope auth.Scope, x *row) bool {
	return scope.All || x.owner != "" && scope.Sees(x.owner)
}

// Get gives one link.
func (s *Service) Get(ctx context.Context, code string) (Link, error) {
	x, err := s.reread(ctx, code)
	if err != nil {
		return Link{}, err
	}
	list, err := s.show(ctx, []*row{x})
	if err != nil {
		return Link{}, err
	}
	return list[0], nil
}

// show completes rows with names and what is counted of them.
func (s *Service) show(ctx context.Context, list []*row) ([]Link, error) {
	owners, codes := []string{}, make([]any, len(list))
	for i, x := range list {
		codes[i] = x.code
		if x.owner != "" && !slices.Contains(owners, x.owner) {
			owners = append(owners, x.owner)
		}
	}
	names := map[string]string{}
	if s.People != nil && len(owners) > 0 {
		names = s.People.Names(ctx, owners)
	}
	counts, err := s.totals(ctx, codes)
	if err != nil {
		return nil, err
	}
	now := clock.Ms(s.Clock.Now())
	out := make([]Link, len(list))
	for i, x := range list {
		c := counts[x.code]
		l := Link{Code: x.code, Path: Path + x.code, Title: x.title, Target: x.target, Leads: x.leads, Channel: x.channel, Source: x.source, Medium: x.medium, Campaign: x.campaign,
			Content: x.content, Notify: x.notify, Carry: x.carry, ExpiresAt: clock.FromMs(x.expires), Paused: x.paused, State: x.state(now), Opens: c.opens, People: c.people,
			LastOpen: clock.FromMs(c.last), CreatedAt: clock.FromMs(x.created), By: x.by}
		if s.PublicURL != "" {
			l.URL = strings.TrimSuffix(s.PublicURL, "/") + l.Path
		}
		if names[x.owner] != "" {
			l.Owner = ref(x.owner, names[x.owner])
		}
		out[i] = l
	}
	return out, nil
}

// SetSettings changes how programs are told apart.
func (s *Service) SetSettings(ctx context.Context, set Settings) (Settings, error) {
	if set.Burst < 3 || set.Burst > 1000 {
		return set, bad("burst", "link.bad_burst")
	}
	clean := []string{}
	for i, t := range set.Networks {
		p, ok := prefix(strings.TrimSpace(t))
		if !ok {
			return set, bad(fmt.Sprintf("networks[%d]", i), "link.bad_network")
		}
		clean = append(clean, p)
	}
	set.Networks = clean
	text := encode(clean)
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update link_settings set networks = $1, burst = $2 where one = 1", text, set.Burst); err != nil {
			return fmt.Errorf("keep settings of links: %w", err)
		}
		return s.record(ctx, "link.settings_changed", "", "", map[string]any{"networks": len(clean), "burst": set.Burst})
	})
	if err != nil {
		return set, err
	}
	s.settings.Store(&filter{set, prefixes(clean)})
	return set, nil
}
