package team

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

func roleObject(r Role) audit.Object { return audit.Object{Type: "role", ID: r.ID, Name: r.Name} }

func builtin(id string) (Role, bool) {
	for _, r := range auth.BuiltinRoles() {
		if r.ID == id {
			return Role{ID: r.ID, Builtin: true, Permissions: r.Permissions, Scope: r.Scope}, true
		}
	}
	return Role{}, false
}

// Role finds a built-in or custom role; Users is not counted.
func (s *Service) Role(ctx context.Context, id string) (Role, error) {
	if r, ok := builtin(id); ok {
		return r, nil
	}
	return s.store.role(ctx, id)
}

// ListRoles lists the built-in roles and then the custom ones, with their users counted.
func (s *Service) ListRoles(ctx context.Context) ([]Role, error) {
	custom, err := s.store.roles(ctx)
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	users, err := s.store.usersByRole(ctx)
	if err != nil {
		return nil, fmt.Errorf("count users by role: %w", err)
	}
	var out []Role
	for _, r := range auth.BuiltinRoles() {
		out = append(out, Role{ID: r.ID, Builtin: true, Permissions: r.Permissions, Scope: r.Scope})
	}
	out = append(out, custom...)
	for i := range out {
		out[i].Users = users[out[i].ID]
	}
	return out, nil
}

// CreateRole makes a custom role of permissions that whoever asks holds, with
// a data scope no wider than theirs.
func (s *Service) CreateRole(ctx context.Context, name string, perms []auth.Permission, scope auth.DataScope) (Role, error) {
	r := Role{ID: s.ids.New("rl")}
	err := s.change(ctx, func(ctx context.Context) (err error) {
		if r.Permissions, err = cleanPermissions(perms); err != nil {
			return err
		}
		if r.Scope, err = cleanScope(scope); err != nil {
			return err
		}
		if err := coversRole(ctx, r, ErrBeyondYours); err != nil {
			return err
		}
		if r.Name, err = cleanName("name", name); err != nil {
			return err
		}
		if err := s.saveRole(ctx, r); err != nil {
			return err
		}
		return s.record(ctx, "role.created", roleObject(r), map[string]any{"permissions": r.Permissions, "scope": r.Scope.Breadth, "unowned": r.Scope.Unowned})
	})
	return r, err
}

// UpdateRole changes a custom role. Whoever asks must hold what the role holds
// before and after, and see as far.
func (s *Service) UpdateRole(ctx context.Context, id string, ch RoleChange) (Role, error) {
	var r Role
	err := s.change(ctx, func(ctx context.Context) (err error) {
		if r, err = s.customRole(ctx, id); err != nil {
			return err
		}
		detail := map[string]any{}
		if ch.Name != nil {
			if r.Name, err = cleanName("name", *ch.Name); err != nil {
				return err
			}
			detail["name"] = r.Name
		}
		if ch.Permissions != nil {
			before := r.Permissions
			if r.Permissions, err = cleanPermissions(*ch.Permissions); err != nil {
				return err
			}
			detail["added"], detail["removed"] = minus(r.Permissions, before), minus(before, r.Permissions)
		}
		if ch.Scope != nil {
			if r.Scope, err = cleanScope(*ch.Scope); err != nil {
				return err
			}
			detail["scope"], detail["unowned"] = r.Scope.Breadth, r.Scope.Unowned
		}
		if err := coversRole(ctx, r, ErrBeyondYours); err != nil {
			return err
		}
		if err := s.saveRole(ctx, r); err != nil {
			return err
		}
		users, err := s.store.usersByRole(ctx)
		if err != nil {
			return fmt.Errorf("count users by role: %w", err)
		}
		r.Users = users[r.ID]
		return s.record(ctx, "role.updated", roleObject(r), detail)
	})
	return r, err
}

// DeleteRole removes a custom role that no user and no working token has.
func (s *Service) DeleteRole(ctx context.Context, id string) error {
	return s.change(ctx, func(ctx context.Context) error {
		r, err := s.customRole(ctx, id)
		if err != nil {
			return err
		}
		used, err := s.store.roleInUse(ctx, id)
		if err != nil {
			return fmt.Errorf("look for users of the role: %w", err)
		}
		if used {
			return ErrRoleInUse
		}
		if err := s.store.deleteRole(ctx, id); err != nil {
			return fmt.Errorf("delete role: %w", err)
		}
		return s.record(ctx, "role.deleted", roleObject(r), nil)
	})
}

// customRole finds a role that whoever asks may change.
func (s *Service) customRole(ctx context.Context, id string) (Role, error) {
	if _, ok := builtin(id); ok {
		return Role{}, ErrRoleBuiltin
	}
	r, err := s.store.role(ctx, id)
	if err != nil {
		return r, err
	}
	return r, coversRole(ctx, r, ErrAboveYou)
}

func (s *Service) saveRole(ctx context.Context, r Role) error {
	taken := errInput.On(errs.At("name", "role.name_taken"))
	all, err := s.store.roles(ctx)
	if err != nil {
		return fmt.Errorf("list roles: %w", err)
	}
	key := strings.ToLower(r.Name)
	if slices.ContainsFunc(all, func(o Role) bool { return o.ID != r.ID && strings.ToLower(o.Name) == key }) {
		return taken
	}
	if err := s.store.putRole(ctx, r, key, clock.Ms(s.clock.Now())); err != nil {
		if db.IsUnique(err) {
			return taken
		}
		return fmt.Errorf("write role: %w", err)
	}
	return nil
}

// cleanPermissions sorts them as auth.All does, drops repeats and refuses unknown ones.
func cleanPermissions(perms []auth.Permission) ([]auth.Permission, error) {
	for _, p := range perms {
		if !auth.Known(p) {
			return nil, errInput.On(errs.At("permissions", "role.unknown_permission", "permission", string(p)))
		}
	}
	out := []auth.Permission{}
	for _, p := range auth.All() {
		if slices.Contains(perms, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, errInput.On(errs.At("permissions", "request.field_required"))
	}
	return out, nil
}

func minus(a, b []auth.Permission) []auth.Permission {
	out := []auth.Permission{}
	for _, p := range a {
		if !slices.Contains(b, p) {
			out = append(out, p)
		}
	}
	return out
}

// cleanScope refuses an unknown breadth. Who sees everybody sees those of nobody.
func cleanScope(d auth.DataScope) (auth.DataScope, error) {
	if !slices.Contains(auth.Breadths(), d.Breadth) {
		return d, errInput.On(errs.At("scope", "request.not_one_of", "allowed", "all, department_tree, department, mine"))
	}
	d.Unowned = d.Unowned || d.Breadth == auth.BreadthAll
	return d, nil
}

// coversRole tells whether whoever asks holds all that a role gives and sees as
// far; refusal is the answer about permissions.
func coversRole(ctx context.Context, r Role, refusal *errs.Error) error {
	if err := covers(ctx, r.Permissions, refusal); err != nil {
		return err
	}
	if p := auth.From(ctx); !r.Scope.Within(auth.DataScope{Breadth: p.Scope.Breadth, Unowned: p.Scope.Unowned}) {
		return ErrBeyondScope
	}
	return nil
}

// roleOf is what a role id opens; a role that is gone opens nothing.
func (s *Service) roleOf(ctx context.Context, id string) (Role, error) {
	r, err := s.Role(ctx, id)
	if errors.Is(err, ErrNoRole) {
		return Role{ID: id, Scope: auth.DataScope{Breadth: auth.BreadthMine}}, nil
	}
	return r, err
}
