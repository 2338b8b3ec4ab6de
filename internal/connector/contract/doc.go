// Package contract answers: does a connector keep its promises? Run holds any kind
// of account to them, against its simulator. Fake is the smallest platform that a
// kind can keep them with; the tests of package connector use it.
package contract
