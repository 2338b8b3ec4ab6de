package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// ViewDefinition is a way to look at the list: whom, in which order, and what of them.
type ViewDefinition struct {
	Filter  FilterBody `json:"filter"`
	Sort    string     `json:"sort,omitempty" enum:"lastSeen,created,name,orders,revenue,lastOrder" default:"lastSeen"`
	Order   string     `json:"order,omitempty" enum:"asc,desc" default:"desc"`
	Columns []string   `json:"columns,omitempty" maxItems:"60" doc:"Keys of columns in order; none: the usual ones"`
	Density string     `json:"density,omitempty" enum:"comfortable,compact" default:"comfortable"`
}

// View is a saved way to look at the list.
type View struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	BuiltIn    bool           `json:"builtIn,omitempty" doc:"Comes with Koipond; cannot be changed"`
	Shared     bool           `json:"shared,omitempty" doc:"Everybody who may read contacts has it"`
	Owner      *Ref           `json:"owner,omitempty"`
	Editable   bool           `json:"editable,omitempty" doc:"The caller may change it"`
	Definition ViewDefinition `json:"definition"`
	Sentence   string         `json:"sentence" doc:"Its rule in the caller's language"`
	UpdatedAt  time.Time      `json:"updatedAt,omitzero"`
}

// ViewPrefs is what one user keeps of views: which are tabs, which one opens
// first, and the columns of views that are not theirs to change.
type ViewPrefs struct {
	Tabs    []string            `json:"tabs" maxItems:"30" doc:"Ids of views, in order"`
	Default string              `json:"default,omitempty" doc:"The view that opens first"`
	Columns map[string][]string `json:"columns,omitempty" doc:"Columns by view id"`
}

// Limits of views.
const (
	maxViews     = 200
	maxViewName  = 60
	maxViewPrefs = 100
)

// views keeps the views of a Service and counts of them.
type views struct {
	s      *Service
	mu     sync.Mutex
	counts map[string]viewCount
}

type viewCount struct {
	at time.Time
	n  int64
}

// builtInViews are the views that everybody has. A contact counts as left alone
// after so many days.
func builtInViews(alone int) []View {
	cond := func(field, key, op string, value any) *rule.Rule {
		return &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: field, Key: key, Op: op, Value: value}}}}
	}
	view := func(id, name string, f FilterBody, sort string) View {
		return View{ID: id, Name: name, BuiltIn: true, Definition: ViewDefinition{Filter: f, Sort: sort, Order: "desc"}}
	}
	return []View{
		view("all", "contact.view.all", FilterBody{}, "lastSeen"),
		view("mine", "contact.view.mine", FilterBody{Owner: "me"}, "lastSeen"),
		view("new", "contact.view.new", FilterBody{Where: cond("created", "", "within", 7.0)}, "created"),
		view("unowned", "contact.view.unowned", FilterBody{Owner: "none"}, "lastSeen"),
		view("alone", "contact.view.alone", FilterBody{Where: &rule.Rule{V: 1, Node: rule.Node{Any: []rule.Node{
			{Field: "ownerTouch", Op: "olderThan", Value: float64(alone)}, {Field: "owner", Op: "in", Value: []any{"left"}}}}}}, "lastSeen"),
		view("birthday", "contact.view.birthday", FilterBody{Where: cond("birthday", "", "anniversary", 30.0)}, "lastSeen"),
		view("silent", "contact.view.silent", FilterBody{Where: cond("lastSeen", "", "olderThan", 90.0)}, "lastSeen"),
		view("visitors", "contact.view.visitors", FilterBody{Kind: "visitor"}, "lastSeen"),
	}
}

// usualTabs are the tabs of those who chose none.
var usualTabs = []string{"all", "mine", "new", "unowned", "alone", "birthday", "silent"}

// list gives the built-in views, the shared ones and the caller's own, by name.
func (v *views) list(ctx context.Context) ([]View, error) {
	out := builtInViews(v.s.aloneAfter(ctx))
	for i := range out {
		out[i].Name = httpx.Say(ctx, out[i].Name, nil)
		out[i].Sentence = v.sentence(ctx, out[i].Definition.Filter)
	}
	me := principal(ctx)
	rows, err := v.s.DB.Query(ctx, "select id, owner_id, owner_name, shared, name, definition, updated_at from contact_views where owner_id = $1 or shared = 1 order by name_key, id", me.ID)
	saved, err := db.Collect(rows, err, v.scan)
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	for _, w := range saved {
		out = append(out, v.dress(ctx, w))
	}
	return out, nil
}

func (v *views) scan(r *sql.Rows) (w View, err error) {
	var owner Ref
	var shared, updated int64
	var definition string
	if err := r.Scan(&w.ID, &owner.ID, &owner.Name, &shared, &w.Name, &definition, &updated); err != nil {
		return w, err
	}
	w.Owner, w.Shared, w.UpdatedAt = &owner, shared == 1, clock.FromMs(updated)
	if definition, err = v.s.inside(viewField).Open(definition); err != nil {
		return w, err
	}
	if err := json.Unmarshal([]byte(definition), &w.Definition); err != nil {
		return w, fmt.Errorf("decode view %s: %w", w.ID, err)
	}
	return w, nil
}

