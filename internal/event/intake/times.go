package intake

import (
	"strconv"
	"strings"
	"time"
)

// Times outside 1900–2200 are mistakes of a unit or a format.
const (
	minTime = -2208988800000
	maxTime = 7258118400000
)

// parseTime reads what clients send as a time, in UTC milliseconds: RFC 3339,
// the same without zone (UTC) or with a space, a date, or seconds or
// milliseconds since 1970, also as text.
func parseTime(s string) (int64, bool) {
	if ms, ok := fastTime(s); ok {
		return ms, true
	}
	s = strings.TrimSpace(s)
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return inRange(t.UnixMilli())
		}
	}
	return epoch(s)
}

// epoch reads a number: seconds when it is small, milliseconds otherwise.
// 1e11 seconds are in the year 5138, 1e11 milliseconds in 1973.
func epoch(s string) (int64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != f || f > 1e15 || f < -1e15 {
		return 0, false
	}
	if f < 1e11 && f > -1e11 {
		f *= 1000
	}
	return inRange(int64(f))
}

func inRange(ms int64) (int64, bool) { return ms, ms >= minTime && ms < maxTime }

// fastTime reads 2006-01-02T15:04:05[.999…]Z, which is what SDKs send.
func fastTime(s string) (int64, bool) {
	n := len(s)
	if n < 20 || s[n-1] != 'Z' || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, ok1 := num(s[0:4])
	month, ok2 := num(s[5:7])
	day, ok3 := num(s[8:10])
	hour, ok4 := num(s[11:13])
	minute, ok5 := num(s[14:16])
	sec, ok6 := num(s[17:19])
	ms := 0
	if n > 20 {
		if s[19] != '.' || n > 30 {
			return 0, false
		}
		frac := s[20 : n-1]
		if _, ok := num(frac); !ok {
			return 0, false
		}
		scale := 100
		for i := 0; i < len(frac) && i < 3; i++ {
			ms += int(frac[i]-'0') * scale
			scale /= 10
		}
	}
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || sec > 59 {
		return 0, false
	}
	days := daysSince1970(year, month, day)
	return inRange(((int64(days)*24+int64(hour))*60+int64(minute))*60_000 + int64(sec)*1000 + int64(ms))
}

func num(s string) (int, bool) {
	v := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		v = v*10 + int(s[i]-'0')
	}
	return v, len(s) > 0
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in eras of 400 years that begin in March, so that the
// leap day comes last.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	yoe := year - era*400
	doy := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}
