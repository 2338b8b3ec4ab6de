package contact

import (
	"hash/fnv"
	"strings"

	"github.com/koipond/koipond/internal/event/veil"
)

// The kinds of identity that Koipond knows by name. Any other kind is a strong
// external id: it makes a person, and one person may carry several.
const (
	KindUserID         = "user_id"
	KindMemberNo       = "member_no"
	KindExternalUserID = "wecom_external_userid"
	KindUnionID        = "unionid"
	KindOpenID         = "openid"
	KindShopBuyer      = "shop_buyer_id"
	KindExternal       = "external_id"
	KindIDNumber       = "id_number"
	KindPhone          = "phone"
	KindEmail          = "email"
	KindAnonymous      = "anonymous_id"
	KindDevice         = "device_id"
)

// trait is what a kind of identity means for recognising people.
type trait struct {
	priority int    // whose fact is it when identifiers disagree: the highest
	bit      uint64 // place in contacts.kinds
	most     int    // how many one contact carries unless the company says otherwise; 0: any number
	weak     bool   // a device: makes no person
	personal bool   // sealed at rest, found by blind index, masked
}

// The kinds with a place of their own. Places 0…23 are theirs; other kinds
// share 24…61 by hash, which can only make a merge by device more careful.
var known = map[string]trait{
	KindUserID:         {priority: 100, bit: 1 << 0, most: 1},
	KindMemberNo:       {priority: 90, bit: 1 << 1, most: 1},
	KindExternalUserID: {priority: 80, bit: 1 << 2, most: 1},
	KindUnionID:        {priority: 70, bit: 1 << 3, most: 5},
	KindOpenID:         {priority: 65, bit: 1 << 4, most: 20},
	KindShopBuyer:      {priority: 60, bit: 1 << 5, most: 20},
	KindExternal:       {priority: 56, bit: 1 << 6},
	KindIDNumber:       {priority: 52, bit: 1 << 7, most: 5, personal: true},
	KindPhone:          {priority: 50, bit: 1 << 8, most: 10, personal: true},
	KindEmail:          {priority: 40, bit: 1 << 9, most: 10, personal: true},
	KindAnonymous:      {priority: 10, bit: 1 << 10, most: 1000, weak: true},
	KindDevice:         {priority: 9, bit: 1 << 11, most: 1000, weak: true},
}

const (
	weakBits   = 1<<10 | 1<<11
	strongBits = 1<<62 - 1 - weakBits
	// apartBit is no kind: somebody said of this contact that it is not somebody else.
	apartBit = 1 << 62
)

// deviceKinds are names under which SDKs send device ids in context.externalIds
// and the like: all of them are the weak kind device_id, kept apart by a prefix of the value.
var deviceKinds = map[string]bool{
	"cookie": true, "ga_client_id": true, "android_id": true, "android.id": true, "android.idfa": true,
	"android.push_token": true, "ios.id": true, "ios.idfa": true, "ios.idfv": true, "ios.push_token": true,
	"idfa": true, "idfv": true, "oaid": true, "imei": true, "push_token": true, "advertising_id": true,
}

// kindAliases are other names for known kinds.
var kindAliases = map[string]string{
	"userid": KindUserID, "uid": KindUserID, "anonymousid": KindAnonymous,
	"mobile": KindPhone, "tel": KindPhone, "phone_number": KindPhone, "mail": KindEmail, "e-mail": KindEmail,
	"memberno": KindMemberNo, "member_id": KindMemberNo, "card_no": KindMemberNo,
	"external_userid": KindExternalUserID, "wecom_userid": KindExternalUserID,
	"union_id": KindUnionID, "open_id": KindOpenID, "wechat_openid": KindOpenID, "wechat_unionid": KindUnionID,
	"buyer_id": KindShopBuyer, "externalid": KindExternal, "id_card": KindIDNumber, "idcard": KindIDNumber,
	"deviceid": KindDevice,
}

// canonicalKind gives the kind under which an identifier is kept, and the
// prefix its value gets when several kinds are folded into one.
func canonicalKind(kind string) (name, prefix string) {
	if _, ok := known[kind]; ok { // the usual case, without work
		return kind, ""
	}
	k := strings.ToLower(strings.TrimSpace(kind))
	if a, ok := kindAliases[k]; ok {
		return a, ""
	}
	if deviceKinds[k] {
		return KindDevice, k + ":"
	}
	if len(k) > 64 {
		k = k[:64]
	}
	return k, ""
}

// traitOf tells what a canonical kind means.
func traitOf(kind string) trait {
	if t, ok := known[kind]; ok {
		return t
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(kind)) // a hash never fails
	return trait{priority: 55, bit: 1 << (24 + h.Sum32()%38)}
}

// Personal tells whether values of the kind are personal data: sealed and masked.
func Personal(kind string) bool { return known[kind].personal }

// keptSealed tells whether an identity is kept sealed and found by its blind index:
// of personal kinds always, of others when the value looks like a phone number
// or an e-mail address, as user ids often are.
func keptSealed(kind, value string) bool { return Personal(kind) || veil.PersonalID(kind, value) }
