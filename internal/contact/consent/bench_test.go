package consent

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// million is a pond in which a million people said something of marketing.
func million(b *testing.B, d *db.DB) *pond {
	p := newPond(b, d)
	series := d.Pick("with recursive s(n) as (select 1 union all select n + 1 from s where n < 1000000) select n from s", "select n from generate_series(1, 1000000) as s(n)")
	require.NoError(b, p.exec("insert into consent_state (contact, purpose, shown, granted, withdrawn, at, cells) select n, 'marketing', 1, case when n % 10 < 7 then 255 - (n % 3) * 8 else 0 end, case when n % 10 < 7 then (n % 3) * 8 else 255 end, 1772424000000, case when n % 10 < 7 then 'ff+mm9k2kg0.1' else 'ff-mm9k2kg0.1' end from ("+series+") as x"))
	require.NoError(b, p.exec(d.Pick("analyze", "vacuum analyze consent_state")))
	return p
}

func (p *pond) exec(text string) error {
	_, err := p.DB.Exec(p.ctx, text)
	return err
}

func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("a million people")
	}
	for _, c := range testkit.Databases(b, audit.Migrations(), contact.Migrations(), Migrations()) {
		p := million(b, c.DB)
		b.Run(c.Name+"/may", func(b *testing.B) {
			n := int64(0)
			for b.Loop() {
				n = n*7919%1_000_000 + 1
				if _, err := p.May(p.ctx, n, "marketing", SMS); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.Name+"/count", func(b *testing.B) {
			for b.Loop() {
				if _, err := p.tally(p.ctx, "marketing"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.Name+"/everybody", func(b *testing.B) {
			for b.Loop() {
				a, err := p.Audience(p.ctx, "marketing", SMS)
				if err != nil || len(a.Nums) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
