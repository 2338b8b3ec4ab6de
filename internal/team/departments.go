package team

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	// maxDepth is how deep departments may lie below each other.
	maxDepth = 8
	// maxDepartments keeps the tree small enough to be read whole.
	maxDepartments = 2000
)

func departmentObject(d Department) audit.Object {
	return audit.Object{Type: "department", ID: d.ID, Name: d.Name}
}

// Departments lists all of them with their members, parents before children.
func (s *Service) Departments(ctx context.Context) ([]Department, error) {
	all, err := s.store.departments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	of, err := s.store.memberships(ctx)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	users, err := s.store.users(ctx) // in the order people are listed; deleted ones not at all
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	members := map[string][]string{}
	for _, u := range users {
		for _, d := range of[u.ID] {
			members[d] = append(members[d], u.ID)
		}
	}
	for i := range all {
		all[i].Members = members[all[i].ID]
	}
	return topDown(all), nil
}

// topDown puts each department right behind its parent, children by name.
func topDown(all []Department) []Department {
	below := map[string][]Department{}
	for _, d := range all {
		below[d.Parent] = append(below[d.Parent], d)
	}
	out := make([]Department, 0, len(all))
	var walk func(parent string)
	walk = func(parent string) {
		for _, d := range below[parent] {
			out = append(out, d)
			walk(d.ID)
		}
	}
	walk("")
	return out
}

// CreateDepartment makes one below parent, or at the top.
func (s *Service) CreateDepartment(ctx context.Context, name, parent, lead string) (Department, error) {
	d := Department{ID: s.ids.New("dp"), Members: []string{}}
	err := s.change(ctx, func(ctx context.Context) error {
		return s.setDepartment(ctx, &d, DepartmentChange{Name: &name, Parent: &parent, Lead: &lead}, "department.created")
	})
	return d, err
}

// UpdateDepartment renames or moves one, or gives it another lead.
func (s *Service) UpdateDepartment(ctx context.Context, id string, ch DepartmentChange) (Department, error) {
	var d Department
	err := s.change(ctx, func(ctx context.Context) (err error) {
		if d, err = s.store.department(ctx, id); err != nil {
			return err
		}
		return s.setDepartment(ctx, &d, ch, "department.updated")
	})
	return d, err
}

func (s *Service) setDepartment(ctx context.Context, d *Department, ch DepartmentChange, action string) error {
	if err := seesAll(ctx); err != nil {
		return err
	}
	all, err := s.store.departments(ctx)
	if err != nil {
		return fmt.Errorf("list departments: %w", err)
	}
	if action == "department.created" && len(all) >= maxDepartments {
		return errInput.On(errs.At("name", "department.too_many", "limit", maxDepartments))
	}
	detail := map[string]any{}
	if ch.Name != nil {
		if d.Name, err = cleanName("name", *ch.Name); err != nil {
			return err
		}
		detail["name"] = d.Name
	}
	if ch.Parent != nil {
		if err := placeable(all, d.ID, *ch.Parent); err != nil {
			return err
		}
		d.Parent = *ch.Parent
		detail["parent"] = d.Parent
	}
	if ch.Lead != nil {
		if *ch.Lead != "" {
			if _, err := s.store.user(ctx, *ch.Lead); err != nil {
				return pointAt("lead", err)
			}
		}
		d.Lead = *ch.Lead
		detail["lead"] = d.Lead
	}
	key := strings.ToLower(d.Name)
	if slices.ContainsFunc(all, func(o Department) bool {
		return o.ID != d.ID && o.Parent == d.Parent && strings.ToLower(o.Name) == key
	}) {
		return errInput.On(errs.At("name", "department.name_taken"))
	}
	if err := s.store.putDepartment(ctx, *d, key, clock.Ms(s.clock.Now())); err != nil {
		return fmt.Errorf("write department: %w", err)
	}
	return s.record(ctx, action, departmentObject(*d), detail)
}

