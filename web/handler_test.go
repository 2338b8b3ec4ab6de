package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/web"
)

func files() fstest.MapFS {
	return fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html><title>console</title>")},
		"index.html.gz":          {Data: []byte("gz:index")},
		"boot.js":                {Data: []byte("boot()")},
		"favicon.ico":            {Data: []byte("ico")},
		"assets/app-1a2b.js":     {Data: []byte("app()")},
		"assets/app-1a2b.js.br":  {Data: []byte("br:app")},
		"assets/app-1a2b.js.gz":  {Data: []byte("gz:app")},
		"assets/font-9f.woff2":   {Data: []byte("font")},
		"assets/orphan.js.br":    {Data: []byte("br:orphan")},
		".vite/manifest.json":    {Data: []byte("{}")},
		"assets/zh-CN-77aa.json": {Data: []byte("{}")},
	}
}

func newHandler(t *testing.T) *web.Handler {
	t.Helper()
	h, err := web.NewHandler(files())
	require.NoError(t, err)
	return h
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func TestPagesGetIndex(t *testing.T) {
	h := newHandler(t)
	for _, path := range []string{"/", "/home", "/contacts/01J8", "/sign-in", "/settings", "/index.html", "/live", "/people", "/lists", "/dictionary/order.paid", "/dictionary/page.viewed"} {
		res, body := get(t, h, "GET", path)
		require.Equal(t, 200, res.StatusCode, path)
		require.Contains(t, body, "console", path)
		require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
		require.Equal(t, "no-cache", res.Header.Get("Cache-Control"))
		require.Contains(t, res.Header.Get("Content-Security-Policy"), "script-src 'self';")
		require.True(t, h.Owns(path), path)
	}
}

func TestServerPathsAreNotPages(t *testing.T) {
	h := newHandler(t)
	for _, path := range []string{
		"/api", "/api/nope", "/v1/track", "/hooks/wecom", "/l/ab12", "/p/form", "/mcp", "/metrics", "/healthz", "/readyz",
		"/assets/gone-77.js", "/assets", "/assets/", "/missing.png", "/robots.txt", "/order.paid", "/deep/app.js.map", "/contacts/export.csv", "/assets/orphan.js",
		"/.vite/manifest.json", "/../etc/passwd.txt",
	} {
		res, body := get(t, h, "GET", path)
		require.Equal(t, 404, res.StatusCode, path)
		require.NotContains(t, body, "<title>", path)
		require.NotContains(t, res.Header.Get("Cache-Control"), "immutable", path)
		require.False(t, h.Owns(path), path)
	}
}

func TestEncodings(t *testing.T) {
	h := newHandler(t)
	cases := []struct{ accept, encoding, body string }{
		{"gzip, deflate, br, zstd", "br", "br:app"},
		{"gzip", "gzip", "gz:app"},
		{"br;q=0, gzip;q=0.5", "gzip", "gz:app"},
		{"br; q=0", "", "app()"},
		{"", "", "app()"},
		{"brotli", "", "app()"},
	}
	for _, c := range cases {
		res, body := get(t, h, "GET", "/assets/app-1a2b.js", "Accept-Encoding", c.accept)
		require.Equal(t, c.body, body, c.accept)
		require.Equal(t, c.encoding, res.Header.Get("Content-Encoding"), c.accept)
		require.Equal(t, "text/javascript; charset=utf-8", res.Header.Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", res.Header.Get("Cache-Control"))
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"))
		require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	}
}

func TestRevalidation(t *testing.T) {
	h := newHandler(t)
	res, _ := get(t, h, "GET", "/home")
	etag := res.Header.Get("ETag")
	require.NotEmpty(t, etag)

	res, body := get(t, h, "GET", "/contacts", "If-None-Match", `"other", W/`+etag)
	require.Equal(t, 304, res.StatusCode)
	require.Empty(t, body)

	// The same page in another encoding is another sequence of bytes.
	res, body = get(t, h, "GET", "/home", "If-None-Match", etag, "Accept-Encoding", "gzip")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "gz:index", body)
	require.NotEqual(t, etag, res.Header.Get("ETag"))

	// Other content, other tag.
	changed := files()
	changed["index.html"] = &fstest.MapFile{Data: []byte("<!doctype html><title>console 2</title>")}
	h2, err := web.NewHandler(changed)
	require.NoError(t, err)
	res, _ = get(t, h2, "GET", "/home", "If-None-Match", etag)
	require.Equal(t, 200, res.StatusCode)
}

func TestFixedFilesAndMethods(t *testing.T) {
	h := newHandler(t)
	for path, contentType := range map[string]string{"/favicon.ico": "image/x-icon", "/boot.js": "text/javascript; charset=utf-8", "/assets/font-9f.woff2": "font/woff2"} {
		res, body := get(t, h, "GET", path)
		require.Equal(t, 200, res.StatusCode, path)
		require.Equal(t, contentType, res.Header.Get("Content-Type"), path)
		require.NotEmpty(t, body, path)
	}
	res, body := get(t, h, "HEAD", "/boot.js")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "6", res.Header.Get("Content-Length"))
	require.Empty(t, body)

	res, _ = get(t, h, "POST", "/home")
	require.Equal(t, 405, res.StatusCode)
	require.Equal(t, "GET, HEAD", res.Header.Get("Allow"))
}

func TestMissingIndex(t *testing.T) {
	_, err := web.NewHandler(fstest.MapFS{"boot.js": {Data: []byte("x")}})
	require.Error(t, err)
}

func TestBuiltInFilesServe(t *testing.T) {
	fsys, err := web.Files()
	require.NoError(t, err)
	h, err := web.NewHandler(fsys)
	require.NoError(t, err)
	res, body := get(t, h, "GET", "/")
	require.Equal(t, 200, res.StatusCode)
	require.Contains(t, body, "Koipond")
}
