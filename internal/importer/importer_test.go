package importer_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const retail = `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HEART,6,2010-12-01T08:26:00Z,2.55,17850,United Kingdom
536365,71053,"LANTERN, WHITE",2,2010-12-01T08:26:00Z,3.39,17850,United Kingdom
536370,22728,ALARM CLOCK,24,2010-12-01T08:45:00Z,3.75,12583,France
C536379,D,Discount,-1,2010-12-01T09:41:00Z,27.50,14527,United Kingdom
536389,22941,CHRISTMAS LIGHTS,6,2010-12-01T10:03:00Z,8.5,,Australia
536414,22139,,56,2010-12-01T11:52:00Z,0,,United Kingdom
536500,22139,,-30,2010-12-01T11:52:00Z,0,,United Kingdom
A563186,B,Adjust bad debt,1,2011-08-12T14:51:00Z,-11062.06,,United Kingdom
536370,22727,ALARM CLOCK RED,4,2010-12-01T08:45:00Z,3.75,12583,France
536501,X,Three for a penny,3,2010-12-01T12:00:00Z,0.0017,12583,France
C536502,Y,Odd,1,2010-12-01T12:00:00Z,1,12583,France
`

func TestGuessesTheRetailFile(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		u := p.upload("online retail.csv", []byte(retail))
		s := u.Suggestion
		require.Equal(t, importer.Orders, s.Kind)
		require.Equal(t, map[string]string{"InvoiceNo": "order_number", "StockCode": "sku", "Description": "product", "Quantity": "quantity", "InvoiceDate": "paid_at",
			"UnitPrice": "price", "CustomerID": "user_id", "Country": "prop:Country"}, s.Mapping.Columns)
		require.Empty(t, s.Options.RefundPrefix, "a row C536502 without a negative number: no prefix proven")
		require.Equal(t, []string{"536365", "536370", "C536379", "536389", "536414"}, u.Columns[0].Samples)
	})
}

func TestOrdersFromLines(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		u := p.upload("online retail.csv", []byte(retail))
		edit := func(q *importer.Request) {
			q.Options.RefundPrefix, q.Options.Currency = "C", "GBP"
		}
		pre, err := p.Preview(t.Context(), u.ID, importer.Orders, u.Suggestion.Mapping, importer.Options{RefundPrefix: "C", Currency: "GBP"})
		require.NoError(t, err)
		require.True(t, pre.Complete)
		require.Equal(t, []int64{11, 8, 3, 5, 3}, []int64{pre.Checked, pre.Good, pre.Bad, pre.Orders, pre.People})
		require.Equal(t, int64(1530+678+9000+1500-2750+5100+0+1), pre.Revenue.Amount)
		require.Equal(t, "import.negative_sale", pre.Rows[6].Errors[0].Code)
		require.Equal(t, "Quantity", pre.Rows[6].Errors[0].Column)

		imp := p.wait(p.start(u, edit).ID)
		require.Equal(t, importer.Succeeded, imp.State)
		require.Equal(t, []int64{11, 8, 3, 5, 6}, []int64{imp.Rows, imp.Accepted, imp.Rejected, imp.Orders, imp.Facts})
		require.Equal(t, "import.negative_price=1 import.negative_sale=1 import.refund_not_negative=1", reasons(imp))
		require.Equal(t, []string{
			"536365 order paid 2208-0 GBP x2", "536370 order paid 10500-0 GBP x2", "536389 order paid 5100-0 GBP x1", "536414 order paid 0-0 GBP x1",
			"536501 order paid 1-0 GBP x1", "C536379 refund refunded 2750-2750 GBP x1"}, p.orders())
		totals, err := p.shop.Totals(t.Context(), time.Time{}, time.Time{})
		require.NoError(t, err)
		require.Equal(t, pre.Revenue.Amount, totals[0].Revenue())

		first := p.stream.facts[0]
		require.Equal(t, "imp:"+imp.ID+":536365", first.MessageID)
		require.Equal(t, "17850", first.UserID)
		require.JSONEq(t, `{"orderNumber":"536365","currency":"GBP","total":2208,"lineCount":2,"Country":"United Kingdom","lines":[
			{"sku":"85123A","name":"WHITE HEART","quantity":6,"price":255,"amount":1530},{"sku":"71053","name":"LANTERN, WHITE","quantity":2,"price":339,"amount":678}]}`, string(first.Properties))
		for _, f := range p.stream.facts {
			if strings.HasSuffix(f.MessageID, "536389") {
				require.Equal(t, "order:import:536389", f.AnonymousID)
			}
			if strings.HasSuffix(f.MessageID, "C536379:refund") {
				require.Equal(t, event.NameOrderRefunded, f.Name)
				require.Contains(t, string(f.Properties), `"quantity":-1,"price":2750,"amount":-2750`)
			}
		}

		again := p.wait(p.start(u, edit).ID)
		require.Equal(t, "import.order_exists=8 import.negative_price=1 import.negative_sale=1 import.refund_not_negative=1", reasons(again))
		require.Zero(t, again.Facts)
		require.Len(t, p.stream.facts, 6)
	})
}

