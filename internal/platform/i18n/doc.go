// Package i18n answers: how is it said, and in which language? Messages are
// keyed by the stable codes of package errs, in Chinese and in English, with
// parameters written {name}.
package i18n
