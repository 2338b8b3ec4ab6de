// Package event is the fact spine: it answers what happened.
//
// Everything about a contact is one immutable Fact in one stream. Intake
// (Segment protocol over HTTP, or Ingest in-process) checks a fact and appends
// it; the pipeline resolves whose it is, stores it in the analytics store with
// the stream position in the same transaction, and hands it to subscribers in
// order. The dictionary learns event names and properties from the traffic.
package event