func TestOrderFiles(t *testing.T) {
	head := "订单号,下单时间,实付金额,订单状态,手机号,收货人\n"
	tests := []struct {
		name, body string
		edit       func(*importer.Request)
		want       []string
		reasons    string
	}{
		{"one row an order, Chinese, thousands separators", head + "A1,2024/3/5 14:02,\"￥1,234.50\",交易成功,13800138000,张三\nA2,2024年3月6日,8元,已发货,13800138001,李四\n", nil,
			[]string{"A1 order paid 123450-0 CNY x0", "A2 order paid 800-0 CNY x0"}, ""},
		{"status: refunded counts as paid and given back, unpaid is left out", head + "A1,2024-03-05,100,退款成功,13800138000,张三\nA2,2024-03-05,50,等待买家付款,13800138000,张三\nA3,2024-03-05,70,未退款,13800138000,张三\n", nil,
			[]string{"A1 order refunded 10000-10000 CNY x0", "A3 order paid 7000-0 CNY x0"}, "import.not_paid=1"},
		{"masked phones make anonymous buyers", head + "A1,2024-03-05,100,ok,138****8000,张**\n", nil, []string{"A1 order paid 10000-0 CNY x0"}, ""},
		{"negative totals are refunds", "order id,date,order total,email\nA1,2024-03-05,100,a@b.co\nA1,2024-03-09,(30.00),a@b.co\nR9,2024-03-09,-5,a@b.co\n", nil,
			[]string{"A1 order partly_refunded 10000-3000 CNY x0", "R9 refund refunded 500-500 CNY x0"}, ""},
		{"a refund that names its order", "单号,原单号,日期,金额,会员号\nA1,,2024-03-05,100,m1\nT1,A1,2024-03-07,-40,m1\n", nil, []string{"A1 order partly_refunded 10000-4000 CNY x0"}, ""},
		{"the total stands in every line", "order number,sku,qty,total amount,date\nA1,x,1,30,2024-03-05\nA1,y,2,30,2024-03-05\n", nil, []string{"A1 order paid 3000-0 CNY x2"}, ""},
		{"amount without price", "order number,sku,qty,line total,date\nA1,x,3,10,2024-03-05\n", nil, []string{"A1 order paid 1000-0 CNY x1"}, ""},
		{"faults", "order number,qty,price,date,phone,currency\nA1,0,1,2024-03-05,13800138000,\n,1,1,2024-03-05,13800138000,\nA2,1,x,2024-03-05,13800138000,\nA3,1,1,never,13800138000,\n" +
			"A4,1,1,2024-03-05,12,\nA5,1,1,2024-03-05,1.38E+10,\nA6,1,1,2024-03-05,,bitcoin\nA7,1,1,03/04/2024,,\nA8,1,1,2024-03-05,,USD\nA8,1,1,2024-03-05,,EUR\nA9,,1,2024-03-05,,\nA10,1,10%,2024-03-05,,\n", nil,
			[]string{"A8 order paid 100-0 USD x1"}, "import.value_missing=2 import.ambiguous_date=1 import.bad_currency=1 import.bad_date=1 import.bad_number=1 import.bad_phone=1 import.mixed_currency=1 import.percent_amount=1 import.scientific=1 import.zero_quantity=1"},
		{"yen have no minor unit", "order number,qty,price,date\nA1,2,150,2024-03-05\n", func(q *importer.Request) { q.Options.Currency = "JPY" }, []string{"A1 order paid 300-0 JPY x1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(t *testing.T, p *pond) {
				u := p.upload("orders.csv", []byte(tt.body))
				require.Equal(t, importer.Orders, u.Suggestion.Kind, "%v", u.Suggestion)
				imp := p.wait(p.start(u, tt.edit).ID)
				require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
				require.Equal(t, tt.want, p.orders())
				require.Equal(t, tt.reasons, reasons(imp))
				require.Equal(t, imp.Rows, imp.Accepted+imp.Rejected)
			})
		})
	}
}

