package importer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// book keeps what files said of consent.
type book struct{ told []importer.ConsentTold }

func (b *book) Columns(context.Context) ([]importer.ConsentColumn, error) {
	return []importer.ConsentColumn{{Key: "consent.marketing.sms", ZH: "营销推送 · 短信", EN: "Marketing · Text message"}, {Key: "consent.everything.all", ZH: "勿扰", EN: "Do not contact", OnlyWithdraw: true}}, nil
}

func (b *book) Take(_ context.Context, importID, file string, told []importer.ConsentTold) (written, kept int64, err error) {
	b.told = append(b.told, told...)
	return int64(len(told)) - 1, 1, nil
}

func eachWithBook(t *testing.T, fn func(t *testing.T, p *pond, b *book)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		b := &book{}
		fn(t, newPond(t, d, func(deps *importer.Deps) { deps.Consents = b }), b)
	}, sets()...)
}

const consents = `客户编号,consent.marketing.sms,勿扰,授权时间
u1,是,,2026-01-02
u2,Opt-Out,否,
u3,也许,,
u4,,,
u5,,是,
u1,ＮＯ,,
`

func TestColumnsOfConsent(t *testing.T) {
	eachWithBook(t, func(t *testing.T, p *pond, b *book) {
		u := p.upload("名单.csv", []byte(consents))
		require.Equal(t, importer.Contacts, u.Suggestion.Kind)
		require.Equal(t, map[string]string{"客户编号": "user_id", "consent.marketing.sms": "consent.marketing.sms", "勿扰": "consent.everything.all", "授权时间": "consent_at"}, u.Suggestion.Mapping.Columns)

		pre, err := p.Preview(t.Context(), u.ID, importer.Contacts, u.Suggestion.Mapping, importer.Options{})
		require.NoError(t, err)
		require.Equal(t, []int64{6, 4, 2}, []int64{pre.Checked, pre.Good, pre.Bad})
		require.Equal(t, "是", pre.Rows[0].Record["consent.marketing.sms"])
		require.Empty(t, b.told, "a preview writes nothing")

		imp := p.wait(p.start(u, func(*importer.Request) {}).ID)
		require.Equal(t, importer.Succeeded, imp.State)
		require.Equal(t, "import.bad_consent=1 import.consent_no_lift=1", reasons(imp))
		require.Equal(t, []int64{4, 2, 3, 1}, []int64{imp.Accepted, imp.Rejected, imp.Consents, imp.ConsentsKept})
		day := int64(1767283200000) // midnight in Shanghai
		require.Equal(t, []importer.ConsentTold{
			{Contact: 1, Key: "consent.marketing.sms", Granted: true, At: day, Line: 2},
			{Contact: 2, Key: "consent.marketing.sms", Line: 3},
			{Contact: 2, Key: "consent.everything.all", Line: 3},
			{Contact: 1, Key: "consent.marketing.sms", Line: 7}}, b.told)
	})
}

func TestColumnsOfConsentLeaveKnownPeopleAlone(t *testing.T) {
	eachWithBook(t, func(t *testing.T, p *pond, b *book) {
		p.wait(p.start(p.upload("a.csv", []byte("客户编号,姓名\nu1,王芳\n")), func(*importer.Request) {}).ID)
		no := false
		p.wait(p.start(p.upload("b.csv", []byte("客户编号,consent.marketing.sms\nu1,是\nu2,是\n")), func(q *importer.Request) { q.Options.UpdateExisting = &no }).ID)
		require.Len(t, b.told, 1)
		require.Equal(t, int64(3), b.told[0].Line)
	})
}

func TestUnknownColumnOfConsentIsNamed(t *testing.T) {
	eachWithBook(t, func(t *testing.T, p *pond, _ *book) {
		call := p.web()
		u := p.upload("名单.csv", []byte("客户编号,consent.raffle.sms\nu1,是\n"))
		require.Equal(t, "consent.raffle.sms", u.Suggestion.Mapping.Columns["consent.raffle.sms"], "never an attribute in silence")
		rec := call("POST", "/api/imports/preview", m{"uploadId": u.ID, "kind": "contacts", "mapping": u.Suggestion.Mapping, "options": m{}}, nil, "Accept-Language", "en")
		require.Equal(t, 422, rec.Code, rec.Body.String())
		require.Contains(t, rec.Body.String(), "consent.raffle.sms names no purpose and channel")

		var fields struct{ Items []importer.FieldView }
		require.Equal(t, 200, call("GET", "/api/imports/fields?kind=contacts", nil, &fields, "Accept-Language", "en").Code)
		last := fields.Items[len(fields.Items)-2]
		require.Equal(t, "consent.marketing.sms Marketing · Text message consent", last.ID+" "+last.Label+" "+last.Group)
		require.NotContains(t, last.Hint, "import.")
	})
}
