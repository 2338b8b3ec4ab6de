package team

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

func userObject(u User) audit.Object { return audit.Object{Type: "user", ID: u.ID, Name: u.Name} }

// ListUsers lists the staff, who came first first.
func (s *Service) ListUsers(ctx context.Context) ([]User, error) {
	users, err := s.store.users(ctx)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	of, err := s.store.memberships(ctx)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	for i := range users {
		users[i].Departments = of[users[i].ID]
	}
	return users, nil
}

// User finds one.
func (s *Service) User(ctx context.Context, id string) (User, error) { return s.store.user(ctx, id) }

// Working tells whether work may be given to a user: one who can sign in.
func (s *Service) Working(ctx context.Context, id string) (bool, error) {
	u, err := s.store.user(ctx, id)
	if errors.Is(err, ErrNoUser) {
		return false, nil
	}
	return u.State == Active, err
}

// UserByEmail finds one by the address they sign in with.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	return s.store.userByEmail(ctx, emailKey(email))
}

// CreateUser makes a user. The password is answered only when it was generated.
func (s *Service) CreateUser(ctx context.Context, in NewUser) (u User, generated string, err error) {
	u, password, err := s.newUser(ctx, in)
	if err != nil {
		return User{}, "", err
	}
	err = s.change(ctx, func(ctx context.Context) error {
		role, err := s.Role(ctx, u.Role)
		if err != nil {
			return pointAt("role", err)
		}
		if err := coversRole(ctx, role, ErrBeyondYours); err != nil {
			return err
		}
		if err := s.addUser(ctx, u); err != nil {
			return err
		}
		detail := map[string]any{"role": u.Role}
		if len(in.Departments) > 0 {
			if err := s.moveDepartments(ctx, &u, in.Departments, detail); err != nil {
				return err
			}
		}
		return s.record(ctx, "user.created", userObject(u), detail)
	})
	if err != nil {
		return User{}, "", err
	}
	if in.Password == "" {
		generated = password
	}
	return u, generated, nil
}

// newUser checks the input and hashes the password, before any transaction:
// hashing is slow.
func (s *Service) newUser(ctx context.Context, in NewUser) (User, string, error) {
	name, err := cleanName("name", in.Name)
	if err != nil {
		return User{}, "", err
	}
	email, _, err := cleanEmail("email", in.Email)
	if err != nil {
		return User{}, "", err
	}
	password := in.Password
	if password == "" {
		password = GeneratePassword()
	} else if err := auth.CheckPassword("password", password, email); err != nil {
		return User{}, "", err
	}
	if in.Language == "" {
		v, err := s.Settings(ctx)
		if err != nil {
			return User{}, "", err
		}
		in.Language = v.Language
	}
	if !in.Language.Valid() {
		return User{}, "", errInput.On(errs.At("language", "settings.bad_language"))
	}
	if _, err := actor(ctx); err != nil {
		return User{}, "", err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return User{}, "", fmt.Errorf("hash password: %w", err)
	}
	return User{ID: s.ids.New("us"), Name: name, Email: email, Role: in.Role, State: Active, Language: in.Language,
		CreatedAt: s.clock.Now(), passwordHash: hash}, password, nil
}