// scatteredFile has orders of rows that stand together, apart, and fully mixed.
func scatteredFile(orders, lines int) (body string, total int64) {
	var b strings.Builder
	b.WriteString("order number,sku,qty,price,date,customer id\n")
	row := func(o, l int) {
		fmt.Fprintf(&b, "N%d,s%d,%d,%d.25,2024-03-05,u%d\n", o, l, l+1, o%7, o%50)
		total += int64(l+1) * int64(o%7*100+25)
	}
	for o := range orders { // together
		for l := range lines {
			row(o, l)
		}
	}
	for l := range lines { // mixed
		for o := range orders {
			row(orders+o, l)
		}
	}
	row(0, lines) // one more for the very first
	return b.String(), total
}

func TestScatteredOrders(t *testing.T) {
	body, total := scatteredFile(300, 4)
	for name, limit := range map[string]int{"in memory": 0, "through files": 1000} {
		t.Run(name, func(t *testing.T) {
			testkitEach(t, func(d *importer.Deps) { d.HeldBytes = limit }, func(t *testing.T, p *pond) {
				imp := p.importAll("orders.csv", body, nil)
				require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
				require.Equal(t, []int64{2401, 2401, 600, 600}, []int64{imp.Rows, imp.Accepted, imp.Orders, imp.Facts})
				totals, err := p.shop.Totals(t.Context(), time.Time{}, time.Time{})
				require.NoError(t, err)
				require.Equal(t, total, totals[0].Paid)
				require.Contains(t, p.orders(), "N0 order paid 375-0 CNY x5")
			})
		})
	}
}

func TestContacts(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		body := "姓名,手机号,邮箱,性别,生日,城市,注册时间,标签,渠道,备注,积分\n" +
			"张三,１３８００１３８０００,,男,1990年3月5日,北京,2024-01-02 03:04,\"VIP,地区:华北\",短视频,老客户,120\n" +
			"李四,13800138001,li@si.cn,女,,,,,线下,,5\n" +
			"王五,,,,,,,,,,\n" +
			"赵六,123,,,,,,,,,\n" +
			"孙七,138****1234,,,,,,,,,\n" +
			"周八,,bad@,,,,,,,,\n" +
			"张三,13800138000,,,,,,,,改过,130\n"
		u := p.upload("客户.csv", []byte(body))
		require.Equal(t, importer.Contacts, u.Suggestion.Kind)
		require.Equal(t, map[string]string{"姓名": "name", "手机号": "phone", "邮箱": "email", "性别": "gender", "生日": "birthday", "城市": "city", "注册时间": "created_at",
			"标签": "tag", "渠道": "channel", "备注": "attr:备注", "积分": "attr:积分"}, u.Suggestion.Mapping.Columns)
		imp := p.wait(p.start(u, func(q *importer.Request) { q.Options.Tags = []string{"导入批次"} }).ID)
		require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
		require.Equal(t, []int64{7, 3, 4, 2, 1}, []int64{imp.Rows, imp.Accepted, imp.Rejected, imp.ContactsCreated, imp.ContactsUpdated})
		require.Equal(t, "import.bad_email=1 import.bad_phone=1 import.masked=1 import.no_identity=1", reasons(imp))
		require.Equal(t, map[string]string{"Imported/VIP": "VIP", "地区/华北": "华北", "Imported/导入批次": "导入批次"}, p.people.tags)
		require.Equal(t, map[string]any{"name": "李四", "gender": "女", "积分": 5.0, "tags": "Imported/导入批次", "channel": "offline"}, p.people.attrs[2])
		require.Equal(t, map[string]any{"name": "张三", "备注": "改过", "积分": 130.0, "tags": "Imported/导入批次"}, p.people.attrs[1])

		no := false
		again := p.wait(p.start(u, func(q *importer.Request) { q.Options.UpdateExisting = &no }).ID)
		require.Equal(t, []int64{3, 0, 0}, []int64{again.Accepted, again.ContactsCreated, again.ContactsUpdated})
	})
}

