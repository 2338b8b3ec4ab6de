package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// importFile takes a contacts file in as the console does, with the mapping that
// is proposed, and waits for its end.
func (w *world) importFile(name, body string) (id string, imported map[string]any) {
	w.t.Helper()
	return w.importKind("contacts", name, body)
}

func (w *world) importKind(kind, name, body string) (id string, imported map[string]any) {
	w.t.Helper()
	var up struct {
		ID         string
		Suggestion struct{ Mapping json.RawMessage }
	}
	require.Equal(w.t, 200, w.call("POST", "/api/imports/files?kind="+kind+"&name="+name, body, &up))
	var imp struct{ ID, JobID string }
	require.Equal(w.t, 200, w.call("POST", "/api/imports", fmt.Sprintf(`{"uploadId":%q,"kind":%q,"mapping":%s,"options":{}}`, up.ID, kind, up.Suggestion.Mapping), &imp))
	j, err := w.app.jobs.Wait(w.t.Context(), imp.JobID)
	require.NoError(w.t, err)
	require.Equal(w.t, jobs.Succeeded, j.State)
	require.Equal(w.t, 200, w.call("GET", "/api/imports/"+imp.ID, "", &imported))
	return imp.ID, imported
}

// exportFile exports all contacts as text.
func (w *world) exportFile(columns ...string) string {
	w.t.Helper()
	var j struct{ ID string }
	body, err := json.Marshal(map[string]any{"selection": map[string]any{"filter": map[string]any{}}, "format": "csv", "encoding": "utf8", "columns": columns})
	require.NoError(w.t, err)
	require.Equal(w.t, 200, w.call("POST", "/api/contacts/export", string(body), &j))
	done, err := w.app.jobs.Wait(w.t.Context(), j.ID)
	require.NoError(w.t, err)
	require.Equal(w.t, jobs.Succeeded, done.State)
	req := httptest.NewRequest("GET", "/api/jobs/"+j.ID+"/file", nil)
	req.Header.Set("Authorization", "Bearer "+w.token)
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	require.Equal(w.t, 200, rec.Code)
	return strings.ReplaceAll(strings.TrimSpace(rec.Body.String()), "\r", "")
}

func (w *world) undoImport(id string) {
	w.t.Helper()
	require.Equal(w.t, 200, w.call("POST", "/api/imports/"+id+"/undo", "", nil))
	imp, err := w.app.importer.WaitJob(testkit.As(w.t.Context(), "admin"), id, nil)
	require.NoError(w.t, err)
	require.Equal(w.t, importer.Undone, imp.State)
}

// Consent that comes with a file goes out with a file under the same names, and
// leaves with the undo of the import.
func TestConsentTravelsWithFiles(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		id, imp := w.importFile("a.csv", "会员号,consent.marketing.sms,consent.marketing.email\nM1,是,否\nM2,,退订\nM3,也许,\n")
		require.EqualValues(t, 3, imp["consents"])
		require.EqualValues(t, 1, imp["rejected"])
		columns := []string{"memberNo", "consent.marketing.sms", "consent.marketing.email"}
		file := w.exportFile(columns...)
		require.Equal(t, "会员号,consent.marketing.sms,consent.marketing.email\nM1,granted,withdrawn\nM2,,withdrawn", file)

		_, imp = w.importFile("again.csv", file)
		require.EqualValues(t, 0, imp["consents"], "its own export says nothing new")
		w.undoImport(id)
		require.NotContains(t, w.exportFile(columns...), "granted")
		require.NotContains(t, w.exportFile(columns...), "withdrawn")
	})
}
