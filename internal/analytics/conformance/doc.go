// Package conformance is the suite that every engine of the analytics store
// must pass: Run it from the engine's tests. Its heart is Model, a small slow
// implementation over slices, which random histories compare the engine with.
package conformance
