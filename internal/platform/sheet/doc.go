// Package sheet answers: how do rows get into a file that a spreadsheet opens,
// without harm?
//
// A Writer takes rows one after the other and keeps none in memory: CSV in
// UTF-8 (with or without byte order mark) or GB18030, and Excel workbooks that
// go on in another sheet when one is full.
package sheet
