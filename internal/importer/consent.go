package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/errs"
)

// consentAt is a column that says something of consent.
type consentAt struct {
	ConsentColumn
	col int
}

// told is what a row says of consent, with the words it says it in.
type told struct {
	key, text string
	granted   bool
	at        int64
}

// consentColumns are those a contacts file may have.
func (s *Service) consentColumns(ctx context.Context) ([]ConsentColumn, error) {
	if s.Consents == nil {
		return nil, nil
	}
	out, err := s.Consents.Columns(ctx)
	if err != nil {
		return nil, fmt.Errorf("columns of consent: %w", err)
	}
	return out, nil
}

func (p *plan) placeConsent(i int, name, field string, columns []ConsentColumn) errs.Field {
	for _, have := range p.consents {
		if have.Key == field {
			return errs.At(name, "import.field_twice", "column", name, "other", p.columns[have.col])
		}
	}
	for _, c := range columns {
		if c.Key == field {
			p.consents = append(p.consents, consentAt{c, i})
			return errs.Field{}
		}
	}
	return errs.At(name, "import.no_such_consent", "column", name, "field", field)
}

// states are the words by which files say that somebody agreed or did not.
var states = map[string]bool{
	"是": true, "同意": true, "已同意": true, "授权": true, "已授权": true, "允许": true, "接收": true, "订阅": true, "已订阅": true,
	"yes": true, "y": true, "true": true, "t": true, "1": true, "granted": true, "grant": true, "opt-in": true, "optin": true, "optedin": true, "opted-in": true, "subscribed": true, "agreed": true,
	"否": false, "不同意": false, "未同意": false, "拒绝": false, "撤回": false, "已撤回": false, "退订": false, "已退订": false, "不接收": false, "不允许": false,
	"no": false, "n": false, "false": false, "f": false, "0": false, "withdrawn": false, "withdraw": false, "denied": false, "opt-out": false, "optout": false, "optedout": false, "opted-out": false, "unsubscribed": false,
}

// consentsTold reads the columns of consent; an empty cell says nothing.
func (r *row) consentsTold() []told {
	if len(r.consents) == 0 {
		return nil
	}
	at := r.time(fConsentAt, false)
	var out []told
	for _, c := range r.consents {
		v := r.cell(c.col)
		if v == "" {
			continue
		}
		granted, ok := states[strings.ToLower(strings.ReplaceAll(narrow(v), " ", ""))]
		switch {
		case !ok:
			r.fail(c.col, "import.bad_consent")
		case granted && c.OnlyWithdraw:
			r.fail(c.col, "import.consent_no_lift")
		default:
			out = append(out, told{c.Key, v, granted, at})
		}
	}
	return out
}

// takeConsents writes down what the accepted rows of a batch say. People whom the
// import leaves as they are keep what they said.
func (r *runner) takeConsents(ctx context.Context, batch []person, rows []table.Row, out []contact.Outcome) error {
	var list []ConsentTold
	for i, o := range out {
		if o.State == contact.Refused || o.State != contact.Created && !r.plan.update {
			continue
		}
		for _, t := range batch[i].told {
			list = append(list, ConsentTold{Contact: o.Num, Key: t.key, Granted: t.granted, At: t.at, Line: rows[i].Line})
		}
	}
	if len(list) == 0 {
		return nil
	}
	written, kept, err := r.s.Consents.Take(ctx, r.imp.ID, r.imp.File, list)
	if err != nil {
		return fmt.Errorf("write consents down: %w", err)
	}
	r.imp.Consents += written
	r.imp.ConsentsKept += kept
	return nil
}

// nameConsents gives columns of a contacts file that are called as a column of
// consent is, by its key or its name in either language, that field. A column
// that begins like one and is none stays so, and is then named as a fault: it
// must not become an attribute in silence.
func (s *Service) nameConsents(ctx context.Context, g Suggestion) {
	if g.Kind != Contacts {
		return
	}
	list, err := s.consentColumns(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "purposes are not known to the guess of columns", "error", err)
		return
	}
	keys := map[string]string{}
	for _, c := range list {
		for _, name := range []string{c.Key, c.ZH, c.EN} {
			keys[strings.ToLower(trim(name))] = c.Key
		}
	}
	taken := map[string]bool{}
	for _, column := range slices.Sorted(maps.Keys(g.Mapping.Columns)) {
		field := g.Mapping.Columns[column]
		if field != "" && !strings.HasPrefix(field, attrPrefix) {
			continue
		}
		name := strings.ToLower(trim(column))
		switch key, ok := keys[name]; {
		case ok && !taken[key]:
			g.Mapping.Columns[column], taken[key] = key, true
		case !ok && len(list) > 0 && strings.HasPrefix(name, consentPrefix):
			g.Mapping.Columns[column] = name
		}
	}
}
