package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// post is a call to somebody's address that is not sealed: of platforms for short
// messages and of mail.
type post struct {
	name, about, url, mime string
	body                   []byte
}

// postTries is how often a call is made that was not taken.
const postTries = 4

// postLimit is how long an address may take to answer.
const postLimit = 5 * time.Second

// postPlain lets a call go its way, or go wrong on it. It is called inside the world.
func (s *Sim) postPlain(p post) {
	times, late := 1, time.Duration(0)
	for _, f := range s.draw(p.name, true) {
		switch f.Kind {
		case FaultTwice:
			times++
		case FaultLate:
			late = time.Duration(f.Ms) * time.Millisecond
		case FaultNever:
			s.diary.add(Entry{At: s.clock.Now(), Kind: EntryCallback, Name: p.name, About: p.about, Note: "never"})
			return
		}
	}
	for range times {
		s.post.run(func(ctx context.Context) {
			if wait(ctx, late) != nil {
				return
			}
			for try := 0; try < postTries; try++ {
				if s.postOnce(ctx, p, try) || wait(ctx, s.pause) != nil {
					return
				}
			}
		})
	}
}

// run keeps count of what is on its way, so that Settle and Close wait for it.
func (p *courier) run(do func(ctx context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.pending++
	p.wg.Add(1)
	go func() {
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.done()
		}()
		do(p.ctx)
	}()
}

// postOnce makes the call and tells whether it was taken.
func (s *Sim) postOnce(ctx context.Context, p post, try int) bool {
	ctx, cancel := context.WithTimeout(ctx, postLimit)
	defer cancel()
	at, began := s.clock.Now(), time.Now()
	e := Entry{At: at, Kind: EntryCallback, Name: p.name, About: p.about, Try: try}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err == nil {
		r.Header.Set("Content-Type", p.mime)
		var res *http.Response
		if res, err = s.http.Do(r); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // the connection is used again
			_ = res.Body.Close()                                        // read to its end
			e.Code = res.StatusCode
		}
	}
	switch {
	case ctx.Err() != nil:
		e.Note = "timeout"
	case err != nil:
		e.Note = "unreachable"
	case e.Code != http.StatusOK:
		e.Note = "refused"
	}
	e.Ms = ms(time.Since(began))
	s.diary.add(e)
	return e.Note == ""
}

// carrierCodes are what carriers say of a number's state, by platform.
var carrierCodes = map[string]map[string]string{
	SMSAliyun:  {NumberFine: "DELIVERED", NumberAbsent: "MK:0001", NumberOff: "MOBILE_NOT_ON_SERVICE", NumberRefuses: "MOBILE_IN_BLACK"},
	SMSTencent: {NumberFine: "DELIVRD", NumberAbsent: "MK:0001", NumberOff: "EXPIRED", NumberRefuses: "REJECTD"},
}

// report tells what became of a message.
func (s *Sim) report(a *SMSAccount, x *Text, state string, now time.Time) {
	fine, code := state == NumberFine, carrierCodes[a.Platform][state]
	var item map[string]any
	if a.Platform == SMSAliyun {
		item = map[string]any{"phone_number": phoneOf(x.Number), "send_time": simTime(x.At), "report_time": simTime(now), "success": fine, "err_code": code, "err_msg": code,
			"sms_size": itoa(x.Segments), "biz_id": x.serial, "out_id": ""}
	} else {
		status := "FAIL"
		if fine {
			status = "SUCCESS"
		}
		item = map[string]any{"user_receive_time": simTime(now), "nationcode": "86", "mobile": phoneOf(x.Number), "report_status": status, "errmsg": code, "description": code, "sid": x.serial}
	}
	raw, _ := json.Marshal([]any{item}) // plain values
	if a.Callback == "" {
		if a.Platform == SMSTencent && len(a.Waiting) < textsKept {
			one, _ := json.Marshal(item)
			a.Waiting = append(a.Waiting, string(one))
		}
		return
	}
	s.postPlain(post{name: "sms.receipt", about: x.Number, url: a.Callback, mime: "application/json", body: raw})
}

// tellAnswer tells what a person wrote.
func (s *Sim) tellAnswer(a *SMSAccount, x *Text) {
	if a == nil || a.Callback == "" {
		return
	}
	var body any = []any{map[string]any{"phone_number": phoneOf(x.Number), "send_time": simTime(x.At), "content": x.Words, "sign_name": x.Sign, "dest_code": "1069001", "sequence_id": json.Number(x.serial)}}
	if a.Platform == SMSTencent {
		body = map[string]any{"extend": "", "mobile": phoneOf(x.Number), "nationcode": "86", "sign": x.Sign, "text": x.Words, "time": x.At.Unix()}
	}
	raw, _ := json.Marshal(body) // plain values
	s.postPlain(post{name: "sms.reply", about: x.Number, url: a.Callback, mime: "application/json", body: raw})
}
