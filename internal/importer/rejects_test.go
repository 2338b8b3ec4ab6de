package importer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNothingInRejectedRowsRunsInASpreadsheet(t *testing.T) {
	for _, bad := range []string{`=1+1`, `=HYPERLINK("http://evil","x")`, `@SUM(A1)`, `+cmd|' /C calc'!A0`, `-2+3+cmd|' /C calc'!A0`, "\t=1+1", "\r=1", "\n=1", `＝1+1`, `＠SUM(A1)`, `="a"&"b"`} {
		require.Equal(t, "'"+bad, harmless(bad))
	}
	for _, good := range []string{"", "王小明", "-12.50", "+86 138 0013 8000", `="00123"`, "a=b", "2024-03-05"} {
		require.Equal(t, good, harmless(good))
	}
}
