package intake

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// settingsRoutes serve what the browser SDKs load before they send anything.
func (s *Service) settingsRoutes(api *httpx.API) {
	for _, p := range []struct {
		id, path string
		h        http.HandlerFunc
	}{
		{"intake-segment-settings", "/v1/projects/{key}/settings", s.segmentSettings},
		{"intake-rudder-settings", "/sourceConfig/", s.rudderSettings},
		{"intake-rudder-settings-bare", "/sourceConfig", s.rudderSettings},
	} {
		httpx.Handle(api, httpx.Op{ID: p.id, Method: http.MethodGet, Path: p.path, Tag: "intake", Permission: auth.Public, Quiet: true, Hidden: true,
			Summary: "Settings of a browser SDK"}, p.h)
		if strings.HasPrefix(p.path, "/v1/") {
			continue // its preflight is the intake's
		}
		httpx.Handle(api, httpx.Op{ID: p.id + "-preflight", Method: http.MethodOptions, Path: p.path, Tag: "intake", Permission: auth.Public, Quiet: true,
			Hidden: true}, http.HandlerFunc(preflight))
	}
}

// segmentSettings tells analytics.js that the only destination is this server,
// and to keep its own statistics to itself.
func (s *Service) segmentSettings(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if !s.known(w, r, key) {
		return
	}
	protocol := "http"
	if httpx.Secure(r.Context()) {
		protocol = "https"
	}
	httpx.WriteJSON(w, http.StatusOK, map[string]any{
		"integrations": map[string]any{"Segment.io": map[string]any{
			"apiKey": key, "apiHost": r.Host + "/v1", "protocol": protocol, "addBundledMetadata": false,
			"unbundledIntegrations": []string{}, "retryQueue": true,
			"versionSettings": map[string]any{"version": "4.4.7", "componentTypes": []string{"browser"}},
		}},
		"plan":              map[string]any{"track": map[string]any{"__default": map[string]any{"enabled": true, "integrations": map[string]any{}}}},
		"edgeFunction":      map[string]any{},
		"enabledMiddleware": map[string]any{}, "middlewareSettings": map[string]any{}, "remotePlugins": []any{},
		"analyticsNextEnabled": true, "metrics": map[string]any{"sampleRate": 0},
	})
}

// rudderSettings is the source configuration of RudderStack's browser SDK, with
// no destinations on the device and no error or metrics reports to its maker.
func (s *Service) rudderSettings(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("writeKey")
	if basic, _, ok := r.BasicAuth(); ok && key == "" {
		key = basic
	}
	if !s.known(w, r, key) {
		return
	}
	off := map[string]any{"enabled": false}
	httpx.WriteJSON(w, http.StatusOK, map[string]any{"source": map[string]any{
		"id": "koipond", "name": "koipond", "writeKey": key, "enabled": true, "workspaceId": "koipond",
		"config":       map[string]any{"statsCollection": map[string]any{"errors": off, "metrics": off}},
		"destinations": []any{}, "connections": []any{}, "dataplanes": map[string]any{},
	}})
}

// known checks the key, so that a wrong one shows in the browser's console at once.
func (s *Service) known(w http.ResponseWriter, r *http.Request, key string) bool {
	w.Header()["Access-Control-Allow-Origin"] = anyOrigin
	// Private: the answer names the host that was asked, which a shared cache may not tell apart.
	w.Header().Set("Cache-Control", "private, max-age=300")
	err := errs.New(errs.Unauthorized, "intake.key_unknown")
	if key != "" && len(key) <= 256 {
		_, ok, fault := s.deps.WriteKeys.Lookup(r.Context(), key)
		if ok {
			return true
		}
		if fault != nil {
			err = errDown.Wrap(fmt.Errorf("look up write key: %w", fault))
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	s.refuse(w, r, err)
	return false
}
