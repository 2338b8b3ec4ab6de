// Package wecom answers: how does one speak with WeCom? It is the kind "wecom"
// of package connector: a self-built app of a corp, with its client, what the
// platform's refusals mean, its callbacks, and the facts that follow from them.
//
// Every call goes through one door (call.go), which takes the quota, adds the
// token, and acts on the answer as the table of codes says (codes.go): fetch a
// new token once, try again with growing pauses, wait, or give up. Lengths and
// counts are checked before the call against one table (limits.go), so that a
// mistake is told with the name of the field instead of a number.
//
// The platform does not call back for what the API changed, calls back in any
// order and more than once. Nothing here depends on either.
package wecom
