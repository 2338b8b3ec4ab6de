package team_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/team"
)

// scopeOf is whose customers a user sees.
func (w *world) scopeOf(u team.User) auth.Scope {
	w.Helper()
	p, err := w.Principal(w.Context(), auth.Principal{ID: u.ID, Name: u.Name})
	require.NoError(w, err)
	return p.Scope
}

func (w *world) department(name, parent, lead string) team.Department {
	w.Helper()
	d, err := w.CreateDepartment(w.cli, name, parent, lead)
	require.NoError(w, err)
	return d
}

func (w *world) joins(u team.User, departments ...string) {
	w.Helper()
	_, err := w.UpdateUser(w.cli, u.ID, team.UserChange{Departments: &departments})
	require.NoError(w, err)
}

// Each breadth, seen from each place in the tree.
func TestDataScopeFollowsRoleAndDepartments(t *testing.T) {
	each(t, func(w *world) {
		role := func(name string, b auth.Breadth, unowned bool) string {
			r, err := w.CreateRole(w.cli, name, []auth.Permission{auth.ContactRead}, auth.DataScope{Breadth: b, Unowned: unowned})
			require.NoError(w, err)
			return r.ID
		}
		tree, own := role("树", auth.BreadthTree, false), role("部门", auth.BreadthDepartment, true)
		boss := w.user(tree, "boss@example.com", "otter-tangerine-41")
		lead := w.user(tree, "lead@example.com", "otter-tangerine-42")
		member := w.user(own, "member@example.com", "otter-tangerine-43")
		sales := w.user("sales", "sales@example.com", "otter-tangerine-44")
		loner := w.user(own, "loner@example.com", "otter-tangerine-45")
		east := w.department("华东", "", "")
		shanghai := w.department("上海", east.ID, lead.ID)
		other := w.department("华南", "", "")
		w.joins(boss, east.ID)
		w.joins(member, shanghai.ID)
		w.joins(sales, shanghai.ID, other.ID)

		require.Equal(w, auth.Everybody(), w.scopeOf(must(w.UserByEmail(w.Context(), adminEmail))))
		require.ElementsMatch(w, []string{boss.ID, lead.ID, member.ID, sales.ID}, w.scopeOf(boss).Owners, "a department and all below")
		require.ElementsMatch(w, []string{lead.ID, member.ID, sales.ID}, w.scopeOf(lead).Owners, "who leads sees like a member")
		require.ElementsMatch(w, []string{lead.ID, member.ID, sales.ID}, w.scopeOf(member).Owners, "one department")
		require.Equal(w, []string{sales.ID}, w.scopeOf(sales).Owners)
		require.Equal(w, []string{loner.ID}, w.scopeOf(loner).Owners, "in no department: their own")
		require.True(w, w.scopeOf(member).Unowned)
		require.False(w, w.scopeOf(sales).Unowned)

		// Below counts from the top down, not the other way.
		w.joins(boss)
		require.Equal(w, []string{boss.ID}, w.scopeOf(boss).Owners)

		// A deleted colleague's customers stay in sight.
		require.NoError(w, w.DeleteUser(w.cli, sales.ID))
		require.Contains(w, w.scopeOf(member).Owners, sales.ID)
		leads, err := w.Leads(w.Context(), member.ID)
		require.NoError(w, err)
		require.Equal(w, []string{lead.ID}, leads)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A change of departments or of a role's scope counts with the next request of an open session.
func TestScopeChangesCountAtOnce(t *testing.T) {
	each(t, func(w *world) {
		r, err := w.CreateRole(w.cli, "销售组长", []auth.Permission{auth.ContactRead}, auth.DataScope{Breadth: auth.BreadthDepartment})
		require.NoError(w, err)
		u := w.user(r.ID, "a@example.com", "otter-tangerine-41")
		mate := w.user("sales", "b@example.com", "otter-tangerine-42")
		cookie := w.in("a@example.com", "otter-tangerine-41")
		scope := func() auth.Scope {
			q := call{cookie: cookie}
			p, err := w.Authenticate(request(q))
			require.NoError(w, err)
			return p.Scope
		}
		require.Equal(w, []string{u.ID}, scope().Owners)
		d := w.department("一组", "", "")
		w.joins(u, d.ID)
		w.joins(mate, d.ID)
		require.ElementsMatch(w, []string{u.ID, mate.ID}, scope().Owners)
		_, err = w.UpdateRole(w.cli, r.ID, team.RoleChange{Scope: &auth.DataScope{Breadth: auth.BreadthAll}})
		require.NoError(w, err)
		require.True(w, scope().All)
		require.True(w, scope().Unowned, "who sees everybody sees those of nobody")
		require.Equal(w, "all", w.do(call{method: "GET", path: "/api/session", cookie: cookie}).json["scope"])
	})
}

func TestNobodyWidensTheirOwnView(t *testing.T) {
	each(t, func(w *world) {
		perms := []auth.Permission{auth.TeamRead, auth.TeamWrite, auth.KeysWrite, auth.ContactRead}
		lead, err := w.CreateRole(w.cli, "组长", perms, auth.DataScope{Breadth: auth.BreadthDepartment})
		require.NoError(w, err)
		wide, err := w.CreateRole(w.cli, "宽", []auth.Permission{auth.ContactRead}, auth.DataScope{Breadth: auth.BreadthTree})
		require.NoError(w, err)
		narrow, err := w.CreateRole(w.cli, "窄", []auth.Permission{auth.ContactRead}, auth.DataScope{Breadth: auth.BreadthMine})
		require.NoError(w, err)
		u := w.user(lead.ID, "a@example.com", "otter-tangerine-41")
		d := w.department("一组", "", "")
		p := must(w.Principal(w.Context(), auth.Principal{ID: u.ID}))
		ctx := auth.With(w.Context(), p)
		for name, do := range map[string]func(context.Context) error{
			"grant a wider role": func(ctx context.Context) error {
				return errOf(w.CreateToken(ctx, "t", wide.ID, w.clk.Now().AddDate(1, 0, 0)))
			},
			"make a wider role": func(ctx context.Context) error {
				_, err := w.CreateRole(ctx, "x", perms[3:], auth.DataScope{Breadth: auth.BreadthAll})
				return err
			},
			"see those of nobody": func(ctx context.Context) error {
				_, err := w.CreateRole(ctx, "x", perms[3:], auth.DataScope{Breadth: auth.BreadthMine, Unowned: true})
				return err
			},
			"widen their role": func(ctx context.Context) error {
				_, err := w.UpdateRole(ctx, lead.ID, team.RoleChange{Scope: &everybody})
				return err
			},
			"join a department": func(ctx context.Context) error {
				_, err := w.UpdateUser(ctx, u.ID, team.UserChange{Departments: &[]string{d.ID}})
				return err
			},
			"make a department": func(ctx context.Context) error { _, err := w.CreateDepartment(ctx, "二组", "", u.ID); return err },
			"lead a department": func(ctx context.Context) error {
				_, err := w.UpdateDepartment(ctx, d.ID, team.DepartmentChange{Lead: &u.ID})
				return err
			},
			"remove a department": func(ctx context.Context) error { return w.DeleteDepartment(ctx, d.ID) },
		} {
			require.Equal(w, "role.beyond_scope", errs.As(do(ctx)).Code, name)
		}
		_, _, err = w.CreateUser(ctx, team.NewUser{Name: "x", Email: "x@example.com", Role: narrow.ID})
		require.NoError(w, err, "a narrower role may be given")
	})
}

func errOf[A, B any](_ A, _ B, err error) error { return err }

func TestDepartmentsAreATree(t *testing.T) {
	each(t, func(w *world) {
		a := w.department("华东", "", "")
		b := w.department("上海", a.ID, "")
		c := w.department("浦东", b.ID, "")
		_, err := w.UpdateDepartment(w.cli, a.ID, team.DepartmentChange{Parent: &c.ID})
		requireField(w, err, "parent", "department.below_itself")
		_, err = w.CreateDepartment(w.cli, "上海", a.ID, "")
		requireField(w, err, "name", "department.name_taken")
		_, err = w.CreateDepartment(w.cli, "上海", "", "")
		require.NoError(w, err, "the same name elsewhere")
		_, err = w.CreateDepartment(w.cli, "x", "dp_none", "")
		requireField(w, err, "parent", "department.not_found")
		_, err = w.CreateDepartment(w.cli, "x", "", "us_none")
		requireField(w, err, "lead", "user.not_found")
		_, err = w.UpdateUser(w.cli, must(w.UserByEmail(w.Context(), adminEmail)).ID, team.UserChange{Departments: &[]string{"dp_none"}})
		requireField(w, err, "departments", "department.not_found")
		at := c.ID
		for range 5 {
			at = w.department("下", at, "").ID
		}
		_, err = w.CreateDepartment(w.cli, "太深", at, "")
		requireField(w, err, "parent", "department.too_deep")
		top := w.department("顶", "", "")
		_, err = w.UpdateDepartment(w.cli, a.ID, team.DepartmentChange{Parent: &top.ID})
		requireField(w, err, "parent", "department.too_deep")
		require.ErrorIs(w, w.DeleteDepartment(w.cli, a.ID), team.ErrDepartmentInUse)

		admin := w.in(adminEmail, adminPassword)
		r := w.do(call{method: "POST", path: "/api/departments", cookie: admin, body: `{"name":"客服部"}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		id := r.json["id"].(string)
		u := w.user("service", "s@example.com", "otter-tangerine-41")
		r = w.do(call{method: "PATCH", path: "/api/users/" + u.ID, cookie: admin, body: `{"departments":["` + id + `"]}`})
		require.Equal(w, []any{id}, r.json["departments"])
		r = w.do(call{method: "GET", path: "/api/departments", cookie: admin})
		list := r.json["items"].([]any)
		require.Len(w, list, 11)
		require.Equal(w, "华东", list[0].(map[string]any)["name"])
		require.Equal(w, a.ID, list[1].(map[string]any)["parent"], "each behind its parent")
		require.Equal(w, []any{u.ID}, list[10].(map[string]any)["members"])
		r = w.do(call{method: "GET", path: "/api/staff", cookie: w.in("s@example.com", "otter-tangerine-41")})
		require.Equal(w, []any{"客服部"}, r.json["items"].([]any)[1].(map[string]any)["departments"])
		require.NotContains(w, r.Body.String(), "example.com", "names only")
		require.Equal(w, 409, w.do(call{method: "DELETE", path: "/api/departments/" + id, cookie: admin}).Code)
		require.NoError(w, w.DeleteUser(w.cli, u.ID))
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/departments/" + id, cookie: admin}).Code, "those who left do not hold it")
	})
}

func TestWhoAskedForAJobMustStillBeThere(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("sales", "a@example.com", "otter-tangerine-41")
		who := auth.Principal{ID: u.ID, Name: u.Name}
		p, err := w.Principal(w.Context(), who)
		require.NoError(w, err)
		require.Equal(w, []string{u.ID}, p.Scope.Owners)
		require.False(w, p.May(auth.TeamWrite))
		tok, _, err := w.CreateToken(w.as(u), "t", "sales", w.clk.Now().AddDate(1, 0, 0))
		require.NoError(w, err)
		p, err = w.Principal(w.Context(), auth.Principal{ID: tok.ID, Name: "t"})
		require.NoError(w, err)
		require.Equal(w, []string{u.ID}, p.Scope.Owners, "a token's own customers are its maker's")
		_, err = w.UpdateUser(w.cli, u.ID, team.UserChange{State: ptr(team.Disabled)})
		require.NoError(w, err)
		_, err = w.Principal(w.Context(), who)
		require.Equal(w, "user.gone", errs.As(err).Code)
		require.NoError(w, w.RevokeToken(w.cli, tok.ID))
		_, err = w.Principal(w.Context(), auth.Principal{ID: tok.ID, Name: "t"})
		require.Equal(w, "user.gone", errs.As(err).Code)
		p, err = w.Principal(w.Context(), auth.Principal{ID: "system", Name: "koipond"})
		require.NoError(w, err)
		require.True(w, p.Scope.All)
	})
}

// Who leads is told of the work of those below; where that place is empty, or they
// have left themselves, the next one above is.
func TestGroupsOfStaff(t *testing.T) {
	each(t, func(w *world) {
		boss, lead := w.user("admin", "boss@example.com", "otter-tangerine-51"), w.user("service", "lead@example.com", "otter-tangerine-52")
		member, loner := w.user("sales", "member@example.com", "otter-tangerine-53"), w.user("sales", "loner@example.com", "otter-tangerine-54")
		top := w.department("门店", "", boss.ID)
		east := w.department("华东", top.ID, lead.ID)
		hang := w.department("杭州", east.ID, "")
		w.joins(member, hang.ID)
		w.joins(lead, east.ID)

		below := func(id string) []string {
			out, err := w.Below(w.Context(), []string{id})
			require.NoError(w, err)
			return out
		}
		require.ElementsMatch(w, []string{boss.ID, lead.ID, member.ID}, below(top.ID))
		require.ElementsMatch(w, []string{lead.ID, member.ID}, below(east.ID))
		require.Equal(w, []string{member.ID}, below(hang.ID))
		require.Empty(w, below("dp_none"))
		paths, err := w.DepartmentPaths(w.Context())
		require.NoError(w, err)
		require.Equal(w, [][2]string{{top.ID, "门店"}, {east.ID, "门店 / 华东"}, {hang.ID, "门店 / 华东 / 杭州"}}, paths)

		leads := func(id string) []string {
			out, err := w.Leads(w.Context(), id)
			require.NoError(w, err)
			return out
		}
		require.Equal(w, []string{lead.ID}, leads(member.ID), "the place in Hangzhou is empty")
		require.Equal(w, []string{boss.ID}, leads(lead.ID), "nobody reports to themself")
		require.Empty(w, leads(loner.ID))
		off := team.Disabled
		_, err = w.UpdateUser(w.cli, lead.ID, team.UserChange{State: &off})
		require.NoError(w, err)
		require.Equal(w, []string{boss.ID}, leads(member.ID), "who has left reads nothing")
		gone, err := w.Left(w.Context())
		require.NoError(w, err)
		require.Equal(w, []string{lead.ID}, gone)
		admins, err := w.Admins(w.Context())
		require.NoError(w, err)
		require.Contains(w, admins, boss.ID)
	})
}
