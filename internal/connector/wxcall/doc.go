// Package wxcall answers: what do calls to WeCom and to WeChat have in common? The
// two platforms are called alike: JSON and uploads over HTTP with the token in the
// address, and fields that are bounded by characters, bytes or numbers.
package wxcall
