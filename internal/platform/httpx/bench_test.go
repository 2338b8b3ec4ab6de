package httpx_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// What the guards cost a raw public route such as intake, beside none at all.
func BenchmarkRawRoute(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	})
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	cat, err := i18n.Load(log)
	require.NoError(b, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Auth: byHeader{}, Log: log, Catalogue: cat, Clock: clock.System{}})
	httpx.Handle(api, httpx.Op{ID: "track", Method: "POST", Path: "/v1/track", Permission: auth.Public, Quiet: true}, h)
	bare := http.NewServeMux()
	bare.Handle("POST /v1/track", h)
	body := strings.Repeat("x", 600)
	for name, handler := range map[string]http.Handler{"bare": bare, "guarded": api.Handler()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/v1/track", strings.NewReader(body))
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
