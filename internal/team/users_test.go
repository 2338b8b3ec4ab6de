package team_test

import (
	"fmt"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/team"
)

func TestUsersOverHTTP(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		r := w.do(call{method: "POST", path: "/api/users", cookie: admin, body: `{"name":"何晓","email":"he@example.com","role":"growth"}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		password := r.json["password"].(string)
		require.Regexp(w, regexp.MustCompile(`^([a-z2-9]{4}-){3}[a-z2-9]{4}$`), password)
		u := r.json["user"].(map[string]any)
		require.Equal(w, "Growth", u["roleName"])
		require.Equal(w, "active", u["state"])
		require.NotContains(w, u, "lastSeenAt")
		his := w.in("he@example.com", password)

		r = w.do(call{method: "POST", path: "/api/users", cookie: admin, body: `{"name":"周","email":"zhou@example.com","role":"service","password":"peregrine-plum-77"}`})
		require.NotContains(w, r.json, "password", "a password that was given is not repeated")
		r = w.do(call{method: "POST", path: "/api/users", cookie: admin, body: `{"name":"周","email":"ZHOU@example.com","role":"service"}`})
		require.Equal(w, 422, r.Code)
		require.Contains(w, r.Body.String(), "user.email_taken")
		r = w.do(call{method: "POST", path: "/api/users", cookie: admin, body: `{"name":"周","email":"x@example.com","role":"emperor"}`})
		require.Contains(w, r.Body.String(), `"path":"role","code":"role.not_found"`)

		id := u["id"].(string)
		r = w.do(call{method: "PATCH", path: "/api/users/" + id, cookie: admin, body: `{"name":"何大晓","role":"analyst"}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		require.Equal(w, "Analyst", r.json["roleName"])
		require.JSONEq(w, `{"name":"何大晓","role":"analyst","roleBefore":"growth"}`, string(w.lastAction().Detail))
		me := w.do(call{method: "GET", path: "/api/session", cookie: his})
		require.Contains(w, me.json["permissions"], "facts.write", "a new role counts at once")
		require.NotContains(w, me.json["permissions"], "contact.write")

		r = w.do(call{method: "POST", path: "/api/users/" + id + "/password", cookie: admin, body: `{}`})
		require.Equal(w, 200, r.Code)
		require.Equal(w, 401, w.me(his))
		require.Equal(w, 401, w.tryIn("he@example.com", password, "").Code)
		his = w.in("he@example.com", r.json["password"].(string))
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/users/" + id + "/sessions", cookie: admin}).Code)
		require.Equal(w, 401, w.me(his))

		r = w.do(call{method: "GET", path: "/api/users", cookie: admin})
		require.Len(w, r.json["items"], 3)
		require.Equal(w, 404, w.do(call{method: "PATCH", path: "/api/users/us_none", cookie: admin, body: `{"name":"x"}`}).Code)
		require.Equal(w, map[string]string{id: "何大晓"}, w.Names(w.Context(), []string{id, "us_none"}))
	})
}

func TestDisabledUsersAreOutAtOnce(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		u := w.user("growth", "he@example.com", adminPassword)
		his := w.in("he@example.com", adminPassword)
		require.Equal(w, 200, w.me(his))
		require.Equal(w, 200, w.do(call{method: "PATCH", path: "/api/users/" + u.ID, cookie: admin, body: `{"state":"disabled"}`}).Code)
		require.Equal(w, 401, w.me(his))
		require.Equal(w, 200, w.do(call{method: "PATCH", path: "/api/users/" + u.ID, cookie: admin, body: `{"state":"active"}`}).Code)
		require.Equal(w, 401, w.me(his), "the old session does not come back")
		w.in("he@example.com", adminPassword)
	})
}

func TestLastAdminStays(t *testing.T) {
	each(t, func(w *world) {
		admin, err := w.UserByEmail(w.Context(), adminEmail)
		require.NoError(w, err)
		try := func() []error {
			_, disable := w.UpdateUser(w.cli, admin.ID, team.UserChange{State: ptr(team.Disabled)})
			_, demote := w.UpdateUser(w.cli, admin.ID, team.UserChange{Role: ptr("growth")})
			return []error{disable, demote, w.DeleteUser(w.cli, admin.ID)}
		}
		for _, err := range try() {
			require.ErrorIs(w, err, team.ErrLastAdmin)
		}
		second := w.user("admin", "zhou@example.com", adminPassword)
		_, err = w.UpdateUser(w.cli, second.ID, team.UserChange{State: ptr(team.Disabled)})
		require.NoError(w, err)
		for _, err := range try() {
			require.ErrorIs(w, err, team.ErrLastAdmin, "a disabled one does not count")
		}
		_, err = w.UpdateUser(w.cli, admin.ID, team.UserChange{Name: ptr("林大雨")})
		require.NoError(w, err)
		require.Equal(w, "user.last_admin", errs.CodeOf(team.ErrLastAdmin))
	})
}

