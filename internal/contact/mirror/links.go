package mirror

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// linkRow is a link as it is stored.
type linkRow struct {
	id, groupID, name, group string
	tag, tagName             string
	state, fault, faultName  string
}

const linkColumns = "id, group_id, name, group_name, tag, tag_name, state, fault, fault_name"

func (s *Service) linkRows(ctx context.Context, account string) ([]linkRow, error) {
	rows, err := s.DB.Query(ctx, "select "+linkColumns+" from mirror_tags where account = $1 order by id", account)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (l linkRow, err error) {
		return l, r.Scan(&l.id, &l.groupID, &l.name, &l.group, &l.tag, &l.tagName, &l.state, &l.fault, &l.faultName)
	})
	if err != nil {
		return nil, fmt.Errorf("read linked tags: %w", err)
	}
	return list, nil
}

// book is what is linked in an account just now.
type book struct {
	tag  map[string]string // ours by theirs
	id   map[string]string // theirs by ours
	tags []string          // ours
}

func (s *Service) book(ctx context.Context, account string) (book, error) {
	b := book{tag: map[string]string{}, id: map[string]string{}}
	list, err := s.linkRows(ctx, account)
	for _, l := range list {
		if l.state == On {
			b.tag[l.id], b.id[l.tag] = l.tag, l.id
			b.tags = append(b.tags, l.tag)
		}
	}
	return b, err
}

// linked leaves of ids those that are linked, in order and each once.
func (b book) linked(ids []string) []string {
	var out []string
	for _, id := range ids {
		if b.tag[id] != "" {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// link links a tag of theirs with ours, and forgets what was known of it from
// another time: everybody is asked about it anew.
func (s *Service) link(ctx context.Context, account string, t Theirs, tag, tagName string) error {
	_, err := s.DB.Exec(ctx, `insert into mirror_tags (account, id, group_id, name, group_name, tag, tag_name, state, fault, fault_name, at) values ($1, $2, $3, $4, $5, $6, $7, 'on', '', '', $8)
		on conflict (account, id) do update set group_id = excluded.group_id, name = excluded.name, group_name = excluded.group_name, tag = excluded.tag, tag_name = excluded.tag_name,
		state = 'on', fault = '', fault_name = '', at = excluded.at`, account, t.ID, t.GroupID, t.Name, t.Group, tag, tagName, clock.Ms(s.Clock.Now()))
	if err != nil {
		return fmt.Errorf("link tag: %w", err)
	}
	id := " " + t.ID + " "
	if _, err := s.DB.Exec(ctx, "update mirror_friends set held = replace(held, $1, ' ') where account = $2 and held like $3", id, account, "%"+id+"%"); err != nil {
		return fmt.Errorf("forget what a tag was on: %w", err)
	}
	return s.wantRead(ctx, account)
}

// wantRead asks for everybody's tags to be read.
func (s *Service) wantRead(ctx context.Context, account string) error {
	if _, err := s.DB.Exec(ctx, "update mirror_accounts set read_due = read_due + 1 where account = $1", account); err != nil {
		return fmt.Errorf("ask for tags to be read: %w", err)
	}
	s.nudgeAfter(ctx)
	return nil
}

// byName finds our tag of a name: in the group of that name, nearest to its root.
func byName(places []contact.TagPlace, group, name string) (contact.TagPlace, bool) {
	var found contact.TagPlace
	for _, p := range places {
		if !p.Archived && contact.SameTagName(p.Group, group) && contact.SameTagName(p.Name, name) && (found.ID == "" || found.Parent != "" && p.Parent == "") {
			found = p
		}
	}
	return found, found.ID != ""
}

// Preview tells what linking would do with each tag of both sides.
func (s *Service) Preview(ctx context.Context, account string) (Preview, error) {
	p := Preview{Theirs: []TheirPreview{}, Ours: []OurPreview{}}
	if err := s.check(ctx, account); err != nil {
		return p, err
	}
	theirs, err := s.Platform.Tags(ctx, account)
	if err != nil {
		return p, err
	}
	places, err := s.Contacts.TagPlaces(ctx)
	if err != nil {
		return p, err
	}
	b, err := s.book(ctx, account)
	if err != nil {
		return p, err
	}
	taken := map[string]bool{} // our tags that a tag of theirs is, or will be, linked with
	for tag := range b.id {
		taken[tag] = true
	}
	for _, t := range theirs {
		v := TheirPreview{ID: t.ID, Name: t.Name, Group: t.Group, Does: "make"}
		own, ok := byName(places, t.Group, t.Name)
		switch {
		case b.tag[t.ID] != "":
			v.Does, v.Tag = "linked", b.tag[t.ID]
		case ok && taken[own.ID]:
			v.Does, v.Tag = "clash", own.ID
		case ok:
			v.Does, v.Tag = "match", own.ID
			taken[own.ID] = true
		}
		p.Theirs = append(p.Theirs, v)
	}
	limits := s.Platform.Limits()
	p.Room = max(0, limits.Tags-len(theirs))
	var ids []string
	for _, o := range places {
		if o.Archived || taken[o.ID] {
			continue
		}
		v := OurPreview{Tag: o.ID, Name: o.Name, Group: o.Group}
		v.fault, v.limit = tooLong(limits, o)
		p.Ours, ids = append(p.Ours, v), append(ids, o.ID)
	}
	counts, err := s.Contacts.CountTags(ctx, ids)
	for i := range p.Ours {
		p.Ours[i].People = counts[p.Ours[i].Tag]
	}
	return p, err
}

// tooLong says which name the platform does not take.
func tooLong(l Limits, p contact.TagPlace) (code string, limit int) {
	switch {
	case utf8.RuneCountInString(p.Name) > l.Name:
		return "mirror.name_too_long", l.Name
	case utf8.RuneCountInString(p.Group) > l.Group:
		return "mirror.group_too_long", l.Group
	}
	return "", 0
}

// Links links tags. What has to be made on either side is made.
func (s *Service) Links(ctx context.Context, account string, in LinkInput) error {
	if err := s.check(ctx, account); err != nil {
		return err
	}
	theirs, err := s.Platform.Tags(ctx, account)
	if err != nil {
		return err
	}
	byID := map[string]Theirs{}
	for _, t := range theirs {
		byID[t.ID] = t
	}
	for i, id := range in.Theirs {
		if _, ok := byID[id]; !ok {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("theirs[%d]", i), "mirror.not_there"))
		}
	}
	places, err := s.Contacts.TagPlaces(ctx)
	if err != nil {
		return err
	}
	own := map[string]contact.TagPlace{}
	for _, p := range places {
		own[p.ID] = p
	}
	limits := s.Platform.Limits()
	makes := 0
	for i, tag := range in.Ours {
		at := fmt.Sprintf("ours[%d]", i)
		p, ok := own[tag]
		if !ok || p.Archived {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(at, "contact.no_such_tag"))
		}
		if code, limit := tooLong(limits, p); code != "" {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(at, code, "name", p.Name, "group", p.Group, "limit", limit))
		}
		if _, there := named(theirs, p); !there {
			makes++
		}
	}
	if room := limits.Tags - len(theirs); makes > room {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("ours", "mirror.no_room", "limit", limits.Tags, "room", max(0, room)))
	}
	if err := s.begin(ctx, account); err != nil {
		return err
	}
	for _, id := range in.Theirs {
		if err := s.bring(ctx, account, byID[id]); err != nil {
			return err
		}
	}
	if err := s.take(ctx, account, theirs, in.Ours, own); err != nil {
		return err
	}
	if err := s.record(ctx, "tag_mirror.linked", account, map[string]any{"theirs": len(in.Theirs), "ours": len(in.Ours)}); err != nil {
		return err
	}
	s.nudge()
	return nil
}

