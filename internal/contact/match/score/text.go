package score

// jaroWinkler tells how alike two words are, 0 to 1 (Jaro 1989; Winkler 1990:
// a common beginning counts more). It compares runes.
func jaroWinkler(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	j := jaro(x, y)
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return j + float64(prefix)*.1*(1-j)
}

func jaro(x, y []rune) float64 {
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	reach := max(0, max(len(x), len(y))/2-1)
	taken := make([]bool, len(y))
	met := make([]rune, 0, len(x))
	for i, r := range x {
		for j := max(0, i-reach); j < min(len(y), i+reach+1); j++ {
			if !taken[j] && y[j] == r {
				taken[j] = true
				met = append(met, r)
				break
			}
		}
	}
	if len(met) == 0 {
		return 0
	}
	moved, k := 0, 0
	for j, r := range y {
		if taken[j] {
			if met[k] != r {
				moved++
			}
			k++
		}
	}
	m := float64(len(met))
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(moved)/2)/m) / 3
}

// oneSlip tells whether two words differ by at most one slip of the finger: one
// letter more, less or other, or two neighbours swapped (Damerau 1964).
func oneSlip(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	x, y = x[i:], y[i:]
	for len(x) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	switch len(y) {
	case 0, 1:
		return true
	case 2:
		return len(x) == 2 && x[0] == y[1] && x[1] == y[0]
	}
	return false
}
