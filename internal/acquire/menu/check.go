package menu

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
)

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

// clean takes away what makes no difference, and what a button of its kind has no
// use for.
func clean(list []Button) {
	for i := range list {
		b := &list[i]
		b.Name, b.URL, b.AppID, b.Page, b.Key = strings.TrimSpace(b.Name), strings.TrimSpace(b.URL), strings.TrimSpace(b.AppID), strings.TrimSpace(b.Page), strings.TrimSpace(b.Key)
		if len(b.Sub) > 0 {
			*b = Button{Name: b.Name, Sub: b.Sub}
			clean(b.Sub)
			continue
		}
		keep := Button{Name: b.Name, Kind: b.Kind}
		switch b.Kind {
		case Reply:
			keep.Reply = b.Reply
		case View:
			keep.URL = b.URL
		case App:
			keep.URL, keep.AppID, keep.Page = b.URL, b.AppID, b.Page
		case Click:
			keep.Key = b.Key
		}
		*b = keep
	}
}

// shape tells what no draft may be, whatever is still to be written.
func shape(list []Button) error {
	if len(list) > maxTop {
		return bad("buttons", "menu.too_many", "limit", maxTop)
	}
	for i, b := range list {
		at := fmt.Sprintf("buttons[%d]", i)
		if len(b.Sub) > maxSub {
			return bad(at+".sub", "menu.too_many", "limit", maxSub)
		}
		for _, x := range append([]Button{b}, b.Sub...) {
			if x.Kind != "" && !slices.Contains(kinds, x.Kind) {
				return bad(at+".kind", "menu.bad_choice")
			}
		}
		if slices.ContainsFunc(b.Sub, func(s Button) bool { return len(s.Sub) > 0 }) {
			return bad(at+".sub", "menu.too_deep")
		}
	}
	return nil
}

// check tells everything that the platform would not take, by field.
func (s *Service) check(ctx context.Context, account string, list []Button) error {
	var faults []errs.Field
	fault := func(path, code string, params ...any) { faults = append(faults, errs.At(path, code, params...)) }
	one := func(path string, b Button, most int) error {
		switch {
		case b.Name == "":
			fault(path+".name", "request.field_required")
		case len(b.Name) > most:
			fault(path+".name", "menu.name_too_long", "limit", most)
		}
		if len(b.Sub) > 0 {
			return nil
		}
		switch b.Kind {
		case Reply:
			if b.Reply == "" {
				fault(path+".reply", "request.field_required")
				return nil
			}
			_, ok, err := s.Answers.Known(ctx, account, b.Reply)
			if err != nil {
				return err
			}
			if !ok {
				fault(path+".reply", "menu.no_such_reply")
			}
		case View, App:
			if b.Kind == App && b.AppID == "" {
				fault(path+".appId", "request.field_required")
			}
			if b.Kind == App && b.Page == "" {
				fault(path+".page", "request.field_required")
			}
			if u, err := url.Parse(b.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(b.URL) > maxURL {
				fault(path+".url", "livecode.bad_url")
			}
		case Click:
			if b.Key == "" || len(b.Key) > maxKey {
				fault(path+".key", "request.field_required")
			}
		case Scan, Photo, Location:
		default:
			fault(path+".kind", "request.field_required")
		}
		return nil
	}
	for i, b := range list {
		path := fmt.Sprintf("buttons[%d]", i)
		if err := one(path, b, maxName); err != nil {
			return err
		}
		for k, x := range b.Sub {
			if err := one(fmt.Sprintf("%s.sub[%d]", path, k), x, maxSubName); err != nil {
				return err
			}
		}
	}
	if len(faults) > 0 {
		return errs.New(errs.Invalid, "request.invalid").On(faults...)
	}
	return nil
}
