package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// A sealed file is a head and chunks of 64 KB, each sealed by itself with its
// number and whether it is the last in the nonce: the STREAM construction
// (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
// Nonce-Reuse Misuse-Resistance, 2015), as the age format uses it. So a file of
// any length is written and read with little memory and from any place, and
// chunks that are left out, exchanged, repeated or cut off are noticed. Each
// file has a key of its own, made from the master key and a random salt; the
// file's name is bound in.
//
//	head:  "KOIF" version keyID[4] salt[16]
//	chunk: AES-256-GCM of up to 64 KB, 16 bytes longer; an empty file has one empty chunk
const (
	fileMagic   = "KOIF"
	fileVersion = 1
	fileSalt    = 16
	fileHeadLen = len(fileMagic) + 1 + 4 + fileSalt
	fileChunk   = 64 << 10
	fileTag     = 16
)

// FilePlainSize is how long the file was before it was sealed; -1 when no sealed
// file has this size.
func FilePlainSize(sealed int64) int64 {
	body := sealed - int64(fileHeadLen)
	if body < fileTag {
		return -1
	}
	chunks := (body + fileChunk + fileTag - 1) / (fileChunk + fileTag)
	return body - chunks*fileTag
}

func (r *Ring) fileCipher(head []byte) (cipher.AEAD, error) {
	if len(head) < fileHeadLen || string(head[:4]) != fileMagic || head[4] != fileVersion {
		return nil, ErrDamaged.With("field", "file")
	}
	id := hex.EncodeToString(head[5:9])
	m, ok := r.master(id)
	if !ok {
		return nil, ErrUnknownKey.With("field", "file", "key", id)
	}
	k, err := hkdf.Key(sha256.New, m.key, head[9:fileHeadLen], "koipond file", KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// FileKey names the key that sealed a file, by its first bytes; "" when it is no sealed file.
func FileKey(head []byte) string {
	if len(head) < fileHeadLen || string(head[:4]) != fileMagic {
		return ""
	}
	return hex.EncodeToString(head[5:9])
}

// FileHeadLen is how many bytes FileKey needs.
const FileHeadLen = fileHeadLen

func chunkNonce(n int64, last bool) []byte {
	nonce := make([]byte, 12)
	binary.BigEndian.PutUint64(nonce[3:], uint64(n))
	if last {
		nonce[11] = 1
	}
	return nonce
}

// SealFile gives the sealed form of what from gives, as it is read.
func (r *Ring) SealFile(name string, from io.Reader) (io.Reader, error) {
	head := make([]byte, 0, fileHeadLen)
	raw := r.now().sealing().raw
	head = append(append(append(head, fileMagic...), fileVersion), raw[:]...)
	head = head[:fileHeadLen]
	_, _ = rand.Read(head[9:]) // never fails since Go 1.24
	c, err := r.fileCipher(head)
	if err != nil {
		return nil, fmt.Errorf("seal file %s: %w", name, err)
	}
	return &fileSealer{c: c, name: []byte(name), from: from, out: head, next: make([]byte, 0, fileChunk+1)}, nil
}

// fileSealer reads one byte ahead, to know the last chunk when it comes.
type fileSealer struct {
	c    cipher.AEAD
	name []byte
	from io.Reader
	next []byte // plain, with up to one byte of the chunk after it
	out  []byte // sealed, not given yet
	n    int64
	done bool
}

// Read implements io.Reader.
func (s *fileSealer) Read(p []byte) (int, error) {
	for len(s.out) == 0 {
		if s.done {
			return 0, io.EOF
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

func (s *fileSealer) fill() error {
	at := len(s.next)
	n, err := io.ReadFull(s.from, s.next[at:fileChunk+1])
	s.next = s.next[:at+n]
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.done = true
	case err != nil:
		return err
	}
	size := min(len(s.next), fileChunk)
	s.out = s.c.Seal(make([]byte, 0, size+fileTag), chunkNonce(s.n, s.done), s.next[:size], s.name)
	s.next = s.next[:copy(s.next, s.next[size:])]
	s.n++
	return nil
}

// SealedFile is a sealed file as an engine gives it.
type SealedFile interface {
	io.ReaderAt
	io.Closer
}

// OpenFile reads a sealed file of the given (sealed) size, from any place. The
// reader closes the file.
func (r *Ring) OpenFile(name string, f SealedFile, size int64) (*FileReader, error) {
	plain := FilePlainSize(size)
	head := make([]byte, fileHeadLen)
	if plain < 0 {
		return nil, ErrDamaged.With("field", "file")
	}
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read file %s: %w", name, err)
	}
	c, err := r.fileCipher(head)
	if err != nil {
		return nil, err
	}
	o := &FileReader{c: c, name: []byte(name), f: f, size: plain, have: -1}
	o.last = max(plain-1, 0) / fileChunk
	// The last chunk tells that the file ends where it should.
	if err := o.load(o.last, 1); err != nil {
		return nil, err
	}
	return o, nil
}

// FileReader reads a sealed file in clear. Not safe for concurrent use, except ReadAt,
// which keeps nothing between calls.
type FileReader struct {
	c    cipher.AEAD
	name []byte
	f    SealedFile
	size int64
	last int64 // number of the last chunk
	at   int64
	have int64 // number of the first chunk in buf; -1 none
	buf  []byte
	raw  []byte
}

// readAhead is how many chunks Read fetches at once: an S3 engine asks for each
// range anew.
const readAhead = 16

// chunks reads up to count chunks from number n on, into out.
func (o *FileReader) chunks(n, count int64, raw, out []byte) (sealed, plain []byte, err error) {
	count = min(count, o.last-n+1)
	size := min(count*fileChunk, o.size-n*fileChunk) + count*fileTag
	if int64(cap(raw)) < size {
		raw = make([]byte, size)
	}
	raw = raw[:size]
	if got, err := o.f.ReadAt(raw, int64(fileHeadLen)+n*(fileChunk+fileTag)); int64(got) < size {
		return raw, out, fmt.Errorf("read file %s: %w", o.name, err)
	}
	for rest := raw; len(rest) > 0; n++ {
		one := rest[:min(len(rest), fileChunk+fileTag)]
		rest = rest[len(one):]
		if out, err = o.c.Open(out, chunkNonce(n, n == o.last), one, o.name); err != nil {
			return raw, out, ErrDamaged.With("field", "file", "name", string(o.name)).Wrap(err)
		}
	}
	return raw, out, nil
}

func (o *FileReader) load(n, count int64) (err error) {
	if o.have >= 0 && n >= o.have && (n-o.have)*fileChunk < max(int64(len(o.buf)), 1) {
		return nil
	}
	o.have = -1
	if o.raw, o.buf, err = o.chunks(n, count, o.raw, o.buf[:0]); err == nil {
		o.have = n
	}
	return err
}

// Size is that of the clear file.
func (o *FileReader) Size() int64 { return o.size }

// Read implements io.Reader.
func (o *FileReader) Read(p []byte) (int, error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := o.load(o.at/fileChunk, readAhead); err != nil {
		return 0, err
	}
	n := copy(p, o.buf[o.at-o.have*fileChunk:])
	o.at += int64(n)
	return n, nil
}

// ReadAt implements io.ReaderAt.
func (o *FileReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read file: negative offset")
	}
	done := 0
	var raw, plain []byte
	for done < len(p) {
		if off >= o.size {
			return done, io.EOF
		}
		var err error
		if raw, plain, err = o.chunks(off/fileChunk, int64(len(p)-done)/fileChunk+1, raw, plain[:0]); err != nil {
			return done, err
		}
		n := copy(p[done:], plain[off%fileChunk:])
		done += n
		off += int64(n)
	}
	return done, nil
}

// Seek implements io.Seeker.
func (o *FileReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek file: before its beginning")
	}
	o.at = offset
	return offset, nil
}

// Close closes the sealed file.
func (o *FileReader) Close() error { return o.f.Close() }
