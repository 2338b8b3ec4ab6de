package errs_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/errs"
)

func TestErrorsKeepTheirParts(t *testing.T) {
	base := errs.New(errs.Invalid, "contact.bad_phone", "value", "12")
	full := base.With("country", "CN").On(errs.At("phone", "request.too_short", "limit", 8)).Wrap(io.ErrUnexpectedEOF)
	require.Equal(t, map[string]any{"value": "12", "country": "CN"}, full.Params)
	require.Equal(t, []errs.Field{{Path: "phone", Code: "request.too_short", Params: map[string]any{"limit": 8}}}, full.Fields)
	require.ErrorIs(t, full, io.ErrUnexpectedEOF)
	require.Equal(t, "contact.bad_phone [phone: request.too_short]: unexpected EOF", full.Error())
	require.Equal(t, map[string]any{"value": "12"}, base.Params, "the first is not touched")
	require.Empty(t, base.Fields)
	require.Nil(t, errs.New(errs.NotFound, "x.y").Params)
	require.Nil(t, errs.New(errs.NotFound, "x.y", "odd").Params["odd"])
}

func TestMatchingIsByCode(t *testing.T) {
	sentinel := errs.New(errs.NotFound, "blob.not_found")
	err := fmt.Errorf("open: %w", sentinel.With("key", "a"))
	require.ErrorIs(t, err, sentinel)
	require.NotErrorIs(t, err, errs.New(errs.NotFound, "other.not_found"))
	require.Equal(t, "blob.not_found", errs.CodeOf(err))
	require.Equal(t, errs.NotFound, errs.As(err).Kind)
}

func TestWhatNobodyClassifiedIsOurs(t *testing.T) {
	cause := errors.New("connection refused")
	e := errs.As(fmt.Errorf("query: %w", cause))
	require.Equal(t, errs.Internal, e.Kind)
	require.Equal(t, "internal", e.Code)
	require.ErrorIs(t, e, cause)
	require.Nil(t, errs.As(nil))
	require.Equal(t, "", errs.CodeOf(nil))
}
