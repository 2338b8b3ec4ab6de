package outbound

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/errs"
)

func TestPublicAddresses(t *testing.T) {
	for a, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "1.1.1.1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false,
		"255.255.255.255": false, "198.18.0.1": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:7f00:1::": false, "ff02::1": false, "fec0::1": false,
	} {
		require.Equal(t, want, Public(netip.MustParseAddr(a)), a)
	}
}

func TestTypedAddresses(t *testing.T) {
	for raw, want := range map[string]string{
		"https://hooks.example.com/x?y=1": "", "http://example.com:8080": "",
		"ftp://example.com": "outbound.bad_url", "example.com": "outbound.bad_url", "https://": "outbound.bad_url", "https://u:p@example.com": "outbound.bad_url", "javascript:alert(1)": "outbound.bad_url",
		"http://127.0.0.1:80/": "outbound.private", "http://[::1]/": "outbound.private", "http://localhost/": "outbound.private", "http://169.254.169.254/latest": "outbound.private",
	} {
		err := Guard{}.Check("url", raw)
		if want == "" {
			require.NoError(t, err, raw)
			continue
		}
		require.Equal(t, want, errs.As(err).Fields[0].Code, raw)
	}
	require.NoError(t, Guard{Private: true}.Check("url", "http://127.0.0.1/"))
}

// A public name that leads inside is refused when it is called; so is a redirect.
func TestCallsAreChecked(t *testing.T) {
	hits := 0
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer inner.Close()
	_, err := Guard{}.Client(time.Second).Get(inner.URL)
	require.ErrorIs(t, err, ErrPrivate)
	require.Zero(t, hits)
	res, err := Guard{Private: true}.Client(time.Second).Get(inner.URL)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusFound, res.StatusCode)
	require.Equal(t, 1, hits, "redirects are not followed")
}
