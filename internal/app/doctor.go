package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/koipond/koipond/internal/platform/db"
)

// Finding is one line of `koipond doctor`.
type Finding struct {
	Check  string // what was looked at
	State  string // "ok", "warn" or "fail"
	Detail string // what was found
	Mend   string // how to mend it, "" when ok
}

// Doctor looks at the machine and the data folder and says what is wrong and
// how to mend it. It changes nothing and works with the server running or not.
func Doctor(ctx context.Context, cfg Config) []Finding {
	d := &doctor{ctx: ctx, cfg: cfg}
	running := d.instance()
	d.folder()
	d.sync()
	d.space()
	d.keys()
	d.records()
	d.listen(running)
	d.zone()
	return d.out
}

type doctor struct {
	ctx context.Context
	cfg Config
	out []Finding
}

func (d *doctor) say(check, state, detail, mend string) {
	d.out = append(d.out, Finding{check, state, detail, mend})
}

func (d *doctor) instance() bool {
	in, running, err := FindRunning(d.cfg.Data)
	switch {
	case err != nil:
		d.say("instance", "fail", err.Error(), "check that you may write in the data folder")
	case running:
		d.say("instance", "ok", fmt.Sprintf("running as process %d at %s", in.PID, in.URL), "")
	default:
		d.say("instance", "ok", "not running", "")
	}
	return running
}

func (d *doctor) folder() {
	info, err := os.Stat(d.cfg.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.say("data folder", "ok", d.cfg.Data+" does not exist yet; the first start makes it", "")
		return
	case err != nil:
		d.say("data folder", "fail", err.Error(), "name a folder you may read with --data")
		return
	case !info.IsDir():
		d.say("data folder", "fail", d.cfg.Data+" is not a folder", "name a folder with --data")
		return
	}
	f, err := os.CreateTemp(d.cfg.Data, ".doctor-*")
	if err != nil {
		d.say("data folder", "fail", err.Error(), "give the user that runs koipond the right to write there")
		return
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		d.say("data folder", "fail", err.Error(), "check the disk")
		return
	}
	if info.Mode().Perm()&0o077 != 0 {
		d.say("data folder", "warn", fmt.Sprintf("%s can be read by other users (%v)", d.cfg.Data, info.Mode().Perm()), "chmod 700 "+d.cfg.Data)
		return
	}
	d.say("data folder", "ok", d.cfg.Data, "")
}

// sync measures how long the disk takes to make a write safe: intake waits for it.
func (d *doctor) sync() {
	dir := d.cfg.Data
	if _, err := os.Stat(dir); err != nil {
		dir = os.TempDir()
	}
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return // folder said so already
	}
	var worst, total time.Duration
	const tries = 20
	block := make([]byte, 64<<10)
	for range tries {
		start := time.Now()
		if _, err = f.Write(block); err == nil {
			err = f.Sync()
		}
		if err != nil {
			break
		}
		took := time.Since(start)
		worst, total = max(worst, took), total+took
	}
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		d.say("disk sync", "fail", err.Error(), "check the disk")
		return
	}
	detail := fmt.Sprintf("64 KB is safe after %.1f ms (worst %.1f ms)", float64(total.Microseconds())/1000/tries, float64(worst.Microseconds())/1000)
	if total/tries > 30*time.Millisecond {
		d.say("disk sync", "warn", detail, "intake waits for this on every batch: use a local SSD, not a network disk")
		return
	}
	d.say("disk sync", "ok", detail, "")
}

func (d *doctor) space() {
	dir := d.cfg.Data
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, ok := freeBytes(dir)
	switch gb := float64(free) / (1 << 30); {
	case !ok:
	case gb < 1:
		d.say("disk space", "fail", fmt.Sprintf("%.1f GB free", gb), "make room: intake stops when the disk is nearly full")
	case gb < 10:
		d.say("disk space", "warn", fmt.Sprintf("%.1f GB free", gb), "make room before it fills up: intake stops when the disk is nearly full")
	default:
		d.say("disk space", "ok", fmt.Sprintf("%.0f GB free", gb), "")
	}
}

func (d *doctor) keys() {
	info, err := os.Stat(d.cfg.keyPath())
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.say("encryption keys", "ok", "none yet; the first start makes "+d.cfg.keyPath(), "")
	case err != nil:
		d.say("encryption keys", "fail", err.Error(), "give the user that runs koipond the right to read it")
	case info.Mode().Perm()&0o077 != 0:
		d.say("encryption keys", "warn", fmt.Sprintf("%s can be read by other users (%v)", d.cfg.keyPath(), info.Mode().Perm()), "chmod 600 "+d.cfg.keyPath())
	default:
		d.say("encryption keys", "ok", d.cfg.keyPath()+" (without this file personal data cannot be read: keep a copy elsewhere)", "")
	}
}

func (d *doctor) records() {
	if d.cfg.DatabaseURL == "" {
		if _, err := os.Stat(d.cfg.recordsPath()); errors.Is(err, os.ErrNotExist) {
			d.say("records", "ok", "SQLite, none yet", "")
			return
		}
	}
	ctx, cancel := context.WithTimeout(d.ctx, 30*time.Second)
	defer cancel()
	r, err := db.Open(ctx, db.Config{Path: d.cfg.recordsPath(), URL: d.cfg.DatabaseURL, Readers: 1})
	if err != nil {
		d.say("records", "fail", err.Error(), "check the address, the user and that the server runs")
		return
	}
	var word string
	err = r.QueryRow(ctx, r.Pick("pragma quick_check(1)", "select 'ok'")).Scan(&word)
	if err == nil && word == "ok" {
		defer d.accounts(ctx, r)()
	}
	err = errors.Join(err, r.Close())
	switch {
	case err != nil:
		d.say("records", "fail", err.Error(), "restore a backup: koipond restore")
	case word != "ok":
		d.say("records", "fail", word, "the file is damaged: restore a backup with koipond restore")
	default:
		d.say("records", "ok", string(r.Dialect())+" answers and is sound", "")
	}
}

func (d *doctor) listen(running bool) {
	if running {
		return
	}
	l, err := net.Listen("tcp", d.cfg.Listen)
	if err != nil {
		d.say("address", "fail", err.Error(), "another program uses it: stop that one, or choose another with --listen")
		return
	}
	if err := l.Close(); err != nil {
		d.say("address", "warn", err.Error(), "")
		return
	}
	d.say("address", "ok", d.cfg.Listen+" is free", "")
}

func (d *doctor) zone() {
	if _, err := time.LoadLocation("Asia/Shanghai"); err != nil {
		d.say("time zones", "fail", err.Error(), "install the system's time zone data (apt-get install tzdata)")
		return
	}
	d.say("time zones", "ok", "known", "")
}