// placeable tells whether a department may stand below parent: it exists, is
// not below the department itself, and the tree does not grow too deep.
func placeable(all []Department, id, parent string) error {
	above := map[string]string{}
	for _, d := range all {
		above[d.ID] = d.Parent
	}
	depth := 1 + heightOf(all, id)
	for at := parent; at != ""; at = above[at] {
		if _, ok := above[at]; !ok {
			return errInput.On(errs.At("parent", ErrNoDepartment.Code))
		}
		if at == id {
			return errInput.On(errs.At("parent", "department.below_itself"))
		}
		if depth++; depth > maxDepth {
			return errInput.On(errs.At("parent", "department.too_deep", "limit", maxDepth))
		}
	}
	return nil
}

// heightOf is how many levels lie below a department.
func heightOf(all []Department, id string) (h int) {
	for _, d := range all {
		if d.Parent == id && d.ID != id {
			h = max(h, 1+heightOf(all, d.ID))
		}
	}
	return h
}

// DeleteDepartment removes one that nobody is in and nothing lies below.
func (s *Service) DeleteDepartment(ctx context.Context, id string) error {
	return s.change(ctx, func(ctx context.Context) error {
		if err := seesAll(ctx); err != nil {
			return err
		}
		d, err := s.store.department(ctx, id)
		if err != nil {
			return err
		}
		used, err := s.store.departmentInUse(ctx, id)
		if err != nil {
			return fmt.Errorf("look what is in the department: %w", err)
		}
		if used {
			return ErrDepartmentInUse
		}
		if err := s.store.deleteDepartment(ctx, id); err != nil {
			return fmt.Errorf("delete department: %w", err)
		}
		return s.record(ctx, "department.deleted", departmentObject(d), nil)
	})
}

// seesAll refuses whoever sees only some customers: by moving people between
// departments they could show themselves more.
func seesAll(ctx context.Context) error {
	p, err := actor(ctx)
	if err != nil {
		return err
	}
	if !p.Scope.All {
		return ErrBeyondScope
	}
	return nil
}

// moveDepartments puts a user into exactly these departments.
func (s *Service) moveDepartments(ctx context.Context, u *User, to []string, detail map[string]any) error {
	to = slices.Clone(to)
	slices.Sort(to)
	to = slices.Compact(to)
	was := slices.Sorted(slices.Values(u.Departments))
	if slices.Equal(was, to) {
		return nil
	}
	if err := seesAll(ctx); err != nil {
		return err
	}
	for _, id := range to {
		if _, err := s.store.department(ctx, id); err != nil {
			return pointAt("departments", err)
		}
	}
	if err := s.store.setMemberships(ctx, u.ID, to); err != nil {
		return err
	}
	u.Departments = to
	detail["departments"] = to
	return nil
}

// scopeOf resolves a data scope for a person: whose customers it means today.
func (s *Service) scopeOf(ctx context.Context, d auth.DataScope, user string) (auth.Scope, error) {
	switch d.Breadth {
	case auth.BreadthAll:
		return auth.Everybody(), nil
	case auth.BreadthTree, auth.BreadthDepartment:
		owners, err := s.colleagues(ctx, user, d.Breadth == auth.BreadthTree)
		return auth.OwnedBy(d, append(owners, user)...), err
	}
	return auth.OwnedBy(d, user), nil
}

// colleagues are the members and leads of the departments that a user is in or
// leads, and of all below those if deep.
func (s *Service) colleagues(ctx context.Context, user string, deep bool) ([]string, error) {
	all, err := s.store.departments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	in, err := s.store.departmentsOf(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("list departments of a user: %w", err)
	}
	mine := map[string]bool{}
	for _, d := range topDown(all) { // parents first
		if slices.Contains(in, d.ID) || d.Lead == user || deep && mine[d.Parent] {
			mine[d.ID] = true
		}
	}
	of, err := s.store.memberships(ctx)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	var out []string
	for id, departments := range of {
		if slices.ContainsFunc(departments, func(d string) bool { return mine[d] }) {
			out = append(out, id)
		}
	}
	for _, d := range all {
		if mine[d.ID] && d.Lead != "" {
			out = append(out, d.Lead)
		}
	}
	return out, nil
}
