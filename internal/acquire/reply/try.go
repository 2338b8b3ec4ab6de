package reply

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Trial is a message as somebody might write it.
type Trial struct {
	Account string    `json:"account" maxLength:"60"`
	Kind    string    `json:"kind,omitempty" enum:"message,follow" default:"message"`
	Text    string    `json:"text,omitempty" maxLength:"4000"`
	At      time.Time `json:"at,omitzero" doc:"When it comes; left out: now"`
}

// Other is a rule that fits too, and comes later.
type Other struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
	Word *Word  `json:"word,omitempty"`
}

// Tried is what would be answered, and why.
type Tried struct {
	Why      string    `json:"why" enum:"keyword,follow,off_hours,default,none"`
	ID       string    `json:"id,omitempty"`
	Name     string    `json:"name,omitempty"`
	Kind     string    `json:"kind,omitempty"`
	Word     *Word     `json:"word,omitempty" doc:"That fitted"`
	Said     string    `json:"said,omitempty" doc:"The part of the message that a pattern found"`
	Contents []Content `json:"contents" doc:"With names filled in"`
	Open     bool      `json:"open" doc:"It is within working hours"`
	Others   []Other   `json:"others" doc:"Rules that fit too and come later; five at most"`
	Once     int       `json:"everyHours,omitempty" doc:"Whoever was answered so many hours ago, or less, would not be"`
}

const mostOthers = 5

// Try tells which rule would answer a message. Nothing is sent or written down.
func (s *Service) Try(ctx context.Context, in Trial) (Tried, error) {
	out := Tried{Contents: []Content{}, Others: []Other{}}
	if _, err := s.checkAccount(ctx, in.Account); err != nil {
		return out, err
	}
	if err := s.fresh(ctx); err != nil {
		return out, err
	}
	if in.Kind == "" {
		in.Kind = AskMessage
	}
	if in.Kind != AskMessage && in.Kind != AskFollow {
		return out, bad("kind", "reply.bad_choice")
	}
	if in.At.IsZero() {
		in.At = s.Clock.Now()
	}
	if !inTime(in.At) {
		return out, bad("at", "reply.bad_span")
	}
	a := Ask{Account: in.Account, Kind: in.Kind, Text: in.Text, At: in.At}
	v := s.judge(ctx, a)
	b := s.book.Load()
	out.Open = true
	if h := b.hours[in.Account]; h != nil {
		out.Open = h.open(in.At.In(s.zone(ctx)))
	}
	out.Why = v.Why
	if v.Rule != nil {
		r := v.Rule
		out.ID, out.Name, out.Kind, out.Said, out.Once = r.ID, r.Name, r.Kind, v.Said, r.EveryHours
		if v.Why == WhyKeyword {
			out.Word = &v.Word
		}
		n := &note{Verdict: v, account: a.Account, at: a.At}
		for _, c := range r.Contents {
			m := s.fill(ctx, message(c), n)
			c.Text = m.Text
			out.Contents = append(out.Contents, c)
		}
	}
	if in.Kind == AskMessage {
		d := b.desk(in.Account)
		for _, h := range d.matcher.all(in.Text, in.At, mostOthers+1) {
			r := d.matcher.rules[h.rule]
			if r != v.Rule && len(out.Others) < mostOthers {
				out.Others = append(out.Others, Other{r.ID, r.Name, r.Kind, &r.Words[h.word]})
			}
		}
	}
	return out, nil
}

// Known tells whether a rule of an account is there, and what it is called: for
// menus and scene codes, which choose one.
func (s *Service) Known(ctx context.Context, account, id string) (name string, ok bool, err error) {
	r, err := s.rule(ctx, id)
	if errs.CodeOf(err) == errNone.Code {
		return "", false, nil
	}
	if err != nil || r.Account != account {
		return "", false, err
	}
	return r.Name, true, nil
}
