// Package wechat answers: how does one speak with WeChat? It is two kinds of
// package connector, "wechat" (an official account) and "miniprogram": their
// client, what the platform's refusals mean, their callbacks and passive replies,
// and the facts that follow from them.
//
// Both are apps of the same platform: every call goes through one door
// (client.go), which takes the quota, adds the token and acts on the answer as the
// table of codes says (codes.go). Lengths and counts are checked before the call
// against one table (limits.go), so that a mistake is told with the name of the
// field instead of a number.
//
// A person has another openid in every app and one unionid in all apps of one
// owner: facts carry both, as far as the platform tells them, so that a follower, a
// user of the mini-program and a friend in WeCom are one contact.
package wechat
