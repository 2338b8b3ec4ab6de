// Package wire answers: how do facts look on the stream?
//
// A message is a header and a body of frames, one per fact, s2-compressed when
// it pays. Everything carries a version: a newer program reads what an older
// one left in the stream. Frames do not depend on each other, so that requests
// encode theirs apart and the coalescer only puts them one behind another.
//
// The messages of a program with keys are sealed as a whole.
//
//	sealed:  'K' 2 sealed(message)
//	message: 'K' 1 flags uvarint(count) [uvarint(raw length)] body
//	frame:   uvarint(length) type uvarint(fields) uvarint(receivedAt) zigzag(receivedAt-timestamp)
//	         lengths of the texts, texts, lengths of the JSON parts, JSON parts
package wire