// Two administrators who remove each other at the same moment: one stays.
func TestAdminsCannotRemoveEachOtherAtOnce(t *testing.T) {
	each(t, func(w *world) {
		for round := range 5 {
			users, err := w.ListUsers(w.Context())
			require.NoError(w, err)
			var admins []team.User
			for _, u := range users {
				if u.Role == "admin" && u.State == team.Active {
					admins = append(admins, u)
				}
			}
			for len(admins) < 2 {
				admins = append(admins, w.user("admin", fmt.Sprintf("a%d-%d@example.com", round, len(admins)), adminPassword))
			}
			var wg sync.WaitGroup
			for i := range 2 {
				ctx := w.as(admins[i])
				wg.Go(func() {
					_, err := w.UpdateUser(ctx, admins[1-i].ID, team.UserChange{State: ptr(team.Disabled)})
					if err != nil && errs.CodeOf(err) != "user.last_admin" {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			users, err = w.ListUsers(w.Context())
			require.NoError(w, err)
			left := 0
			for _, u := range users {
				if u.Role == "admin" && u.State == team.Active {
					left++
				}
			}
			require.Equal(w, 1, left)
		}
	})
}

func TestNobodyGrantsMoreThanTheyHave(t *testing.T) {
	each(t, func(w *world) {
		lead, err := w.CreateRole(w.cli, "团队主管", []auth.Permission{auth.TeamRead, auth.TeamWrite, auth.KeysWrite, auth.ContactRead}, everybody)
		require.NoError(w, err)
		reader, err := w.CreateRole(w.cli, "只读", []auth.Permission{auth.ContactRead}, everybody)
		require.NoError(w, err)
		u := w.user(lead.ID, "lead@example.com", adminPassword)
		peer := w.user(reader.ID, "peer@example.com", adminPassword)
		admin, err := w.UserByEmail(w.Context(), adminEmail)
		require.NoError(w, err)
		ctx := w.as(u)

		_, _, err = w.CreateUser(ctx, team.NewUser{Name: "x", Email: "x@example.com", Role: "admin"})
		require.ErrorIs(w, err, team.ErrBeyondYours)
		_, _, err = w.CreateUser(ctx, team.NewUser{Name: "x", Email: "x@example.com", Role: reader.ID})
		require.NoError(w, err)
		_, err = w.UpdateUser(ctx, u.ID, team.UserChange{Role: ptr("admin")})
		require.ErrorIs(w, err, team.ErrBeyondYours, "not to themself either")
		_, err = w.UpdateUser(ctx, peer.ID, team.UserChange{Role: ptr("service")})
		require.ErrorIs(w, err, team.ErrBeyondYours)
		_, err = w.CreateRole(ctx, "小管理员", auth.All(), everybody)
		require.ErrorIs(w, err, team.ErrBeyondYours)
		_, err = w.UpdateRole(ctx, lead.ID, team.RoleChange{Permissions: ptr(append([]auth.Permission{auth.AuditRead}, lead.Permissions...))})
		require.ErrorIs(w, err, team.ErrBeyondYours)
		_, _, err = w.CreateToken(ctx, "t", "admin", noTime)
		require.ErrorIs(w, err, team.ErrBeyondYours)
		_, _, err = w.CreateToken(ctx, "t", reader.ID, noTime)
		require.NoError(w, err)

		// nor act on someone who may do more
		_, err = w.ResetPassword(ctx, admin.ID)
		require.ErrorIs(w, err, team.ErrAboveYou)
		require.ErrorIs(w, w.EndSessions(ctx, admin.ID), team.ErrAboveYou)
		require.ErrorIs(w, w.DeleteUser(ctx, admin.ID), team.ErrAboveYou)
		_, err = w.UpdateUser(ctx, admin.ID, team.UserChange{Name: ptr("y")})
		require.ErrorIs(w, err, team.ErrAboveYou)
		above, err := w.CreateRole(w.cli, "高", []auth.Permission{auth.AuditRead}, everybody)
		require.NoError(w, err)
		_, err = w.UpdateRole(ctx, above.ID, team.RoleChange{Name: ptr("低")})
		require.ErrorIs(w, err, team.ErrAboveYou)
		require.ErrorIs(w, w.DeleteRole(ctx, above.ID), team.ErrAboveYou)

		require.ErrorIs(w, w.DeleteUser(ctx, u.ID), team.ErrSelf)
		_, err = w.UpdateUser(ctx, u.ID, team.UserChange{State: ptr(team.Disabled)})
		require.ErrorIs(w, err, team.ErrSelf)

		// nobody at all may nothing
		_, _, err = w.CreateUser(w.Context(), team.NewUser{Name: "x", Email: "y@example.com", Role: reader.ID})
		require.ErrorIs(w, err, team.ErrSignInRequired)
		_, _, err = w.CreateWriteKey(w.Context(), "k", "")
		require.ErrorIs(w, err, team.ErrSignInRequired)
		require.ErrorIs(w, w.EndSessions(w.Context(), u.ID), team.ErrSignInRequired)
	})
}

func TestDeletedUserLeavesANameAndFreesTheEmail(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("service", "he@example.com", adminPassword)
		his := w.in("he@example.com", adminPassword)
		require.NoError(w, w.DeleteUser(w.cli, u.ID))
		require.Equal(w, 401, w.me(his))
		require.Equal(w, "session.bad_credentials", w.tryIn("he@example.com", adminPassword, "").code())
		require.Equal(w, map[string]string{u.ID: "林service"}, w.Names(w.Context(), []string{u.ID}))
		_, err := w.User(w.Context(), u.ID)
		require.ErrorIs(w, err, team.ErrNoUser)
		require.ErrorIs(w, w.DeleteUser(w.cli, u.ID), team.ErrNoUser)
		again := w.user("service", "he@example.com", adminPassword)
		require.NotEqual(w, u.ID, again.ID)
		require.NoError(w, w.DeleteUser(w.cli, again.ID))
	})
}

func TestRoles(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		r := w.do(call{method: "GET", path: "/api/roles", cookie: admin, header: map[string]string{"Accept-Language": "zh-CN"}})
		items := r.json["items"].([]any)
		require.Len(w, items, 9)
		first := items[0].(map[string]any)
		require.Equal(w, "admin", first["id"])
		require.Equal(w, "管理员", first["name"])
		require.EqualValues(w, 1, first["users"])
		require.Len(w, r.json["permissions"], len(auth.All()))
		require.Contains(w, r.json["permissions"], map[string]any{"id": "contact.read", "group": "contact"})

		r = w.do(call{method: "POST", path: "/api/roles", cookie: admin, body: `{"name":"复购组","permissions":["order.read","contact.read","order.read"]}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		require.Equal(w, []any{"contact.read", "order.read"}, r.json["permissions"])
		id := r.json["id"].(string)
		for body, code := range map[string]string{
			`{"name":"复购组","permissions":["order.read"]}`:  "role.name_taken",
			`{"name":"x","permissions":[]}`:                "request.field_required",
			`{"name":"x","permissions":["session.self"]}`:  "role.unknown_permission",
			`{"name":"x","permissions":["all.the_power"]}`: "role.unknown_permission",
			`{"name":"","permissions":["order.read"]}`:     "request.field_required",
		} {
			r := w.do(call{method: "POST", path: "/api/roles", cookie: admin, body: body})
			require.Equal(w, 422, r.Code, body)
			require.Contains(w, r.Body.String(), code)
		}

		u := w.user(id, "he@example.com", adminPassword)
		his := w.in("he@example.com", adminPassword)
		may := func() any { return w.do(call{method: "GET", path: "/api/session", cookie: his}).json["permissions"] }
		require.Equal(w, []any{"contact.read", "order.read"}, may())
		r = w.do(call{method: "PATCH", path: "/api/roles/" + id, cookie: admin, body: `{"permissions":["overview.read","contact.read"]}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		require.EqualValues(w, 1, r.json["users"])
		require.Equal(w, []any{"overview.read", "contact.read"}, may(), "at once")
		require.JSONEq(w, `{"added":["overview.read"],"removed":["order.read"]}`, string(w.lastAction().Detail))

		require.Equal(w, "role.in_use", w.do(call{method: "DELETE", path: "/api/roles/" + id, cookie: admin}).code())
		_, err := w.UpdateUser(w.cli, u.ID, team.UserChange{Role: ptr("service")})
		require.NoError(w, err)
		tok, _, err := w.CreateToken(w.cli, "t", id, noTime)
		require.NoError(w, err)
		require.Equal(w, "role.in_use", w.do(call{method: "DELETE", path: "/api/roles/" + id, cookie: admin}).code())
		require.NoError(w, w.RevokeToken(w.cli, tok.ID))
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/roles/" + id, cookie: admin}).Code)
		require.Equal(w, 404, w.do(call{method: "DELETE", path: "/api/roles/" + id, cookie: admin}).Code)
		require.Equal(w, "role.builtin", w.do(call{method: "DELETE", path: "/api/roles/admin", cookie: admin}).code())
		require.Equal(w, "role.builtin", w.do(call{method: "PATCH", path: "/api/roles/growth", cookie: admin, body: `{"name":"x"}`}).code())
	})
}
