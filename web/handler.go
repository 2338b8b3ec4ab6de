package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// ContentSecurityPolicy is what the console needs and no more. The component
// kit writes style elements, hence 'unsafe-inline' for styles alone.
const ContentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; connect-src 'self'; font-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"

const (
	immutable  = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
)

// reserved are the first path segments that belong to the server and never to
// a page of the console.
var reserved = map[string]bool{
	"api": true, "v1": true, "hooks": true, "l": true, "p": true, "mcp": true,
	"metrics": true, "healthz": true, "readyz": true,
}

// types by extension that the system's own table may lack or get wrong.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8", ".svg": "image/svg+xml",
	".json": "application/json", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".png": "image/png", ".webmanifest": "application/manifest+json",
}

// otherFiles are endings the console never serves but people and robots ask for.
var otherFiles = map[string]bool{
	".map": true, ".txt": true, ".xml": true, ".csv": true, ".gz": true, ".br": true, ".zip": true, ".pdf": true, ".xlsx": true,
	".jpg": true, ".jpeg": true, ".gif": true, ".webp": true, ".woff": true, ".ttf": true, ".mjs": true, ".php": true, ".env": true,
}

// file is one asset with its precompressed forms; br and gz may be nil.
type file struct {
	plain, br, gz []byte
	contentType   string
	etag          string
}

// Handler serves the console's files.
type Handler struct {
	files map[string]*file
}

// NewHandler reads every file of the built console into memory (under 3 MB) and
// returns its handler. It fails when index.html is missing.
func NewHandler(files fs.FS) (*Handler, error) {
	h := &Handler{files: map[string]*file{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir // build notes such as .vite/manifest.json
			}
			return nil
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		h.add(name, body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the console's files: %w", err)
	}
	for name, f := range h.files {
		if f.plain == nil {
			delete(h.files, name) // a .br or .gz without the file it is made from
		}
	}
	if h.files["index.html"] == nil {
		return nil, fmt.Errorf("read the console's files: %w", fs.ErrNotExist)
	}
	return h, nil
}

func (h *Handler) add(name string, body []byte) {
	ext := path.Ext(name)
	base := name
	if ext == ".br" || ext == ".gz" {
		base = strings.TrimSuffix(name, ext)
	}
	f := h.files[base]
	if f == nil {
		f = &file{contentType: contentType(base)}
		h.files[base] = f
	}
	switch ext {
	case ".br":
		f.br = body
	case ".gz":
		f.gz = body
	default:
		f.plain = body
		sum := sha256.Sum256(body)
		f.etag = hex.EncodeToString(sum[:12])
	}
}

func contentType(name string) string {
	ext := path.Ext(name)
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// Owns reports whether a path is the console's: a file of it, or a page. The
// server's own paths are not, even when nothing answers there.
func (h *Handler) Owns(urlPath string) bool {
	f, _ := h.find(urlPath)
	return f != nil
}

// find returns the file that answers a path and its name.
func (h *Handler) find(urlPath string) (*file, string) {
	name := strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	first, _, _ := strings.Cut(name, "/")
	if reserved[first] {
		return nil, ""
	}
	if f := h.files[name]; f != nil {
		return f, name
	}
	// Never answer a missing script with HTML: the browser would report nonsense
	// and a cache might keep it.
	if first == "assets" || namesFile(name) {
		return nil, ""
	}
	return h.files["index.html"], "index.html"
}

// namesFile tells a missing file from a page. Any dot counts at the top, where
// no page has one; below it only the endings of files do, because the address of
// a page may hold a dot: /dictionary/order.paid is the page of an event.
func namesFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	if ext == "" {
		return false
	}
	_, known := types[ext]
	return known || otherFiles[ext] || !strings.Contains(name, "/")
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	f, name := h.find(r.URL.Path)
	if f == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	body, encoding := f.pick(r.Header.Get("Accept-Encoding"))
	etag := f.tag(encoding)
	head := w.Header()
	head.Set("Cache-Control", cachePolicy(name))
	head.Set("ETag", etag)
	if f.br != nil || f.gz != nil {
		head.Add("Vary", "Accept-Encoding")
	}
	head.Set("X-Content-Type-Options", "nosniff")
	if name == "index.html" {
		head.Set("Content-Security-Policy", ContentSecurityPolicy)
		head.Set("Referrer-Policy", "same-origin")
		head.Set("X-Frame-Options", "DENY")
	}
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Type", f.contentType)
	if encoding != "" {
		head.Set("Content-Encoding", encoding)
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = bytes.NewReader(body).WriteTo(w) // the browser may have gone; nothing to do about it
}

func cachePolicy(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return immutable // the name holds a hash of the content
	}
	return revalidate
}

// tag is the file's entity tag in one encoding; each encoding is a different
// sequence of bytes and needs a tag of its own.
func (f *file) tag(encoding string) string {
	if encoding == "" {
		return `"` + f.etag + `"`
	}
	return `"` + f.etag + "-" + encoding + `"`
}

// pick chooses the smallest form the client takes.
func (f *file) pick(acceptEncoding string) (body []byte, encoding string) {
	switch {
	case f.br != nil && accepts(acceptEncoding, "br"):
		return f.br, "br"
	case f.gz != nil && accepts(acceptEncoding, "gzip"):
		return f.gz, "gzip"
	}
	return f.plain, ""
}

// accepts reads an Accept-Encoding header; q=0 means "not this one".
func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !found {
			return true
		}
		weight, err := strconv.ParseFloat(q, 64)
		return err == nil && weight > 0
	}
	return false
}

// matches compares an If-None-Match header with a tag, weakly.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		tag := strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if tag == "*" || tag == etag {
			return true
		}
	}
	return false
}
