package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Instance is what a running server writes beside its lock, so that commands
// on the same machine find it.
type Instance struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
}

// ErrRunning means that another koipond holds the data folder.
type ErrRunning struct {
	Data string
	Instance
}

// Error implements error, in words for the person at the terminal.
func (e *ErrRunning) Error() string {
	return fmt.Sprintf("another koipond (process %d, %s) is using the data folder %s: stop it first, or give this one another folder with --data", e.PID, e.URL, e.Data)
}

type dataLock struct {
	lock *flock.Flock
	info string
}

// lockData takes the folder for this process. The lock goes with the process,
// so a crash leaves none behind.
func lockData(data string) (*dataLock, error) {
	l := flock.New(filepath.Join(data, "LOCK"))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", data, err)
	}
	if !ok {
		in, _ := readInstance(data) // a lock without a readable note is still a lock
		return nil, &ErrRunning{Data: data, Instance: in}
	}
	return &dataLock{lock: l, info: filepath.Join(data, "instance.json")}, nil
}

func (l *dataLock) announce(in Instance) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return os.WriteFile(l.info, b, 0o600)
}

func (l *dataLock) release() error {
	err := os.Remove(l.info)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.lock.Unlock())
}

func readInstance(data string) (Instance, error) {
	var in Instance
	b, err := os.ReadFile(filepath.Join(data, "instance.json"))
	if err != nil {
		return in, err
	}
	return in, json.Unmarshal(b, &in)
}

// FindRunning tells whether a server holds the data folder, and where it is.
func FindRunning(data string) (Instance, bool, error) {
	if _, err := os.Stat(filepath.Join(data, "LOCK")); errors.Is(err, os.ErrNotExist) {
		return Instance{}, false, nil
	}
	l, err := lockData(data)
	var running *ErrRunning
	if errors.As(err, &running) {
		return running.Instance, true, nil
	}
	if err != nil {
		return Instance{}, false, err
	}
	return Instance{}, false, l.lock.Unlock()
}
