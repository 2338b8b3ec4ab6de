package wecom

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
	giveUp  act = iota // asking again gives the same answer
	refresh            // another token, once, and again
	retry              // again, with growing pauses, three times at most
	wait               // too many calls: not before the next minute
	stop               // as giveUp, and the doctor is told: nothing works until a person mends it
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
	-1:     {retry, errs.Unavailable, "wecom.busy"},
	40001:  {stop, errs.Conflict, "wecom.bad_secret"},
	40003:  {giveUp, errs.Conflict, "wecom.no_such_member"},
	40007:  {giveUp, errs.Conflict, "wecom.media_gone"},
	40013:  {stop, errs.Conflict, "wecom.bad_corp"},
	40014:  {refresh, errs.Unavailable, "wecom.bad_token"},
	40050:  {giveUp, errs.Conflict, "wecom.no_such_group"},
	40056:  {stop, errs.Conflict, "wecom.bad_agent"},
	40058:  {giveUp, errs.Conflict, "wecom.bad_parameter"},
	40068:  {giveUp, errs.Conflict, "wecom.no_such_tag"},
	40071:  {giveUp, errs.Conflict, "wecom.tag_exists"},
	40096:  {giveUp, errs.Conflict, "wecom.no_such_customer"},
	40097:  {giveUp, errs.Conflict, "wecom.not_left"},
	40098:  {giveUp, errs.Conflict, "wecom.not_real_name"},
	40100:  {giveUp, errs.Conflict, "wecom.in_transfer"},
	40128:  {giveUp, errs.Conflict, "wecom.moved_often"},
	40129:  {giveUp, errs.Conflict, "wecom.in_transfer"},
	40131:  {giveUp, errs.Conflict, "wecom.no_friend"},
	41001:  {refresh, errs.Unavailable, "wecom.bad_token"},
	41045:  {giveUp, errs.Conflict, "wecom.too_many_ways"},
	41048:  {giveUp, errs.Conflict, "wecom.nobody_to_send_to"},
	41050:  {giveUp, errs.Conflict, "wecom.welcome_expired"},
	41051:  {giveUp, errs.Conflict, "wecom.already_welcomed"},
	41096:  {retry, errs.Conflict, "wecom.other_welcome"},
	42001:  {refresh, errs.Unavailable, "wecom.bad_token"},
	45009:  {wait, errs.TooMany, "wecom.too_often"},
	45033:  {wait, errs.TooMany, "wecom.too_many_at_once"},
	48002:  {stop, errs.Conflict, "wecom.no_permission"},
	49008:  {giveUp, errs.Conflict, "wecom.no_such_group"},
	60011:  {giveUp, errs.Conflict, "wecom.no_privilege"},
	60020:  {stop, errs.Conflict, "wecom.ip_not_listed"},
	60111:  {giveUp, errs.Conflict, "wecom.no_such_member"},
	60123:  {giveUp, errs.Conflict, "wecom.no_such_department"},
	84061:  {giveUp, errs.Conflict, "wecom.no_friend"},
	84074:  {giveUp, errs.Conflict, "wecom.no_contact_privilege"},
	84084:  {giveUp, errs.Conflict, "wecom.not_follower"},
	86003:  {giveUp, errs.Conflict, "wecom.no_such_group"},
	90500:  {giveUp, errs.Conflict, "wecom.owner_there"},
	90501:  {giveUp, errs.Conflict, "wecom.groups_today"},
	95000:  {giveUp, errs.Conflict, "wecom.no_such_service"},
	95001:  {giveUp, errs.Conflict, "wecom.service_limit"},
	95018:  {giveUp, errs.Conflict, "wecom.service_state"},
	701008: {giveUp, errs.Conflict, "wecom.no_licence"},
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

var fromIP = regexp.MustCompile(`from ip: ?([0-9a-fA-F.:]+[0-9a-fA-F])`)

func refused(api string, code int, msg string) *Error {
	r, known := codes[code]
	if !known {
		r = rule{giveUp, errs.Conflict, "wecom.refused"}
	}
	msg = wxcall.Clip(msg, 300)
	words := errs.New(r.kind, r.code, "number", strconv.Itoa(code), "api", api)
	switch {
	case !known:
		words = words.With("words", msg)
	case r.act == wait:
		words.RetryAfter = 60
	}
	if code == 60020 {
		ip := ""
		if m := fromIP.FindStringSubmatch(msg); m != nil {
			ip = m[1]
		}
		words = words.With("ip", ip)
	}
	return &Error{API: api, Code: code, Msg: msg, words: words, act: r.act}
}

// Error implements error.
func (e *Error) Error() string {
	return "wecom " + e.API + ": " + strconv.Itoa(e.Code) + " " + e.Msg
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
var errLost = errs.New(errs.Unavailable, "wecom.no_answer")

// errUnreachable says that a call never reached the platform, or only read.
var errUnreachable = errs.New(errs.Unavailable, "wecom.unreachable")

// Lost tells whether nobody knows what became of a call.
func Lost(err error) bool { return errors.Is(err, errLost) }

// Unfriended tells whether a call was refused because the two are no friends, or the
// customer is nobody's.
func Unfriended(err error) bool {
	switch CodeOf(err) {
	case 84061, 84084, 40096:
		return true
	}
	return false
}

// NoTag tells whether a call named a tag that is not there.
func NoTag(err error) bool { return CodeOf(err) == 40068 }

// Stopped tells whether nothing works until a person mends the account.
func Stopped(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.act == stop || e.act == refresh)
}

// NoGroup tells whether a group is not there, was dismissed, or is not ours to see.
func NoGroup(err error) bool {
	switch CodeOf(err) {
	case 40050, 49008, 86003, 60011:
		return true
	}
	return false
}
