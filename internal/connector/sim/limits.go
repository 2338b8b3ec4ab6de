package sim

import (
	"bytes"
	_ "embed" // the table of limits
	"encoding/json"
)

//go:embed limits.json
var limitsFile []byte

// Limits are what the platforms allow. They change: keep them in limits.json.
type Limits struct {
	WeCom  WeComLimits  `json:"wecom"`
	WeChat WeChatLimits `json:"wechat"`
}

// WeChatLimits are those of official accounts and mini-programs.
type WeChatLimits struct {
	TokenSeconds      int `json:"tokenSeconds"`
	TokenPerMinute    int `json:"tokenPerMinute"`
	PlainTokensPerDay int `json:"plainTokensPerDay"`
	ForcePerDay       int `json:"forcePerDay"`
	ForceSeconds      int `json:"forceSeconds"` // between two forced tokens
	ClearsPerMonth    int `json:"clearsPerMonth"`

	MenuPerDay       int `json:"menuPerDay"`
	MenuButtons      int `json:"menuButtons"`
	MenuSub          int `json:"menuSub"`
	MenuNameBytes    int `json:"menuNameBytes"`
	MenuSubNameBytes int `json:"menuSubNameBytes"`
	MenuKeyBytes     int `json:"menuKeyBytes"`
	URLBytes         int `json:"urlBytes"`

	ScenesPerDay        int `json:"scenesPerDay"`
	LastingScenes       int `json:"lastingScenes"`
	SceneRunes          int `json:"sceneRunes"`
	SceneSeconds        int `json:"sceneSeconds"`
	SceneDefaultSeconds int `json:"sceneDefaultSeconds"`

	TextBytes   int `json:"textBytes"`
	WordHours   int `json:"wordHours"` // after a word of the customer …
	WordReplies int `json:"wordReplies"`
	ActSeconds  int `json:"actSeconds"` // … and after a click, scan or follow
	ActReplies  int `json:"actReplies"`

	TemplatePerDay int            `json:"templatePerDay"`
	Values         map[string]int `json:"values"` // letters of a parameter, by its sort

	MassPerDay    int `json:"massPerDay"`
	PreviewPerDay int `json:"previewPerDay"`
	MassPeople    int `json:"massPeople"`
	MassKeyBytes  int `json:"massKeyBytes"`
	MassPerPerson int `json:"massPerPerson"` // a month

	InfoPage      int `json:"infoPage"`
	FollowersPage int `json:"followersPage"`

	CodeSeconds     int `json:"codeSeconds"` // of signing in
	LoginsPerMinute int `json:"loginsPerMinute"`
	LinksPerDay     int `json:"linksPerDay"`

	MiniSceneRunes     int `json:"miniSceneRunes"`
	MiniPageBytes      int `json:"miniPageBytes"`
	MiniCodesPerMinute int `json:"miniCodesPerMinute"`
	MiniCodeLeast      int `json:"miniCodeLeast"` // pixels
	MiniCodeMost       int `json:"miniCodeMost"`

	LinkDays   int `json:"linkDays"`
	QueryBytes int `json:"queryBytes"`

	MediaSeconds int `json:"mediaSeconds"`
	MediaBytes   int `json:"mediaBytes"`
	MenuItems    int `json:"menuItems"` // of a menu in a message
}

