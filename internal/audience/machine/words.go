package machine

import (
	"context"

	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// in gives the text in the caller's language, or in the other when that is empty.
func (w Words) in(ctx context.Context) string {
	first, other := w.ZH, w.EN
	if httpx.Lang(ctx) == i18n.EN {
		first, other = other, first
	}
	if first == "" {
		return other
	}
	return first
}