func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		imp := p.importAll("sessions.csv", "uuid,timestamp,url\na1,2014-01-07T00:00:15Z,https://x.org/1\na1,1389052871,https://x.org/2\n,2014-01-07T00:00:15Z,https://x.org/1\n", nil)
		require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
		require.Equal(t, []int64{3, 2, 1, 2}, []int64{imp.Rows, imp.Accepted, imp.Rejected, imp.Facts})
		f := p.stream.facts[0]
		require.Equal(t, event.Fact{MessageID: "imp:" + imp.ID + ":2", Type: event.Page, Name: "page.viewed", AnonymousID: "a1", Timestamp: 1389052815000, Source: "import",
			ImportID: imp.ID, Properties: []byte(`{"url":"https://x.org/1"}`), Contact: 1}, f)

		imp = p.importAll("log.csv", "case_id,event,timestamp,amount,note,paid\n7,refuse me,2024-03-05,1,x,no\n7,A_SUBMITTED,2024-03-05,2.5,007,yes\n", nil)
		require.Equal(t, "import.no_identity=1", reasons(imp))
		require.JSONEq(t, `{"amount":2.5,"note":"007","paid":"yes"}`, string(p.stream.facts[2].Properties))
	})
}

func TestGB18030AndExcelFiles(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("订单编号,付款时间,买家实际支付金额,宝贝标题\nT1,2024-03-05 14:02:00,99.9,龙井茶\n"))
		require.NoError(t, err)
		u := p.upload("淘宝订单.csv", gb)
		require.Equal(t, "gb18030", u.Info.Encoding)
		require.Equal(t, importer.Succeeded, p.wait(p.start(u, nil).ID).State)
		require.Contains(t, string(p.stream.facts[0].Properties), "龙井茶")

		f := excelize.NewFile()
		defer f.Close()
		style, err := f.NewStyle(&excelize.Style{NumFmt: 22})
		require.NoError(t, err)
		for i, v := range []any{"订单号", "下单时间", "金额", "手机号"} {
			require.NoError(t, f.SetCellValue("Sheet1", string(rune('A'+i))+"1", v))
		}
		require.NoError(t, f.SetCellValue("Sheet1", "A2", "X1"))
		require.NoError(t, f.SetCellValue("Sheet1", "B2", time.Date(2024, 3, 5, 14, 2, 0, 0, time.UTC)))
		require.NoError(t, f.SetCellStyle("Sheet1", "B2", "B2", style))
		require.NoError(t, f.SetCellValue("Sheet1", "C2", 12.5))
		require.NoError(t, f.SetCellValue("Sheet1", "D2", 13800138000))
		var out bytes.Buffer
		require.NoError(t, f.Write(&out))
		imp := p.importAll("订单.xlsx", out.String(), nil)
		require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
		require.Equal(t, []string{"T1 order paid 9990-0 CNY x1", "X1 order paid 1250-0 CNY x0"}, p.orders())
		last := p.stream.facts[1]
		require.Equal(t, "2024-03-05T06:02:00Z", time.UnixMilli(last.Timestamp).UTC().Format(time.RFC3339))
		require.Equal(t, []event.Identifier{{Kind: "phone", Value: "13800138000"}}, last.Identifiers)
	})
}