// WeComLimits are those of WeCom. Lengths are in characters unless named bytes.
type WeComLimits struct {
	TokenSeconds int `json:"tokenSeconds"`

	PerMinute    int            `json:"perMinute"` // of one API and corp
	PerHour      int            `json:"perHour"`
	IPPerMinute  int            `json:"ipPerMinute"`
	IPPerHour    int            `json:"ipPerHour"`
	APIPerMinute map[string]int `json:"apiPerMinute"` // of those that have an own one

	CallbackSeconds int `json:"callbackSeconds"` // to answer in
	CallbackRetries int `json:"callbackRetries"`

	WelcomeSeconds int `json:"welcomeSeconds"`
	TextBytes      int `json:"textBytes"`
	Attachments    int `json:"attachments"`
	LinkTitleBytes int `json:"linkTitleBytes"`
	LinkDescBytes  int `json:"linkDescBytes"`
	LinkURLBytes   int `json:"linkURLBytes"`

	Remark        int `json:"remark"`
	Description   int `json:"description"`
	RemarkCompany int `json:"remarkCompany"`
	RemarkMobiles int `json:"remarkMobiles"`
	CorpTags      int `json:"corpTags"`
	TagName       int `json:"tagName"`
	TagGroupName  int `json:"tagGroupName"`

	Ways                  int `json:"ways"` // with the join ways
	WayUsers              int `json:"wayUsers"`
	WayState              int `json:"wayState"`
	WayRemark             int `json:"wayRemark"`
	WayTempSeconds        int `json:"wayTempSeconds"`
	WayTempDefaultSeconds int `json:"wayTempDefaultSeconds"`

	BatchUsers    int `json:"batchUsers"`
	BatchPage     int `json:"batchPage"`
	NextUsersPage int `json:"nextUsersPage"`

	MassCustomers  int `json:"massCustomers"`
	MassGroups     int `json:"massGroups"`
	MassListDays   int `json:"massListDays"`
	MassListPage   int `json:"massListPage"`
	MassResultPage int `json:"massResultPage"`
	MassPerDay     int `json:"massPerDay"` // that one customer gets
	MassReminds    int `json:"massReminds"`

	MomentImages    int `json:"momentImages"`
	MomentTextRunes int `json:"momentTextRunes"`
	MomentListDays  int `json:"momentListDays"`
	MomentPage      int `json:"momentPage"`

	GroupListPage int `json:"groupListPage"`
	GroupMembers  int `json:"groupMembers"`
	JoinGroups    int `json:"joinGroups"`
	GroupWelcomes int `json:"groupWelcomes"`

	TransferPage         int `json:"transferPage"`
	TransferTimes        int `json:"transferTimes"`
	TransferDays         int `json:"transferDays"`
	TransferSeconds      int `json:"transferSeconds"` // until a hand-over is done by itself
	GroupTransfers       int `json:"groupTransfers"`
	GroupTransfersPerDay int `json:"groupTransfersPerDay"`
	StaffCustomers       int `json:"staffCustomers"`

	AppTextBytes    int `json:"appTextBytes"`
	AppPerMinute    int `json:"appPerMinute"` // that one member gets
	AppPerHour      int `json:"appPerHour"`
	AppPerDayFactor int `json:"appPerDayFactor"` // times the accounts of the corp
	AppUsers        int `json:"appUsers"`

	MediaSeconds int `json:"mediaSeconds"`
	ImageBytes   int `json:"imageBytes"`
	VoiceBytes   int `json:"voiceBytes"`
	VideoBytes   int `json:"videoBytes"`
	FileBytes    int `json:"fileBytes"`

	KfPage         int `json:"kfPage"`
	KfTokenSeconds int `json:"kfTokenSeconds"`
	KfReplies      int `json:"kfReplies"`
	KfHours        int `json:"kfHours"`
	KfEventSeconds int `json:"kfEventSeconds"`

	KfTextBytes      int `json:"kfTextBytes"`
	KfPageBytes      int `json:"kfPageBytes"`
	KfMiniTitleBytes int `json:"kfMiniTitleBytes"`
	KfMenuItems      int `json:"kfMenuItems"`
	KfMenuTextBytes  int `json:"kfMenuTextBytes"`
	KfMenuIDBytes    int `json:"kfMenuIDBytes"` // of a line's id, and of the words that it says
}

// DefaultLimits are those of the platforms.
func DefaultLimits() Limits {
	var l Limits
	d := json.NewDecoder(bytes.NewReader(limitsFile))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		panic("sim: limits.json: " + err.Error()) // a mistake in a file of ours
	}
	return l
}