func (s *Service) addUser(ctx context.Context, u User) error {
	switch _, err := s.store.userByEmail(ctx, emailKey(u.Email)); { // asked first: PostgreSQL ends a transaction on a broken key
	case err == nil:
		return errInput.On(errs.At("email", "user.email_taken"))
	case !errors.Is(err, ErrNoUser):
		return err
	}
	if err := s.store.insertUser(ctx, u); err != nil {
		if db.IsUnique(err) {
			return errInput.On(errs.At("email", "user.email_taken"))
		}
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}

// UpdateUser changes name, role or state. Whoever asks must hold everything
// that the user may do before and after.
func (s *Service) UpdateUser(ctx context.Context, id string, ch UserChange) (User, error) {
	var u User
	err := s.change(ctx, func(ctx context.Context) (err error) {
		if u, err = s.within(ctx, id); err != nil {
			return err
		}
		detail := map[string]any{}
		if ch.Name != nil {
			if u.Name, err = cleanName("name", *ch.Name); err != nil {
				return err
			}
			detail["name"] = u.Name
		}
		if ch.Role != nil && *ch.Role != u.Role {
			if err := s.moveRole(ctx, &u, *ch.Role, detail); err != nil {
				return err
			}
		}
		if ch.State != nil && *ch.State != u.State {
			if err := s.moveState(ctx, &u, *ch.State, detail); err != nil {
				return err
			}
		}
		if ch.Departments != nil {
			if err := s.moveDepartments(ctx, &u, *ch.Departments, detail); err != nil {
				return err
			}
		}
		if len(detail) == 0 {
			return nil
		}
		if err := s.store.updateUser(ctx, u, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		if u.State != Active {
			if _, err := s.store.endSessions(ctx, u.ID, ""); err != nil {
				return err
			}
		}
		return s.record(ctx, "user.updated", userObject(u), detail)
	})
	return u, err
}

// within finds a user on whom whoever asks may act: one who may do no more than they.
func (s *Service) within(ctx context.Context, id string) (User, error) {
	u, err := s.store.user(ctx, id)
	if err != nil {
		return u, err
	}
	role, err := s.roleOf(ctx, u.Role) // a user whose role is gone may do nothing
	if err != nil {
		return u, err
	}
	if u.Departments, err = s.store.departmentsOf(ctx, id); err != nil {
		return u, err
	}
	return u, coversRole(ctx, role, ErrAboveYou)
}

func (s *Service) moveRole(ctx context.Context, u *User, to string, detail map[string]any) error {
	role, err := s.Role(ctx, to)
	if err != nil {
		return pointAt("role", err)
	}
	if err := coversRole(ctx, role, ErrBeyondYours); err != nil {
		return err
	}
	if err := s.keepAdmin(ctx, *u); err != nil {
		return err
	}
	detail["role"], detail["roleBefore"] = to, u.Role
	u.Role = to
	return nil
}

func (s *Service) moveState(ctx context.Context, u *User, to State, detail map[string]any) error {
	if to != Active && to != Disabled {
		return errInput.On(errs.At("state", "request.not_one_of", "allowed", "active, disabled"))
	}
	if to == Disabled {
		if p := auth.From(ctx); p.ID == u.ID {
			return ErrSelf
		}
		if err := s.keepAdmin(ctx, *u); err != nil {
			return err
		}
	}
	detail["state"] = string(to)
	u.State = to
	return nil
}

// keepAdmin refuses to lose the last active administrator.
func (s *Service) keepAdmin(ctx context.Context, u User) error {
	if u.Role != AdminRole || u.State != Active {
		return nil
	}
	n, err := s.store.otherAdmins(ctx, u.ID)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if n == 0 {
		return ErrLastAdmin
	}
	return nil
}

// DeleteUser removes a user; their sessions end, their e-mail is free again,
// and what they did keeps their name.
func (s *Service) DeleteUser(ctx context.Context, id string) error {
	return s.change(ctx, func(ctx context.Context) error {
		u, err := s.within(ctx, id)
		if err != nil {
			return err
		}
		if p := auth.From(ctx); p.ID == u.ID {
			return ErrSelf
		}
		if err := s.keepAdmin(ctx, u); err != nil {
			return err
		}
		u.State, u.passwordHash = deleted, ""
		if err := s.store.updateUser(ctx, u, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		if _, err := s.store.endSessions(ctx, id, ""); err != nil {
			return err
		}
		return s.record(ctx, "user.deleted", userObject(u), nil)
	})
}

// ResetPassword gives a user a new generated password and ends their sessions.
func (s *Service) ResetPassword(ctx context.Context, id string) (string, error) {
	password := GeneratePassword()
	return password, s.SetPassword(ctx, id, password)
}

// SetPassword gives a user the password stated, and ends their sessions.
func (s *Service) SetPassword(ctx context.Context, id, password string) error {
	u, err := s.within(ctx, id) // before the costly part; again in the transaction
	if err != nil {
		return err
	}
	if err := auth.CheckPassword("password", password, u.Email); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.change(ctx, func(ctx context.Context) error {
		if u, err = s.within(ctx, id); err != nil {
			return err
		}
		u.passwordHash = hash
		if err := s.store.updateUser(ctx, u, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		if _, err := s.store.endSessions(ctx, id, ""); err != nil {
			return err
		}
		if err := s.store.forgive(ctx, accountKey(u.Email), ""); err != nil {
			return fmt.Errorf("clear attempts: %w", err)
		}
		return s.record(ctx, "user.password_reset", userObject(u), nil)
	})
}

// EndSessions signs a user out everywhere.
func (s *Service) EndSessions(ctx context.Context, id string) error {
	return s.change(ctx, func(ctx context.Context) error {
		u, err := s.within(ctx, id)
		if err != nil {
			return err
		}
		n, err := s.store.endSessions(ctx, id, "")
		if err != nil {
			return err
		}
		return s.record(ctx, "user.sessions_ended", userObject(u), map[string]any{"sessions": n})
	})
}

// pointAt turns "no such role" into a fault of the input field that named it.
func pointAt(field string, err error) error {
	if e := errs.As(err); e.Kind == errs.NotFound {
		return errInput.On(errs.At(field, e.Code))
	}
	return err
}

// generated passwords avoid letters and digits that look alike: 31^16, about 79 bits.
const passwordLetters = "abcdefghjkmnpqrstuvwxyz23456789"

// GeneratePassword makes one that can be read out: four groups of four.
func GeneratePassword() string {
	var out []byte
	var b [1]byte
	for n := 0; n < 16; {
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		if int(b[0]) >= 256/len(passwordLetters)*len(passwordLetters) {
			continue // would favour the first letters
		}
		if n > 0 && n%4 == 0 {
			out = append(out, '-')
		}
		out = append(out, passwordLetters[int(b[0])%len(passwordLetters)])
		n++
	}
	return string(out)
}