func named(theirs []Theirs, p contact.TagPlace) (Theirs, bool) {
	i := slices.IndexFunc(theirs, func(t Theirs) bool {
		return contact.SameTagName(t.Group, p.Group) && contact.SameTagName(t.Name, p.Name)
	})
	if i < 0 {
		return Theirs{}, false
	}
	return theirs[i], true
}

// begin makes the row of an account, switched on when it is new.
func (s *Service) begin(ctx context.Context, account string) error {
	_, err := s.DB.Exec(ctx, `insert into mirror_accounts (account, enabled, take_new, list_due, listed_at, read_due, read_at, job, sent, came, fault, fault_number, fault_at, lease, holder)
		values ($1, 1, 1, 0, 0, 0, 0, '', 0, 0, '', '', 0, 0, '') on conflict (account) do nothing`, account)
	if err != nil {
		return fmt.Errorf("begin with an account: %w", err)
	}
	return nil
}

// bring links a tag of theirs with ours of that name, or makes one. Ours that has a
// link already keeps it: theirs stays as it is, and the preview says so.
func (s *Service) bring(ctx context.Context, account string, t Theirs) error {
	own, err := s.Contacts.EnsureTag(ctx, t.Group, t.Name)
	if err != nil {
		return err
	}
	return s.tx(ctx, "link tag", func(ctx context.Context) error {
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from mirror_tags where account = $1 and tag = $2 and state = 'on' and id <> $3", account, own.ID, t.ID).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
		return s.link(ctx, account, t, own.ID, own.Name)
	})
}

