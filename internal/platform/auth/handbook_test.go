package auth

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The handbook's table of roles: a row for each permission, in the order of All,
// with a mark where a built-in role has it.
func TestHandbookTellsRoles(t *testing.T) {
	columns := [][]string{{"admin"}, {"user_ops"}, {"growth"}, {"content"}, {"copywriter"}, {"community", "sales"}, {"service"}, {"analyst"}}
	may := map[string][]Permission{}
	for _, r := range BuiltinRoles() {
		may[r.ID] = r.Permissions
	}
	for _, lang := range []string{"en", "zh-CN"} {
		text, err := os.ReadFile("../../../docs/handbook/" + lang + "/team.md")
		require.NoError(t, err)
		var rows [][]string
		for line := range strings.Lines(string(text)) {
			if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) == len(columns)+3 {
				rows = append(rows, cells[1:len(cells)-1])
			}
		}
		require.Len(t, rows, len(All())+2, "%s: a head, a line, and every permission", lang)
		for i, p := range All() {
			for j, roles := range columns {
				for _, role := range roles {
					require.Equal(t, slices.Contains(may[role], p), strings.Contains(rows[i+2][j+1], "●"), "%s: %s of %s", lang, p, role)
				}
			}
		}
	}
}
