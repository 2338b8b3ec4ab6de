package intake

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"github.com/koipond/koipond/internal/platform/errs"
)

// budget bounds the memory of all bodies being read at once.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }

// Buffers come in three sizes: one event, a usual batch, the largest batch.
var bodySizes = [...]int{8 << 10, 64 << 10, MaxBatch + 1}

type bodyPool struct {
	pools [len(bodySizes)]sync.Pool
	zips  sync.Pool
	mem   *budget
}

func newBodyPool(mem *budget) *bodyPool {
	p := &bodyPool{mem: mem}
	for i, n := range bodySizes {
		p.pools[i].New = func() any { b := make([]byte, n); return &b }
	}
	return p
}

// body is a request's body, unpacked. Release it when nothing points into it any more.
type body struct {
	pool  *bodyPool
	class int
	buf   *[]byte
	n     int
}

func (b *body) bytes() []byte { return (*b.buf)[:b.n] }

func (b *body) release() {
	if b.buf != nil {
		b.pool.mem.give(bodySizes[b.class])
		b.pool.pools[b.class].Put(b.buf)
		b.buf = nil
	}
}

// grow moves to the next size.
func (b *body) grow() error {
	next := b.class + 1
	if !b.pool.mem.take(bodySizes[next]) {
		return errBusy
	}
	buf := b.pool.pools[next].Get().(*[]byte)
	copy(*buf, b.bytes())
	n := b.n
	b.release()
	b.class, b.buf, b.n = next, buf, n
	return nil
}

func tooLarge() *errs.Error {
	return errs.New(errs.TooLarge, "intake.body_too_large", "limit", MaxBatch)
}

// read takes a body in, unpacking gzip whatever the content type says: a
// packed body is bounded by what it unpacks to, read no further than the limit.
func (p *bodyPool) read(r *http.Request) (*body, error) {
	class := 0
	packed, err := isPacked(r)
	if err != nil {
		return nil, err
	}
	if r.ContentLength > MaxBatch {
		return nil, tooLarge()
	}
	for !packed && class < len(bodySizes)-1 && r.ContentLength >= int64(bodySizes[class]) {
		class++
	}
	if !p.mem.take(bodySizes[class]) {
		return nil, errBusy
	}
	b := &body{pool: p, class: class, buf: p.pools[class].Get().(*[]byte)}
	if packed {
		err = p.unpack(b, r.Body)
	} else if err = b.fill(r.Body); err == nil && b.n >= 2 && (*b.buf)[0] == 0x1f && (*b.buf)[1] == 0x8b {
		err = p.unlabelled(b)
	}
	if err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

func isPacked(r *http.Request) (bool, error) {
	switch enc := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
		return false, nil
	case "gzip", "x-gzip":
		return true, nil
	default:
		return false, errs.New(errs.Invalid, "intake.encoding", "encoding", enc)
	}
}

func (b *body) fill(r io.Reader) error {
	for {
		if b.n == len(*b.buf) {
			if b.class == len(bodySizes)-1 {
				return tooLarge()
			}
			if err := b.grow(); err != nil {
				return err
			}
		}
		n, err := r.Read((*b.buf)[b.n:])
		b.n += n
		if errors.Is(err, io.EOF) {
			if b.n > MaxBatch {
				return tooLarge()
			}
			return nil
		}
		if err != nil {
			var big *http.MaxBytesError
			if errors.As(err, &big) {
				return tooLarge()
			}
			return errs.New(errs.Invalid, "intake.body_cut").Wrap(err)
		}
	}
}

func (p *bodyPool) unpack(b *body, from io.Reader) error {
	bad := errs.New(errs.Invalid, "intake.bad_gzip")
	z, _ := p.zips.Get().(*gzip.Reader)
	var err error
	if z == nil {
		z, err = gzip.NewReader(from)
	} else {
		err = z.Reset(from)
	}
	if err != nil {
		return bad.Wrap(err)
	}
	defer func() {
		_ = z.Close() // only frees: it reads nothing
		p.zips.Put(z)
	}()
	if err := b.fill(z); err != nil {
		if e := errs.As(err); e.Code == "intake.body_cut" {
			return bad.Wrap(err)
		}
		return err
	}
	return nil
}

// unlabelled unpacks a body that is gzip although no header says so.
func (p *bodyPool) unlabelled(b *body) error {
	packed := *b
	if !p.mem.take(bodySizes[0]) {
		return errBusy
	}
	*b = body{pool: p, buf: p.pools[0].Get().(*[]byte)}
	err := p.unpack(b, strings.NewReader(string(packed.bytes())))
	packed.release()
	return err
}
