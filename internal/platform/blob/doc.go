// Package blob answers: where are the files? Uploads, result files and
// exports live under keys such as `jobs/jb_01…/rejects.csv`, in a folder of the
// data directory or in any S3-compatible store.
package blob
