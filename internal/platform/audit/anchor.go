package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// anchor remembers the furthest end of the chain that this program has seen,
// in memory and in a file. The file may lag by anchorEvery: then the entries
// in between are only guarded by their seals.
type anchor struct {
	mu      sync.Mutex
	path    string
	seal    sealer
	head    head
	written head
	at      time.Time
}

const anchorEvery = time.Second

type anchorFile struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
	Seal string `json:"seal"`
}

func openAnchor(path string, seal sealer) (*anchor, error) {
	a := &anchor{path: path, seal: seal}
	if path == "" {
		return a, nil
	}
	h, err := a.read()
	if err != nil {
		return nil, err
	}
	a.head, a.written = h, h
	return a, nil
}

// read gives what the file says; a missing file says nothing.
func (a *anchor) read() (head, error) {
	raw, err := os.ReadFile(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return head{}, nil
	}
	if err != nil {
		return head{}, fmt.Errorf("read anchor: %w", err)
	}
	var f anchorFile
	if err := json.Unmarshal(raw, &f); err != nil || !a.seal.holds(sealAnchor, f.Seq, f.Hash, f.Seal) {
		return head{}, fmt.Errorf("the anchor file %s was not written with this key; if the key was replaced or an older database restored, remove the file", a.path)
	}
	return head{seq: f.Seq, hash: f.Hash}, nil
}

func (a *anchor) last() head { a.mu.Lock(); defer a.mu.Unlock(); return a.head }

func (a *anchor) advance(h head, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h.seq <= a.head.seq {
		return nil
	}
	a.head = h
	if a.path == "" || (now.Sub(a.at) < anchorEvery && !now.Before(a.at)) {
		return nil
	}
	a.at = now
	return a.write()
}

// reset forgets what was seen and takes h instead.
func (a *anchor) reset(h head) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.head, a.written, a.at = h, head{}, time.Time{}
	if a.path == "" {
		return nil
	}
	if err := os.Remove(a.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove anchor: %w", err)
	}
	return nil
}

func (a *anchor) flush() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.path == "" || a.head.seq == a.written.seq {
		return nil
	}
	return a.write()
}

// write replaces the file as a whole. Another process on the same folder (the
// command line beside the server) may be ahead; its word stays.
func (a *anchor) write() error {
	if h, err := a.read(); err == nil && h.seq > a.head.seq {
		a.head, a.written = h, h
		return nil
	}
	raw, err := json.Marshal(anchorFile{a.head.seq, a.head.hash, a.seal.sign(sealAnchor, a.head.seq, a.head.hash)})
	if err != nil {
		return fmt.Errorf("encode anchor: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(a.path), ".audit-anchor-*")
	if err != nil {
		return fmt.Errorf("write anchor: %w", err)
	}
	_, werr := f.Write(append(raw, '\n'))
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil { // synced: an empty file after a power cut would read as tampering
		return errors.Join(fmt.Errorf("write anchor: %w", err), os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), a.path); err != nil {
		return errors.Join(fmt.Errorf("write anchor: %w", err), os.Remove(f.Name()))
	}
	a.written = a.head
	return nil
}
