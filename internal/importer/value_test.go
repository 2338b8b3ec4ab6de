package importer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDates(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	const local = "2024-03-05T14:02:00+08:00"
	tests := []struct{ in, format, want string }{
		{"2024-03-05T06:02:00Z", "", local},
		{"2024-03-05 14:02:00", "", local},
		{"2024/03/05 14:02:00", "", local},
		{"2024/3/5 14:02", "", local},
		{"2024-3-5 14:02:00.000", "", local},
		{"2024.3.5 14:02", "", local},
		{"2024年3月5日 14:02", "", local},
		{"2024年03月05日14时02分", "", local},
		{"2024年3月5日 下午2:02", "", local},
		{"２０２４－０３－０５ １４：０２", "", local},
		{"2024-03-05 02:02 PM", "", local},
		{"2024-03-05T14:02:00+08:00", "", local},
		{"2024-03-05T06:02:00.000+00:00", "", local},
		{"2024-03-05 06:02:00 +0000", "", local},
		{"2024-03-05 06:02:00 UTC", "", local},
		{"20240305140200", "", local},
		{"202403051402", "", local},
		{"1709618520", "", local},
		{"1709618520000", "", local},
		{"45356.58472222222", "", local},
		{"5 Mar 2024 14:02", "", local},
		{"05-Mar-24 14:02", "", local},
		{"March 5, 2024 2:02 pm", "", local},
		{"Tue, 5 Mar 2024 06:02:00 GMT", "", local},
		{"Mar 5th, 2024, 14:02", "", local},
		{"05/03/2024 14:02", "dd/MM/yyyy HH:mm", local},
		{"03/05/2024 14:02", "m/d/y", local},
		{"5/3/24 14:02", "d/m/y", local},
		{"24-3-5 14:02", "yy-MM-dd", local},
		{"1709618520", "unix", local},
		{"1709618520000", "unix_ms", local},
		{"2024-03-05", "", "2024-03-05T00:00:00+08:00"},
		{"20240305", "", "2024-03-05T00:00:00+08:00"},
		{"45356", "", "2024-03-05T00:00:00+08:00"},
		{"13/5/2024", "", "2024-05-13T00:00:00+08:00"},
		{"5/13/2024", "", "2024-05-13T00:00:00+08:00"},
		{"2024-02-29 24:00", "", "2024-03-01T00:00:00+08:00"},
		{"03/05/2024", "", codeAmbiguousDate},
		{"03-04-05", "", codeAmbiguousDate},
		{"2023-02-29", "", codeBadDate},
		{"2024-13-01", "", codeBadDate},
		{"0000-00-00 00:00:00", "", codeBadDate},
		{"1024-01-01", "", codeBadDate},
		{"yesterday", "", codeBadDate},
		{"2024-03-05 25:00", "", codeBadDate},
		{"2024-03-05 14:02 and more", "", codeBadDate},
		{"12", "", codeBadDate},
		{"", "", codeBadDate},
		{"2024", "", codeBadDate},
		{"05/Mar", "", codeBadDate},
	}
	for _, tt := range tests {
		order, ok := parseOrder(tt.format)
		require.True(t, ok, tt.format)
		ms, code := dates{shanghai, order}.parse(tt.in)
		got := code
		if code == "" {
			got = time.UnixMilli(ms).In(shanghai).Format(time.RFC3339)
		}
		require.Equal(t, tt.want, got, "%q %q", tt.in, tt.format)
	}
	_, ok := parseOrder("whatever")
	require.False(t, ok)
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]float64{
		"12": 12, "1,234.50": 1234.5, "1，234．5": 1234.5, "１２３": 123, "¥99.90": 99.9, "￥ 1,000": 1000, "99元": 99, "CNY 12": 12, "12 RMB": 12,
		"(12.5)": -12.5, "（1,200）": -1200, "-¥5": -5, "¥-5": -5, "5-": -5, "1.2万": 12000, "3亿": 3e8, "1.5e3": 1500, "50%": 0.5, "1 234 567": 1234567,
		"1'234": 1234, "1.234,56": 1234.56, "12,3456": 123456, "HK$5": 5, "$1,000,000": 1e6, "+7": 7,
	} {
		d, _, code := parseNumber(in)
		require.Empty(t, code, in)
		require.InDelta(t, want, d.Float(), 1e-9, in)
	}
	for _, in := range []string{"", "-", "abc", "12,50", "1,2,3", ",5,", "1.2.3", "¥", "%", "()", "--5", "12 pieces", "1e3万", "1,23,456"} {
		_, _, code := parseNumber(in)
		require.Equal(t, codeBadNumber, code, in)
	}
	_, percent, _ := parseNumber("12%")
	require.True(t, percent)
}

func TestCurrencyIn(t *testing.T) {
	for in, want := range map[string]string{"¥5": "", "$5": "USD", "HK$5": "HKD", "£1": "GBP", "12元": "CNY", "12": "", "eur 3": "EUR"} {
		require.Equal(t, want, currencyIn(in), in)
	}
}

func TestIdentifiers(t *testing.T) {
	for in, want := range map[string]string{"１３８": "138", "17850.0": "17850", "A1.0": "A1.0", "6.21E+17": "!" + codeScientific, "1E+10": "!" + codeScientific,
		"22E3": "22E3", "E5": "E5", "3.5": "3.5", "00123": "00123"} {
		got, code := identifier(in)
		if code != "" {
			got = "!" + code
		}
		require.Equal(t, want, got, in)
	}
	for in, want := range map[string]string{` 5 `: "5", "　张三　": "张三", `="0012"`: "0012", "'0012": "0012", "\t5\t": "5", "'quoted'": "'quoted'", "": ""} {
		require.Equal(t, want, trim(in), in)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"2024年3月5日 下午2:02", "1,234.5", "6.21E+17", "05-Mar-24 14:02 +08", "(￥1.2万)", "１２／３／２０２４"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, order := range []dateOrder{orderAuto, orderYMD, orderDMY, orderMDY, orderExcel, orderUnix, orderUnixMs} {
			if ms, code := (dates{time.UTC, order}).parse(s); code == "" {
				y := time.UnixMilli(ms).UTC().Year()
				require.True(t, y >= 1899 && y <= 2300, "%q: %d", s, y)
			}
		}
		_, _, _ = parseNumber(s)
		_, _ = identifier(s)
		_ = trim(s)
	})
}
