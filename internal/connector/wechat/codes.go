package wechat

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/platform/errs"
)

// act is what the program does about a refusal.
type act uint8

const (
	giveUp   act = iota // asking again gives the same answer
	refresh             // another token, once, and again
	retry               // again, with growing pauses, three times at most
	wait                // too many calls: not before the next minute
	tomorrow            // the day's calls are used up
	stop                // as giveUp, and the doctor is told: nothing works until a person mends it
)

// rule is what one code means: what to do, and the message for people.
type rule struct {
	act  act
	kind errs.Kind
	code string
}

// codes are the platform's refusals, as data. What is not in it is given up, with
// the number and the platform's own words.
var codes = map[int]rule{
	-1:    {retry, errs.Unavailable, "wechat.busy"},
	40001: {refresh, errs.Unavailable, "wechat.bad_token"},
	40003: {giveUp, errs.Conflict, "wechat.bad_openid"},
	40007: {giveUp, errs.Conflict, "wechat.media_gone"},
	40013: {stop, errs.Conflict, "wechat.bad_app"},
	40014: {refresh, errs.Unavailable, "wechat.bad_token"},
	40029: {giveUp, errs.Invalid, "wechat.bad_code"},
	40037: {giveUp, errs.Conflict, "wechat.bad_template"},
	40097: {giveUp, errs.Conflict, "wechat.bad_parameter"},
	40125: {stop, errs.Conflict, "wechat.bad_secret"},
	40129: {giveUp, errs.Conflict, "wechat.bad_scene"},
	40163: {giveUp, errs.Invalid, "wechat.code_used"},
	40164: {stop, errs.Conflict, "wechat.ip_not_listed"},
	40165: {giveUp, errs.Conflict, "wechat.bad_page"},
	40166: {giveUp, errs.Conflict, "wechat.bad_mini_app"},
	40169: {giveUp, errs.Conflict, "wechat.bad_scene"},
	40226: {giveUp, errs.Forbidden, "wechat.person_blocked"},
	40243: {stop, errs.Conflict, "wechat.secret_frozen"},
	41001: {refresh, errs.Unavailable, "wechat.bad_token"},
	41030: {giveUp, errs.Conflict, "wechat.bad_page"},
	42001: {refresh, errs.Unavailable, "wechat.bad_token"},
	42003: {giveUp, errs.Invalid, "wechat.bad_code"},
	43004: {giveUp, errs.Conflict, "wechat.no_follower"},
	43019: {giveUp, errs.Conflict, "wechat.blocked_by_us"},
	43101: {giveUp, errs.Conflict, "wechat.not_subscribed"},
	44990: {wait, errs.TooMany, "wechat.too_often"},
	44993: {tomorrow, errs.TooMany, "wechat.too_many_today"},
	45009: {tomorrow, errs.TooMany, "wechat.too_many_today"},
	45011: {wait, errs.TooMany, "wechat.too_often"},
	45015: {giveUp, errs.Conflict, "wechat.window_over"},
	45028: {giveUp, errs.Conflict, "wechat.no_mass_left"},
	45029: {giveUp, errs.Conflict, "wechat.too_many_scenes"},
	45047: {giveUp, errs.Conflict, "wechat.window_full"},
	45065: {giveUp, errs.Conflict, "wechat.mass_sent_before"},
	45066: {giveUp, errs.Conflict, "wechat.bad_mass_id"},
	46003: {giveUp, errs.NotFound, "wechat.no_menu"},
	46004: {giveUp, errs.Conflict, "wechat.bad_openid"},
	47003: {giveUp, errs.Conflict, "wechat.bad_values"},
	48001: {giveUp, errs.Conflict, "wechat.no_permission"},
	48003: {giveUp, errs.Conflict, "wechat.mass_not_agreed"},
	48006: {giveUp, errs.Conflict, "wechat.clear_spent"},
	50002: {stop, errs.Conflict, "wechat.account_limited"},
	50005: {giveUp, errs.Conflict, "wechat.no_follower"},
	65400: {giveUp, errs.Conflict, "wechat.no_service_staff"},
	85079: {giveUp, errs.Conflict, "wechat.not_released"},
}

// Error is a refusal of the platform: the number, its own words for the log, and
// (unwrapped) the words for people.
type Error struct {
	API   string
	Code  int
	Msg   string
	words *errs.Error
	act   act
}

var fromIP = regexp.MustCompile(`invalid ip ([0-9a-fA-F.:]+[0-9a-fA-F])`)

func refused(api string, code int, msg string) *Error {
	r, known := codes[code]
	if !known {
		r = rule{giveUp, errs.Conflict, "wechat.refused"}
	}
	msg = wxcall.Clip(msg, 300)
	words := errs.New(r.kind, r.code, "number", strconv.Itoa(code), "api", api)
	switch {
	case !known:
		words = words.With("words", msg)
	case r.act == wait:
		words.RetryAfter = 60
	}
	if code == 40164 {
		ip := ""
		if m := fromIP.FindStringSubmatch(msg); m != nil {
			ip = m[1]
		}
		words = words.With("ip", ip)
	}
	return &Error{API: api, Code: code, Msg: msg, words: words, act: r.act}
}

// thisMinute is the refusal of a call whose limit is the minute's, whatever its number
// says of the day.
func (e *Error) thisMinute() *Error {
	w := errs.New(errs.TooMany, "wechat.too_often", "number", strconv.Itoa(e.Code), "api", e.API)
	w.RetryAfter = 60
	return &Error{API: e.API, Code: e.Code, Msg: e.Msg, words: w, act: wait}
}

// Error implements error.
func (e *Error) Error() string {
	return "wechat " + e.API + ": " + strconv.Itoa(e.Code) + " " + e.Msg
}

// Unwrap gives the words for people.
func (e *Error) Unwrap() error { return e.words }

// CodeOf gives the platform's number of a refusal, 0 when err is none.
func CodeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// errLost says that a call left and no answer came: it may have been done.
var errLost = errs.New(errs.Unavailable, "wechat.no_answer")

// errUnreachable says that a call never reached the platform, or only read.
var errUnreachable = errs.New(errs.Unavailable, "wechat.unreachable")

// Lost tells whether nobody knows what became of a call.
func Lost(err error) bool { return errors.Is(err, errLost) }
