package intake

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// endpoint is one address of the protocol.
type endpoint struct {
	path       string
	id         string
	typ        event.Type // "": a batch
	historical bool
	hidden     bool // an SDK's own short form: not in the API document
}

func endpoints() []endpoint {
	out := []endpoint{
		{path: "/v1/track", id: "track", typ: event.Track}, {path: "/v1/identify", id: "identify", typ: event.Identify},
		{path: "/v1/page", id: "page", typ: event.Page}, {path: "/v1/screen", id: "screen", typ: event.Screen},
		{path: "/v1/group", id: "group", typ: event.Group}, {path: "/v1/alias", id: "alias", typ: event.Alias},
		{path: "/v1/batch", id: "batch"}, {path: "/v1/import", id: "import", historical: true},
		{path: "/beacon/v1/batch", id: "beacon", hidden: true},
	}
	for _, e := range out[:7] { // the browser SDK's short forms: t, i, p, s, g, a, b
		e.path, e.id, e.hidden = "/v1/"+e.id[:1], e.id+"-short", true
		out = append(out, e)
	}
	return out
}

// Routes adds the intake to an API. Its addresses are public: the write key is
// checked here, since it may stand in the body.
func (s *Service) Routes(api *httpx.API) {
	for _, e := range endpoints() {
		httpx.Handle(api, httpx.Op{ID: "intake-" + e.id, Method: http.MethodPost, Path: e.path, Tag: "intake", Quiet: true, Hidden: e.hidden,
			Summary: "Segment protocol: " + e.id, Permission: auth.Public, MaxBody: -1}, s.handler(e))
	}
	// Under these addresses nothing else lives: what is not ours must not get
	// the console's page for an answer.
	for _, root := range []string{"/v1/", "/beacon/"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			httpx.Handle(api, httpx.Op{ID: "intake-unknown-" + strings.ToLower(method) + strings.ReplaceAll(root, "/", "-"), Method: method, Path: root, Tag: "intake",
				Quiet: true, Hidden: true, Permission: auth.Public}, http.HandlerFunc(s.unknown))
		}
		httpx.Handle(api, httpx.Op{ID: "intake-preflight" + strings.ReplaceAll(root, "/", "-"), Method: http.MethodOptions, Path: root, Tag: "intake", Quiet: true,
			Hidden: true, Permission: auth.Public}, http.HandlerFunc(preflight))
	}
	s.settingsRoutes(api)
}

func (s *Service) unknown(w http.ResponseWriter, r *http.Request) {
	w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	if r.Method == http.MethodGet {
		for _, e := range endpoints() {
			if e.path == r.URL.Path {
				w.Header().Set("Allow", http.MethodPost)
				s.refuse(w, r, errs.New(errs.Invalid, "request.method", "method", r.Method))
				return
			}
		}
	}
	s.refuse(w, r, errs.New(errs.NotFound, "intake.no_such_call"))
}

// Handler serves the intake alone, without the guards of an API: for measuring.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, e := range endpoints() {
		mux.Handle("POST "+e.path, s.handler(e))
	}
	return mux
}

// Values that every answer shares; net/http only reads them.
var (
	anyOrigin = []string{"*"}
	jsonType  = []string{"application/json"}
)

// bodyTimeout is how long a body may take to come in.
const bodyTimeout = 30 * time.Second

func (s *Service) handler(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		w.Header()["Access-Control-Allow-Origin"] = anyOrigin
		out := outcome{single: e.typ != ""}
		err := s.take(w, r, e, &out)
		if err == nil && out.accepted == 0 {
			err = out.refusal()
		}
		s.metrics.request(&out, err, time.Since(start))
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		out.write(w, r)
	})
}

