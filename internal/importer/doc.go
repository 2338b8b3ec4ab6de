// Package importer answers: how do customers, orders and events that are in
// files get in, and out again if that was a mistake?
//
// A file (CSV, plain or gzip, UTF-8 or GB18030; Excel) is uploaded, looked at,
// mapped column by column, previewed, and imported by a job that can be
// cancelled, goes on after a crash where it stopped, and can be undone as a
// whole. Contacts go through package contact's bulk door; orders and events are
// facts and go through the stream like all others. An import has succeeded when
// what it brought is visible everywhere.
//
// # Rows
//
//   - The first row with at least two filled cells (or the first row, when none
//     has more than one) holds the column names. Blank rows are passed over.
//   - A row with fewer cells than columns has empty ones at its end; one with
//     more filled cells than columns is rejected, since its values have slipped.
//   - A rejected row never stops the others. Its reasons are counted, and it
//     stands with its line, its columns as they were and the reasons in words in
//     a file that can be corrected and imported.
//   - When the first 2,000 rows or more were all rejected the import stops: the
//     mapping is wrong.
//
// # Values
//
//   - Times without a zone are in the zone of the options, else the company's.
//     Dates that could be day/month or month/day are refused until the options
//     say which; a column that proves its order is guessed.
//   - Numbers may have thousands separators, full-width digits, currency signs,
//     brackets or a trailing sign for negative, 万 and 亿. `12,50` is refused.
//   - Identifiers in scientific notation (6.2E+17) have lost digits and are
//     refused; `17850.0` is 17850; masked ones (138****1234) identify nobody.
//   - Attributes and properties are numbers when the whole sampled column is,
//     texts otherwise.
//
// # Who a row is about
//
//   - Contacts and events need at least one identifier. A broken phone number or
//     e-mail address rejects the row in every kind of file.
//   - An order without one (or with masked ones only) belongs to an anonymous
//     buyer of its own, `order:<source>:<number>`: it counts as an order and in
//     revenue, not as a person.
//
// # Orders
//
//   - Rows with the same order number are one order, wherever they stand. Its
//     buyer and its properties are those of the first row that has them; its time
//     is that of its earliest row; rows of another currency are rejected.
//   - A row sells or gives back. It gives back when its number begins with
//     refundPrefix, when its status says refunded, when it names the order it
//     refunds, or when quantity, amount or total is negative.
//   - With a refundPrefix the number decides: a negative row without the prefix
//     and a prefixed row without anything negative are rejected. (A status that
//     says refunded still marks a refund.)
//   - Sale rows need a quantity above 0 (1 where the file has no quantity column)
//     and a price of 0 or more; refund rows a quantity below 0, or above 0 with a
//     refund status. Negative prices and quantities of 0 are rejected.
//   - A row is worth its amount, else quantity × price rounded half up to the
//     minor unit. An order is worth its total column, which stands in each of its
//     rows, else the sum of its rows.
//   - A row whose status says refunded, but whose amounts are positive, shows an
//     order that was paid and given back: both are stated, unless other rows of
//     the number show the payment or it is on record already.
//   - Unpaid, cancelled and closed orders are rejected.
//   - A refund lowers the order it names, else the order of its own number;
//     without such an order it is a refund on its own (see package shop).
//   - An order or refund that is on record from elsewhere in the same source is
//     rejected: a file imported twice counts once. What an import brought before
//     it was interrupted is its own and not elsewhere.
//   - An order has at most 10,000 rows and 900 KB of lines.
//
// # How an orders file is read
//
// A first pass reads only the order numbers and finds those whose rows do not
// stand together. In the second pass every other order is complete as soon as
// the number changes; rows of the scattered ones are held, in memory up to
// Deps.HeldBytes and beyond that in a temporary file, and given out at the end.
//
// # Going on, and counting once
//
// After every batch one transaction records counters, rejected rows and the
// checkpoint: the line up to which everything is done. Facts carry message ids
// that follow from the import and the row (`imp:<import>:<order number>`,
// `imp:<import>:<line>`), so a batch that was sent but not recorded is sent again
// and counts once. Contacts commit in that very transaction.
package importer
