package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/koipond/koipond/internal/app"
	"github.com/spf13/cobra"
)

// session talks to a server over HTTP with a token that lives as long as the command.
type session struct{ url, token string }

// withServer runs fn against the server that holds the data folder; when none
// runs, it starts one on a free port for as long as fn takes. Either way the
// work goes through the same doors.
func withServer(cmd *cobra.Command, cfg app.Config, fn func(*session) error) error {
	in, running, err := app.FindRunning(cfg.Data)
	if err != nil {
		return err
	}
	if running {
		return withToken(cmd, cfg, in.URL, fn)
	}
	if _, err := os.Stat(cfg.Data); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no data folder %s: name one with --data, or start the server first", cfg.Data)
	}
	cfg.Listen = "127.0.0.1:0"
	cfg.LogLevel = "warn"
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	ready := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, cfg, build(), logger(cfg), func(r app.Running) { ready <- r.URL })
	}()
	select {
	case err := <-ended:
		return err
	case url := <-ready:
		cfg.URL = ""
		err := withToken(cmd, cfg, url, fn)
		stop()
		return errors.Join(err, <-ended)
	}
}

func withToken(cmd *cobra.Command, cfg app.Config, url string, fn func(*session) error) (err error) {
	r, err := app.OpenRecords(cmd.Context(), cfg, logger(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	t, secret, err := r.Team.CreateToken(cli(cmd), "command line", "admin", time.Now().Add(24*time.Hour))
	if err != nil {
		return err
	}
	defer func() {
		// also when the person pressed Ctrl-C: the token must not outlive the command
		ctx := context.WithoutCancel(cli(cmd))
		err = errors.Join(err, r.Team.RevokeToken(ctx, t.ID))
	}()
	return fn(&session{url: url, token: secret})
}

// do sends a request and turns a problem into an error in words.
func (s *session) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Accept-Language", language())
	if body != nil {
		req.Header.Set("Content-Type", "application/octet-stream")
		if _, ok := body.(*bytes.Reader); ok {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	var p struct {
		Detail string `json:"detail"`
		Fields []struct {
			Path   string `json:"path"`
			Detail string `json:"detail"`
		} `json:"fields"`
		RequestID string `json:"requestId"`
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(raw, &p) != nil || p.Detail == "" {
		return nil, fmt.Errorf("the server answered %s", res.Status)
	}
	text := p.Detail
	for _, f := range p.Fields {
		text += "\n  " + f.Path + ": " + f.Detail
	}
	return nil, fmt.Errorf("%s (%s)", text, p.RequestID)
}

// json sends in (nil: nothing) and decodes the answer into out.
func (s *session) json(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	res, err := s.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(out)
}
