package importer

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// dateOrder says how dates without a telling form are read.
type dateOrder int

const (
	orderAuto dateOrder = iota // year first, or a day beyond 12, or refuse
	orderYMD
	orderDMY
	orderMDY
	orderExcel
	orderUnix
	orderUnixMs
)

// parseOrder reads the dateFormat option: `excel`, `unix`, `unix_ms`, or any
// pattern in which d, m and y stand in their order (`dd/MM/yyyy`, `d/m/y`).
func parseOrder(format string) (dateOrder, bool) {
	switch f := strings.ToLower(strings.TrimSpace(format)); f {
	case "", "auto":
		return orderAuto, true
	case "excel":
		return orderExcel, true
	case "unix":
		return orderUnix, true
	case "unix_ms", "unixms":
		return orderUnixMs, true
	default:
		seen := ""
		for _, c := range f {
			if strings.ContainsRune("ymd", c) && !strings.ContainsRune(seen, c) {
				seen += string(c)
			}
			if c == 'h' { // the time follows; its minutes are no months
				break
			}
		}
		switch seen {
		case "ymd":
			return orderYMD, true
		case "dmy":
			return orderDMY, true
		case "mdy":
			return orderMDY, true
		}
		return orderAuto, false
	}
}

// The years that a date may lie in; beyond them it is a slip.
const (
	minYear = 1900
	maxYear = 2199
)

type dates struct {
	loc   *time.Location
	order dateOrder
}

// parse reads a point in time as UTC milliseconds.
func (d dates) parse(text string) (int64, string) {
	if ms, ok := d.iso(text); ok {
		return ms, ""
	}
	s := strings.TrimSpace(narrow(text))
	if s == "" || len(s) > 64 {
		return 0, codeBadDate
	}
	if ms, ok, code := d.number(s); ok || code != "" {
		return ms, code
	}
	t := scanner{text: strings.ToLower(s)}
	return d.written(&t)
}

// iso is the short way for 2010-12-01T08:26:00Z and 2010-12-01 08:26:00.
func (d dates) iso(s string) (int64, bool) {
	if len(s) < 19 || len(s) > 20 || (s[4] != '-' && s[4] != '/') || s[7] != s[4] || (s[10] != 'T' && s[10] != ' ') || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	loc := d.loc
	if len(s) == 20 {
		if s[19] != 'Z' {
			return 0, false
		}
		loc = time.UTC
	}
	y, ok0 := digits(s[0:4])
	mo, ok1 := digits(s[5:7])
	da, ok2 := digits(s[8:10])
	h, ok3 := digits(s[11:13])
	mi, ok4 := digits(s[14:16])
	se, ok5 := digits(s[17:19])
	if !(ok0 && ok1 && ok2 && ok3 && ok4 && ok5) {
		return 0, false
	}
	return instant(y, mo, da, h, mi, se, 0, loc)
}

func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}

// instant checks the parts and builds the time.
func instant(y, mo, da, h, mi, se, ms int, loc *time.Location) (int64, bool) {
	if h == 24 && mi == 0 && se == 0 { // midnight at the day's end
		h, da = 0, da+1
		t := time.Date(y, time.Month(mo), da, 0, 0, 0, 0, loc)
		return t.UnixMilli(), y >= minYear && y <= maxYear && mo >= 1 && mo <= 12 && da >= 2 && da <= 32
	}
	if y < minYear || y > maxYear || mo < 1 || mo > 12 || da < 1 || h > 23 || mi > 59 || se > 60 || da > daysIn(y, mo) {
		return 0, false
	}
	if loc == time.UTC {
		return time.Date(y, time.Month(mo), da, h, mi, min(se, 59), ms*1e6, time.UTC).UnixMilli(), true
	}
	return time.Date(y, time.Month(mo), da, h, mi, min(se, 59), ms*1e6, loc).UnixMilli(), true
}

