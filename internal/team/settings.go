package team

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // zones are checked and used on machines without zone files

	"golang.org/x/text/currency"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Settings are the company's. Cheap: cached for a moment.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	if s.db.InTx(ctx) { // see what the transaction sees, and keep it out of the cache
		return s.store.settings(ctx)
	}
	return s.settings.get(ctx, "", nil, s.store.settings)
}

// UpdateSettings changes them.
func (s *Service) UpdateSettings(ctx context.Context, ch SettingsChange) (Settings, error) {
	var v Settings
	if _, err := actor(ctx); err != nil {
		return v, err
	}
	err := s.change(ctx, func(ctx context.Context) (err error) {
		if v, err = s.store.settings(ctx); err != nil {
			return err
		}
		detail := map[string]any{}
		set := func(name string, to *string, field *string) {
			if to != nil && *to != *field {
				*field, detail[name] = *to, *to
			}
		}
		set("company", ch.Company, &v.Company)
		set("timezone", ch.Timezone, &v.Timezone)
		set("currency", ch.Currency, &v.Currency)
		if ch.Language != nil && *ch.Language != v.Language {
			v.Language, detail["language"] = *ch.Language, string(*ch.Language)
		}
		if len(detail) == 0 {
			return nil
		}
		if v, err = cleanSettings(v, ch.Company != nil); err != nil {
			return err
		}
		if err := s.store.setSettings(ctx, v, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		return s.record(ctx, "settings.updated", audit.Object{Type: "settings", Name: v.Company}, detail)
	})
	return v, err
}

// cleanSettings checks every field; the company's name only where it was given,
// because a pond set up from the command line has none.
func cleanSettings(v Settings, company bool) (Settings, error) {
	var fields []errs.Field
	if company {
		name, err := cleanName("company", v.Company)
		if err != nil {
			fields = append(fields, errs.As(err).Fields...)
		}
		v.Company = name
	}
	// "Local" is this machine's zone under a name that means another one elsewhere.
	if _, err := time.LoadLocation(v.Timezone); err != nil || v.Timezone == "" || v.Timezone == "Local" {
		fields = append(fields, errs.At("timezone", "settings.bad_timezone"))
	}
	if !isCurrency(v.Currency) {
		fields = append(fields, errs.At("currency", "settings.bad_currency"))
	}
	if !v.Language.Valid() {
		fields = append(fields, errs.At("language", "settings.bad_language"))
	}
	if len(fields) > 0 {
		return v, errInput.On(fields...)
	}
	return v, nil
}

// isCurrency: an ISO 4217 code, in capitals, that is legal tender somewhere today.
func isCurrency(code string) bool {
	u, err := currency.ParseISO(code)
	if err != nil || u.String() != code {
		return false
	}
	for it := currency.Query(); it.Next(); {
		if it.Unit() == u {
			return true
		}
	}
	return false
}

// SetupNeeded tells whether there is nobody yet.
func (s *Service) SetupNeeded(ctx context.Context) (bool, error) {
	found, err := s.store.anyUser(ctx)
	if err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return !found, nil
}
