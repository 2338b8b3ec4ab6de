// Package sms answers: how does one send short messages, and what became of them?
//
// Two kinds of account, one client: Alibaba Cloud (sms.aliyun) and Tencent Cloud
// (sms.tencent). What they have in common is here once: numbers in one form, a
// price in segments, refusals as data, receipts and replies. What they differ in
// (signing, the names of fields, their lists) is behind the small interface
// provider.
//
// Neither platform signs its callbacks. What proves one is the address: it ends in
// a token that only the platform was told, and is compared in constant time.
package sms
