package contact

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

func TestHiddenDigitsCannotBeTriedOut(t *testing.T) {
	g := &guessLimit{}
	now := time.Unix(1_700_000_000, 0)
	as := func(perms ...auth.Permission) context.Context {
		return auth.With(context.Background(), &auth.Principal{ID: "u", Via: auth.ViaSession, Permissions: auth.Set(perms), Scope: auth.Everybody()})
	}
	found := 0
	for i := range 10_000 { // ten a second
		if g.allow(as(auth.ContactRead), now.Add(time.Duration(i)*100*time.Millisecond)) == nil {
			found++
		}
	}
	require.Less(t, found, 400)
	err := g.allow(as(auth.ContactRead), now.Add(1000*time.Second))
	require.Equal(t, errs.TooMany, errs.As(err).Kind)
	require.Positive(t, errs.As(err).RetryAfter)
	for range 1000 {
		require.NoError(t, g.allow(as(auth.ContactRead, auth.ContactUnmask), now), "who may see them need not guess")
		require.NoError(t, g.allow(context.Background(), now), "the program itself")
	}
}

// A rule finds people by a value that is masked for the caller: it is held back
// as a search is, however many values one rule has. What was asked once is free.
func TestRulesDoNotTryOutHiddenDigits(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		_, err := p.CreateAttribute(p.ctx, attribute.Definition{Key: "card", NameZh: "证件", Type: attribute.Text, Personal: attribute.Sensitive, Indexed: true})
		require.NoError(t, err)
		_, err = p.Upsert(p.ctx, []Incoming{{Identifiers: ids(KindMemberNo, "M1"), Attributes: map[string]any{"card": "E0007"}}}, UpsertOptions{Source: "crm"})
		require.NoError(t, err)
		clerk := auth.With(p.ctx, &auth.Principal{ID: "us_7", Via: auth.ViaSession, Permissions: auth.Set([]auth.Permission{auth.ContactRead, auth.ContactWrite}), Scope: auth.Everybody()})
		rule := func(from, n int) Query {
			var values []any
			for i := range n {
				values = append(values, fmt.Sprintf("E%04d", from+i))
			}
			return Query{Where: &rule.Rule{V: 1, Node: rule.Node{Field: "attr", Key: "card", Op: "in", Value: values}}}
		}
		for range 100 { // pages, counts, walks of one rule
			page, err := p.List(clerk, rule(0, 20))
			require.NoError(t, err)
			require.EqualValues(t, 1, page.Total)
		}
		_, err = p.List(clerk, rule(100, 50))
		require.Equal(t, errs.TooMany, errs.As(err).Kind)
		_, err = p.Count(clerk, Selection{Query: rule(200, 1)})
		require.Equal(t, errs.TooMany, errs.As(err).Kind)
		// Nor does making a contact tell whose a number is.
		_, err = p.Create(p.ctx, NewContact{Name: "甲", Phone: "13971860001"})
		require.NoError(t, err)
		_, err = p.Create(clerk, NewContact{Name: "乙", Phone: "13971860001"})
		require.Equal(t, errs.TooMany, errs.As(err).Kind)
		may := auth.With(p.ctx, &auth.Principal{ID: "us_7", Via: auth.ViaSession, Permissions: auth.Set(auth.All()), Scope: auth.Everybody()})
		_, err = p.List(may, rule(300, 50))
		require.NoError(t, err)
		_, err = p.Create(may, NewContact{Name: "乙", Phone: "13971860001"})
		require.Equal(t, "contact.identity_taken", errs.CodeOf(err))
	})
}
