package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestSealedMessages(t *testing.T) {
	facts := []event.Fact{full(0), full(1)}
	plain := encode(facts...)
	keys := testkit.Ring()
	message, err := wire.Seal(nil, keys, plain)
	require.NoError(t, err)
	require.NotContains(t, string(message), "13800138000")
	d := wire.Decoder{Keys: keys}
	got, err := d.Decode(nil, message)
	require.NoError(t, err)
	require.Equal(t, facts, got)
	got, err = d.Decode(nil, plain)
	require.NoError(t, err)
	require.Equal(t, facts, got, "what an older program left is still read")

	var blind wire.Decoder
	_, err = blind.Decode(nil, message)
	require.ErrorIs(t, err, wire.ErrCorrupt)
	for i := range message {
		bad := append([]byte{}, message...)
		bad[i] ^= 1
		_, err := d.Decode(nil, bad)
		require.Error(t, err, "changed at %d", i)
		_, err = d.Decode(nil, message[:i])
		require.Error(t, err, "cut at %d", i)
	}
}