func TestRejectedRowsFile(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		body := "order number,qty,price,date\nA1,1,1,2024-03-05\n=cmd|x,0,1,2024-03-05\n\"A,3\",1,-2,2024-03-05\nA4,1,1,2024-03-05,extra\nA5,-1,5,someday\n"
		imp := p.importAll("orders.csv.gz", body, nil)
		require.Equal(t, "\xEF\xBB\xBFLine,order number,qty,price,date,Reason\n"+
			"3,'=cmd|x,0,1,2024-03-05,qty: The quantity is zero. [0]\n"+
			"4,\"A,3\",1,-2,2024-03-05,price: A price must not be negative. [-2]\n"+
			"5,A4,1,1,2024-03-05,extra,The row has more cells than the 4 columns of the header; a delimiter may stand unquoted in a value. [extra]\n"+
			"6,A5,-1,5,someday,date: This is not a date that can be read. [someday]\n", p.rejects(imp))
		require.Equal(t, "orders-rejected.csv", importer.RejectsName(imp))
		job, err := p.jobs.Wait(t.Context(), imp.JobID)
		require.NoError(t, err)
		require.Equal(t, "orders-rejected.csv", job.FileName)
		require.Equal(t, jobs.Succeeded, job.State)

		var zh bytes.Buffer
		require.NoError(t, p.WriteRejects(t.Context(), &zh, imp, i18n.ZH))
		require.Contains(t, zh.String(), "行号,order number")
		require.Contains(t, zh.String(), "数量为 0。")
	})
}

func manyOrders(n int) string {
	var b strings.Builder
	b.WriteString("order number,sku,qty,price,date,customer id\n")
	for i := range n {
		if i%10 == 7 {
			fmt.Fprintf(&b, "bad%d,s,0,1,2024-03-05,u\n", i)
		}
		fmt.Fprintf(&b, "N%d,a,1,2.50,2024-03-05,u%d\nN%d,b,2,%d,2024-03-05,u%d\n", i, i%100, i, i%9, i%100)
	}
	b.WriteString("N3,again,1,1,2024-03-06,u3\n")
	return b.String()
}

// A stream that fails after it took a batch, twice: the import goes on from its
// last checkpoint and nothing counts twice.
func TestGoesOnAfterFailure(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.stream.after = func(n int) error {
			if n == 2 || n == 4 {
				return errTest
			}
			return nil
		}
		checkMany(t, p, p.importAll("orders.csv", manyOrders(7000), nil), 7000)
		require.Greater(t, p.stream.sent, 5)
	})
}

func checkMany(t *testing.T, p *pond, imp importer.Import, n int64) {
	t.Helper()
	require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
	require.Equal(t, []int64{n*2 + n/10 + 1, n*2 + 1, n / 10, n, n}, []int64{imp.Rows, imp.Accepted, imp.Rejected, imp.Orders, imp.Facts})
	require.Len(t, p.stream.facts, int(n))
	require.Len(t, strings.Split(strings.TrimSpace(p.rejects(imp)), "\n"), int(n/10)+1)
	totals, err := p.shop.Totals(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	want := int64(100)
	for i := range n {
		want += 250 + 200*(i%9)
	}
	require.Equal(t, want, totals[0].Paid)
}

// The process stops in the middle of a batch and another one takes over.
func TestGoesOnAfterTheProcessEnds(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		reached, release := make(chan struct{}), make(chan struct{})
		p.stream.after = func(n int) error {
			if n == 2 {
				close(reached)
				<-release
				return context.Canceled
			}
			return nil
		}
		imp := p.start(p.upload("orders.csv", []byte(manyOrders(7000))), nil)
		<-reached
		old := p.jobs
		stopped := make(chan struct{})
		go func() { defer close(stopped); p.stop(old) }()
		close(release)
		<-stopped
		seen, err := p.Get(t.Context(), imp.ID)
		require.NoError(t, err)
		require.Equal(t, importer.Running, seen.State)
		require.Positive(t, seen.Accepted)
		require.Less(t, seen.Accepted, int64(14001))
		p.boot()
		checkMany(t, p, p.wait(imp.ID), 7000)
	})
}

