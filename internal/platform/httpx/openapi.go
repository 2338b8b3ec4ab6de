package httpx

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func (a *API) humaConfig() huma.Config {
	cfg := huma.DefaultConfig(a.cfg.Title, a.cfg.Version)
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaNamer())
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: "koipond_session"},
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token made in the console or by koipond token create"},
	}
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil // no $schema links in answers
	cfg.Formats = map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()}
	cfg.DefaultFormat = "application/json"
	cfg.Transformers = []huma.Transformer{a.transform}
	return cfg
}

// transform replaces huma's own error bodies; everything else passes.
func (a *API) transform(ctx huma.Context, status string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	n, err := strconv.Atoi(status)
	if err != nil {
		return nil, fmt.Errorf("read status %q: %w", status, err)
	}
	limit := int64(defaultMaxBody)
	if q := requestOf(ctx.Context()); q != nil {
		limit = q.maxBody
	}
	p := a.problem(ctx.Context(), fromHuma(n, m, limit))
	p.Status = n
	return p, nil
}

// schemaNamer names schemas by their type; two packages' types of one name get
// the package in front, the one registered later.
func schemaNamer() func(reflect.Type, string) string {
	taken := map[string]reflect.Type{}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		name := huma.DefaultSchemaNamer(t, hint)
		if t.Kind() != reflect.Struct {
			return name
		}
		for n, plain := 1, name; ; n++ {
			have, ok := taken[name]
			if !ok || have == t {
				break
			}
			if pkg := path.Base(packageOf(t)); n == 1 && len(pkg) > 1 {
				name = strings.ToUpper(pkg[:1]) + pkg[1:] + plain
				continue
			}
			name = plain + strconv.Itoa(n)
		}
		taken[name] = t
		return name
	}
}

// packageOf is where a type is from; a body without a name counts as its first
// named part.
func packageOf(t reflect.Type) string {
	if t.PkgPath() != "" || t.Kind() != reflect.Struct {
		return t.PkgPath()
	}
	for i := range t.NumField() {
		f := t.Field(i).Type
		for f.Kind() == reflect.Slice || f.Kind() == reflect.Pointer || f.Kind() == reflect.Map {
			f = f.Elem()
		}
		if f.PkgPath() != "" && f.Kind() == reflect.Struct {
			return f.PkgPath()
		}
	}
	return ""
}

func (a *API) operation(op Op) huma.Operation {
	limit := op.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	read := op.Timeout
	if read == 0 {
		read = defaultTimeout
	}
	o := a.document(op)
	o.DefaultStatus = op.Status
	o.Responses = map[string]*huma.Response{"default": a.problemResponse()}
	o.MaxBodyBytes = limit + 1 // huma refuses a body of exactly the limit
	// Once the read deadline passes net/http cancels the handler, even when the
	// body was read long ago; so it must not come before the operation's own timeout.
	o.BodyReadTimeout = read + 5*time.Second
	if limit < 0 {
		o.MaxBodyBytes = -1
	}
	return *o
}

// document fills what typed and raw operations have in common.
func (a *API) document(op Op) *huma.Operation {
	o := &huma.Operation{OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Hidden: op.Hidden,
		Extensions: map[string]any{"x-permission": string(op.Permission)}}
	if op.Tag != "" {
		o.Tags = []string{op.Tag}
	}
	if op.Permission != "public" {
		o.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	}
	if op.Idempotent {
		o.Parameters = append(o.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header",
			Description: "The same key with the same body within 24 hours gives the first answer again",
			Schema:      &huma.Schema{Type: huma.TypeString}})
	}
	return o
}

func (a *API) rawOperation(op Op) *huma.Operation {
	o := a.document(op)
	status := op.Status
	if status == 0 {
		status = http.StatusOK
	}
	o.Responses = map[string]*huma.Response{
		strconv.Itoa(status): {Description: http.StatusText(status)},
		"default":            a.problemResponse(),
	}
	for _, name := range pathParams(op.Path) {
		o.Parameters = append(o.Parameters, &huma.Param{Name: name, In: "path", Required: true,
			Schema: &huma.Schema{Type: huma.TypeString}})
	}
	return o
}

func pathParams(p string) []string {
	var out []string
	for part := range strings.SplitSeq(p, "/") {
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			out = append(out, strings.TrimSuffix(strings.Trim(part, "{}"), "..."))
		}
	}
	return out
}

func (a *API) problemResponse() *huma.Response {
	s := a.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{problemType: {Schema: s}}}
}

// OpenAPI is the API document (OpenAPI 3.1, JSON). Call it when every route is registered.
func (a *API) OpenAPI() ([]byte, error) {
	doc := a.Huma.OpenAPI()
	schemas := doc.Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own error body, which never leaves
	delete(schemas, "ErrorDetail")
	for _, s := range schemas {
		neverNull(s)
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write API document: %w", err)
	}
	return append(raw, '\n'), nil
}

// neverNull states that arrays are never null, as writeJSON sees to.
func neverNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	neverNull(s.Items)
	for _, p := range s.Properties {
		neverNull(p)
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		neverNull(more)
	}
}

func (a *API) serveDoc(w http.ResponseWriter, r *http.Request) {
	var err error
	a.docOnce.Do(func() { a.doc, err = a.OpenAPI() })
	if err != nil || a.doc == nil {
		WriteError(w, r, fmt.Errorf("API document: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.doc) // the caller is gone: nobody is left to tell
}
