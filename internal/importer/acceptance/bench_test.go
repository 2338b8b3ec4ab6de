package acceptance_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// BenchmarkRetail imports the real file into everything real, as one command does.
func BenchmarkRetail(b *testing.B) {
	path := retailFile(b)
	rows := int64(0)
	for b.Loop() {
		w := newWaterworks(b, testkit.SQLite(b, realSets()...))
		_, imp := w.importRetail(b, path)
		rows += imp.Rows
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peakMB()), "MB-peak")
}

// BenchmarkContacts takes in 20,000 people with six columns through package contact.
func BenchmarkContacts(b *testing.B) {
	var body strings.Builder
	body.WriteString("姓名,手机号,邮箱,性别,城市,积分\n")
	for i := range 20000 {
		fmt.Fprintf(&body, "客户%d,139%08d,c%d@pond.cn,女,杭州,%d\n", i, i, i, i%500)
	}
	rows := int64(0)
	for b.Loop() {
		w := newWaterworks(b, testkit.SQLite(b, realSets()...))
		u, err := w.CreateUpload(b.Context(), "客户.csv", strings.NewReader(body.String()))
		require.NoError(b, err)
		imp, err := w.Start(b.Context(), importer.Request{UploadID: u.ID, Kind: importer.Contacts, Mapping: u.Suggestion.Mapping, Options: u.Suggestion.Options, Language: i18n.ZH})
		require.NoError(b, err)
		imp, err = w.WaitJob(b.Context(), imp.ID, nil)
		require.NoError(b, err)
		require.Equal(b, int64(20000), imp.ContactsCreated, "%v", imp.Error)
		rows += imp.Rows
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRead only reads the rows of the real file.
func BenchmarkRead(b *testing.B) {
	body, err := os.ReadFile(retailFile(b))
	require.NoError(b, err)
	src := table.Source{Name: "f.csv.gz", Size: int64(len(body)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
	in, err := table.Sniff(src, "")
	require.NoError(b, err)
	rows := 0
	for b.Loop() {
		r, err := table.Open(src, in)
		require.NoError(b, err)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			rows++
		}
		require.NoError(b, r.Close())
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
