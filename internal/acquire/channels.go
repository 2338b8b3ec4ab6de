package acquire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

var errNone = errs.New(errs.NotFound, "acquire.no_such_channel")

// shipped are the channels that every installation has.
var shipped = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range contact.Channels() {
		m[c] = true
	}
	return m
}()

// Called is what a channel is called, in the caller's language.
func (s *Service) Called(ctx context.Context, id string) string { return called(ctx, s.now.Load(), id) }

func called(ctx context.Context, t *tree, id string) string {
	if n := t.nodes[id]; n != nil && n.name != "" {
		return n.name
	}
	if shipped[id] {
		return httpx.Say(ctx, "contact.channel."+id, nil)
	}
	return id
}

// Channels lists the tree, each channel behind the one above it, archived ones too.
func (s *Service) Channels(ctx context.Context) []Channel {
	t := s.now.Load()
	var owners []string
	for _, n := range t.nodes {
		if n.owner != "" {
			owners = append(owners, n.owner)
		}
	}
	names := map[string]string{}
	if s.People != nil && len(owners) > 0 {
		names = s.People.Names(ctx, owners)
	}
	out := make([]Channel, 0, len(t.order))
	for _, id := range t.order {
		n := t.nodes[id]
		c := Channel{ID: id, Parent: n.parent, Name: called(ctx, t, id), OwnName: n.name, Archived: n.archived, Anchored: anchored[id], Place: n.place, Changed: clock.FromMs(n.changed)}
		for _, up := range n.path {
			c.Path = append(c.Path, called(ctx, t, up))
		}
		if names[n.owner] != "" {
			c.Owner = &contact.Ref{ID: n.owner, Name: names[n.owner]}
		}
		out = append(out, c)
	}
	return out
}

func (s *Service) one(ctx context.Context, id string) (Channel, error) {
	for _, c := range s.Channels(ctx) {
		if c.ID == id {
			return c, nil
		}
	}
	return Channel{}, errNone
}

// check cleans what a channel is to be and tells what is wrong with it. self is
// "" for a new one.
func (s *Service) check(ctx context.Context, t *tree, self string, in *ChannelInput) error {
	in.Name = veil.Text(strings.Join(strings.Fields(in.Name), " "))
	switch {
	case in.Name == "" && !shipped[self]:
		return bad("name", "request.field_required")
	case utf8.RuneCountInString(in.Name) > maxName:
		return bad("name", "request.too_long", "limit", maxName)
	case strings.Contains(in.Name, " / "):
		return bad("name", "acquire.name_slash")
	}
	if in.Parent != "" {
		up := t.nodes[in.Parent]
		switch {
		case up == nil:
			return bad("parent", "acquire.no_such_channel")
		case anchored[in.Parent]:
			return bad("parent", "acquire.parent_unknown")
		case up.archived && !in.Archived:
			return bad("parent", "acquire.parent_archived")
		case self != "" && slices.Contains(up.path, self):
			return bad("parent", "acquire.parent_below")
		}
		deep := 1
		if self != "" {
			deep = t.depth(self)
		}
		if len(up.path)+deep > maxDepth {
			return bad("parent", "acquire.too_deep", "limit", maxDepth)
		}
	}
	if anchored[self] && (in.Parent != "" || in.Archived) {
		return bad("archived", "acquire.anchored")
	}
	if in.Owner != "" && s.People != nil && s.People.Names(ctx, []string{in.Owner})[in.Owner] == "" {
		return bad("owner", "user.not_found")
	}
	for _, n := range t.nodes {
		if n.id != self && n.parent == in.Parent && in.Name != "" && strings.EqualFold(called(ctx, t, n.id), in.Name) {
			return bad("name", "acquire.name_taken")
		}
	}
	return nil
}