// encode gives a definition as it is kept: a number somebody filters by is sealed.
func (v *views) encode(d ViewDefinition) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encode view: %w", err)
	}
	return v.s.inside(viewField).Seal(string(raw))
}

func (v *views) dress(ctx context.Context, w View) View {
	w.Editable = mayChange(principal(ctx), w)
	w.Sentence = v.sentence(ctx, w.Definition.Filter)
	return w
}

func (v *views) sentence(ctx context.Context, f FilterBody) string {
	if f.Where.Empty() {
		return ""
	}
	return v.s.Sentence(ctx, f.Where)
}

// mayChange: one's own, unless it is shared; shared ones need the permission to share.
func mayChange(p *auth.Principal, w View) bool {
	if w.BuiltIn {
		return false
	}
	if w.Shared {
		return p.May(auth.ViewShare)
	}
	return w.Owner != nil && w.Owner.ID == p.ID
}

// get finds a view that the caller may use.
func (v *views) get(ctx context.Context, id string) (View, error) {
	for _, w := range builtInViews(v.s.aloneAfter(ctx)) {
		if w.ID == id {
			return w, nil
		}
	}
	rows, err := v.s.DB.Query(ctx, "select id, owner_id, owner_name, shared, name, definition, updated_at from contact_views where id = $1 and (owner_id = $2 or shared = 1)", id, principal(ctx).ID)
	found, err := db.Collect(rows, err, v.scan)
	if err != nil {
		return View{}, fmt.Errorf("read view: %w", err)
	}
	if len(found) == 0 {
		return View{}, errs.New(errs.NotFound, "contact.no_such_view")
	}
	return found[0], nil
}

// viewInput is what a view is made of.
type viewInput struct {
	Name       string         `json:"name" maxLength:"240"`
	Shared     bool           `json:"shared,omitempty" doc:"Needs view.share"`
	Definition ViewDefinition `json:"definition"`
}

func (v *views) clean(ctx context.Context, in *viewInput) error {
	in.Name = strings.Join(strings.Fields(in.Name), " ")
	switch {
	case in.Name == "":
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "request.field_required"))
	case utf8.RuneCountInString(in.Name) > maxViewName:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "request.too_long", "limit", maxViewName))
	}
	for i, c := range in.Definition.Columns {
		if c == "" || len(c) > 120 {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("definition.columns[%d]", i), "request.too_long", "limit", 120))
		}
	}
	in.Definition.Sort, in.Definition.Order = cmp.Or(in.Definition.Sort, "lastSeen"), cmp.Or(in.Definition.Order, "desc")
	return v.s.checkRule(ctx, in.Definition.Filter.Where, "definition.filter.where")
}

func (v *views) create(ctx context.Context, in viewInput) (View, error) {
	me := principal(ctx)
	if err := v.clean(ctx, &in); err != nil {
		return View{}, err
	}
	w := View{ID: v.s.IDs.New("vw"), Name: in.Name, Shared: in.Shared, Owner: &Ref{ID: me.ID, Name: me.Name}, Definition: in.Definition, UpdatedAt: v.s.Clock.Now()}
	if in.Shared && !me.May(auth.ViewShare) {
		return View{}, errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ViewShare))
	}
	definition, err := v.encode(in.Definition)
	if err != nil {
		return View{}, err
	}
	err = v.s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int64
		if err := v.s.DB.QueryRow(ctx, "select count(*) from contact_views where owner_id = $1", me.ID).Scan(&n); err != nil {
			return err
		}
		if n >= maxViews {
			return errs.New(errs.Conflict, "contact.too_many_views", "limit", maxViews)
		}
		now := clock.Ms(w.UpdatedAt)
		_, err := v.s.DB.Exec(ctx, "insert into contact_views (id, owner_id, owner_name, shared, name, name_key, definition, created_at, updated_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
			w.ID, me.ID, me.Name, flag(w.Shared), w.Name, tagKey(w.Name), definition, now, now)
		if err != nil {
			return err
		}
		return v.record(ctx, "view.created", w, w.Shared)
	})
	if err != nil {
		return View{}, fmt.Errorf("make view: %w", err)
	}
	return v.dress(ctx, w), nil
}

func (v *views) update(ctx context.Context, id string, in viewInput) (View, error) {
	me := principal(ctx)
	w, err := v.get(ctx, id)
	if err != nil {
		return View{}, err
	}
	if w.BuiltIn {
		return View{}, errs.New(errs.Conflict, "contact.built_in_view")
	}
	if !mayChange(me, w) || in.Shared && !me.May(auth.ViewShare) {
		return View{}, errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ViewShare))
	}
	if err := v.clean(ctx, &in); err != nil {
		return View{}, err
	}
	definition, err := v.encode(in.Definition)
	if err != nil {
		return View{}, err
	}
	was := w
	w.Name, w.Shared, w.Definition, w.UpdatedAt = in.Name, in.Shared, in.Definition, v.s.Clock.Now()
	err = v.s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := v.s.DB.ExecN(ctx, "update contact_views set name = $2, name_key = $3, shared = $4, definition = $5, updated_at = $6 where id = $1",
			id, w.Name, tagKey(w.Name), flag(w.Shared), definition, clock.Ms(w.UpdatedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.New(errs.NotFound, "contact.no_such_view")
		}
		return v.record(ctx, "view.updated", w, was.Shared || w.Shared)
	})
	if err != nil {
		return View{}, fmt.Errorf("change view: %w", err)
	}
	return v.dress(ctx, w), nil
}