func TestCancelAndUndo(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.importAll("first.csv", "order number,price,date,customer id\nK1,5,2024-03-05,u1\n", nil)
		before, facts := p.orders(), len(p.stream.facts)

		reached, release := make(chan struct{}), make(chan struct{})
		p.stream.after = func(n int) error {
			if n == 3 {
				close(reached)
				<-release
			}
			return nil
		}
		imp := p.start(p.upload("orders.csv", []byte(manyOrders(7000))), nil)
		<-reached
		_, err := p.Undo(t.Context(), imp.ID)
		require.Equal(t, "import.cannot_undo", errs.CodeOf(err))
		_, err = p.Cancel(t.Context(), imp.ID)
		require.NoError(t, err)
		close(release)
		got := p.wait(imp.ID)
		require.Equal(t, importer.Cancelled, got.State)
		require.NotEqual(t, before, p.orders())
		job, err := p.jobs.Wait(t.Context(), got.JobID)
		require.NoError(t, err)
		require.Equal(t, jobs.Cancelled, job.State)
		_, err = p.Cancel(t.Context(), imp.ID)
		require.Equal(t, "import.not_running", errs.CodeOf(err))

		_, err = p.Undo(t.Context(), imp.ID)
		require.NoError(t, err)
		got = p.wait(imp.ID)
		require.Equal(t, importer.Undone, got.State, "%v", got.Error)
		require.False(t, got.UndoneAt.IsZero())
		require.Equal(t, before, p.orders())
		require.Len(t, p.stream.facts, facts)
		require.Len(t, p.people.nums, 1)
		_, err = p.Undo(t.Context(), imp.ID)
		require.Equal(t, "import.cannot_undo", errs.CodeOf(err))

		p.stream.seen = map[string]bool{}
		checkUndone := p.importAll("orders.csv", manyOrders(100), nil)
		require.Equal(t, int64(100), checkUndone.Orders, "what was undone can be imported again")
	})
}

func TestFullStreamIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.stream.before = func(n int) error {
			if n < 3 {
				return errs.New(errs.TooMany, "import.not_running")
			}
			return nil
		}
		imp := p.importAll("o.csv", "order number,price,date\nA1,1,2024-03-05\n", nil)
		require.Equal(t, importer.Succeeded, imp.State)
		require.Equal(t, 3, p.stream.sent)
	})
}

func TestTooLargeBatchesAreHalved(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		big := errs.New(errs.TooLarge, "import.file_too_large")
		p.stream.before = func(n int) error {
			if n == 1 || n == 2 {
				return big
			}
			return nil
		}
		imp := p.importAll("o.csv", "order number,price,date\nA1,1,2024-03-05\nA2,1,2024-03-05\nA3,1,2024-03-05\n", nil)
		require.Equal(t, []int64{3, 2, 1}, []int64{imp.Rows, imp.Accepted, imp.Rejected})
	})
}

func TestHopelessImportStops(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		body := "order number,price,date\n" + strings.Repeat("A1,x,2024-03-05\n", 30000)
		imp := p.importAll("o.csv", body, func(q *importer.Request) {
			q.Kind, q.Mapping.Columns = importer.Orders, map[string]string{"order number": "order_number", "price": "price", "date": "paid_at"}
		})
		require.Equal(t, importer.Failed, imp.State)
		require.Equal(t, "import.all_rows_bad", imp.Error.Code)
		require.Less(t, imp.Rows, int64(20000))
		require.Contains(t, p.rejects(imp), "This is not a number.")
	})
}

func TestBrokenFilesFail(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		ctx := testkit.As(t.Context(), "admin")
		for name, body := range map[string]string{"import.file_empty": "", "import.no_rows": "a,b\n", "import.old_excel": "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"} {
			_, err := p.CreateUpload(ctx, "f", strings.NewReader(body))
			require.Equal(t, name, errs.CodeOf(err))
		}
		u := p.upload("o.csv", []byte("order number,price,date\nA1,1,2024-03-05\n"))
		for want, edit := range map[string]func(*importer.Request){
			"import.unknown_column": func(q *importer.Request) { q.Mapping.Columns = map[string]string{"nope": "sku"} },
			"import.unknown_field":  func(q *importer.Request) { q.Mapping.Columns = map[string]string{"price": "nonsense"} },
			"import.field_missing":  func(q *importer.Request) { q.Mapping.Columns = map[string]string{"price": "price"} },
			"import.field_twice": func(q *importer.Request) {
				q.Mapping.Columns = map[string]string{"price": "price", "date": "price", "order number": "order_number"}
			},
			"import.no_amount_column": func(q *importer.Request) {
				q.Mapping.Columns = map[string]string{"date": "paid_at", "order number": "order_number"}
			},
			"import.bad_timezone":    func(q *importer.Request) { q.Options.Timezone = "Mars/Base" },
			"import.bad_currency":    func(q *importer.Request) { q.Options.Currency = "money" },
			"import.bad_date_format": func(q *importer.Request) { q.Options.DateFormat = "stardate" },
			"import.bad_country":     func(q *importer.Request) { q.Options.Country = "XX" },
			"import.bad_key": func(q *importer.Request) {
				q.Mapping.Columns = map[string]string{"price": "prop:", "date": "paid_at", "order number": "order_number"}
			},
		} {
			q := importer.Request{UploadID: u.ID, Kind: importer.Orders, Mapping: importer.Mapping{Columns: map[string]string{"order number": "order_number", "price": "price", "date": "paid_at"}}}
			edit(&q)
			_, err := p.Start(ctx, q)
			e := errs.As(err)
			require.Equal(t, "import.bad_mapping", e.Code, want)
			var codes []string
			for _, f := range e.Fields {
				codes = append(codes, f.Code)
			}
			require.Contains(t, codes, want)
		}
	})
}

