package connector

import (
	"crypto/rand"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits of accounts.
const (
	maxName  = 60
	maxValue = 8000 // characters of a setting or a secret: a private key has 4,000
)

// Input is what an account is made of.
type Input struct {
	Kind     string            `json:"kind,omitempty" maxLength:"40" doc:"Which kind; cannot be changed later"`
	Name     string            `json:"name" maxLength:"240"`
	Settings map[string]string `json:"settings,omitempty" doc:"By the names of the kind's fields; base: another address than the platform's own; quota.<name>.<per>: another limit"`
	Secrets  map[string]string `json:"secrets,omitempty" doc:"By the names of the kind's fields. They are never given back. On change: left out ones stay, empty ones are taken away"`
}

// check cleans an input and tells what is wrong with it. had are the secrets that
// are there already: in.Secrets is all of them afterwards.
func (s *Service) check(in *Input, had Secrets) (Kind, error) {
	k, ok := s.kinds[in.Kind]
	if !ok {
		return k, errs.New(errs.Invalid, "request.invalid").On(errs.At("kind", "connector.no_such_kind", "kind", in.Kind))
	}
	var bad []errs.Field
	in.Name = veil.Text(strings.Join(strings.Fields(in.Name), " "))
	switch {
	case in.Name == "":
		bad = append(bad, errs.At("name", "request.field_required"))
	case utf8.RuneCountInString(in.Name) > maxName:
		bad = append(bad, errs.At("name", "request.too_long", "limit", maxName))
	}
	settings, all := map[string]string{}, maps.Clone(map[string]string(had))
	if all == nil {
		all = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Secrets)) {
		if !k.has(name, true) {
			bad = append(bad, errs.At("secrets."+name, "connector.no_such_field"))
		}
		delete(all, name)
		if v := strings.TrimSpace(in.Secrets[name]); v != "" {
			all[name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Settings)) {
		v := strings.TrimSpace(in.Settings[name])
		if code := s.checkOther(k, name, v); code != nil {
			bad = append(bad, code...)
		} else if v != "" {
			settings[name] = v
		}
	}
	for _, f := range k.Fields {
		at, from := "settings."+f.Name, settings
		if f.Secret {
			at, from = "secrets."+f.Name, all
		}
		if from[f.Name] == "" && f.Default != "" {
			from[f.Name] = f.Default
		}
		if b, ok := f.fault(at, from[f.Name]); ok {
			bad = append(bad, b)
		}
	}
	if len(bad) > 0 {
		return k, errs.New(errs.Invalid, "request.invalid").On(bad...)
	}
	in.Settings, in.Secrets = settings, all
	return k, nil
}

func (k Kind) has(name string, secret bool) bool {
	return slices.ContainsFunc(k.Fields, func(f Field) bool { return f.Name == name && f.Secret == secret })
}

// checkOther looks at the settings that no field speaks of; nil: nothing is wrong.
func (s *Service) checkOther(k Kind, name, v string) []errs.Field {
	at := "settings." + name
	quota, isQuota := strings.CutPrefix(name, settingQuota)
	switch {
	case k.has(name, false), v == "":
		return nil
	case name == SettingBase && k.Base != "":
		if e := errs.As(s.checkBase(v)); e != nil {
			return e.Fields
		}
		return nil
	case isQuota && slices.ContainsFunc(k.Quotas, func(q Quota) bool { return q.Name+"."+q.Per == quota }):
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 0 || n > 1e9 {
			return []errs.Field{errs.At(at, "connector.bad_quota")}
		}
		return nil
	}
	return []errs.Field{errs.At(at, "connector.no_such_field")}
}

// fault tells what is wrong with a value of the field.
func (f Field) fault(at, v string) (errs.Field, bool) {
	switch {
	case v == "" && f.Required:
		return errs.At(at, "request.field_required"), true
	case v == "":
		return errs.Field{}, false
	case utf8.RuneCountInString(v) > maxValue:
		return errs.At(at, "request.too_long", "limit", maxValue), true
	case !f.Lines && strings.ContainsAny(v, "\r\n"):
		return errs.At(at, "connector.one_line"), true
	case len(f.Options) > 0 && !slices.Contains(f.Options, v):
		return errs.At(at, "connector.no_such_option", "options", strings.Join(f.Options, ", ")), true
	case f.Pattern != "" && !regexp.MustCompile(`\A(?:`+f.Pattern+`)\z`).MatchString(v):
		if f.Example != "" {
			return errs.At(at, "connector.bad_form_example", "example", f.Example), true
		}
		return errs.At(at, "connector.bad_form"), true
	}
	return errs.Field{}, false
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Made makes a value for a field: what stands for it in Field.Make.
func Made(how string) string {
	n := map[string]int{MakeToken: 32, MakeAESKey: 43}[how]
	out := make([]byte, 0, n)
	for len(out) < n {
		b := make([]byte, 64)
		_, _ = rand.Read(b) // never fails since Go 1.24
		for _, c := range b {
			if int(c) < len(letters)*4 && len(out) < n { // 248 of 256: each letter is as likely
				out = append(out, letters[int(c)%len(letters)])
			}
		}
	}
	return string(out)
}

func names(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
