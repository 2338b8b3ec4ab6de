package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
)

// scratch builds the program on an empty folder that done removes.
func scratch(b Build) (a *App, done func() error, err error) {
	dir, err := os.MkdirTemp("", "koipond-")
	if err != nil {
		return nil, nil, err
	}
	cfg := DefaultConfig()
	cfg.Data = dir
	ctx := context.Background()
	if a, err = build(ctx, cfg, b, slog.New(slog.DiscardHandler)); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return a, func() error { return errors.Join(a.close(ctx), os.RemoveAll(dir)) }, nil
}
