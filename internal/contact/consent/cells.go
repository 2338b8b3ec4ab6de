package consent

import (
	"fmt"
	"strconv"
	"strings"
)

// cell is what holds for one purpose and channel: the row that decides.
type cell struct {
	state State // "": nobody said anything
	at    int64
	seq   int64
}

// over tells whether c holds against o: the later word, the withdrawal of two
// at the same time, and the later row of two that say the same then.
func (c cell) over(o cell) bool {
	switch {
	case c.state == "":
		return false
	case o.state == "":
		return true
	case c.at != o.at:
		return c.at > o.at
	case c.state != o.state:
		return c.state == Withdrawn
	}
	return c.seq > o.seq
}

// stand is what one person said of one purpose, by channel. Adding is the same
// in any order and however often, so rows may come as they like and two people's
// stands are one by adding them.
type stand [maskBits]cell

func (s *stand) say(m mask, c cell) {
	for i := range s {
		if m&(1<<i) != 0 && c.over(s[i]) {
			s[i] = c
		}
	}
}

func (s *stand) add(o *stand) {
	for i := range s {
		if o[i].over(s[i]) {
			s[i] = o[i]
		}
	}
}

// masks are the channels granted and withdrawn, and when the last of them changed.
func (s *stand) masks() (granted, withdrawn mask, at int64) {
	for i, c := range s {
		switch c.state {
		case Granted:
			granted |= 1 << i
		case Withdrawn:
			withdrawn |= 1 << i
		}
		at = max(at, c.at)
	}
	return granted, withdrawn, at
}

func (s *stand) of(m mask) cell {
	for i := range s {
		if m == 1<<i {
			return s[i]
		}
	}
	return cell{}
}

// says tells whether a state holds for all of some channels.
func (s *stand) says(m mask, st State) bool {
	for i, c := range s {
		if m&(1<<i) != 0 && c.state != st {
			return false
		}
	}
	return true
}

// encode writes the cells that agree together: `ff+kx1b2c.1a 08-…`.
func (s *stand) encode() string {
	var b strings.Builder
	var done mask
	for i, c := range s {
		if c.state == "" || done&(1<<i) != 0 {
			continue
		}
		var m mask
		for j := i; j < maskBits; j++ {
			if s[j] == c {
				m |= 1 << j
			}
		}
		done |= m
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		sign := "+"
		if c.state == Withdrawn {
			sign = "-"
		}
		b.WriteString(strconv.FormatUint(uint64(m), 16) + sign + strconv.FormatInt(c.at, 36) + "." + strconv.FormatInt(c.seq, 36))
	}
	return b.String()
}

// decodeStand reads what encode wrote.
func decodeStand(text string) (stand, error) {
	var s stand
	for part := range strings.FieldsSeq(text) {
		i := strings.IndexAny(part, "+-")
		if i < 0 {
			return s, fmt.Errorf("consent cells %q: no state", text)
		}
		c := cell{state: Granted}
		if part[i] == '-' {
			c.state = Withdrawn
		}
		m, err := strconv.ParseUint(part[:i], 16, 8)
		if err != nil {
			return s, fmt.Errorf("consent cells %q: %w", text, err)
		}
		at, seq, _ := strings.Cut(part[i+1:], ".")
		if c.at, err = strconv.ParseInt(at, 36, 64); err != nil {
			return s, fmt.Errorf("consent cells %q: %w", text, err)
		}
		if c.seq, err = strconv.ParseInt(seq, 36, 64); err != nil {
			return s, fmt.Errorf("consent cells %q: %w", text, err)
		}
		s.say(mask(m), c)
	}
	return s, nil
}
