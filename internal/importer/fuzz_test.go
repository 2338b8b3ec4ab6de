package importer

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
)

// Whatever is in a file, it is refused or read as each kind: no panic, every
// row is taken or has a reason, and every fact is sound JSON with an identity.
func FuzzFiles(f *testing.F) {
	f.Add([]byte("order number,sku,qty,price,date,phone,note\nA1,\"x\"\"y\",1,2.5,2024-03-05,13800138000,7\nA1,z,-2,1e3,2024-03-05,,\\\n"))
	f.Add([]byte("姓名,手机号,生日,标签\n张三,13800138000,1990-01-01,\"a,b\"\n"))
	f.Add([]byte("uuid,timestamp,url\na,2014-01-07T00:00:15Z,https://x.org/\"\n"))
	f.Add([]byte("event;user id;time;x\ne;u;1389052815;\"a\nb\"\n"))
	f.Add([]byte("订单号\t金额\t时间\t状态\nA\t(1,000)\t2024年3月5日\t退款成功\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		src := table.Source{Name: "f.csv", Size: int64(len(body)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
		in, err := table.Sniff(src, "")
		if err != nil {
			return
		}
		require.True(t, Guess(in).Kind.Valid())
		for _, kind := range []Kind{Contacts, Orders, Events} {
			s := GuessAs(in, kind)
			p, err := compile(kind, in, s.Mapping, s.Options, defaults{timezone: "Asia/Shanghai", currency: "CNY"})
			if err != nil {
				continue
			}
			p.importID = "im_1"
			r, err := table.Open(src, in)
			require.NoError(t, err)
			open := &order{}
			for {
				row, err := r.Next()
				if err != nil {
					break
				}
				fuzzRow(t, p, row, open)
			}
			for _, f := range open.facts(p, false) {
				sound(t, f)
			}
			require.NoError(t, r.Close())
		}
	})
}

func fuzzRow(t *testing.T, p *plan, in table.Row, open *order) {
	r, ok := p.begin(in)
	if ok {
		switch p.kind {
		case Contacts:
			_, ok = r.person()
		case Events:
			var f event.Fact
			if f, ok = r.occurrence(); ok {
				sound(t, f)
			}
		default:
			var l line
			if l, ok = r.line(); ok {
				require.GreaterOrEqual(t, l.amount, int64(0))
				if open.number == "" || open.number == l.number {
					ok = open.add(&r, l)
				}
			}
		}
	}
	require.Equal(t, ok, len(r.errs) == 0, "%v", r.errs)
	for _, e := range r.errs {
		require.True(t, strings.HasPrefix(e.Code, "import."), e.Code)
	}
}

func sound(t *testing.T, f event.Fact) {
	require.True(t, f.UserID != "" || f.AnonymousID != "" || len(f.Identifiers) > 0)
	require.NotEmpty(t, f.Name)
	for _, raw := range []json.RawMessage{f.Properties, f.Traits, f.Context} {
		if len(raw) > 0 {
			var m map[string]any
			require.NoError(t, json.Unmarshal(raw, &m), "%s", raw)
		}
	}
}
