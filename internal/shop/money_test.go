package shop

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for in, want := range map[string]Decimal{
		"0": {0, 0}, "12": {12, 0}, "-12.50": {-125, 1}, "+.5": {5, 1}, "5.": {5, 0}, "1e3": {1000, 0}, "1.25E-2": {125, 4},
		"000001.10": {11, 1}, "999999999999999999": {999999999999999999, 0}, "0.1234567890123456789": {123456789012345678, 18},
	} {
		got, err := ParseDecimal(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "-", ".", "1,000", "1 0", "0x1", "1e", "1e9999", "NaN", "1e30", "1234567890123456789"} {
		_, err := ParseDecimal(in)
		require.ErrorIs(t, err, ErrDecimal, in)
	}
}

func TestMinorRounds(t *testing.T) {
	for in, want := range map[string]int64{"2.545": 255, "-2.545": -255, "2.5449": 254, "0.001": 0, "-0.005": -1, "19.9": 1990} {
		d, err := ParseDecimal(in)
		require.NoError(t, err)
		got, ok := d.Minor(2)
		require.True(t, ok)
		require.Equal(t, want, got, in)
	}
}

func TestMulAgreesWithBigNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Decimal{rapid.Int64Range(-1e9, 1e9).Draw(t, "a"), rapid.IntRange(0, 6).Draw(t, "as")}
		b := Decimal{rapid.Int64Range(-1e9, 1e9).Draw(t, "b"), rapid.IntRange(0, 6).Draw(t, "bs")}
		p, ok := a.Mul(b)
		require.True(t, ok)
		rat := func(d Decimal) *big.Rat { return big.NewRat(d.Coef, pow10(d.Scale)) }
		require.Zero(t, rat(p).Cmp(new(big.Rat).Mul(rat(a), rat(b))))
	})
	_, ok := Decimal{1 << 62, 0}.Mul(Decimal{3, 0})
	require.False(t, ok)
}
