// Package jsonscan answers: where in this text is which value, and can it be
// stored as it is? It goes over JSON once, without building a tree, and hands
// out spans of the input. It forgives what clients really send (NaN, raw
// control characters, broken UTF-8, half surrogates, numbers beyond a double,
// repeated keys): such a value is marked Dirty, and Clean rewrites it into
// JSON that every store accepts.
package jsonscan
