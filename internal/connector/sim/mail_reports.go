package sim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// mailDate is how mails write times.
const mailDate = "Mon, 02 Jan 2006 15:04:05 -0700"

// reportMail writes a report of parts, as servers of mail do.
func reportMail(w *World, to, subject, kind string, now time.Time, parts ...string) []byte {
	line := "sim" + w.derive(20, "boundary", subject, now.String())
	var b strings.Builder
	fmt.Fprintf(&b, "From: Mail Delivery System <mailer-daemon@mx.example>\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=%s; boundary=\"%s\"\r\n\r\n",
		to, subject, now.UTC().Format(mailDate), kind, line)
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", line, p)
	}
	fmt.Fprintf(&b, "--%s--\r\n", line)
	return []byte(b.String())
}

// bounceOf is the report of a mail that could not be delivered (RFC 3464).
func bounceOf(w *World, l *Letter, status, words string, now time.Time) []byte {
	return reportMail(w, l.ReturnPath, "Undelivered Mail Returned to Sender", "delivery-status", now,
		"Content-Type: text/plain; charset=us-ascii\r\n\r\nThe mail could not be delivered to its recipient.\r\n",
		fmt.Sprintf("Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\nArrival-Date: %s\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s\r\nDiagnostic-Code: smtp; 550 %s %s\r\n",
			l.At.UTC().Format(mailDate), l.To, status, status, words),
		"Content-Type: text/rfc822-headers\r\n\r\n"+l.Headers)
}

// complaintOf is the report of somebody who calls a mail spam (RFC 5965).
func complaintOf(w *World, l *Letter, now time.Time) []byte {
	return reportMail(w, l.ReturnPath, "FW: abuse report", "feedback-report", now,
		"Content-Type: text/plain; charset=us-ascii\r\n\r\nThis is an email abuse report.\r\n",
		fmt.Sprintf("Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Simulator/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <%s>\r\nOriginal-Rcpt-To: <%s>\r\nArrival-Date: %s\r\n",
			l.ReturnPath, l.To, l.At.UTC().Format(mailDate)),
		"Content-Type: message/rfc822\r\n\r\n"+l.Headers+"\r\n")
}

// LeaveLetter is a person who presses "unsubscribe" in their mail program: it posts
// once, without asking, to the address that the mail carries (RFC 8058).
func (s *Sim) LeaveLetter(ctx context.Context, id string) error {
	var to, address string
	err := s.at(func(w *World, _ time.Time) error {
		l, err := w.letter(id)
		if err == nil {
			to, address = l.Unsubscribe, l.To
		}
		return err
	})
	if err != nil {
		return err
	}
	if to == "" {
		return errs.New(errs.Conflict, "sim.no_unsubscribe")
	}
	ctx, cancel := context.WithTimeout(ctx, postLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return errs.New(errs.Conflict, "sim.no_unsubscribe").Wrap(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	began := time.Now()
	res, err := s.http.Do(r)
	if err != nil {
		return errs.New(errs.Conflict, "sim.unsubscribe_failed").Wrap(err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // the connection is used again
	s.diary.add(Entry{At: s.clock.Now(), Kind: EntryAct, Name: "unsubscribe", About: address, Code: res.StatusCode, Ms: ms(time.Since(began))})
	if res.StatusCode/100 != 2 {
		return errs.New(errs.Conflict, "sim.unsubscribe_failed")
	}
	return s.at(func(w *World, _ time.Time) error {
		l, err := w.letter(id)
		if err == nil {
			l.Left = true
		}
		return err
	})
}