// take does one request, from its bytes to the synced disk.
func (s *Service) take(w http.ResponseWriter, r *http.Request, e endpoint, out *outcome) error {
	if s.draining.Load() {
		return errDraining
	}
	c := call{typ: e.typ, historical: e.historical, sentAt: unset, messageID: s.messageID}
	key, _, inHeader := r.BasicAuth()
	if inHeader = inHeader && key != ""; inHeader {
		if err := s.authorize(r, key, &c); err != nil {
			return err
		}
	}
	// A slow sender must not hold a buffer for ever; a writer without deadlines is a test's.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	b, err := s.pool.read(r)
	if err != nil {
		return err
	}
	p := s.parsers.Get().(*parser)
	g, err := s.parseAndAdd(r, e, p, b, &c, inHeader, out)
	p.reset()
	s.parsers.Put(p)
	b.release()
	if err != nil || g == nil {
		return err
	}
	return await(r.Context(), g)
}

// parseAndAdd works on the pooled memory of one request; nothing of it is kept.
func (s *Service) parseAndAdd(r *http.Request, e endpoint, p *parser, b *body, c *call, authorized bool, out *outcome) (*group, error) {
	if e := p.parse(b.bytes(), c.typ == ""); e != nil {
		return nil, e
	}
	if !authorized {
		if err := s.authorize(r, s.keyInBody(r, p), c); err != nil {
			return nil, err
		}
	}
	c.receivedAt = s.deps.Clock.Now().UnixMilli()
	events := p.events
	if c.typ == "" {
		if at, ok := p.time(&p.top, fSentAt); ok {
			c.sentAt = at
		}
		c.context = p.value(p.top.field[fContext])
	} else {
		p.top.whole = span{from: 0, to: uint32(len(p.body)), kind: jsonscan.Object}
		events = append(events, p.top)
	}
	var f event.Fact
	for i := range events {
		if bad, is := p.fact(&events[i], c, &f); is {
			out.reject(r, p, &events[i], i, bad)
			continue
		}
		p.frames = wire.AppendFrame(p.frames, &f)
		out.accepted++
	}
	if out.accepted == 0 {
		return nil, nil
	}
	return s.join.add(p.frames, out.accepted, false)
}

// reset keeps the memory that the next request will want, not a rare giant's.
func (p *parser) reset() {
	if cap(p.events) > 1000 {
		p.events = nil
	}
	if cap(p.text) > 64<<10 {
		p.text = nil
	}
	if cap(p.frames) > 256<<10 {
		p.frames = nil
	}
	p.body, p.frames = nil, p.frames[:0]
}

func (s *Service) messageID() string { return s.deps.IDs.New("ms") }

// keyInBody finds the write key where browsers put it, who cannot set headers
// on a beacon: in the envelope, in the query, or in the first event.
func (s *Service) keyInBody(r *http.Request, p *parser) string {
	read := func(ev *rawEvent) string {
		if v := p.value(ev.field[fWriteKey]); v.Kind == jsonscan.String {
			return strings.Clone(p.string(v))
		}
		return ""
	}
	if key := read(&p.top); key != "" {
		return key
	}
	if r.URL.RawQuery != "" {
		if key := r.URL.Query().Get("writeKey"); key != "" {
			return key
		}
	}
	if len(p.events) > 0 {
		return read(&p.events[0])
	}
	return ""
}

func (s *Service) authorize(r *http.Request, key string, c *call) error {
	if key == "" {
		return errs.New(errs.Unauthorized, "intake.key_missing")
	}
	if len(key) > 256 {
		return errs.New(errs.Unauthorized, "intake.key_unknown")
	}
	k, ok, err := s.deps.WriteKeys.Lookup(r.Context(), key)
	if err != nil {
		return errDown.Wrap(fmt.Errorf("look up write key: %w", err))
	}
	if !ok {
		return errs.New(errs.Unauthorized, "intake.key_unknown")
	}
	if c.source = k.Source; c.source == "" {
		c.source = k.Name
	}
	return nil
}

// preflight lets any page's browser send here: that is what the intake is for,
// and it sets and reads no cookies.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && len(asked) < 1024 {
		h.Set("Access-Control-Allow-Headers", asked)
		h.Set("Vary", "Access-Control-Request-Headers")
	}
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}
