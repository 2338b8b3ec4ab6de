package rule

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/errs"
)

// What parses is printed as what parses the same. What does not is answered with
// one fault, at a place of the rule that there is, or one that should be there.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	for _, s := range []string{`{"v":1}`, `{"v":1,"all":[]}`, `{"v":1,"any":[{"none":[{"field":"orders","op":"between","value":[1,2e3]}]}]}`,
		`{"v":1,"field":"name","op":"is","value":"\u0000"}`, `{"v":1,"event":{"name":"x","where":[{"property":"p"}]}}`, `{"v":1,"EVENT":{"Name":"x"},"event":{"op":"gte"}}`,
		`{"v":1,"sequence":{"steps":[{"name":"a"},{"where":[{}]}]}}`, `{"v":1,"habit":{"kind":"stopped","name":"n","active":1}}`, `{"v":1,"event":null,"habit":{}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text, "rule")
		if err == nil {
			again, err := Parse(string(r.JSON()), "rule")
			require.NoError(t, err)
			require.Equal(t, r.Fingerprint(), again.Fingerprint())
			return
		}
		e := errs.As(err)
		require.Equal(t, errs.Invalid, e.Kind)
		require.Len(t, e.Fields, 1)
		path := e.Fields[0].Path
		require.True(t, path == "rule" || strings.HasPrefix(path, "rule."), path)
		var read Rule
		if json.Unmarshal([]byte(text), &read) != nil {
			return
		}
		var whole any
		require.NoError(t, json.Unmarshal(read.JSON(), &whole))
		require.True(t, stands(whole, strings.TrimPrefix(strings.TrimPrefix(path, "rule"), ".")), "%s in %s", path, read.JSON())
	})
}

// stands tells whether a place is there, but for its last step.
func stands(v any, path string) bool {
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	for i, step := range steps {
		if i == len(steps)-1 {
			return true
		}
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(at) {
				return false
			}
			v = at[n]
		}
		if v == nil {
			return false
		}
	}
	return true
}
