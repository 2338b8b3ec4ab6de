// Package sdktest proves that the published SDKs of Segment and RudderStack, for
// Node and for browsers, send to the intake unchanged. The SDKs are installed
// with `npm install` in this folder; without them the tests skip, unless CI=true.
package sdktest
