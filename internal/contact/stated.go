package contact

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/errs"
)

func paramsOf(f *attribute.Fault) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(f.Params); i += 2 {
		if k, ok := f.Params[i].(string); ok {
			m[k] = f.Params[i+1]
		}
	}
	return m
}

// checkStated checks attributes that a person gives: unlike what facts say, a
// value that does not fit is refused and the field named. fresh asks for what is
// required. It claims unique values for st.
func (s *Service) checkStated(ctx context.Context, w *world, st *state, changes []change, attrs map[string]any, fresh bool) error {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return err
	}
	w.defs = defs
	if err := s.engine.claims(ctx, w, func(yield func([]change)) { yield(changes) }); err != nil {
		return err
	}
	var fields []errs.Field
	bad := func(key, code string, params ...any) {
		fields = append(fields, errs.At("attributes."+key, code, params...))
	}
	stated := map[string]bool{}
	for _, c := range changes {
		stated[c.key] = c.value != nil
		def := defs.get(c.key)
		if def == nil || def.archived {
			continue
		}
		v, f := def.Read(c.value)
		switch {
		case f != nil:
			bad(c.key, f.Code, f.Params...)
		case v == nil && def.Required:
			bad(c.key, "attribute.required")
		default:
			if h, taken := s.engine.takenBy(w, def, st, v); taken {
				ref, err := s.refOf(ctx, h)
				if err != nil {
					return err
				}
				bad(c.key, reasonTaken, "id", ref.ID, "name", ref.Name)
			}
		}
	}
	for _, key := range []string{attrGender, attrBirthday, attrAvatar} { // those that changesOf leaves out when they cannot be read
		if word, ok := attrs[key].(string); ok && strings.TrimSpace(word) != "" && !stated[key] && !(key == attrGender && gender(word) == "") {
			code := "attribute.bad_date"
			if key == attrAvatar {
				code = "attribute.bad_link"
			}
			bad(key, code)
		}
	}
	if fresh {
		for _, key := range defs.required() {
			if !stated[key] && defs.get(key).Default == nil {
				bad(key, "attribute.required")
			}
		}
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "request.invalid").On(fields...)
	}
	return nil
}

// required lists what a new person must have.
func (d *definitions) required() []string {
	var out []string
	for _, key := range sortedKeys(d.byKey) {
		if def := d.byKey[key]; def.Required && !def.archived {
			out = append(out, key)
		}
	}
	return out
}

// takenBy tells who else holds a unique value.
func (e *engine) takenBy(w *world, def *definition, st *state, v json.RawMessage) (holder, bool) {
	if !def.Unique || def.archived || v == nil {
		return holder{}, false
	}
	for _, k := range e.keysOfPlain(def, v) {
		if h, ok := w.claims[claim{def.Key, k.Str, k.Num}]; ok && (st == nil || !h.is(st)) {
			return h, true
		}
	}
	return holder{}, false
}

func (s *Service) refOf(ctx context.Context, h holder) (Ref, error) {
	num := h.num
	if h.st != nil {
		num = h.st.root().num
	}
	refs, err := s.Refs(ctx, []int64{num})
	return refs[num], err
}

// checkRow finds why a row of an import is refused: somebody else has a unique
// value, or a new person lacks what everybody must have. Values that merely do
// not fit are counted as violations later; the rest of the row is taken.
func (s *Service) checkRow(w *world, st *state, in *input) *errs.Error {
	if w.defs == nil || !w.defs.unique && len(w.defs.required()) == 0 {
		return nil
	}
	var changes []change
	if in.changes != nil {
		changes = in.changes()
	}
	stated := map[string]bool{}
	for _, c := range changes {
		def := w.defs.get(c.key)
		if def == nil || c.value == nil {
			continue
		}
		v, f := def.Read(c.value)
		if f != nil || v == nil {
			continue
		}
		stated[c.key] = true
		if _, taken := s.engine.takenBy(w, def, st, v); taken {
			return errs.New(errs.Conflict, "attribute.row_taken", "attribute", def.Name(false)).On(errs.At("attributes."+c.key, reasonTaken, "id", "", "name", ""))
		}
	}
	if st != nil {
		return nil
	}
	for _, key := range w.defs.required() {
		if def := w.defs.get(key); !stated[key] && def.Default == nil {
			return errs.New(errs.Invalid, "attribute.row_lacks", "attribute", def.Name(false)).On(errs.At("attributes."+key, "attribute.required"))
		}
	}
	return nil
}

// claimRow takes the unique values of a row that is taken, so that a later row
// of the same call does not get them.
func (s *Service) claimRow(w *world, in *input) {
	if !w.defs.unique || in.changes == nil {
		return
	}
	for _, c := range in.changes() {
		def := w.defs.get(c.key)
		if def == nil || c.value == nil {
			continue
		}
		if v, f := def.Read(c.value); f == nil {
			s.engine.claim(w, def, in.st, v)
		}
	}
}
