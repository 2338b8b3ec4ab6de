package team

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
)

// Left are the users who do not work here any more: disabled or deleted.
func (s *Service) Left(ctx context.Context) ([]string, error) {
	rows, err := s.db.Query(ctx, "select id from team_users where state <> 'active' order by id")
	out, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list who has left: %w", err)
	}
	return out, nil
}

// Below are the members and leads of departments and of all below those, each once.
func (s *Service) Below(ctx context.Context, departments []string) ([]string, error) {
	all, err := s.store.departments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	in := map[string]bool{}
	var out []string
	for _, d := range topDown(all) { // parents first
		if !slices.Contains(departments, d.ID) && !in[d.Parent] {
			continue
		}
		in[d.ID] = true
		if d.Lead != "" {
			out = append(out, d.Lead)
		}
	}
	of, err := s.store.memberships(ctx)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	for user, departments := range of {
		if slices.ContainsFunc(departments, func(d string) bool { return in[d] }) {
			out = append(out, user)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// DepartmentPaths lists every department's id and its name behind the names of
// those above it, each after the one above.
func (s *Service) DepartmentPaths(ctx context.Context) ([][2]string, error) {
	all, err := s.store.departments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	path := map[string]string{}
	out := make([][2]string, 0, len(all))
	for _, d := range topDown(all) {
		path[d.ID] = d.Name
		if d.Parent != "" {
			path[d.ID] = path[d.Parent] + " / " + d.Name
		}
		out = append(out, [2]string{d.ID, path[d.ID]})
	}
	return out, nil
}

// Leads are those who are to know of a user's work: of each department that the
// user is in, who leads it or, where that is nobody, or the user or somebody who
// has left, the next one above.
func (s *Service) Leads(ctx context.Context, user string) ([]string, error) {
	all, err := s.store.departments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	in, err := s.store.departmentsOf(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("list departments of a user: %w", err)
	}
	left, err := s.Left(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]Department{}
	for _, d := range all {
		byID[d.ID] = d
	}
	var out []string
	for _, id := range in {
		for at, ok := byID[id]; ok; at, ok = byID[at.Parent] {
			if at.Lead != "" && at.Lead != user && !slices.Contains(left, at.Lead) {
				out = append(out, at.Lead)
				break
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Admins are the active administrators.
func (s *Service) Admins(ctx context.Context) ([]string, error) {
	rows, err := s.db.Query(ctx, "select id from team_users where state = 'active' and role = $1 order by id", AdminRole)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list administrators: %w", err)
	}
	return out, nil
}