func TestSavedMappings(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		body := "编号甲,列乙,列丙\nA1,2024-03-05,9\n"
		u := p.upload("o.csv", []byte(body))
		require.Nil(t, u.SavedMapping)
		m := importer.Mapping{Columns: map[string]string{"编号甲": "order_number", "列乙": "paid_at", "列丙": "total"}}
		imp := p.start(u, func(q *importer.Request) {
			q.Kind, q.Mapping, q.SaveMappingAs = importer.Orders, m, "月度订单"
			q.Options.Currency = "HKD"
		})
		require.Equal(t, importer.Succeeded, p.wait(imp.ID).State)

		next := p.upload("next month.csv", []byte("列丙,编号甲,列乙\n9,A2,2024-04-05\n"))
		require.NotNil(t, next.SavedMapping)
		require.Equal(t, "月度订单", next.SavedMapping.Name)
		require.Equal(t, m, next.SavedMapping.Mapping)
		require.Equal(t, "HKD", next.SavedMapping.Options.Currency)
		list, err := p.Mappings(t.Context(), importer.Orders)
		require.NoError(t, err)
		require.Len(t, list, 1)
		none, err := p.Mappings(t.Context(), importer.Events)
		require.NoError(t, err)
		require.Empty(t, none)
		require.NoError(t, p.DeleteMapping(t.Context(), list[0].ID))
		require.Equal(t, "import.mapping_not_found", errs.CodeOf(p.DeleteMapping(t.Context(), list[0].ID)))
	})
}

func TestOldUnusedUploadsGo(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		file := []byte("order number,price,date\nA1,1,2024-03-05\n")
		used, unused := p.upload("used.csv", file), p.upload("unused.csv", file)
		p.wait(p.start(used, nil).ID)
		_, err := p.db.Exec(t.Context(), "update import_uploads set created_at = created_at - $1", (8 * 24 * time.Hour).Milliseconds())
		require.NoError(t, err)
		fresh := p.upload("fresh.csv", file)
		for u, there := range map[string]bool{used.ID: true, unused.ID: false, fresh.ID: true} {
			_, err := p.GetUpload(t.Context(), u, "")
			require.Equal(t, there, err == nil, u)
			_, err = p.files.Stat(t.Context(), "imports/"+u)
			require.Equal(t, there, err == nil, u)
		}
	})
}

// Sheets other than the first are looked at on demand, and imported.
func TestChosenSheet(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		f := excelize.NewFile()
		defer f.Close()
		require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]any{"说明", "无"}))
		require.NoError(t, f.SetSheetRow("Sheet1", "A2", &[]any{"x", "y"}))
		_, err := f.NewSheet("会员")
		require.NoError(t, err)
		require.NoError(t, f.SetSheetRow("会员", "A1", &[]any{"会员卡号", "姓名"}))
		require.NoError(t, f.SetSheetRow("会员", "A2", &[]any{"007", "张三"}))
		var out bytes.Buffer
		require.NoError(t, f.Write(&out))
		u := p.upload("f.xlsx", out.Bytes())
		require.Equal(t, "Sheet1", u.Info.Sheet)
		u, err = p.GetUpload(t.Context(), u.ID, "会员")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"会员卡号": "member_no", "姓名": "name"}, u.Suggestion.Mapping.Columns)
		imp := p.wait(p.start(u, nil).ID)
		require.Equal(t, int64(1), imp.ContactsCreated, "%v", imp.Error)
	})
}
