package secret

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source says where the keys are. Value wins over File, File over Dir.
type Source struct {
	Value string // the keys themselves (KOIPOND_KEY), base64, oldest first, apart by commas or white space
	File  string // a key file given by path; it must exist
	Dir   string // the data directory: its key file is made when there is none
}

const (
	fileName  = "koipond.key"
	checkName = "koipond.key.check"
	checkText = "the key fits the data"
)

const fileHead = `# Koipond's keys, one a line, oldest first. The newest encrypts, all decrypt.
# Without this file phone numbers, e-mail addresses and the like cannot be read:
# keep a copy in a safe place, apart from the backups of the data.
`

// Load reads the keys and checks that they fit the data directory: a text
// sealed at the first start must open. So a wrong key is refused at start,
// not discovered on the first phone number.
func Load(src Source) (*Ring, error) {
	keys, where, err := read(src)
	if err != nil {
		return nil, err
	}
	r, err := NewRing(keys...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if src.Dir != "" {
		if err := r.check(src.Dir, where); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func read(src Source) (keys [][]byte, where string, err error) {
	switch {
	case src.Value != "":
		where = "KOIPOND_KEY"
		keys, err = parse(src.Value)
	case src.File != "":
		where = src.File
		keys, err = readFile(src.File)
	case src.Dir != "":
		where = filepath.Join(src.Dir, fileName)
		keys, err = readFile(where)
		if errors.Is(err, fs.ErrNotExist) {
			keys, err = create(src.Dir, where)
		}
	default:
		return nil, "", errors.New("no key is given: set KOIPOND_KEY, a key file or a data directory")
	}
	if err != nil {
		return nil, "", fmt.Errorf("read keys from %s: %w", where, err)
	}
	return keys, where, nil
}

// create makes the first key, unless data sealed with a lost one is here.
func create(dir, path string) ([][]byte, error) {
	if _, err := os.Stat(filepath.Join(dir, checkName)); err == nil {
		return nil, errors.New("the file is gone, but this data directory was encrypted with it: put it back")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	k := NewKey()
	return [][]byte{k}, writeFile(path, [][]byte{k})
}

// Rotate adds a new key to a key file and names it. What is sealed already stays
// readable. Only for keys that live in a file.
func Rotate(path string) (keyID string, err error) {
	keys, err := readFile(path)
	if err != nil {
		return "", fmt.Errorf("rotate key: %w", err)
	}
	k := NewKey()
	return masterOf(k).id, writeFile(path, append(keys, k))
}

// FilePath is where the key file of a data directory is.
func FilePath(dir string) string { return filepath.Join(dir, fileName) }

func readFile(path string) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(string(raw))
}

func parse(text string) ([][]byte, error) {
	var keys [][]byte
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			k, err := base64.StdEncoding.DecodeString(word)
			if err != nil || len(k) != KeySize {
				return nil, fmt.Errorf("key %d is not %d bytes in base64 (make one with: openssl rand -base64 %d)", len(keys)+1, KeySize, KeySize)
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return keys, lines.Err()
}

// writeFile replaces the key file in one step, readable by its owner alone.
func writeFile(path string, keys [][]byte) error {
	var b strings.Builder
	b.WriteString(fileHead)
	for _, k := range keys {
		b.WriteString(base64.StdEncoding.EncodeToString(k) + "\n")
	}
	return replace(path, b.String())
}

func replace(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*") // 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// check opens the text sealed at the first start, or seals it.
func (r *Ring) check(dir, where string) error {
	path := filepath.Join(dir, checkName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r.writeCheck(dir, path)
	}
	if err != nil {
		return fmt.Errorf("check keys: %w", err)
	}
	sealed, index, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
	plain, err := r.Open("key.check", sealed)
	if err != nil || plain != checkText || index != r.Index("key.check", checkText) {
		return fmt.Errorf("the keys in %s do not fit the data in %s: give the keys (all of them, oldest first) that this data directory was made with", where, dir)
	}
	if r.Stale(sealed) {
		return r.writeCheck(dir, path)
	}
	return nil
}

// Recheck seals the check text of a data directory anew when an older key
// sealed it, so that this key can be taken out.
func (r *Ring) Recheck(dir string) error { return r.check(dir, "the key ring") }

// Remove takes a key out of a key file. Never the first: it keys the blind index.
func Remove(path, keyID string) error {
	list, err := readFile(path)
	if err != nil {
		return fmt.Errorf("remove key: %w", err)
	}
	for i, k := range list {
		if masterOf(k).id != keyID {
			continue
		}
		if i == 0 {
			return ErrIndexKey.With("key", keyID)
		}
		return writeFile(path, slices.Delete(list, i, i+1))
	}
	return ErrUnknownKey.With("key", keyID)
}

func (r *Ring) writeCheck(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("check keys: %w", err)
	}
	sealed, err := r.Seal("key.check", checkText)
	if err != nil {
		return err
	}
	if err := replace(path, sealed+"\n"+r.Index("key.check", checkText)+"\n"); err != nil {
		return fmt.Errorf("check keys: %w", err)
	}
	return nil
}
