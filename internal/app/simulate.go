package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector/sim"
)

// SimulateOptions say what the simulator's command is to do.
type SimulateOptions struct {
	Listen   string
	Mail     string // where mail is taken; "": nowhere
	Seed     uint64
	People   int
	File     string // keeps the world; "": it ends with the program
	Callback string // address to call back
	Scenario []byte // the text of one; nil: none
}

// saveEvery is how often a world that is kept in a file is written.
const saveEvery = 30 * time.Second

// Simulate serves a simulator until ctx ends. say prints a line for the person
// at the terminal.
func Simulate(ctx context.Context, o SimulateOptions, log *slog.Logger, say func(string)) (err error) {
	steps, err := sim.ParseScenario(o.Scenario)
	if err != nil {
		return err
	}
	s, err := openSim(o, log)
	if err != nil {
		return err
	}
	defer s.Close()
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(ln) }()
	defer func() { err = errors.Join(err, server.Close()) }()

	a := s.Access(0)
	say(fmt.Sprintf("The simulator is at http://%s\n\n  base         http://%s\n  corp id      %s   %s\n  agent id     %d\n  secret       %s\n  token        %s\n  AES key      %s\n",
		ln.Addr(), ln.Addr(), a.CorpID, a.Name, a.AgentID, a.Secret, a.Token, a.AESKey))
	for _, x := range s.AppAccess() {
		say(fmt.Sprintf("  %s  %s\n  base         http://%s/wechat\n  app id       %s\n  secret       %s\n  token        %s\n  AES key      %s\n", map[string]string{sim.AppOfficial: "official account", sim.AppMini: "mini-program"}[x.Kind],
			x.Name, ln.Addr(), x.AppID, x.Secret, x.Token, x.AESKey))
	}
	for _, platform := range []string{sim.SMSAliyun, sim.SMSTencent} {
		x := s.SMSAccess(platform)
		say(fmt.Sprintf("  short messages, %s\n  base         http://%s%s\n  key id       %s\n  secret       %s\n  signature    %s\n  app          %s\n  templates    %s\n", platform, ln.Addr(), "/sms/"+platform, x.KeyID, x.Secret, x.Sign, cmp.Or(x.App, "none"), strings.Join(x.Templates, ", ")))
	}
	if o.Mail != "" {
		mails, err := net.Listen("tcp", o.Mail)
		if err != nil {
			return fmt.Errorf("%w: choose another address with --mail", err)
		}
		taker := s.MailServer()
		go func() { failed <- s.ServeMail(taker, mails) }()
		defer func() { _ = taker.Close() }()
		x := s.MailAccess()
		say(fmt.Sprintf("  mail\n  server       %s, without encryption\n  user         %s\n  password     %s\n  returns to   %s\n  DKIM         %s at %s\n\n%s\n", mails.Addr(), x.User, x.Password, x.ReturnPath, x.Selector, x.Domain, x.Key))
	}
	if o.File != "" {
		defer func() { err = errors.Join(err, s.Save(o.File)) }()
	}
	ctx, cancel := context.WithCancel(ctx)
	played, over := make(chan error, 1), make(chan struct{})
	go func() { defer close(over); played <- perform(ctx, s, o, a, steps, say) }()
	defer func() { cancel(); <-over }()
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-failed:
			return err
		case err := <-played:
			if err != nil && ctx.Err() == nil {
				return err
			}
		case <-tick.C:
			if o.File != "" {
				if err := s.Save(o.File); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func openSim(o SimulateOptions, log *slog.Logger) (*sim.Sim, error) {
	so := sim.Options{Seed: o.Seed, People: o.People, Log: log}
	if o.File == "" {
		return sim.New(so), nil
	}
	return sim.Open(o.File, so)
}

// perform connects the address and plays the scenario.
func perform(ctx context.Context, s *sim.Sim, o SimulateOptions, a sim.Access, steps []sim.Step, say func(string)) error {
	if o.Callback != "" {
		if err := connect(ctx, s, o.Callback, a); err != nil {
			return err
		}
		say("It calls back at " + o.Callback)
	}
	if len(steps) == 0 {
		return nil
	}
	refused := 0
	err := s.Play(ctx, steps, func(n int, st sim.Step, done sim.Done, err error) {
		does := st.Does
		if st.Fault != nil {
			does = "fault " + st.Fault.Kind
		}
		switch {
		case err != nil:
			refused++
			say(fmt.Sprintf("%4d  %s %s: %s", n, st.Who, does, err))
		case done.Met != nil && done.Met.Staff != "":
			say(fmt.Sprintf("%4d  %s %s → %s", n, st.Who, does, done.Met.Staff))
		default:
			say(fmt.Sprintf("%4d  %s %s", n, st.Who, does))
		}
	})
	if err == nil {
		say(fmt.Sprintf("The scenario is over: %d steps, %d refused. Stop with Ctrl-C.", len(steps), refused))
	}
	return err
}

// connect tries for a minute: the account may be set up only now.
func connect(ctx context.Context, s *sim.Sim, address string, a sim.Access) error {
	end := time.Now().Add(time.Minute)
	for {
		err := s.SetCallback(ctx, a.CorpID, a.AgentID, address, a.Token, a.AESKey)
		if err == nil || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
