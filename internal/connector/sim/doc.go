// Package sim answers: what would the platforms say? It is a world in memory
// (companies with staff, people with phones, what they are to each other) behind
// the HTTP of WeCom: the same paths, parameters, answers and refusals, the same
// limits, and callbacks that are signed, encrypted and repeated as the platform
// does it. Connectors are tested against it, and the demo pond is connected to it,
// so that everything can be tried with no account anywhere.
//
// A Sim is an http.Handler. The platform's own addresses lie at its root
// (`/cgi-bin/…`, and below `/wecom` for whoever wants a prefix), the world is
// moved at `/sim/…`: by hand, by a scenario file, or by the methods that tests
// use. The same seed makes the same world with the same ids.
//
// It is stricter than kind: what the platform would refuse is refused, with the
// platform's code. What is known of limits is data (limits.json). Faults can be
// ordered: a busy system, a spent quota, an expired token, slowness, answers that
// get lost, callbacks that come twice, late, forged or never.
package sim
