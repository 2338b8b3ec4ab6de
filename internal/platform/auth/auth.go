package auth

import (
	"context"
	"net/http"
	"slices"
)

// Permission is one thing a role may do, `domain.verb`.
type Permission string

// Every permission there is. A route names exactly one of them, Public, or Self.
const (
	Public Permission = "public"       // no sign-in needed
	Self   Permission = "session.self" // any signed-in user, about themself

	TeamRead        Permission = "team.read"
	TeamWrite       Permission = "team.write"
	KeysRead        Permission = "keys.read"
	KeysWrite       Permission = "keys.write"
	AuditRead       Permission = "audit.read"
	JobsRead        Permission = "jobs.read"
	JobsWrite       Permission = "jobs.write"
	ImportRead      Permission = "import.read"
	ImportWrite     Permission = "import.write"
	FactsRead       Permission = "facts.read"
	FactsWrite      Permission = "facts.write"
	DictionaryRead  Permission = "dictionary.read"
	DictionaryWrite Permission = "dictionary.write"
	ContactRead     Permission = "contact.read"
	ContactWrite    Permission = "contact.write"
	ContactUnmask   Permission = "contact.unmask"
	ContactExport   Permission = "contact.export"
	ViewShare       Permission = "view.share"
	SegmentRead     Permission = "segment.read"
	SegmentWrite    Permission = "segment.write"
	ConsentWrite    Permission = "consent.write"
	AttributeWrite  Permission = "attribute.write"
	IdentityWrite   Permission = "identity.write"
	TagWrite        Permission = "tag.write"
	OrderRead       Permission = "order.read"
	AcquireRead     Permission = "acquire.read"
	AcquireWrite    Permission = "acquire.write"
	OverviewRead    Permission = "overview.read"
	SystemRead      Permission = "system.read"
	SettingsWrite   Permission = "settings.write"
	ConnectorRead   Permission = "connector.read"
	ConnectorWrite  Permission = "connector.write"
)

// All lists every grantable permission, in the order the console shows them.
func All() []Permission {
	return []Permission{OverviewRead, ContactRead, ContactWrite, ContactUnmask, ContactExport, ViewShare, SegmentRead, SegmentWrite, TagWrite, ConsentWrite, AttributeWrite, IdentityWrite, OrderRead, AcquireRead, AcquireWrite,
		ImportRead, ImportWrite, FactsRead, FactsWrite, DictionaryRead, DictionaryWrite,
		JobsRead, JobsWrite, ConnectorRead, ConnectorWrite, KeysRead, KeysWrite, TeamRead, TeamWrite, AuditRead, SystemRead, SettingsWrite}
}

// Role is a built-in role: its id, what it may do and with whose customers.
type Role struct {
	ID          string
	Permissions []Permission
	Scope       DataScope
}

// BuiltinRoles are the roles that always exist and cannot be changed.
func BuiltinRoles() []Role {
	look := []Permission{OverviewRead, ContactRead, SegmentRead, OrderRead, JobsRead}
	with := func(more ...Permission) []Permission { return append(slices.Clone(look), more...) }
	all, mine := DataScope{BreadthAll, true}, DataScope{BreadthMine, false}
	department := DataScope{BreadthDepartment, true}
	return []Role{
		{"admin", All(), all},
		{"user_ops", with(ContactWrite, ContactUnmask, ContactExport, ViewShare, SegmentWrite, TagWrite, ConsentWrite, AttributeWrite, IdentityWrite, AcquireRead, AcquireWrite, ImportRead, ImportWrite, FactsRead, DictionaryRead, JobsWrite), all},
		{"growth", with(ContactWrite, ViewShare, SegmentWrite, TagWrite, AttributeWrite, AcquireRead, AcquireWrite, ImportRead, ImportWrite, FactsRead, DictionaryRead, DictionaryWrite, KeysRead, JobsWrite), all},
		{"content", with(AcquireRead, FactsRead, DictionaryRead), all},
		{"copywriter", []Permission{OverviewRead, DictionaryRead, JobsRead}, mine},
		{"community", with(ContactWrite, ContactUnmask, ConsentWrite, AcquireRead), department},
		{"sales", with(ContactWrite, ContactUnmask, ConsentWrite, AcquireRead), mine},
		{"service", with(ContactWrite, ContactUnmask, ConsentWrite, AcquireRead), department},
		{"analyst", with(FactsRead, FactsWrite, DictionaryRead, DictionaryWrite, ContactExport, ViewShare, SegmentWrite, AcquireRead, ImportRead, SystemRead), all},
	}
}

// Via says by which credential a principal came.
type Via string

// The credentials.
const (
	ViaSession Via = "session"
	ViaToken   Via = "token"
	ViaCLI     Via = "cli"
	ViaSystem  Via = "system"
)

// Principal is the caller.
type Principal struct {
	ID          string // user id, token id, or "system"
	Name        string
	Via         Via
	Role        string
	Permissions map[Permission]bool
	Scope       Scope // whose customers
	SessionID   string
}

// May tells whether the principal holds p.
func (p *Principal) May(perm Permission) bool {
	if p == nil {
		return perm == Public
	}
	return perm == Public || (perm == Self && p.Via == ViaSession) || p.Permissions[perm]
}

type key struct{}

// With puts a principal in the context.
func With(ctx context.Context, p *Principal) context.Context { return context.WithValue(ctx, key{}, p) }

// From gives the principal, nil when nobody is signed in.
func From(ctx context.Context) *Principal { p, _ := ctx.Value(key{}).(*Principal); return p }

// System is the program itself, for jobs and subscribers.
func System(name string) *Principal {
	return &Principal{ID: "system", Name: name, Via: ViaSystem, Role: "admin", Permissions: Set(All()), Scope: Everybody()}
}

// CLI is a person at the machine's command line: whoever can read the data
// folder may do everything.
func CLI(name string) *Principal {
	p := System(name)
	p.ID, p.Via = "cli", ViaCLI
	return p
}

// Set turns a list of permissions into the form a principal holds.
func Set(perms []Permission) map[Permission]bool {
	m := make(map[Permission]bool, len(perms))
	for _, p := range perms {
		m[p] = true
	}
	return m
}

// Known tells whether p can be granted.
func Known(p Permission) bool { return slices.Contains(All(), p) }

// Authenticator finds the principal of a request: nil, nil when it carries no
// credential; an Unauthorized error when it carries a bad one. Package team implements it.
type Authenticator interface {
	Authenticate(r *http.Request) (*Principal, error)
}
