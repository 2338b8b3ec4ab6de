package bus

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// dumpMagic begins a dump and says its version. Then come the next sequence
// after the dump, and per message its sequence, length and bytes; a zero ends it.
const dumpMagic = "KOIBUS1\n"

// Dump writes every message of the stream, for a backup: stop whoever trims
// first. It returns how many there were.
func (s *Stream) Dump(ctx context.Context, to io.Writer) (int, error) {
	st, err := s.State(ctx)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(to, 1<<20)
	head := binary.AppendUvarint([]byte(dumpMagic), st.Last)
	if _, err := w.Write(head); err != nil {
		return 0, fmt.Errorf("dump stream: %w", err)
	}
	n := 0
	if st.Messages > 0 {
		r := s.Reader(st.First)
		defer r.Close()
		for next := st.First; next <= st.Last; n++ {
			m, err := r.Next(ctx)
			if err != nil {
				return n, fmt.Errorf("dump stream: %w", err)
			}
			rec := binary.AppendUvarint(binary.AppendUvarint(nil, m.Seq), uint64(len(m.Data)))
			if _, err := w.Write(append(rec, m.Data...)); err != nil {
				return n, fmt.Errorf("dump stream: %w", err)
			}
			next = m.Seq + 1
		}
	}
	if err := w.WriteByte(0); err != nil {
		return n, fmt.Errorf("dump stream: %w", err)
	}
	if err := w.Flush(); err != nil {
		return n, fmt.Errorf("dump stream: %w", err)
	}
	return n, nil
}

// Load makes a stream from a dump: same messages, same sequences. The stream
// must not exist yet.
func (b *Bus) Load(ctx context.Context, cfg StreamConfig, from io.Reader) (*Stream, error) {
	r := bufio.NewReaderSize(from, 1<<20)
	magic := make([]byte, len(dumpMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != dumpMagic {
		return nil, errors.New("load stream: this is no stream dump")
	}
	last, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, fmt.Errorf("load stream: %w", err)
	}
	seq, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, fmt.Errorf("load stream: %w", err)
	}
	if cfg.After = last; seq != 0 {
		cfg.After = seq - 1
	}
	s, err := b.Stream(ctx, cfg)
	if err != nil {
		return nil, err
	}
	for seq != 0 {
		size, err := binary.ReadUvarint(r)
		if err != nil || size > MaxMessage {
			return nil, fmt.Errorf("load stream: damaged at sequence %d: %w", seq, err)
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, fmt.Errorf("load stream: damaged at sequence %d: %w", seq, err)
		}
		got, err := s.Publish(ctx, data)
		if err != nil {
			return nil, fmt.Errorf("load stream: %w", err)
		}
		if got != seq {
			return nil, fmt.Errorf("load stream: sequence %d became %d: the stream was not empty", seq, got)
		}
		if seq, err = binary.ReadUvarint(r); err != nil {
			return nil, fmt.Errorf("load stream: it ends too soon: %w", err)
		}
	}
	return s, nil
}
