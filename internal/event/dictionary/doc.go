// Package dictionary answers: which events and properties are there, what do
// they mean, and which ones should not be there? It learns names, types and
// samples from the traffic, exactly, as a subscriber of the pipeline. People
// describe what was learned, mark what they expect (the tracking plan 埋点), and
// see what deviates from it. How often an event happens is asked of the
// analytics store, so that it agrees with every report.
package dictionary
