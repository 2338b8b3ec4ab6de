package livecode

import "errors"

// faults are the platform's numbers that mean the same to a person.
var faults = map[int]string{
	-1:     "livecode.fault_busy",
	40014:  "livecode.fault_token",
	42001:  "livecode.fault_token",
	40001:  "livecode.fault_secret",
	45009:  "livecode.fault_rate",
	45033:  "livecode.fault_rate",
	60020:  "livecode.fault_address",
	48002:  "livecode.fault_permission",
	60011:  "livecode.fault_permission",
	701008: "livecode.fault_licence",
	40098:  "livecode.fault_staff",
	60111:  "livecode.fault_staff",
	84074:  "livecode.fault_staff",
	84061:  "livecode.fault_no_friend",
	84084:  "livecode.fault_no_friend",
	40096:  "livecode.fault_no_friend",
	41041:  "livecode.fault_ways",
	41045:  "livecode.fault_ways",
	41050:  "livecode.fault_code_used",
	41051:  "livecode.fault_chatting",
	41096:  "livecode.fault_other_app",
}

// The faults that are no number of the platform's.
const (
	faultUnreachable = "livecode.fault_unreachable"
	faultRefused     = "livecode.fault_refused"
	faultNobody      = "livecode.fault_nobody"
	faultLate        = "livecode.fault_late"
	faultUnknown     = "livecode.fault_unknown"
	faultNoPicture   = "livecode.fault_qr"
)

var errNoQR = errors.New("the platform's picture holds no QR code")

// faultOf says in a code of ours what went wrong, with the platform's number.
func faultOf(err error) (fault string, code int) {
	r, ok := refusalOf(err)
	switch {
	case errors.Is(err, errNoQR):
		return faultNoPicture, 0
	case !ok:
		return faultUnreachable, 0
	case r.Code == 0:
		return faultNobody, 0
	}
	if f, ok := faults[r.Code]; ok {
		return f, r.Code
	}
	return faultRefused, r.Code
}

// final tells whether a refusal will be the same next time.
func final(err error) bool {
	r, ok := refusalOf(err)
	return ok && !r.Again
}
