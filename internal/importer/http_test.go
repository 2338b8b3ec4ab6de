package importer_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/testkit"
)

type byRole struct{}

func (byRole) Authenticate(r *http.Request) (*auth.Principal, error) {
	if role := r.Header.Get("X-Role"); role != "" {
		return testkit.Principal(role), nil
	}
	return testkit.Principal("user_ops"), nil
}

// web calls the API; a body that is no reader is sent as JSON.
func (p *pond) web() func(method, path string, body any, into any, headers ...string) *httptest.ResponseRecorder {
	p.Helper()
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: byRole{}, Log: testkit.Logger(p.TB), Catalogue: p.cat, Clock: p.clock})
	p.Routes(api)
	h := api.Handler()
	return func(method, path string, body any, into any, headers ...string) *httptest.ResponseRecorder {
		p.Helper()
		var r io.Reader
		switch b := body.(type) {
		case nil:
		case string:
			r = strings.NewReader(b)
		default:
			raw, err := json.Marshal(b)
			require.NoError(p, err)
			r = strings.NewReader(string(raw))
		}
		req := httptest.NewRequest(method, path, r)
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if into != nil {
			require.NoError(p, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
		}
		return rec
	}
}

type m = map[string]any

func TestHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		call := p.web()
		var u importer.UploadView
		body := "订单号,下单时间,单价,数量,客户编号\nA1,2024-03-05,5,2,u1\nA2,03/04/2024,5,2,u1\nA3,2024-03-05,5,0,u1\n"
		require.Equal(t, 200, call("POST", "/api/imports/files?name=%E8%AE%A2%E5%8D%95.csv", body, &u).Code)
		require.Equal(t, "订单.csv", u.Name)
		require.Equal(t, importer.Orders, u.Suggestion.Kind)
		require.Equal(t, importer.Column{Index: 3, Name: "数量", Samples: []string{"2", "0"}}, u.Columns[3])
		var same importer.UploadView
		require.Equal(t, 200, call("GET", "/api/import-files/"+u.ID, nil, &same).Code)
		require.Equal(t, u, same)

		// Who knows what the rows are says so, as the command line does: columns are guessed as of that kind.
		var told importer.UploadView
		require.Equal(t, 200, call("POST", "/api/imports/files?kind=events&name=x.csv", body, &told).Code)
		require.Equal(t, importer.Events, told.Suggestion.Kind)
		require.Equal(t, "prop:数量", told.Suggestion.Mapping.Columns["数量"])
		require.Equal(t, 422, call("POST", "/api/imports/files?kind=people&name=x.csv", body, nil).Code)

		var fields struct{ Items []importer.FieldView }
		require.Equal(t, 200, call("GET", "/api/imports/fields?kind=orders", nil, &fields, "Accept-Language", "en").Code)
		require.Contains(t, fields.Items, importer.FieldView{ID: "order_number", Label: "Order number", Group: "order", Type: "id", Required: true})
		require.Equal(t, 200, call("GET", "/api/imports/fields", nil, &fields).Code)
		for _, f := range fields.Items {
			require.NotContains(t, f.Label+f.Hint, "import.", f.ID)
		}

		ask := m{"uploadId": u.ID, "kind": "orders", "mapping": u.Suggestion.Mapping, "options": u.Suggestion.Options}
		var pre importer.PreviewView
		require.Equal(t, 200, call("POST", "/api/imports/preview", ask, &pre).Code)
		require.Equal(t, []int64{3, 1, 2}, []int64{pre.Checked, pre.Good, pre.Bad})
		require.True(t, pre.Complete)
		require.Equal(t, int64(1000), pre.Summary.Revenue.Amount)
		require.Equal(t, []importer.CellErrorView{{Column: "下单时间", Value: "03/04/2024", Code: "import.ambiguous_date", Detail: "无法判断这个日期是“日/月”还是“月/日”，请在选项里指定日期格式。"}}, pre.Rows[1].Errors)
		require.Equal(t, "A1", pre.Rows[0].Record["order_number"])
		require.NotNil(t, pre.Rows[0].Errors)

		var problem httpx.Problem
		bad := m{"uploadId": u.ID, "kind": "orders", "mapping": m{"columns": m{"订单号": "order_number", "单价": "order_number"}}, "options": m{}}
		require.Equal(t, 422, call("POST", "/api/imports/preview", bad, &problem).Code)
		require.Equal(t, "import.bad_mapping", problem.Code)
		require.Contains(t, problem.Fields[0].Detail, "对应了同一个字段")
		require.Equal(t, 404, call("POST", "/api/imports/preview", m{"uploadId": "up_none", "kind": "orders", "mapping": m{"columns": m{}}, "options": m{}}, &problem).Code)

		ask["saveMappingAs"] = "订单表"
		var imp importer.ImportView
		require.Equal(t, 200, call("POST", "/api/imports", ask, &imp).Code)
		require.Equal(t, "订单.csv", imp.Name)
		p.wait(imp.ID)
		require.Equal(t, 200, call("GET", "/api/imports/"+imp.ID, nil, &imp, "Accept-Language", "en").Code)
		require.Equal(t, importer.Succeeded, imp.State)
		require.Equal(t, "us_user_ops", imp.CreatedBy.ID)
		require.Equal(t, []importer.ReasonView{
			{Code: "import.ambiguous_date", Detail: "This date could be day/month or month/day. Choose the date format in the options.", Count: 1},
			{Code: "import.zero_quantity", Detail: "The quantity is zero.", Count: 1}}, imp.Reasons)

		rec := call("GET", "/api/imports/"+imp.ID+"/rejects", nil, nil)
		require.Equal(t, "attachment; filename*=UTF-8''%E8%AE%A2%E5%8D%95-rejected.csv", rec.Header().Get("Content-Disposition"))
		require.Contains(t, rec.Body.String(), "\uFEFF行号,订单号")
		require.Contains(t, rec.Body.String(), "数量: 数量为 0。 [0]")
		require.Equal(t, "private, no-store", rec.Header().Get("Cache-Control"))
		for _, other := range []string{"analyst", "growth"} { // may see imports, but neither personal values nor what is not theirs
			require.Equal(t, 403, call("GET", "/api/imports/"+imp.ID+"/rejects", nil, &problem, "X-Role", other).Code, other)
			require.Equal(t, 403, call("GET", "/api/import-files/"+u.ID, nil, &problem, "X-Role", other).Code, other)
		}
		require.Equal(t, 403, call("POST", "/api/imports/preview", bad, &problem, "X-Role", "growth").Code)

		var list struct {
			Items []importer.ImportView
			Next  string
		}
		require.Equal(t, 200, call("GET", "/api/imports?limit=1", nil, &list).Code)
		require.Len(t, list.Items, 1)
		require.Empty(t, list.Next)
		var maps struct{ Items []importer.SavedMapping }
		require.Equal(t, 200, call("GET", "/api/imports/mappings?kind=orders", nil, &maps).Code)
		require.Equal(t, "订单表", maps.Items[0].Name)
		require.Equal(t, 204, call("DELETE", "/api/imports/mappings/"+maps.Items[0].ID, nil, nil).Code)

		require.Equal(t, 409, call("POST", "/api/imports/"+imp.ID+"/cancel", nil, &problem).Code)
		require.Equal(t, 200, call("POST", "/api/imports/"+imp.ID+"/undo", nil, &imp).Code)
		p.wait(imp.ID)
		require.Equal(t, 200, call("GET", "/api/imports/"+imp.ID, nil, &imp).Code)
		require.Equal(t, importer.Undone, imp.State)
		require.NotNil(t, imp.UndoneAt)

		require.Equal(t, 403, call("POST", "/api/imports/files?name=x.csv", body, &problem, "X-Role", "content").Code)
		require.Equal(t, 422, call("POST", "/api/imports/files?name=x.csv", "", &problem).Code)
		require.Equal(t, "import.file_empty", problem.Code)
		require.Equal(t, 404, call("GET", "/api/imports/im_none/rejects", nil, &problem).Code)
	})
}
