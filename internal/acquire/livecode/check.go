package livecode

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/errs"
)

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

// check cleans a definition and tells the first thing that is wrong with it.
func (s *Service) check(ctx context.Context, d *Definition) error {
	d.Name = veil.Text(strings.Join(strings.Fields(d.Name), " "))
	d.Remark, d.Person = strings.TrimSpace(d.Remark), strings.TrimSpace(d.Person)
	if d.Verify == "" {
		d.Verify = VerifySkip
	}
	if d.Greet == "" {
		d.Greet = GreetOwn
	}
	switch {
	case d.Name == "":
		return bad("name", "request.field_required")
	case utf8.RuneCountInString(d.Name) > maxName:
		return bad("name", "request.too_long", "limit", maxName)
	case len(d.Members) == 0:
		return bad("members", "livecode.no_members")
	case len(d.Members) > maxMembers:
		return bad("members", "livecode.too_many_members", "limit", maxMembers)
	case !slices.Contains([]string{VerifySkip, VerifyAsk, VerifyWindows}, d.Verify):
		return bad("verify", "livecode.bad_choice")
	case !slices.Contains([]string{GreetOwn, GreetGeneral, GreetNone}, d.Greet):
		return bad("greet", "livecode.bad_choice")
	case d.Verify == VerifyWindows && len(d.Skip) == 0:
		return bad("skip", "livecode.no_windows")
	case len(d.Tags) > maxTags:
		return bad("tags", "livecode.too_many_tags", "limit", maxTags)
	case len(d.Timed) > maxTimed:
		return bad("timed", "livecode.too_many_timed", "limit", maxTimed)
	case d.PoolDays < 0 || d.PoolDays > maxPoolDays:
		return bad("poolDays", "rule.out_of_range", "least", 0, "limit", maxPoolDays)
	case utf8.RuneCountInString(strings.NewReplacer(varName, "", varCode, "", varDate, "0101").Replace(d.Remark)) > maxRemark:
		return bad("remark", "request.too_long", "limit", maxRemark)
	}
	for _, err := range []error{s.checkMembers(ctx, d), windows("skip", d.Skip), s.checkPlaces(ctx, d), s.checkWords(ctx, d)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func windows(path string, list []Window) error {
	if len(list) > maxWindows {
		return bad(path, "livecode.too_many_windows", "limit", maxWindows)
	}
	for i, w := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if len(w.Days) == 0 || slices.ContainsFunc(w.Days, func(d int) bool { return d < 1 || d > 7 }) {
			return bad(at+".days", "livecode.bad_days")
		}
		if !clockText(w.From) || w.From == "24:00" {
			return bad(at+".from", "livecode.bad_time")
		}
		if !clockText(w.To) || w.To == w.From {
			return bad(at+".to", "livecode.bad_time")
		}
	}
	return nil
}

func clockText(s string) bool {
	if len(s) != 5 || s[2] != ':' {
		return false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s == "24:00" || minutes(s) < 24*60 && s[3] < '6'
}

func (s *Service) checkMembers(ctx context.Context, d *Definition) error {
	accounts, err := s.Accounts.Accounts(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(accounts, func(a Account) bool { return a.ID == d.Account }) {
		return bad("account", "livecode.no_such_account")
	}
	staff, err := s.colleagues(ctx, d.Account)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, m := range d.Members {
		at := fmt.Sprintf("members[%d]", i)
		switch {
		case seen[m.Staff]:
			return bad(at+".staff", "livecode.twice")
		case staff.by[m.Staff].ID == "":
			return bad(at+".staff", "livecode.no_such_colleague")
		case m.Weight < 0 || m.Weight > maxWeight:
			return bad(at+".weight", "rule.out_of_range", "least", 0, "limit", maxWeight)
		case m.Cap < 0 || m.Cap > maxCap:
			return bad(at+".cap", "rule.out_of_range", "least", 0, "limit", maxCap)
		}
		seen[m.Staff] = true
		if err := windows(at+".shifts", m.Shifts); err != nil {
			return err
		}
	}
	others := map[string][]string{"backups": d.Backups}
	if d.Expiry != nil {
		if len(d.Expiry.Staff) == 0 {
			return bad("expiry.staff", "livecode.no_members")
		}
		others["expiry.staff"] = d.Expiry.Staff
	}
	for path, list := range others {
		if len(list) > maxMembers {
			return bad(path, "livecode.too_many_members", "limit", maxMembers)
		}
		for i, id := range list {
			if staff.by[id].ID == "" {
				return bad(fmt.Sprintf("%s[%d]", path, i), "livecode.no_such_colleague")
			}
		}
	}
	return nil
}

// checkPlaces looks at what a definition names of other parts.
func (s *Service) checkPlaces(ctx context.Context, d *Definition) error {
	if d.Folder != "" {
		var n int
		if err := s.DB.QueryRow(ctx, "select count(*) from livecode_folders where id = $1", d.Folder).Scan(&n); err != nil {
			return fmt.Errorf("look for folder: %w", err)
		}
		if n == 0 {
			return bad("folder", "livecode.no_such_folder")
		}
	}
	if d.Channel != "" {
		known, err := s.Channels.Known(ctx, []string{d.Channel})
		if err != nil {
			return err
		}
		if len(known) == 0 {
			return bad("channel", "livecode.no_such_channel")
		}
	}
	if len(d.Tags) > 0 {
		known, err := s.Tags.KnownTags(ctx, d.Tags)
		if err != nil {
			return err
		}
		for i, id := range d.Tags {
			if !slices.Contains(known, id) {
				return bad(fmt.Sprintf("tags[%d]", i), "contact.tag_not_found")
			}
		}
	}
	if d.Pool != "" {
		ok, err := s.Pools.KnownPool(ctx, d.Pool)
		if err != nil {
			return err
		}
		if !ok {
			return bad("pool", "livecode.no_such_pool")
		}
	}
	return nil
}

// checkWords looks at what a definition says.
func (s *Service) checkWords(ctx context.Context, d *Definition) error {
	room := maxParts
	spare := 0 // bytes that the hook takes
	if h := d.Hook; h != nil {
		h.Name, h.Text = veil.Text(strings.TrimSpace(h.Name)), strings.TrimSpace(h.Text)
		if h.Name == "" {
			return bad("hook.name", "request.field_required")
		}
		if h.Text == "" && h.Attachment == nil {
			return bad("hook.text", "livecode.empty_hook")
		}
		if h.Attachment != nil {
			room--
			if err := s.checkPart(ctx, "hook.attachment", h.Attachment); err != nil {
				return err
			}
		}
		if h.Text != "" {
			spare = len(h.Text) + 2
		}
	}
	if err := s.checkWelcome(ctx, "welcome", &d.Welcome, room, spare); err != nil {
		return err
	}
	for i := range d.Timed {
		at := fmt.Sprintf("timed[%d]", i)
		if len(d.Timed[i].Windows) == 0 {
			return bad(at+".windows", "livecode.no_windows")
		}
		if err := windows(at+".windows", d.Timed[i].Windows); err != nil {
			return err
		}
		if err := s.checkWelcome(ctx, at, &d.Timed[i].Welcome, room, spare); err != nil {
			return err
		}
		if d.Timed[i].Text == "" && len(d.Timed[i].Attachments) == 0 {
			return bad(at+".text", "livecode.empty_welcome")
		}
	}
	if d.Greet == GreetOwn && d.Welcome.Text == "" && len(d.Welcome.Attachments) == 0 && len(d.Timed) == 0 && d.Hook == nil {
		return bad("welcome.text", "livecode.empty_welcome")
	}
	if d.Expiry != nil && len(d.Expiry.Text) > maxText {
		return bad("expiry.text", "livecode.text_too_long", "limit", maxText)
	}
	return nil
}

func (s *Service) checkWelcome(ctx context.Context, path string, w *Welcome, room, spare int) error {
	w.Text = strings.TrimSpace(w.Text)
	if len(w.Text)+spare > maxText {
		return bad(path+".text", "livecode.text_too_long", "limit", maxText)
	}
	if len(w.Attachments) > room {
		return bad(path+".attachments", "livecode.too_many_parts", "limit", room)
	}
	for i := range w.Attachments {
		if err := s.checkPart(ctx, fmt.Sprintf("%s.attachments[%d]", path, i), &w.Attachments[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkPart(ctx context.Context, path string, a *Attachment) error {
	a.Title, a.Note, a.URL = strings.TrimSpace(a.Title), strings.TrimSpace(a.Note), strings.TrimSpace(a.URL)
	need := func(field, value string) error {
		if value == "" {
			return bad(path+"."+field, "request.field_required")
		}
		return nil
	}
	var err error
	switch a.Kind {
	case PartImage, PartFile:
		err = need("file", a.File)
	case PartLink:
		if err = need("title", a.Title); err == nil {
			err = checkURL(path+".url", a.URL)
		}
	case PartApp:
		for _, f := range [][2]string{{"title", a.Title}, {"appId", a.AppID}, {"appPath", a.AppPath}, {"file", a.File}} {
			if err = need(f[0], f[1]); err != nil {
				break
			}
		}
	default:
		err = bad(path+".kind", "livecode.bad_choice")
	}
	if err != nil || a.File == "" {
		return err
	}
	f, ok, err := s.file(ctx, a.File)
	switch {
	case err != nil:
		return err
	case !ok:
		return bad(path+".file", "livecode.no_such_file")
	case a.Kind != PartFile && !f.Picture:
		return bad(path+".file", "livecode.no_picture")
	}
	return nil
}

// checkURL takes addresses that a phone can open.
func checkURL(path, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return bad(path, "livecode.bad_url")
	}
	return nil
}
