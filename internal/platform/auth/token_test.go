package auth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecrets(t *testing.T) {
	for _, k := range []SecretKind{TokenSecret, WriteKeySecret, SessionSecret} {
		secret, hash, shown := NewSecret(k)
		require.True(t, WellFormed(k, secret))
		require.True(t, strings.HasPrefix(secret, shown))
		require.Len(t, shown, len(k)+6)
		require.Equal(t, HashSecret(secret), hash)
		require.Len(t, hash, 64)
		require.NotContains(t, hash, secret[len(k):])
		other, _, _ := NewSecret(k)
		require.NotEqual(t, secret, other)
	}
	// "abc" is the vector of FIPS 180-4
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", HashSecret("abc"))
}

func TestWellFormedRefusesRubbish(t *testing.T) {
	good, _, _ := NewSecret(TokenSecret)
	for _, s := range []string{"", "koi_", good + "A", good[:len(good)-1], "wk_" + good[4:], " " + good, good[:10] + "\n" + good[11:],
		good[:10] + "+" + good[11:], good[:10] + "=" + good[11:], strings.ToUpper(good), good[4:]} {
		require.False(t, WellFormed(TokenSecret, s), "%q", s)
	}
	require.False(t, WellFormed(SessionSecret, good))
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{"Bearer x": "x", "bearer  x ": "x", "BEARER koi_1": "koi_1", "Bearer ": "", " Bearer y": "y"} {
		got, ok := Bearer(header)
		require.True(t, ok || want == "", header)
		require.Equal(t, want, got, header)
	}
	for _, header := range []string{"", "Bearer", "Basic eDo=", "Bearerx y"} {
		_, ok := Bearer(header)
		require.False(t, ok, header)
	}
}

func FuzzCredential(f *testing.F) {
	good, _, _ := NewSecret(TokenSecret)
	f.Add("Bearer " + good)
	f.Add("bearer")
	f.Add("Basic eDo=")
	f.Add("Bearer koi_\x00")
	f.Fuzz(func(t *testing.T, header string) {
		s, ok := Bearer(header)
		if !ok && s != "" {
			t.Fatal("a token out of a header of another scheme")
		}
		for _, k := range []SecretKind{TokenSecret, WriteKeySecret, SessionSecret} {
			if WellFormed(k, s) && len(s) != len(k)+secretChars {
				t.Fatalf("%q passes as %q", s, k)
			}
		}
	})
}

func FuzzStoredHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=+8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.String() != s {
			t.Fatalf("%q reads as %q", s, p.String())
		}
		if p.Memory > 1<<20 || p.Time > 64 {
			t.Fatal("costs without bound")
		}
	})
}
