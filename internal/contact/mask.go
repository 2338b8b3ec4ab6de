package contact

import (
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/secret"
)

// Mask hides the telling part of a personal value: 138****1234. Values of
// kinds that are not personal come back as they are, unless they look so.
func Mask(kind, value string) string {
	switch {
	case kind == KindPhone:
		return secret.MaskPhone(value)
	case kind == KindEmail:
		return secret.MaskEmail(value)
	case kind == KindIDNumber:
		return secret.MaskIDNumber(value)
	case Personal(kind):
		return secret.Mask(value)
	case keptSealed(kind, value):
		return veil.Value("", value)
	}
	return value
}
