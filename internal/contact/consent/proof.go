package consent

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// Evidence is one person's ledger as it is handed to whoever asks for proof.
type Evidence struct {
	Company  string      `json:"company"`
	Contact  contact.Ref `json:"contact"`
	MadeAt   time.Time   `json:"madeAt"`
	MadeBy   string      `json:"madeBy"`
	Purposes []*Purpose  `json:"purposes" doc:"With every version of the wordings"`
	Rows     []Row       `json:"rows" doc:"Oldest first"`
	Whole    bool        `json:"whole" doc:"False: there are more rows than were put in"`
	Check    Report      `json:"check" doc:"What the last check of the whole ledger found"`
}

// maxEvidence is how many rows one file of proof holds.
const maxEvidence = 10_000

// Evidence gathers a person's ledger; the export is audited.
func (s *Service) Evidence(ctx context.Context, contactID string) (Evidence, error) {
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return Evidence{}, err
	}
	brand, err := s.Brand(ctx)
	if err != nil {
		return Evidence{}, err
	}
	out := Evidence{Company: brand.Company, MadeAt: s.Clock.Now(), MadeBy: principal(ctx).Name, Rows: []Row{}, Whole: true}
	refs, err := s.Contacts.Refs(ctx, []int64{num})
	if err != nil {
		return out, err
	}
	out.Contact = refs[num]
	list, err := s.Purposes(ctx)
	if err != nil {
		return out, err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return out, err
	}
	entries, err := s.history(ctx, group, 0, maxEvidence+1)
	if err != nil {
		return out, err
	}
	if len(entries) > maxEvidence {
		entries, out.Whole = entries[:maxEvidence], false
	}
	used := map[string]bool{}
	for i := len(entries) - 1; i >= 0; i-- {
		row, err := s.show(&entries[i])
		if err != nil {
			return out, err
		}
		used[row.Purpose] = true
		out.Rows = append(out.Rows, row)
	}
	for _, p := range list {
		if used[p.ID] {
			out.Purposes = append(out.Purposes, p)
		}
	}
	if out.Check, err = s.LastCheck(ctx); err != nil {
		return out, err
	}
	return out, s.recordContact(ctx, "consent.exported", num, map[string]any{"rows": len(out.Rows)})
}

