// Package table answers: what rows does this file hold? It reads CSV (plain or
// gzip) and Excel workbooks as rows of text, whatever program wrote them:
// UTF-8 with or without a byte order mark, GB18030, any of the usual
// delimiters, quoted line breaks, ragged rows, stray quotes. It streams: memory
// is bounded by one row (1 MiB), except that a workbook's packed bytes are held.
//
// A row that cannot be read is a row with an error; the rows behind it are
// read all the same. Only a file that is no table at all is refused as a whole.
package table
