package sim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Step is a line of a scenario: an act and when it happens.
type Step struct {
	// At is when, counted from the start ("90s", "2m"); with a plus from the step before.
	At  string `json:"at,omitempty" yaml:"at"`
	Act `yaml:",inline"`
	// Fault orders a fault instead of an act.
	Fault *Fault `json:"fault,omitempty" yaml:"fault"`

	after time.Duration
}

// Bounds of a scenario.
const (
	maxScenario = 8 << 20
	maxSteps    = 100_000
	maxAfter    = 366 * 24 * time.Hour
)

// ParseScenario reads a scenario: JSON lines, or a YAML list. Errors say which
// step and what is wrong with it.
func ParseScenario(b []byte) ([]Step, error) {
	if len(b) > maxScenario {
		return nil, fmt.Errorf("a scenario may have %d MB", maxScenario>>20)
	}
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	steps, err := readSteps(b)
	if err != nil {
		return nil, err
	}
	if len(steps) > maxSteps {
		return nil, fmt.Errorf("a scenario may have %d steps", maxSteps)
	}
	var last time.Duration
	for i := range steps {
		if err := steps[i].check(last); err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		last = steps[i].after
	}
	return steps, nil
}

func readSteps(b []byte) ([]Step, error) {
	var steps []Step
	if !bytes.HasPrefix(b, []byte("{")) {
		d := yaml.NewDecoder(bytes.NewReader(b))
		d.KnownFields(true)
		if err := d.Decode(&steps); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read the scenario: %w", err)
		}
		return steps, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var s Step
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if d.More() {
			return nil, fmt.Errorf("line %d: one step to a line", n)
		}
		steps = append(steps, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the scenario: %w", err)
	}
	return steps, nil
}

func (s *Step) check(last time.Duration) error {
	at, more := strings.CutPrefix(s.At, "+")
	s.after = last
	if at != "" {
		d, err := time.ParseDuration(at)
		if err != nil || d < 0 || d > maxAfter {
			return fmt.Errorf("%q is no time: write 90s, 2m, 1h30m or +5s", s.At)
		}
		if more {
			d += last
		}
		if d < last || d > maxAfter {
			return fmt.Errorf("%q lies before the step above it", s.At)
		}
		s.after = d
	}
	switch {
	case s.Fault != nil && s.Does != "":
		return errors.New("a step does something or orders a fault, not both")
	case s.Fault == nil && deeds[s.Does] == nil:
		return fmt.Errorf("nobody can %q", s.Does)
	}
	return nil
}

// Play does the steps at their times. When one is refused it tells about it and
// goes on: in a scenario people may well scan a code that has expired.
func (s *Sim) Play(ctx context.Context, steps []Step, told func(step int, st Step, done Done, err error)) error {
	start := time.Now()
	for i, st := range steps {
		if err := wait(ctx, time.Until(start.Add(st.after))); err != nil {
			return err
		}
		var done Done
		var err error
		if st.Fault != nil {
			_, err = s.AddFault(*st.Fault)
		} else {
			done, err = s.Do(ctx, st.Act)
		}
		if told != nil {
			told(i+1, st, done, err)
		}
	}
	return nil
}