func daysIn(y, mo int) int {
	switch mo {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// number reads what is written with digits alone: seconds, milliseconds, an
// Excel serial, 20240305, 20240305140200.
func (d dates) number(s string) (int64, bool, string) {
	whole, frac, point := strings.Cut(s, ".")
	if !allDigits(whole) || point && !allDigits(frac) {
		return 0, false, ""
	}
	f, _, code := parseNumber(s)
	if code != "" {
		return 0, false, codeBadDate
	}
	v := f.Float()
	ok := false
	ms := int64(0)
	switch {
	case d.order == orderUnix || d.order == orderAuto && len(whole) == 10:
		ms, ok = int64(math.Round(v*1000)), v < 1e10
	case d.order == orderUnixMs || d.order == orderAuto && len(whole) == 13:
		ms, ok = int64(v), v < 1e13
	case !point && (len(s) == 8 || len(s) == 12 || len(s) == 14):
		ms, ok = d.packed(s)
	case d.order == orderExcel || len(whole) == 5 && v >= 10000 && v < 80000:
		ms, ok = d.serial(v)
	}
	if !ok {
		return 0, false, codeBadDate
	}
	return ms, true, ""
}

func (d dates) packed(s string) (int64, bool) {
	s += "000000"[:max(0, 14-len(s))]
	y, _ := digits(s[0:4])
	mo, _ := digits(s[4:6])
	da, _ := digits(s[6:8])
	h, _ := digits(s[8:10])
	mi, _ := digits(s[10:12])
	se, _ := digits(s[12:14])
	return instant(y, mo, da, h, mi, se, 0, d.loc)
}

// serial reads days since 1899-12-30, the way workbooks keep dates.
func (d dates) serial(v float64) (int64, bool) {
	if v < 1 || v >= 2958466 {
		return 0, false
	}
	days := math.Floor(v)
	secs := int(math.Round((v - days) * 86400))
	t := time.Date(1899, 12, 30+int(days), 0, 0, secs, 0, time.UTC)
	return instant(t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, d.loc)
}

// scanner walks through a written date in lower case.
type scanner struct {
	text string
	i    int
}

func (s *scanner) skip(chars string) {
	for s.i < len(s.text) {
		r, n := utf8.DecodeRuneInString(s.text[s.i:])
		if !strings.ContainsRune(chars, r) {
			return
		}
		s.i += n
	}
}

func (s *scanner) take(prefix string) bool {
	if strings.HasPrefix(s.text[s.i:], prefix) {
		s.i += len(prefix)
		return true
	}
	return false
}

// int reads up to width digits.
func (s *scanner) int(width int) (n, size int) {
	for size < width && s.i < len(s.text) && s.text[s.i] >= '0' && s.text[s.i] <= '9' {
		n = n*10 + int(s.text[s.i]-'0')
		s.i++
		size++
	}
	return n, size
}

func (s *scanner) done() bool { return s.i >= len(s.text) }

var monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// month reads an English month name, whole or cut.
func (s *scanner) month() int {
	rest := s.text[s.i:]
	for i, m := range monthNames {
		if !strings.HasPrefix(rest, m) {
			continue
		}
		long := strings.ToLower(time.Month(i + 1).String())
		if !s.take(long) && !s.take("sept") {
			s.i += 3
		}
		s.take(".")
		return i + 1
	}
	return 0
}

func (s *scanner) weekday() {
	for _, d := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		if s.take(d) || s.take(d[:3]) {
			break
		}
	}
	s.skip(", ")
}

// written reads dates with separators or month names, and the time behind them.
func (d dates) written(s *scanner) (int64, string) {
	s.weekday()
	y, mo, da, code := d.day(s)
	if code != "" {
		return 0, code
	}
	h, mi, se, ms, ok := s.clock()
	if !ok {
		return 0, codeBadDate
	}
	loc, ok := s.zone(d.loc)
	if !ok || !s.done() {
		return 0, codeBadDate
	}
	at, ok := instant(y, mo, da, h, mi, se, ms, loc)
	if !ok {
		return 0, codeBadDate
	}
	return at, ""
}

const dateSeparators = "-/.年月日号 ,"

func (d dates) day(s *scanner) (y, mo, da int, code string) {
	var part, size [3]int
	named := -1
	for i := range part {
		if i > 0 {
			s.skip(dateSeparators)
		}
		if m := s.month(); m > 0 && named < 0 {
			part[i], size[i], named = m, 3, i
			continue
		}
		part[i], size[i] = s.int(4)
		if size[i] == 0 {
			return 0, 0, 0, codeBadDate
		}
		if named < 0 || i > named {
			for _, suffix := range []string{"st", "nd", "rd", "th"} {
				if s.take(suffix) {
					break
				}
			}
		}
	}
	s.skip("日号")
	switch {
	case named == 0: // Mar 5 2024
		return century(part[2], size[2]), part[0], part[1], ""
	case named == 1 && size[0] > 2: // 2024 Mar 5
		return part[0], part[1], part[2], ""
	case named == 1: // 5 Mar 2024
		return century(part[2], size[2]), part[1], part[0], ""
	case named == 2:
		return 0, 0, 0, codeBadDate
	case size[0] >= 3 || d.order == orderYMD:
		return century(part[0], size[0]), part[1], part[2], ""
	case d.order == orderDMY:
		return century(part[2], size[2]), part[1], part[0], ""
	case d.order == orderMDY:
		return century(part[2], size[2]), part[0], part[1], ""
	}
	return guessDay(part, size)
}

// guessDay settles d/m/y against m/d/y where one of them is impossible.
func guessDay(part, size [3]int) (y, mo, da int, code string) {
	if size[2] < 4 { // 03-04-05 can be anything
		return 0, 0, 0, codeAmbiguousDate
	}
	a, b := part[0], part[1]
	switch {
	case a > 12 && b <= 12:
		return part[2], b, a, ""
	case b > 12 && a <= 12:
		return part[2], a, b, ""
	case a > 12:
		return 0, 0, 0, codeBadDate
	case a == b:
		return part[2], a, b, ""
	}
	return 0, 0, 0, codeAmbiguousDate
}

func century(y, size int) int {
	switch {
	case size > 2:
		return y
	case y < 70:
		return 2000 + y
	}
	return 1900 + y
}

// clock reads an optional time of day.
func (s *scanner) clock() (h, mi, se, ms int, ok bool) {
	s.skip(" ,t")
	half := s.half()
	s.skip(" ")
	h, size := s.int(2)
	if size == 0 {
		return 0, 0, 0, 0, half == ""
	}
	if !s.take(":") && !s.take("时") && !s.take("点") {
		half = s.half() // 2pm
		return twelve(h, half), 0, 0, 0, half != ""
	}
	if mi, size = s.int(2); size > 0 && (s.take(":") || s.take("分")) {
		if se, size = s.int(2); size > 0 && (s.take(".") || s.take(",")) {
			ms = s.fraction()
		}
		s.take("秒")
	}
	s.skip(" ")
	if half == "" {
		half = s.half()
	}
	return twelve(h, half), mi, se, ms, half == "" || h <= 12 || half == "pm" && h < 24
}

func (s *scanner) fraction() int {
	ms, scale := 0, 100
	for !s.done() && s.text[s.i] >= '0' && s.text[s.i] <= '9' {
		ms += int(s.text[s.i]-'0') * scale
		scale /= 10
		s.i++
	}
	return ms
}

func (s *scanner) half() string {
	s.skip(" ")
	for _, w := range []struct{ word, half string }{{"a.m.", "am"}, {"p.m.", "pm"}, {"am", "am"}, {"pm", "pm"}, {"上午", "am"}, {"凌晨", "am"}, {"早上", "am"},
		{"下午", "pm"}, {"晚上", "pm"}, {"中午", "noon"}} {
		if s.take(w.word) {
			return w.half
		}
	}
	return ""
}

func twelve(h int, half string) int {
	switch {
	case half == "am" && h == 12:
		return 0
	case half == "pm" && h < 12, half == "noon" && h < 3:
		return h + 12
	}
	return h
}

// zone reads an optional offset or Z.
func (s *scanner) zone(loc *time.Location) (*time.Location, bool) {
	s.skip(" ")
	switch {
	case s.done():
		return loc, true
	case s.take("z"), s.take("utc"), s.take("gmt"):
		if s.done() {
			return time.UTC, true
		}
	}
	sign := 1
	switch {
	case s.take("+"):
	case s.take("-"):
		sign = -1
	default:
		return nil, false
	}
	h, n := s.int(2)
	s.take(":")
	m, k := s.int(2)
	if n == 0 || k == 1 || h > 14 || m > 59 {
		return nil, false
	}
	return time.FixedZone("", sign*(h*3600+m*60)), true
}