// Create makes a channel.
func (s *Service) Create(ctx context.Context, in ChannelInput) (Channel, error) {
	id := s.IDs.New("ch")
	err := s.change(ctx, func(ctx context.Context, t *tree) error {
		if len(t.nodes) >= maxChannels {
			return errs.New(errs.Conflict, "acquire.too_many_channels", "limit", maxChannels)
		}
		if err := s.check(ctx, t, "", &in); err != nil {
			return err
		}
		if in.Place == 0 {
			in.Place = last(t, in.Parent)
		}
		_, err := s.DB.Exec(ctx, "insert into acquire_channels (id, parent, name, owner_id, archived, place, created_at, changed_at) values ($1,$2,$3,$4,$5,$6,$7,$7)",
			id, in.Parent, in.Name, in.Owner, flag(in.Archived), in.Place, clock.Ms(s.Clock.Now()))
		if err != nil {
			return fmt.Errorf("make channel: %w", err)
		}
		return s.record(ctx, "channel.created", id, in.Name, map[string]any{"parent": in.Parent})
	})
	if err != nil {
		return Channel{}, err
	}
	return s.one(ctx, id)
}

// last is a place behind all the children of a channel; at the top before those
// that stay at the end.
func last(t *tree, parent string) int64 {
	var most int64
	for _, n := range t.nodes {
		if n.parent == parent && !anchored[n.id] {
			most = max(most, n.place)
		}
	}
	return most + 1
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Update renames, moves, archives a channel or gives it another owner. With a
// channel those below it are archived; one that comes back comes alone.
func (s *Service) Update(ctx context.Context, id string, in ChannelInput) (Channel, error) {
	err := s.change(ctx, func(ctx context.Context, t *tree) error {
		old := t.nodes[id]
		if old == nil {
			return errNone
		}
		if err := s.check(ctx, t, id, &in); err != nil {
			return err
		}
		if in.Place == 0 {
			in.Place = old.place
			if in.Parent != old.parent {
				in.Place = last(t, in.Parent)
			}
		}
		now := clock.Ms(s.Clock.Now())
		if _, err := s.DB.Exec(ctx, "update acquire_channels set parent = $2, name = $3, owner_id = $4, archived = $5, place = $6, changed_at = $7 where id = $1",
			id, in.Parent, in.Name, in.Owner, flag(in.Archived), in.Place, now); err != nil {
			return fmt.Errorf("change channel: %w", err)
		}
		if in.Archived && !old.archived {
			for _, b := range old.below[1:] {
				if _, err := s.DB.Exec(ctx, "update acquire_channels set archived = 1, changed_at = $2 where id = $1 and archived = 0", b, now); err != nil {
					return fmt.Errorf("archive channel: %w", err)
				}
			}
		}
		action := "channel.updated"
		switch {
		case in.Archived && !old.archived:
			action = "channel.archived"
		case !in.Archived && old.archived:
			action = "channel.restored"
		}
		return s.record(ctx, action, id, called(ctx, t, id), map[string]any{"name": in.Name, "parent": in.Parent, "owner": in.Owner})
	})
	if err != nil {
		return Channel{}, err
	}
	return s.one(ctx, id)
}

// Named finds a channel by its id, its name or its path, as people write them.
func (s *Service) Named(ctx context.Context, text string) string {
	t := s.now.Load()
	text = strings.TrimSpace(text)
	if t.nodes[text] != nil {
		return text
	}
	low := squeeze(text)
	if low == "" {
		return ""
	}
	found := ""
	for _, id := range t.order {
		n := t.nodes[id]
		path := make([]string, len(n.path))
		for i, up := range n.path {
			path[i] = called(ctx, t, up)
		}
		if squeeze(strings.Join(path, "/")) == low {
			return id
		}
		if squeeze(path[len(path)-1]) == low {
			if found != "" {
				return "" // two are called so: only a path tells them apart
			}
			found = id
		}
	}
	return found
}

func squeeze(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "/", " / ")), ""))
}

// OwnerOf is who looks after a channel: its owner, or that of the nearest channel
// above it; "" for nobody.
func (s *Service) OwnerOf(id string) string {
	t := s.now.Load()
	n := t.nodes[id]
	if n == nil {
		return ""
	}
	for i := len(n.path) - 1; i >= 0; i-- {
		if up := t.nodes[n.path[i]]; up != nil && up.owner != "" {
			return up.owner
		}
	}
	return ""
}
