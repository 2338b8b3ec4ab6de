package app

import (
	"context"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/team"
)

// ownersDepartment filters lists of contacts by the department of the owner;
// those below a department are part of it.
type ownersDepartment struct{ team *team.Service }

// Views implements contact.Field.
func (f ownersDepartment) Views(ctx context.Context) ([]contact.FieldView, error) {
	all, err := f.team.Departments(ctx)
	if err != nil {
		return nil, err
	}
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field.department", nil), Group: "work", Options: []contact.Option{}}
	path := map[string]string{"": ""}
	for _, d := range all { // parents come first
		path[d.ID] = path[d.Parent] + d.Name + " / "
		v.Options = append(v.Options, contact.Option{Value: d.ID, Label: path[d.Parent] + d.Name})
	}
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f ownersDepartment) Among(ctx context.Context, _, value string) (contact.Among, error) {
	all, err := f.team.Departments(ctx)
	if err != nil {
		return contact.Among{}, err
	}
	var owners []string
	within := map[string]bool{value: true}
	for _, d := range all {
		if within[d.ID] = within[d.ID] || within[d.Parent]; within[d.ID] {
			owners = append(owners, d.Members...)
		}
	}
	slices.Sort(owners)
	return contact.Among{Owners: slices.Compact(owners)}, nil
}
