package contact

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
)

type exportInput struct {
	Body struct {
		Selection SelectionBody `json:"selection"`
		Format    string        `json:"format" enum:"csv,xlsx"`
		Encoding  string        `json:"encoding,omitempty" enum:"utf8bom,utf8,gb18030" default:"utf8bom" doc:"Of a CSV: with byte order mark for Excel, without it for programs, GB18030 for old Chinese ones"`
		Columns   []string      `json:"columns,omitempty" maxItems:"100" doc:"Keys of columns in order, see GET /api/contacts/export-columns; none: the usual ones"`
		Clear     bool          `json:"clear,omitempty" doc:"Phone numbers and e-mail addresses in full; needs contact.unmask and a reason"`
		Reason    string        `json:"reason,omitempty" maxLength:"500" doc:"Kept in the audit log"`
	}
}

type exportOutput struct{ Body jobs.JobView }

// ExportColumn is a column that a file of contacts can have.
type ExportColumn struct {
	Key      string `json:"key"`
	Label    string `json:"label"`
	Personal bool   `json:"personal,omitempty" doc:"Masked, unless clear values are asked for"`
	Group    string `json:"group,omitempty" enum:"consent" doc:"What it is about, when that is not the contact itself"`
}

type exportColumnsOutput struct {
	Body struct {
		Items []ExportColumn `json:"items"`
	}
}

// Routes declares the API of exports.
func (x *Exports) Routes(api *httpx.API) {
	httpx.Register(api, httpx.Op{ID: "export-contacts", Method: http.MethodPost, Path: "/api/contacts/export", Tag: "contacts", Summary: "Export a selection of contacts: a job", Permission: auth.ContactExport, Idempotent: true}, x.httpStart)
	httpx.Register(api, httpx.Op{ID: "list-export-columns", Method: http.MethodGet, Path: "/api/contacts/export-columns", Tag: "contacts", Summary: "List the columns that an export can have", Permission: auth.ContactExport}, x.httpColumns)
}

func (x *Exports) httpStart(ctx context.Context, in *exportInput) (*exportOutput, error) {
	b := in.Body
	sel, err := b.Selection.Selection(ctx)
	if err != nil {
		return nil, err
	}
	job, err := x.Start(ctx, Export{Selection: sel, Format: b.Format, Encoding: b.Encoding, Columns: b.Columns, Clear: b.Clear, Reason: b.Reason, Lang: httpx.Lang(ctx)})
	if err != nil {
		return nil, err
	}
	return &exportOutput{jobs.View(ctx, job)}, nil
}

func (x *Exports) httpColumns(ctx context.Context, _ *struct{}) (*exportColumnsOutput, error) {
	out := &exportColumnsOutput{}
	for _, c := range exportColumns {
		out.Body.Items = append(out.Body.Items, ExportColumn{c.key, httpx.Say(ctx, c.label, nil), c.key == "phone" || c.key == "email", ""})
	}
	sourced, err := x.sourceColumns(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range sourced {
		label := c.ZH
		if httpx.Lang(ctx) == i18n.EN {
			label = c.EN
		}
		out.Body.Items = append(out.Body.Items, ExportColumn{Key: c.Key, Label: label, Group: c.Group})
	}
	return out, nil
}
