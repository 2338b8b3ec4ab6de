package team

import (
	"context"
)

type apiDepartment struct {
	ID      string   `json:"id"`
	Parent  string   `json:"parent" doc:"Id of the department above; empty at the top"`
	Name    string   `json:"name"`
	Lead    string   `json:"lead" doc:"User id; empty: nobody"`
	Members []string `json:"members" doc:"User ids; the lead is among them only if they are a member too"`
}

func toAPIDepartment(d Department) apiDepartment {
	if d.Members == nil {
		d.Members = []string{}
	}
	return apiDepartment(d)
}

type departmentsOut struct {
	Body struct {
		Items []apiDepartment `json:"items"`
	}
}

type departmentOut struct{ Body apiDepartment }

func (s *Service) handleDepartments(ctx context.Context, _ *nothing) (*departmentsOut, error) {
	all, err := s.Departments(ctx)
	if err != nil {
		return nil, err
	}
	out := &departmentsOut{}
	out.Body.Items = []apiDepartment{}
	for _, d := range all {
		out.Body.Items = append(out.Body.Items, toAPIDepartment(d))
	}
	return out, nil
}

type createDepartmentIn struct {
	Body struct {
		Name   string `json:"name"`
		Parent string `json:"parent,omitempty" doc:"Id of the department above; empty: at the top"`
		Lead   string `json:"lead,omitempty" doc:"User id"`
	}
}

func (s *Service) handleCreateDepartment(ctx context.Context, in *createDepartmentIn) (*departmentOut, error) {
	d, err := s.CreateDepartment(ctx, in.Body.Name, in.Body.Parent, in.Body.Lead)
	return &departmentOut{toAPIDepartment(d)}, err
}

type updateDepartmentIn struct {
	ID   string `path:"id"`
	Body struct {
		Name   *string `json:"name,omitempty"`
		Parent *string `json:"parent,omitempty" doc:"Empty: to the top"`
		Lead   *string `json:"lead,omitempty" doc:"Empty: nobody"`
	}
}

func (s *Service) handleUpdateDepartment(ctx context.Context, in *updateDepartmentIn) (*departmentOut, error) {
	d, err := s.UpdateDepartment(ctx, in.ID, DepartmentChange{Name: in.Body.Name, Parent: in.Body.Parent, Lead: in.Body.Lead})
	return &departmentOut{toAPIDepartment(d)}, err
}

func (s *Service) handleDeleteDepartment(ctx context.Context, in *byID) (*nothing, error) {
	return nil, s.DeleteDepartment(ctx, in.ID)
}

type apiColleague struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Departments []string `json:"departments" doc:"Names"`
}

type staffOut struct {
	Body struct {
		Items []apiColleague `json:"items"`
	}
}

// handleStaff tells names only: whoever works on customers may hand them to a
// colleague without being able to manage the team.
func (s *Service) handleStaff(ctx context.Context, _ *nothing) (*staffOut, error) {
	users, err := s.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.store.departments(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, d := range all {
		names[d.ID] = d.Name
	}
	out := &staffOut{}
	out.Body.Items = []apiColleague{}
	for _, u := range users {
		if u.State != Active {
			continue
		}
		c := apiColleague{ID: u.ID, Name: u.Name, Departments: []string{}}
		for _, d := range u.Departments {
			c.Departments = append(c.Departments, names[d])
		}
		out.Body.Items = append(out.Body.Items, c)
	}
	return out, nil
}
