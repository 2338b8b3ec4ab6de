package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// Open takes a world up that was kept in a file; when there is none yet, it
// makes one from the seed.
func Open(file string, o Options) (*Sim, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return New(o), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the simulator's world: %w", err)
	}
	w := &World{}
	if err := json.Unmarshal(b, w); err != nil {
		return nil, fmt.Errorf("read the simulator's world %s: %w", file, err)
	}
	w.index()
	s := bare(o)
	s.world = w
	return s, nil
}

// Save keeps the world in a file. Tokens and welcome codes are not kept: after a
// new start they are refused, as old ones are.
func (s *Sim) Save(file string) error {
	var b []byte
	err := s.at(func(w *World, _ time.Time) (err error) {
		b, err = json.Marshal(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the simulator's world: %w", err)
	}
	next := file + ".new"
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return fmt.Errorf("write the simulator's world: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("write the simulator's world: %w", err)
	}
	return nil
}