// evidenceHTML is for people and printers.
var evidenceHTML = template.Must(template.New("evidence").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.W.Title}} · {{.E.Contact.Name}}</title>
<style>{{.Style}}</style></head><body>
<h1>{{.W.Title}}</h1>
<p>{{.E.Company}} · {{.E.Contact.Name}} ({{.E.Contact.ID}}) · {{.W.Made}} {{call .Time .E.MadeAt}} · {{.E.MadeBy}}</p>
<p>{{.W.Check}}: {{if .E.Check.At}}{{if .E.Check.OK}}{{.W.Sound}}{{else}}{{.W.Broken}} ({{.E.Check.Fault}}, #{{.E.Check.FirstBad}}){{end}} · {{call .Time .E.Check.At}} · {{.E.Check.Rows}}{{else}}{{.W.Never}}{{end}}</p>
<table><thead><tr>{{range .W.Columns}}<th scope="col">{{.}}</th>{{end}}</tr></thead><tbody>
{{range .E.Rows}}<tr><td>{{.Seq}}</td><td>{{call $.Time .At}}</td><td>{{call $.Purpose .Purpose}}</td><td>{{call $.Channel .Channel}}</td><td>{{call $.State .State}}{{if .Voids}} #{{.Voids}}{{end}}</td><td>{{call $.Source .Source}}</td><td>{{if .Wording}}{{.Wording}}{{end}}</td>
<td>{{with .Proof}}{{if .StaffName}}{{.StaffName}} {{end}}{{if .Note}}“{{.Note}}” {{end}}{{if .IP}}IP {{.IP}} {{end}}{{if .Link}}{{$.W.Link}} {{.Link}} {{end}}{{if .MessageID}}{{.MessageID}} {{end}}{{if .ImportID}}{{.ImportID}} {{end}}{{if .UserAgent}}<small>{{.UserAgent}}</small>{{end}}{{end}}</td><td><code>{{.Hash}}</code></td></tr>
{{end}}</tbody></table>
{{range .E.Purposes}}<h2>{{call $.Purpose .ID}}</h2>{{range .Wordings}}<p><b>{{$.W.Version}} {{.Version}}</b>{{if .EffectiveAt.IsZero}}{{else}} · {{call $.Time .EffectiveAt}}{{end}}<br>{{if eq $.Lang "en"}}{{.Text.EN}}{{else}}{{.Text.ZH}}{{end}}</p>{{end}}{{end}}
</body></html>`))

const evidenceCSS = `body{font:14px/1.5 -apple-system,"PingFang SC","Microsoft YaHei",sans-serif;margin:24px;color:#111;background:#fff}table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:4px 8px;text-align:left;vertical-align:top}code{font-size:11px;word-break:break-all}small{color:#555}`

type evidenceWords struct {
	Title, Made, Check, Sound, Broken, Never, Link, Version string
	Columns                                                 []string
	State                                                   map[State]string
	Source                                                  map[Source]string
	Everything, All                                         string
}

var evidenceText = map[i18n.Lang]evidenceWords{
	i18n.ZH: {Title: "授权与退订记录", Made: "生成于", Check: "记录链校验", Sound: "完整，未被改动", Broken: "发现问题", Never: "尚未校验", Link: "偏好链接", Version: "版本",
		Columns: []string{"序号", "时间", "用途", "渠道", "状态", "来源", "文案版本", "凭证", "校验值"},
		State:   map[State]string{Granted: "同意", Withdrawn: "撤回", voided: "撤销第"},
		Source: map[Source]string{FromPage: "偏好页面", FromUnsubscribe: "邮件一键退订", FromStaff: "员工登记", FromAPI: "接口", FromSDK: "SDK", FromImport: "导入", FromReply: "回复退订", FromComplaint: "举报垃圾邮件", FromBulk: "批量变更",
			FromDeletion: "删除个人信息"},
		Everything: "一切联系", All: "全部"},
	i18n.EN: {Title: "Record of consent", Made: "Made at", Check: "Check of the chain", Sound: "whole and unchanged", Broken: "broken", Never: "not checked yet", Link: "preference link", Version: "Version",
		Columns: []string{"Row", "Time", "Purpose", "Channel", "State", "Source", "Wording", "Proof", "Hash"},
		State:   map[State]string{Granted: "granted", Withdrawn: "withdrawn", voided: "takes back"},
		Source: map[Source]string{FromPage: "preference page", FromUnsubscribe: "one-click unsubscribe", FromStaff: "staff", FromAPI: "API", FromSDK: "SDK", FromImport: "import", FromReply: "reply", FromComplaint: "report as spam", FromBulk: "bulk change",
			FromDeletion: "erasure"},
		Everything: "All contact", All: "all"},
}

func (s *Service) serveEvidence(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	e, err := s.Evidence(ctx, r.PathValue("id"))
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	name := "consent-" + e.Contact.ID
	if r.URL.Query().Get("format") != "html" {
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.json"`)
		httpx.WriteJSON(w, http.StatusOK, e)
		return
	}
	lang := pageLang(r)
	words, channel := evidenceText[lang], pageWordsOf(lang)
	zone := time.UTC
	if b, err := s.Brand(ctx); err == nil {
		if z, err := time.LoadLocation(b.Timezone); err == nil {
			zone = z
		}
	}
	names := map[string]string{Everything: words.Everything}
	for _, p := range e.Purposes {
		names[p.ID] = p.Name.in(lang)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	err = evidenceHTML.Execute(w, map[string]any{"Lang": string(lang), "W": words, "E": e, "Style": template.CSS(evidenceCSS),
		"Time":    func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05") },
		"Purpose": func(id string) string { return names[id] },
		"Channel": func(c Channel) string {
			if c == All {
				return words.All
			}
			return channel[c]
		},
		"State":  func(st State) string { return words.State[st] },
		"Source": func(src Source) string { return words.Source[src] }})
	if err != nil {
		s.Log.ErrorContext(ctx, "proof not rendered", "error", err)
	}
}

func pageWordsOf(l i18n.Lang) map[Channel]string { return words[l].Channel }
