package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The list of jobs says what each is in both languages; a kind without words
// would stand there as its code.
func TestEveryKindOfJobHasWords(t *testing.T) {
	kinds := startWorld(t, testConfig(t)).app.jobs.Kinds()
	require.Greater(t, len(kinds), 10)
	for _, lang := range []string{"zh-CN", "en"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "web", "src", "features", "jobs", "locales", lang+".json"))
		require.NoError(t, err)
		var words struct {
			Kind map[string]string `json:"kind"`
		}
		require.NoError(t, json.Unmarshal(raw, &words))
		for _, k := range kinds {
			require.NotEmpty(t, words.Kind[strings.Replace(k, ".", "_", 1)], "%s in %s", k, lang)
		}
	}
}
