package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	popPort = "995"
	// popMost is how many mails are taken in one visit, popTime how long one may last.
	popMost = 100
	popTime = time.Minute
	popMail = 1 << 20 // what is read of one
)

var (
	errMailbox = errs.New(errs.Unavailable, "mail.mailbox_unreachable")
	errPOP     = errs.New(errs.Conflict, "mail.mailbox_refuses")
)

// Reads tells whether the account has a mailbox of reports to read.
func (c *Client) Reads() bool { return c.popHost != "" && c.popUser != "" }

// ReadReports empties the mailbox of reports (POP3 over TLS): each mail is put into
// the inbox first and taken out of the mailbox then, so that a crash in between
// brings it twice, which the inbox notices. The mailbox is for reports alone: what
// is none is taken out, too. It gives how many there were.
func (c *Client) ReadReports(ctx context.Context) (n int, err error) {
	if !c.Reads() {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, popTime)
	defer cancel()
	host, port, err := net.SplitHostPort(c.popHost)
	if err != nil {
		host, port = c.popHost, popPort
	}
	conn, err := c.env.Dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return 0, errMailbox.Wrap(err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if !local(host) { // what goes to this machine nobody reads
		t := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		if err := t.HandshakeContext(ctx); err != nil {
			return 0, errMailbox.Wrap(err)
		}
		conn = t
	}
	p := popConn{textproto.NewConn(conn)}
	for _, step := range []string{"", "USER " + c.popUser, "PASS " + c.popPassword} {
		if _, err := p.ask(step); err != nil {
			return 0, err
		}
	}
	line, err := p.ask("STAT")
	if err != nil {
		return 0, err
	}
	var count int
	if _, err := fmt.Sscanf(line, "%d", &count); err != nil {
		return 0, errPOP.Wrap(fmt.Errorf("STAT: %w", err))
	}
	for i := 1; i <= min(count, popMost); i++ {
		if err := c.readOne(ctx, p, i); err != nil {
			return n, err
		}
		n++
	}
	_, err = p.ask("QUIT") // only now they are taken out
	return n, err
}

func (c *Client) readOne(ctx context.Context, p popConn, i int) error {
	if _, err := p.ask(fmt.Sprintf("RETR %d", i)); err != nil {
		return err
	}
	dots := p.DotReader()
	raw, err := io.ReadAll(io.LimitReader(dots, popMail))
	if err == nil {
		_, err = io.Copy(io.Discard, dots)
	}
	if err != nil {
		return errMailbox.Wrap(err)
	}
	// What cannot be read as a mail is no report either.
	if one, err := c.marks.parseReport(raw, c.env.Clock.Now()); err == nil && one.Kind != kindNone {
		if err := c.env.Told(ctx, one.incoming()); err != nil {
			return fmt.Errorf("keep a report: %w", err)
		}
	}
	_, err = p.ask(fmt.Sprintf("DELE %d", i))
	return err
}

// popConn speaks POP3.
type popConn struct{ *textproto.Conn }

// ask says a line, "" to wait for the greeting, and gives what follows +OK.
func (p popConn) ask(line string) (string, error) {
	verb, _, _ := strings.Cut(line, " ")
	if line != "" {
		if strings.ContainsAny(line, "\r\n") {
			return "", connector.GiveUp(errPOP.Wrap(errors.New("a line in a line")))
		}
		if err := p.PrintfLine("%s", line); err != nil {
			return "", errMailbox.Wrap(err)
		}
	}
	got, err := p.ReadLine()
	if err != nil {
		return "", errMailbox.Wrap(err)
	}
	rest, ok := strings.CutPrefix(got, "+OK")
	if !ok {
		return "", errPOP.Wrap(fmt.Errorf("%s: %s", verb, clip(got, 200)))
	}
	return strings.TrimSpace(rest), nil
}
