package team

import (
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// State of a user.
type State string

// The states. A deleted user is shown nowhere, but keeps a name in records.
const (
	Active   State = "active"
	Disabled State = "disabled"
	deleted  State = "deleted"
)

// AdminRole is the role that holds every permission.
const AdminRole = "admin"

// User is someone of the company's staff.
type User struct {
	ID, Name, Email string
	Role            string // a built-in role's id or rl_…
	State           State
	Language        i18n.Lang
	CreatedAt       time.Time
	LastSeenAt      time.Time // zero: never
	Departments     []string  // ids, by name; filled where users are listed
	passwordHash    string
}

// NewUser asks for a user. An empty Password is generated; an empty Language is the company's.
type NewUser struct {
	Name, Email, Role, Password string
	Language                    i18n.Lang
	Departments                 []string // ids
}

// UserChange changes what is not nil.
type UserChange struct {
	Name        *string
	Role        *string
	State       *State
	Departments *[]string // ids
}

// Role is a built-in or custom role. A built-in one has no Name: it is
// translated, as `role.<id>`.
type Role struct {
	ID, Name    string
	Builtin     bool
	Permissions []auth.Permission
	Scope       auth.DataScope
	Users       int // active and disabled ones
}

// RoleChange changes what is not nil.
type RoleChange struct {
	Name        *string
	Permissions *[]auth.Permission
	Scope       *auth.DataScope
}

// Department is a part of the company, below another one or at the top.
type Department struct {
	ID, Parent, Name string // Parent "": at the top
	Lead             string // user id; "": nobody
	Members          []string
}

// DepartmentChange changes what is not nil.
type DepartmentChange struct{ Name, Parent, Lead *string }

// Session is one signed-in browser.
type Session struct {
	ID, UserID, IP, UserAgent string
	CreatedAt, LastSeenAt     time.Time
}

// By names who made something; it outlives them.
type By struct{ ID, Name string }

// Token is an API token without its secret.
type Token struct {
	ID, Name, Role, Prefix string
	CreatedBy              By
	CreatedAt              time.Time
	LastUsedAt             time.Time // zero: never
	ExpiresAt              time.Time // zero: never
	RevokedAt              time.Time // zero: it still works
}

// WriteKey lets a website or app send facts, under a source name.
type WriteKey struct {
	ID, Name, Source, Prefix string
	CreatedBy                By
	CreatedAt                time.Time
	LastUsedAt               time.Time // zero: never
	RevokedAt                time.Time // zero: it still works
}

// Settings are the company's.
type Settings struct {
	Company  string
	Timezone string // IANA, such as Asia/Shanghai
	Currency string // ISO 4217, such as CNY
	Language i18n.Lang
}

// Location is the time zone for calendars and reports.
func (s Settings) Location() *time.Location {
	loc, err := time.LoadLocation(s.Timezone)
	if err != nil { // was checked when it was set; another machine's zone data may be older
		return time.UTC
	}
	return loc
}

// SettingsChange changes what is not nil.
type SettingsChange struct {
	Company, Timezone, Currency *string
	Language                    *i18n.Lang
}

// SetupInput makes the first administrator and the company's settings.
type SetupInput struct {
	Settings
	Name, Email, Password, UserAgent string
}

// SignInInput is one attempt to sign in.
type SignInInput struct {
	Email, Password, UserAgent string
	// Replaces is the session cookie that the browser still sends; that session ends.
	Replaces string
}

// The errors of this package. Those about a credential say nothing of why it is bad.
var (
	ErrSignInRequired = errs.New(errs.Unauthorized, "session.required")
	ErrBadCredentials = errs.New(errs.Unauthorized, "session.bad_credentials")
	ErrDisabled       = errs.New(errs.Unauthorized, "session.disabled")
	ErrThrottled      = errs.New(errs.TooMany, "session.throttled")
	ErrExpired        = errs.New(errs.Unauthorized, "session.expired")
	ErrNoSession      = errs.New(errs.NotFound, "session.not_found")
	ErrSetupDone      = errs.New(errs.Conflict, "setup.done")

	ErrNoUser    = errs.New(errs.NotFound, "user.not_found")
	ErrLastAdmin = errs.New(errs.Conflict, "user.last_admin")
	ErrAboveYou  = errs.New(errs.Forbidden, "user.above_you")
	ErrSelf      = errs.New(errs.Conflict, "user.not_yourself")

	ErrNoRole      = errs.New(errs.NotFound, "role.not_found")
	ErrRoleBuiltin = errs.New(errs.Conflict, "role.builtin")
	ErrRoleInUse   = errs.New(errs.Conflict, "role.in_use")
	ErrBeyondYours = errs.New(errs.Forbidden, "role.beyond_yours")

	// ErrGone ends a job whose creator may no longer come in.
	ErrGone = errs.New(errs.Forbidden, "user.gone")

	ErrBeyondScope = errs.New(errs.Forbidden, "role.beyond_scope")

	ErrNoDepartment    = errs.New(errs.NotFound, "department.not_found")
	ErrDepartmentInUse = errs.New(errs.Conflict, "department.in_use")

	ErrBadToken   = errs.New(errs.Unauthorized, "token.invalid")
	ErrNoToken    = errs.New(errs.NotFound, "token.not_found")
	ErrNoWriteKey = errs.New(errs.NotFound, "write_key.not_found")
	ErrBadKey     = errs.New(errs.Unauthorized, "write_key.invalid")

	errInput = errs.New(errs.Invalid, "request.invalid")
)
