// Package web answers: how does a browser get the console? It embeds the built
// files (behind the build tag "console") and serves them.
//
// Hashed files under /assets are immutable; index.html and the few files with
// fixed names are always revalidated against a hash of their content. A path
// without an extension that belongs to no other part of the server gets
// index.html, because the console's router knows its pages; a missing file is
// 404 and never HTML.
//
// The console itself (TypeScript) lives in src; see package.json for its
// commands.
package web
