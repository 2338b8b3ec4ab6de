package team

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type apiUser struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Email       string     `json:"email"`
	Role        string     `json:"role"`
	RoleName    string     `json:"roleName"`
	State       string     `json:"state" enum:"active,disabled"`
	Departments []string   `json:"departments" doc:"Ids"`
	CreatedAt   time.Time  `json:"createdAt"`
	LastSeenAt  *time.Time `json:"lastSeenAt,omitempty"`
}

func toAPIUser(u User, roleName string) apiUser {
	if u.Departments == nil {
		u.Departments = []string{}
	}
	return apiUser{u.ID, u.Name, u.Email, u.Role, roleName, string(u.State), u.Departments, u.CreatedAt, timeOrNil(u.LastSeenAt)}
}

type usersOut struct {
	Body struct {
		Items []apiUser `json:"items"`
	}
}

func (s *Service) handleUsers(ctx context.Context, _ *nothing) (*usersOut, error) {
	users, err := s.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	name, err := s.roleNames(ctx)
	if err != nil {
		return nil, err
	}
	out := &usersOut{}
	for _, u := range users {
		out.Body.Items = append(out.Body.Items, toAPIUser(u, name(u.Role)))
	}
	return out, nil
}

type createUserIn struct {
	Body struct {
		Name        string   `json:"name"`
		Email       string   `json:"email"`
		Role        string   `json:"role" doc:"Id of a built-in or custom role"`
		Password    string   `json:"password,omitempty" doc:"Generated when not given"`
		Departments []string `json:"departments,omitempty" maxItems:"50" doc:"Ids of departments"`
	}
}

type createUserOut struct {
	Body struct {
		User     apiUser `json:"user"`
		Password string  `json:"password,omitempty" doc:"The generated password, shown this once"`
	}
}

func (s *Service) handleCreateUser(ctx context.Context, in *createUserIn) (*createUserOut, error) {
	u, password, err := s.CreateUser(ctx, NewUser{Name: in.Body.Name, Email: in.Body.Email, Role: in.Body.Role, Password: in.Body.Password, Departments: in.Body.Departments})
	if err != nil {
		return nil, err
	}
	name, err := s.roleNames(ctx)
	if err != nil {
		return nil, err
	}
	out := &createUserOut{}
	out.Body.User, out.Body.Password = toAPIUser(u, name(u.Role)), password
	return out, nil
}

type updateUserIn struct {
	ID   string `path:"id"`
	Body struct {
		Name        *string   `json:"name,omitempty"`
		Role        *string   `json:"role,omitempty"`
		State       *string   `json:"state,omitempty" enum:"active,disabled"`
		Departments *[]string `json:"departments,omitempty" maxItems:"50" doc:"All that they are in; [] takes them out of every one"`
	}
}

type userOut struct{ Body apiUser }

func (s *Service) handleUpdateUser(ctx context.Context, in *updateUserIn) (*userOut, error) {
	ch := UserChange{Name: in.Body.Name, Role: in.Body.Role, Departments: in.Body.Departments}
	if in.Body.State != nil {
		st := State(*in.Body.State)
		ch.State = &st
	}
	u, err := s.UpdateUser(ctx, in.ID, ch)
	if err != nil {
		return nil, err
	}
	name, err := s.roleNames(ctx)
	if err != nil {
		return nil, err
	}
	return &userOut{toAPIUser(u, name(u.Role))}, nil
}

type resetOut struct {
	Body struct {
		Password string `json:"password" doc:"Shown this once"`
	}
}

func (s *Service) handleResetPassword(ctx context.Context, in *byID) (*resetOut, error) {
	password, err := s.ResetPassword(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &resetOut{}
	out.Body.Password = password
	return out, nil
}

func (s *Service) handleEndUserSessions(ctx context.Context, in *byID) (*nothing, error) {
	return nil, s.EndSessions(ctx, in.ID)
}

type apiRole struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Builtin     bool              `json:"builtin"`
	Permissions []auth.Permission `json:"permissions"`
	Scope       auth.Breadth      `json:"scope" enum:"all,department_tree,department,mine" doc:"Whose customers the role sees"`
	Unowned     bool              `json:"unowned" doc:"Customers without owner, too"`
	Users       int               `json:"users"`
}

func toAPIRole(ctx context.Context, r Role) apiRole {
	if r.Builtin {
		r.Name = httpx.Say(ctx, "role."+r.ID, nil)
	}
	return apiRole{r.ID, r.Name, r.Builtin, r.Permissions, r.Scope.Breadth, r.Scope.Unowned, r.Users}
}

type apiPermission struct {
	ID    auth.Permission `json:"id"`
	Group string          `json:"group"`
}

type rolesOut struct {
	Body struct {
		Items       []apiRole       `json:"items"`
		Permissions []apiPermission `json:"permissions"`
	}
}

func (s *Service) handleRoles(ctx context.Context, _ *nothing) (*rolesOut, error) {
	roles, err := s.ListRoles(ctx)
	if err != nil {
		return nil, err
	}
	out := &rolesOut{}
	for _, r := range roles {
		out.Body.Items = append(out.Body.Items, toAPIRole(ctx, r))
	}
	for _, p := range auth.All() {
		out.Body.Permissions = append(out.Body.Permissions, apiPermission{p, group(p)})
	}
	return out, nil
}

type createRoleIn struct {
	Body struct {
		Name        string            `json:"name"`
		Permissions []auth.Permission `json:"permissions"`
		Scope       auth.Breadth      `json:"scope,omitempty" enum:"all,department_tree,department,mine" default:"all" doc:"Whose customers the role sees"`
		Unowned     bool              `json:"unowned,omitempty" doc:"Customers without owner, too; always so with all"`
	}
}

type roleOut struct{ Body apiRole }

func (s *Service) handleCreateRole(ctx context.Context, in *createRoleIn) (*roleOut, error) {
	r, err := s.CreateRole(ctx, in.Body.Name, in.Body.Permissions, auth.DataScope{Breadth: in.Body.Scope, Unowned: in.Body.Unowned})
	return &roleOut{toAPIRole(ctx, r)}, err
}

type updateRoleIn struct {
	ID   string `path:"id"`
	Body struct {
		Name        *string            `json:"name,omitempty"`
		Permissions *[]auth.Permission `json:"permissions,omitempty"`
		Scope       *auth.Breadth      `json:"scope,omitempty" enum:"all,department_tree,department,mine" doc:"Given without unowned, customers without owner are not seen"`
		Unowned     bool               `json:"unowned,omitempty" doc:"Counts with scope"`
	}
}

func (s *Service) handleUpdateRole(ctx context.Context, in *updateRoleIn) (*roleOut, error) {
	ch := RoleChange{Name: in.Body.Name, Permissions: in.Body.Permissions}
	if in.Body.Scope != nil {
		ch.Scope = &auth.DataScope{Breadth: *in.Body.Scope, Unowned: in.Body.Unowned}
	}
	r, err := s.UpdateRole(ctx, in.ID, ch)
	return &roleOut{toAPIRole(ctx, r)}, err
}

func (s *Service) handleDeleteRole(ctx context.Context, in *byID) (*nothing, error) {
	return nil, s.DeleteRole(ctx, in.ID)
}
