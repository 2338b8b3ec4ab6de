package table

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits on a workbook before anything in it is unpacked: a few kilobytes of
// zip can claim, and hold, gigabytes.
const (
	maxParts    = 10_000
	maxMemory   = 512 << 20 // all parts that the workbook reader keeps in memory
	maxMarkup   = 64 << 20  // one part of markup beside the rows, such as the styles
	maxUnpacked = 4 << 30   // everything
)

// checkWorkbook reads the list of a workbook's parts and refuses one whose
// parts would not fit. What a part claims binds: a longer one is cut off when
// it is read.
func checkWorkbook(src Source) error {
	f, err := src.Open()
	if err != nil {
		return fmt.Errorf("open %s: %w", src.Name, err)
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	size := src.Size
	if !ok {
		b, err := io.ReadAll(io.LimitReader(f, maxWorkbook+1))
		if err != nil {
			return fmt.Errorf("read %s: %w", src.Name, err)
		}
		at, size = bytes.NewReader(b), int64(len(b))
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		return errs.New(errs.Invalid, "import.not_excel").Wrap(err)
	}
	if len(z.File) > maxParts {
		return unpacksTooLarge()
	}
	var all, memory uint64
	for _, p := range z.File {
		n := p.UncompressedSize64
		if n > maxUnpacked {
			return unpacksTooLarge()
		}
		all += n
		if paged(p.Name) && n > partInMemory {
			continue
		}
		if memory += n; n > maxMarkup && markup(p.Name) {
			return unpacksTooLarge()
		}
	}
	if all > maxUnpacked || memory > maxMemory {
		return unpacksTooLarge()
	}
	return nil
}

// paged parts go through temporary files when they are large.
func paged(name string) bool {
	name = partName(name)
	return name == "xl/sharedstrings.xml" || strings.HasPrefix(name, "xl/worksheets/sheet")
}

func markup(name string) bool {
	name = partName(name)
	return strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels")
}

func partName(name string) string { return strings.ToLower(strings.ReplaceAll(name, `\`, "/")) }

func unpacksTooLarge() *errs.Error {
	return errs.New(errs.TooLarge, "import.excel_too_large", "limit", maxWorkbook>>20)
}
