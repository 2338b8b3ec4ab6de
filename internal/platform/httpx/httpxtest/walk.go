// Package httpxtest answers: is every route closed to those who may not?
package httpxtest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

var wildcard = regexp.MustCompile(`\{[^}]+\}`)

// WalkPermissions asks every route as nobody, as a user of every role, as a
// token of every role and as a user without any permission, and compares the
// answer with what the route declares, once seeing everybody's customers and
// once only their own. No handler runs. A route whose
// permission is missing or unknown fails.
func WalkPermissions(t *testing.T, api *httpx.API, roles []auth.Role) {
	t.Helper()
	if len(api.Routes()) == 0 {
		t.Fatal("no routes are registered")
	}
	known := append(auth.All(), auth.Public, auth.Self)
	for _, route := range api.Routes() {
		if !slices.Contains(known, route.Permission) {
			t.Errorf("%s (%s): permission %q is not one of auth.All, Public, Self", route.Pattern(), route.ID, route.Permission)
			continue
		}
		if got, want := ask(t, api, route, nil), when(route.Permission == auth.Public, "admitted", "session.required"); got != want {
			t.Errorf("%s as nobody: %s, want %s", route.Pattern(), got, want)
		}
		for _, role := range append(slices.Clone(roles), auth.Role{ID: "without permissions"}) {
			for _, via := range []auth.Via{auth.ViaSession, auth.ViaToken} {
				may := slices.Contains(role.Permissions, route.Permission) || route.Permission == auth.Public ||
					route.Permission == auth.Self && via == auth.ViaSession
				want := when(may, "admitted", "permission.denied")
				if got := ask(t, api, route, principal(role, via)); got != want {
					t.Errorf("%s as %s by %s: %s, want %s", route.Pattern(), role.ID, via, got, want)
				}
				scoped := principal(role, via)
				scoped.Scope = auth.OwnedBy(role.Scope, scoped.ID)
				if may && route.Whole {
					want = "permission.scope"
				}
				if got := ask(t, api, route, scoped); got != want {
					t.Errorf("%s as %s by %s with a data scope: %s, want %s", route.Pattern(), role.ID, via, got, want)
				}
			}
		}
	}
}

func when(c bool, yes, no string) string {
	if c {
		return yes
	}
	return no
}

func principal(role auth.Role, via auth.Via) *auth.Principal {
	perms := map[auth.Permission]bool{}
	for _, p := range role.Permissions {
		perms[p] = true
	}
	return &auth.Principal{ID: "walker", Name: "walker", Via: via, Role: role.ID, Permissions: perms, Scope: auth.Everybody()}
}

// ask returns "admitted" or the code of the refusal.
func ask(t *testing.T, api *httpx.API, route httpx.Route, p *auth.Principal) string {
	t.Helper()
	ctx := httpx.Probe(context.Background())
	if p != nil {
		ctx = auth.With(ctx, p)
	}
	r := httptest.NewRequestWithContext(ctx, route.Method, wildcard.ReplaceAllString(route.Path, "x"), nil)
	rec := httptest.NewRecorder()
	api.Handler().ServeHTTP(rec, r)
	if rec.Code == http.StatusNoContent {
		return "admitted"
	}
	var problem httpx.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil {
		t.Errorf("%s: status %d and no problem: %v", route.Pattern(), rec.Code, err)
	}
	return problem.Code
}
