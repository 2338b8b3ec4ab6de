package team

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Routes adds the operations of sessions, team, keys and settings. Operations
// that answer a secret take no Idempotency-Key: their answer must be kept nowhere.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path, tag, summary string, p auth.Permission) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: tag, Summary: summary, Permission: p, MaxBody: 64 << 10}
	}
	get, post, patch, del := http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	httpx.Register(api, op("get-setup", get, "/api/setup", "session", "Whether the first administrator is still to be made", auth.Public), s.handleSetupState)
	httpx.Register(api, op("create-setup", post, "/api/setup", "session", "Make the first administrator and sign in", auth.Public), s.handleSetup)
	httpx.Register(api, op("create-session", post, "/api/session", "session", "Sign in", auth.Public), s.handleSignIn)
	httpx.Register(api, op("get-session", get, "/api/session", "session", "Who is signed in", auth.Self), s.handleMe)
	httpx.Register(api, op("delete-session", del, "/api/session", "session", "Sign out", auth.Self), s.handleSignOut)
	httpx.Register(api, op("update-session-user", patch, "/api/session/user", "session", "Change one's own name or language", auth.Self), s.handleUpdateSelf)
	httpx.Register(api, op("change-password", post, "/api/session/password", "session", "Change one's own password; other sessions end", auth.Self), s.handleChangePassword)
	httpx.Register(api, op("list-sessions", get, "/api/sessions", "session", "One's own sessions", auth.Self), s.handleSessions)
	httpx.Register(api, op("end-session", del, "/api/sessions/{id}", "session", "Sign out one of one's own sessions", auth.Self), s.handleEndSession)
	httpx.Register(api, op("end-other-sessions", del, "/api/sessions", "session", "Sign out everywhere else", auth.Self), s.handleEndOthers)

	httpx.Register(api, op("list-users", get, "/api/users", "team", "The staff", auth.TeamRead), s.handleUsers)
	httpx.Register(api, op("create-user", post, "/api/users", "team", "Add someone; the password is shown once if it was generated", auth.TeamWrite), s.handleCreateUser)
	httpx.Register(api, op("update-user", patch, "/api/users/{id}", "team", "Change name, role or state", auth.TeamWrite), s.handleUpdateUser)
	httpx.Register(api, op("reset-user-password", post, "/api/users/{id}/password", "team", "Give a new password, shown once; sessions end", auth.TeamWrite), s.handleResetPassword)
	httpx.Register(api, op("end-user-sessions", del, "/api/users/{id}/sessions", "team", "Sign someone out everywhere", auth.TeamWrite), s.handleEndUserSessions)
	httpx.Register(api, op("list-roles", get, "/api/roles", "team", "Roles and all permissions", auth.TeamRead), s.handleRoles)
	create := op("create-role", post, "/api/roles", "team", "Make a custom role", auth.TeamWrite)
	create.Idempotent = true
	httpx.Register(api, create, s.handleCreateRole)
	httpx.Register(api, op("update-role", patch, "/api/roles/{id}", "team", "Change a custom role", auth.TeamWrite), s.handleUpdateRole)
	httpx.Register(api, op("delete-role", del, "/api/roles/{id}", "team", "Delete a custom role that nobody has", auth.TeamWrite), s.handleDeleteRole)

	httpx.Register(api, op("list-departments", get, "/api/departments", "team", "The departments, each behind its parent", auth.TeamRead), s.handleDepartments)
	create = op("create-department", post, "/api/departments", "team", "Make a department", auth.TeamWrite)
	create.Idempotent = true
	httpx.Register(api, create, s.handleCreateDepartment)
	httpx.Register(api, op("update-department", patch, "/api/departments/{id}", "team", "Rename or move a department, or give it another lead", auth.TeamWrite), s.handleUpdateDepartment)
	httpx.Register(api, op("delete-department", del, "/api/departments/{id}", "team", "Delete a department that nobody is in and nothing lies below", auth.TeamWrite), s.handleDeleteDepartment)
	httpx.Register(api, op("list-staff", get, "/api/staff", "team", "Names and departments of the active staff, for handing work to them", auth.ContactRead), s.handleStaff)

	httpx.Register(api, op("list-tokens", get, "/api/tokens", "keys", "API tokens", auth.KeysRead), s.handleTokens)
	httpx.Register(api, op("create-token", post, "/api/tokens", "keys", "Make an API token; the secret is shown once", auth.KeysWrite), s.handleCreateToken)
	httpx.Register(api, op("revoke-token", del, "/api/tokens/{id}", "keys", "Revoke an API token", auth.KeysWrite), s.handleRevokeToken)
	httpx.Register(api, op("list-write-keys", get, "/api/write-keys", "keys", "Write keys of websites and apps", auth.KeysRead), s.handleWriteKeys)
	httpx.Register(api, op("create-write-key", post, "/api/write-keys", "keys", "Make a write key; the secret is shown once", auth.KeysWrite), s.handleCreateWriteKey)
	httpx.Register(api, op("revoke-write-key", del, "/api/write-keys/{id}", "keys", "Revoke a write key", auth.KeysWrite), s.handleRevokeWriteKey)

	httpx.Register(api, op("get-settings", get, "/api/settings", "system", "The company's settings", auth.Self), s.handleSettings)
	httpx.Register(api, op("update-settings", patch, "/api/settings", "system", "Change the company's settings", auth.SettingsWrite), s.handleUpdateSettings)
}

