package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"github.com/koipond/koipond/internal/platform/errs"
)

var cheap = Params{Memory: 64, Time: 1, Threads: 1}

// The vectors of the reference implementation's own test (version 0x13, argon2id).
func TestArgon2idVectors(t *testing.T) {
	for _, v := range []struct {
		time, memory uint32
		threads      uint8
		pass, salt   string
		want         string
	}{
		{2, 1 << 16, 1, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"},
		{2, 1 << 8, 1, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"},
		{2, 1 << 8, 2, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"},
		{2, 1 << 16, 1, "differentpassword", "somesalt", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"},
		{2, 1 << 16, 1, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"},
	} {
		require.Equal(t, v.want, hex.EncodeToString(argon2.IDKey([]byte(v.pass), []byte(v.salt), v.time, v.memory, v.threads, 32)))
	}
}

func TestVerifyReadsTheReferenceEncoding(t *testing.T) {
	h := NewHasher(DefaultParams(), 1)
	stored := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, renew, err := h.Verify(t.Context(), stored, "password")
	require.NoError(t, err)
	require.True(t, ok)
	require.True(t, renew, "older parameters are renewed")
	ok, renew, err = h.Verify(t.Context(), stored, "Password")
	require.NoError(t, err)
	require.False(t, ok)
	require.False(t, renew)
}

func TestHashRoundTripAndRenewal(t *testing.T) {
	h := NewHasher(cheap, 1)
	a, err := h.Hash(t.Context(), "锦鲤跃龙门2026")
	require.NoError(t, err)
	b, err := h.Hash(t.Context(), "锦鲤跃龙门2026")
	require.NoError(t, err)
	require.NotEqual(t, a, b, "each hash has its own salt")
	require.True(t, strings.HasPrefix(a, "$argon2id$v=19$m=64,t=1,p=1$"), a)
	ok, renew, err := h.Verify(t.Context(), a, "锦鲤跃龙门2026")
	require.NoError(t, err)
	require.True(t, ok)
	require.False(t, renew)
	// the same letters typed full-width are the same password
	ok, _, err = h.Verify(t.Context(), a, "锦鲤跃龙门2026")
	require.NoError(t, err)
	require.True(t, ok)

	costlier := NewHasher(Params{Memory: 128, Time: 1, Threads: 1}, 1)
	ok, renew, err = costlier.Verify(t.Context(), a, "锦鲤跃龙门2026")
	require.NoError(t, err)
	require.True(t, ok && renew)
}

func TestBadStoredHashIsAnErrorNotAMiss(t *testing.T) {
	h := NewHasher(cheap, 1)
	for _, s := range []string{"", "x", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1 $c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"} {
		_, _, err := h.Verify(t.Context(), s, "password")
		require.Error(t, err, s)
	}
	require.Zero(t, h.Computations())
}

func TestWasteCostsOneComputation(t *testing.T) {
	h := NewHasher(cheap, 1)
	require.NoError(t, h.Waste(t.Context(), "whatever"))
	require.EqualValues(t, 1, h.Computations())
}

// Only as many computations run as there are slots; the rest wait, and beyond
// a bound they are turned away.
func TestComputationsAreBounded(t *testing.T) {
	h := NewHasher(cheap, 2)
	h.slots <- struct{}{}
	h.slots <- struct{}{} // both taken
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	results := make(chan error, maxWaiting)
	for range maxWaiting {
		wg.Go(func() { _, err := h.Hash(ctx, "p"); results <- err })
	}
	require.Eventually(t, func() bool { return h.waiting.Load() == maxWaiting }, 30*time.Second, time.Millisecond)
	_, err := h.Hash(ctx, "one too many")
	require.ErrorIs(t, err, ErrBusy)
	require.Positive(t, errs.As(err).RetryAfter)
	require.Zero(t, ErrBusy.RetryAfter, "the sentinel itself stays untouched")
	cancel()
	wg.Wait()
	for range maxWaiting {
		require.True(t, errors.Is(<-results, context.Canceled))
	}
	require.Zero(t, h.Computations())
	require.Zero(t, h.waiting.Load())
}

func TestPolicy(t *testing.T) {
	const email = "lin.xiaoyu@example.com"
	for password, code := range map[string]string{
		"":                        "password.too_short",
		"Tq7!xz":                  "password.too_short",
		"锦鲤跃龙门":                   "password.too_short",
		strings.Repeat("长a1", 70): "password.too_long",
		"LIN.xiaoyu@example.com":  "password.is_email",
		"lin.xiaoyu":              "password.is_email",
		"lin.xiaoyu2026":          "password.is_email",
		"password123":             "password.too_common",
		"Password2026!":           "password.too_common",
		"woaini1314":              "password.too_common",
		"WoAiNi5201314":           "password.too_common",
		"5201314520":              "password.too_common",
		"13812345678":             "password.too_common",
		"1234567890":              "password.too_common",
		"qwertyuiop":              "password.too_common",
		"poiuytrewq":              "password.too_common",
		"1qaz2wsx3edc":            "password.too_common",
		"aaaaabbbbb":              "password.too_common",
		"12345678901":             "password.too_common",
		"koipond2026":             "password.too_common",
		"锦鲤跃龙门春江水暖鸭先知":            "",
		"tangerine-otter-41":      "",
		"K7mq-x2vd-9hbn":          "",
		"小林爱喝茉莉花茶呀":               "password.too_short",
	} {
		err := CheckPassword("password", password, email)
		if code == "" {
			require.NoError(t, err, password)
			continue
		}
		require.ErrorIs(t, err, ErrWeakPassword, password)
		require.Equal(t, code, errs.As(err).Fields[0].Code, password)
		require.Equal(t, "password", errs.As(err).Fields[0].Path)
		if password != "" {
			require.NotContains(t, err.Error(), password, "an error never repeats the password")
		}
	}
}

func TestPermissionsOfPrincipals(t *testing.T) {
	var nobody *Principal
	require.True(t, nobody.May(Public))
	require.False(t, nobody.May(Self))
	require.False(t, System("job").May(Self), "only a signed-in user has a self")
	for _, p := range All() {
		require.True(t, System("job").May(p))
		require.True(t, CLI("root").May(p))
		require.True(t, Known(p))
	}
	require.Equal(t, ViaCLI, CLI("root").Via)
	require.False(t, Known(Self))
	require.False(t, Known(Public))
	for _, r := range BuiltinRoles() {
		for _, p := range r.Permissions {
			require.True(t, Known(p), "%s holds %s", r.ID, p)
		}
	}
}

func BenchmarkHashDefault(b *testing.B) {
	h := NewHasher(DefaultParams(), 2)
	for b.Loop() {
		if err := h.Waste(b.Context(), "tangerine-otter-41"); err != nil {
			b.Fatal(err)
		}
	}
}
