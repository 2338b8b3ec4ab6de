package auth

import (
	"context"
	"slices"
)

// Breadth says how far a role sees: whose customers, as seen from the one who has it.
type Breadth string

// The breadths, the widest first.
const (
	BreadthAll        Breadth = "all"             // everybody's
	BreadthTree       Breadth = "department_tree" // those of their departments and all below
	BreadthDepartment Breadth = "department"      // those of their departments
	BreadthMine       Breadth = "mine"            // their own
)

// Breadths lists them, the widest first.
func Breadths() []Breadth {
	return []Breadth{BreadthAll, BreadthTree, BreadthDepartment, BreadthMine}
}

// DataScope is what a role says of customers; a person's departments make a Scope of it.
type DataScope struct {
	Breadth Breadth
	Unowned bool // customers whom nobody owns, too; always true with BreadthAll
}

// Within tells whether d sees no more than other does in the same person's hands.
func (d DataScope) Within(other DataScope) bool {
	all := Breadths()
	return slices.Index(all, d.Breadth) >= slices.Index(all, other.Breadth) && (!d.Unowned || other.Unowned || other.Breadth == BreadthAll)
}

// Scope says whose customers a principal may see and work on. The zero Scope is nobody's.
type Scope struct {
	Breadth Breadth  // of the role that it was made of
	All     bool     // everybody's; the rest does not count then
	Owners  []string // user ids, sorted
	Unowned bool     // customers without owner, too
}

// Everybody is the scope without limits.
func Everybody() Scope {
	return Scope{Breadth: BreadthAll, All: true, Unowned: true}
}

// OwnedBy is the scope of the customers of some users, and of nobody's if unowned.
func OwnedBy(from DataScope, owners ...string) Scope {
	owners = slices.Clone(owners)
	slices.Sort(owners)
	return Scope{Breadth: from.Breadth, Owners: slices.Compact(owners), Unowned: from.Unowned}
}

// Sees tells whether a customer of the owner ("": nobody's) is within the scope.
func (s Scope) Sees(owner string) bool {
	if s.All {
		return true
	}
	if owner == "" {
		return s.Unowned
	}
	_, found := slices.BinarySearch(s.Owners, owner)
	return found
}

// ScopeOf is the scope of the work in ctx. Work that nobody asked for is the
// program's own (resolving, subscribers, public pages that prove by a signed
// link whom they are about) and has no limits.
func ScopeOf(ctx context.Context) Scope {
	if p := From(ctx); p != nil {
		return p.Scope
	}
	return Everybody()
}