func (v *views) delete(ctx context.Context, id string) error {
	w, err := v.get(ctx, id)
	if err != nil {
		return err
	}
	if w.BuiltIn {
		return errs.New(errs.Conflict, "contact.built_in_view")
	}
	if !mayChange(principal(ctx), w) {
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.ViewShare))
	}
	err = v.s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := v.s.DB.Exec(ctx, "delete from contact_views where id = $1", id); err != nil {
			return err
		}
		return v.record(ctx, "view.deleted", w, w.Shared)
	})
	if err != nil {
		return fmt.Errorf("delete view: %w", err)
	}
	return nil
}

// record audits what concerns others than the caller.
func (v *views) record(ctx context.Context, action string, w View, concerns bool) error {
	if v.s.Audit == nil || !concerns {
		return nil
	}
	return v.s.Audit.Record(ctx, action, audit.Object{Type: "view", ID: w.ID, Name: w.Name}, map[string]any{"shared": w.Shared})
}

// prefs reads what the caller keeps of views.
func (v *views) prefs(ctx context.Context) (ViewPrefs, error) {
	p := ViewPrefs{Tabs: slices.Clone(usualTabs)}
	var text string
	err := v.s.DB.QueryRow(ctx, "select prefs from contact_view_prefs where user_id = $1", principal(ctx).ID).Scan(&text)
	if db.NoRows(err) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read view settings: %w", err)
	}
	p.Tabs = nil
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("decode view settings: %w", err)
	}
	if p.Tabs == nil {
		p.Tabs = []string{}
	}
	return p, nil
}

func (v *views) setPrefs(ctx context.Context, p ViewPrefs) (ViewPrefs, error) {
	var tabs []string
	for _, id := range p.Tabs {
		if !slices.Contains(tabs, id) {
			tabs = append(tabs, id)
		}
	}
	p.Tabs = tabs
	if len(p.Columns) > maxViewPrefs {
		return p, errs.New(errs.Invalid, "request.invalid").On(errs.At("columns", "request.too_long", "limit", maxViewPrefs))
	}
	for id, cols := range p.Columns {
		if len(id) > 120 || len(cols) > 60 || slices.ContainsFunc(cols, func(c string) bool { return len(c) > 120 }) {
			return p, errs.New(errs.Invalid, "request.invalid").On(errs.At("columns", "request.too_long", "limit", 60))
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("encode view settings: %w", err)
	}
	_, err = v.s.DB.Exec(ctx, "insert into contact_view_prefs (user_id, prefs) values ($1, $2) on conflict (user_id) do update set prefs = excluded.prefs", principal(ctx).ID, string(text))
	if err != nil {
		return p, fmt.Errorf("keep view settings: %w", err)
	}
	return v.prefs(ctx)
}

// viewCountAge is how old the number beside a tab may be.
const viewCountAge = 30 * time.Second

// count tells how many contacts each view shows the caller now, or did within
// half a minute. Ids of no view are left out; a view whose rule asks for what
// is gone counts as nothing.
func (v *views) count(ctx context.Context, ids []string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, id := range ids {
		w, err := v.get(ctx, id)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		q := w.Definition.Filter.query(ctx)
		f, some, err := v.s.filterOf(ctx, q)
		if err != nil {
			return nil, err
		}
		now := v.s.Clock.Now()
		me := ""
		if strings.Contains(string(q.Where.JSON()), `"me"`) {
			me = principal(ctx).ID
		}
		key := fmt.Sprintf("%s %q %q %q %s", q.fingerprint(), f.walking(), f.args, me, now.In(v.s.zone(ctx)).Format(time.DateOnly))
		v.mu.Lock()
		c, kept := v.counts[key]
		v.mu.Unlock()
		if d := now.Sub(c.at); !kept || d < 0 || d > viewCountAge {
			c = viewCount{at: now}
			if some {
				c.n, err = v.s.Count(ctx, Selection{Query: q})
			}
			var known *errs.Error
			if err != nil && !(errors.As(err, &known) && known.Kind == errs.Invalid) {
				return nil, err
			}
			v.keep(key, c)
		}
		out[id] = c.n
	}
	return out, nil
}

// keep remembers a count, and drops the old ones when there are many.
func (v *views) keep(key string, c viewCount) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.counts) >= 500 {
		for k, old := range v.counts {
			if c.at.Sub(old.at) > viewCountAge {
				delete(v.counts, k)
			}
		}
		if len(v.counts) >= 500 {
			clear(v.counts)
		}
	}
	v.counts[key] = c
}
