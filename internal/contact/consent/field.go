package consent

import (
	"context"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// What lists of contacts are filtered by: for each purpose and channel what
// somebody said of it, and whether it is allowed.
const (
	fieldName = "consent"
	allowed   = "allowed"
)

// field implements contact.Field.
type field struct{ s *Service }

// Views implements contact.Field: the key is a purpose and a channel, purpose:channel.
func (f field) Views(ctx context.Context) ([]contact.FieldView, error) {
	purposes, err := f.s.Purposes(ctx)
	if err != nil {
		return nil, err
	}
	lang := httpx.Lang(ctx)
	w := words[lang]
	var options []contact.Option
	for _, v := range []string{allowed, string(Granted), string(Withdrawn), string(Unknown)} {
		options = append(options, contact.Option{Value: v, Label: httpx.Say(ctx, "consent.filter."+v, nil)})
	}
	var out []contact.FieldView
	for _, p := range purposes {
		if p.Archived {
			continue
		}
		name := p.Name.in(lang)
		chs := p.Channels
		if len(chs) == 0 {
			chs = []Channel{All}
		}
		for _, ch := range chs {
			label := name
			if ch != All {
				label += " · " + w.Channel[ch]
			}
			out = append(out, contact.FieldView{Key: p.ID + ":" + string(ch), Label: label, Group: "consent", Options: options})
		}
	}
	return out, nil
}

// Among implements contact.Field. It answers as May and Audience do.
func (f field) Among(ctx context.Context, key, value string) (contact.Among, error) {
	purpose, ch, _ := strings.Cut(key, ":")
	q, err := f.s.question(ctx, purpose, Channel(ch))
	if err != nil {
		return contact.Among{}, err
	}
	// The bits are the first condition of the index behind the list that they read.
	said := func(column, purpose string, bits mask) contact.Among {
		const of = "select contact as n from consent_state where purpose = $1 and shown = {list} and ("
		cond := column + " & cast($2 as bigint)) <> 0"
		return contact.Among{Query: of + cond, Probe: of + cond + " and {in:contact}", Args: []any{purpose, int64(bits)}}
	}
	granted, withdrawn := said("granted", purpose, q.bit), said("withdrawn", purpose, q.bit)
	switch State(value) {
	case Granted:
		return granted, nil
	case Withdrawn:
		return withdrawn, nil
	case Unknown:
		return contact.Among{None: []contact.Among{granted, withdrawn}}, nil
	}
	if q.refused != "" {
		return contact.Among{}, nil
	}
	var never []contact.Among
	if len(q.p.Channels) > 0 {
		barred := map[int64]bool{}
		if err := f.s.barredContacts(ctx, Channel(ch), barred); err != nil {
			return contact.Among{}, err
		}
		never = append(never, said("withdrawn", Everything, useBit), contact.Among{Nums: sorted(barred)})
	}
	if q.p.Default {
		return contact.Among{None: append(never, withdrawn)}, nil
	}
	if len(never) == 0 {
		return granted, nil
	}
	return contact.Among{All: []contact.Among{granted, {None: never}}}, nil
}