// take links tags of ours with theirs of that name, and makes those that are not
// there: group by group, a hundred at once.
func (s *Service) take(ctx context.Context, account string, theirs []Theirs, ours []string, own map[string]contact.TagPlace) error {
	b, err := s.book(ctx, account)
	if err != nil {
		return err
	}
	make := map[string][]contact.TagPlace{}
	var groups []string
	for _, tag := range ours {
		p := own[tag]
		if b.id[tag] != "" {
			continue
		}
		if t, ok := named(theirs, p); ok {
			if b.tag[t.ID] != "" { // another of ours of that name has it
				return errs.New(errs.Conflict, "mirror.name_taken", "name", p.Name)
			}
			if err := s.tx(ctx, "link tag", func(ctx context.Context) error { return s.link(ctx, account, t, p.ID, p.Name) }); err != nil {
				return err
			}
			b.tag[t.ID] = p.ID
			continue
		}
		if slices.ContainsFunc(make[p.Group], func(o contact.TagPlace) bool { return contact.SameTagName(o.Name, p.Name) }) {
			return errs.New(errs.Conflict, "mirror.name_taken", "name", p.Name)
		}
		if make[p.Group] == nil {
			groups = append(groups, p.Group)
		}
		make[p.Group] = append(make[p.Group], p)
	}
	for _, g := range groups {
		for list := make[g]; len(list) > 0; {
			n := min(len(list), MarkAtOnce)
			if err := s.makeThere(ctx, account, g, list[:n]); err != nil {
				return err
			}
			list = list[n:]
		}
	}
	return nil
}

func (s *Service) makeThere(ctx context.Context, account, group string, list []contact.TagPlace) error {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	made, err := s.Platform.Add(ctx, account, group, names)
	if err != nil {
		return err
	}
	return s.tx(ctx, "link tags", func(ctx context.Context) error {
		for _, p := range list {
			if t, ok := named(made, p); ok {
				if err := s.link(ctx, account, t, p.ID, p.Name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Resolve says what shall become of a link: of one whose other side is gone, or
// (Unlink) of any.
func (s *Service) Resolve(ctx context.Context, account, id, do string) error {
	list, err := s.linkRows(ctx, account)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(l linkRow) bool { return l.id == id && l.state != Off })
	if i < 0 {
		return errNoLink
	}
	l := list[i]
	switch {
	case do == Unlink:
		err = s.setState(ctx, account, id, Off)
	case do == DeleteOurs && l.state == TheirsGone:
		if _, err = s.Contacts.DeleteTag(ctx, l.tag, true); err == nil || errs.CodeOf(err) == "contact.tag_not_found" {
			err = s.setState(ctx, account, id, "")
		}
	case do == DeleteTheirs && l.state == OursGone:
		if err = s.Platform.Delete(ctx, account, []string{id}); err == nil || s.Platform.Means(err).NoTag {
			err = s.setState(ctx, account, id, "")
		}
	case do == Restore && l.state == OursGone:
		err = s.bring(ctx, account, Theirs{ID: l.id, GroupID: l.groupID, Name: l.name, Group: l.group})
	case do == Restore && l.state == TheirsGone:
		err = s.restoreThere(ctx, account, l)
	default:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("do", "mirror.not_now"))
	}
	if err != nil {
		return err
	}
	return s.record(ctx, "tag_mirror.resolved", account, map[string]any{"tag": l.name, "group": l.group, "do": do})
}

func (s *Service) restoreThere(ctx context.Context, account string, l linkRow) error {
	places, err := s.Contacts.TagPlaces(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(places, func(p contact.TagPlace) bool { return p.ID == l.tag })
	if i < 0 {
		return errs.New(errs.NotFound, "contact.tag_not_found")
	}
	theirs, err := s.Platform.Tags(ctx, account)
	if err != nil {
		return err
	}
	if err := s.setState(ctx, account, l.id, ""); err != nil {
		return err
	}
	return s.take(ctx, account, theirs, []string{l.tag}, map[string]contact.TagPlace{l.tag: places[i]})
}

// setState changes a link, "" takes it away.
func (s *Service) setState(ctx context.Context, account, id, state string) error {
	query, args := "delete from mirror_tags where account = $1 and id = $2", []any{account, id}
	if state != "" {
		query, args = "update mirror_tags set state = $3, fault = '' where account = $1 and id = $2", append(args, state)
	}
	n, err := s.DB.ExecN(ctx, query, args...)
	if err == nil && n == 0 {
		err = errNoLink
	}
	return err
}