type byID struct {
	ID string `path:"id"`
}

type nothing struct{}

// timeOrNil leaves a time that never was out of the answer.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// roleNames says role ids in the caller's language; custom roles have their own name.
func (s *Service) roleNames(ctx context.Context) (func(id string) string, error) {
	custom, err := s.store.roles(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, r := range custom {
		names[r.ID] = r.Name
	}
	for _, r := range auth.BuiltinRoles() {
		names[r.ID] = httpx.Say(ctx, "role."+r.ID, nil)
	}
	return func(id string) string {
		if n, ok := names[id]; ok {
			return n
		}
		return id
	}, nil
}

type company struct {
	Name     string `json:"name"`
	Timezone string `json:"timezone"`
	Currency string `json:"currency"`
	Language string `json:"language" enum:"zh-CN,en"`
}

type meUser struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	RoleName string `json:"roleName"`
	Language string `json:"language" enum:"zh-CN,en"`
}

type demoProgress struct {
	State string `json:"state" enum:"filling,ready"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
	Still bool   `json:"still,omitempty" doc:"Nothing is added to the demo any more"`
}

type me struct {
	User        meUser            `json:"user"`
	Permissions []auth.Permission `json:"permissions"`
	Scope       auth.Breadth      `json:"scope" enum:"all,department_tree,department,mine" doc:"Whose customers they see"`
	Company     company           `json:"company"`
	Demo        *demoProgress     `json:"demo,omitempty"`
	Version     string            `json:"version"`
}

type meOut struct{ Body me }

type signedInOut struct {
	SetCookie string `header:"Set-Cookie"`
	Body      me
}

type signedOutOut struct {
	SetCookie string `header:"Set-Cookie"`
}

func (s *Service) me(ctx context.Context, userID string) (me, error) {
	u, err := s.store.user(ctx, userID)
	if err != nil {
		return me{}, err
	}
	settings, err := s.Settings(ctx)
	if err != nil {
		return me{}, err
	}
	p, err := s.principalOf(ctx, u)
	if err != nil {
		return me{}, err
	}
	name, err := s.roleNames(ctx)
	if err != nil {
		return me{}, err
	}
	m := me{
		User:    meUser{u.ID, u.Name, u.Email, u.Role, name(u.Role), string(u.Language)},
		Company: company{settings.Company, settings.Timezone, settings.Currency, string(settings.Language)},
		Scope:   p.Scope.Breadth,
		Version: s.version,
	}
	for _, perm := range auth.All() {
		if p.Permissions[perm] {
			m.Permissions = append(m.Permissions, perm)
		}
	}
	if s.demo != nil && s.demo.State != nil {
		d := s.demo.State()
		m.Demo = &demoProgress{d.State, d.Done, d.Total, d.Still}
	}
	return m, nil
}

// group is the part of a permission by which the console gathers them.
func group(p auth.Permission) string { g, _, _ := strings.Cut(string(p), "."); return g }
