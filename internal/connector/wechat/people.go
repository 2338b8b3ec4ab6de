package wechat

import (
	"cmp"
	"context"
	"net/url"
)

// Person is what the platform tells of somebody. Names and pictures it tells of
// those alone who agreed on a page (see Official.Profile).
type Person struct {
	OpenID   string `json:"openid"`
	UnionID  string `json:"unionid"` // when the account belongs to an open platform account
	Follows  int    `json:"subscribe"`
	Since    int64  `json:"subscribe_time"`
	From     string `json:"subscribe_scene"` // ADD_SCENE_QR_CODE, ADD_SCENE_SEARCH, …
	Scene    string `json:"qr_scene_str"`
	Remark   string `json:"remark"`
	Language string `json:"language"`
	Tags     []int  `json:"tagid_list"`
	Name     string `json:"nickname"`
	Picture  string `json:"headimgurl"`
	Snapshot int    `json:"is_snapshotuser"` // a visitor of whom the platform tells only made-up things
}

// Person tells what is known of a follower. Of somebody who follows no more there is
// nothing but the openid.
func (o *Official) Person(ctx context.Context, openID string) (Person, error) {
	var out Person
	err := o.do(ctx, request{api: "cgi-bin/user/info", query: url.Values{"openid": {openID}, "lang": {"zh_CN"}}, reads: true}, &out)
	return out, err
}

// People tells what is known of up to a hundred followers.
func (o *Official) People(ctx context.Context, openIDs []string) ([]Person, error) {
	var k checker
	k.Need("people", len(openIDs) > 0)
	k.count("people", "users", len(openIDs))
	if err := k.Err(); err != nil {
		return nil, err
	}
	list := make([]map[string]string, len(openIDs))
	for i, id := range openIDs {
		list[i] = map[string]string{"openid": id, "lang": "zh_CN"}
	}
	var out struct {
		List []Person `json:"user_info_list"`
	}
	err := o.do(ctx, request{api: "cgi-bin/user/info/batchget", body: map[string]any{"user_list": list}, reads: true}, &out)
	return out.List, err
}

// Followers lists up to 10,000 followers after one, and how many there are at all.
// next is "" after the last ones.
func (o *Official) Followers(ctx context.Context, after string) (openIDs []string, next string, total int, err error) {
	q := url.Values{}
	if after != "" {
		q.Set("next_openid", after)
	}
	var out struct {
		Total int `json:"total"`
		Count int `json:"count"`
		Data  struct {
			OpenIDs []string `json:"openid"`
		} `json:"data"`
		Next string `json:"next_openid"`
	}
	if err := o.do(ctx, request{api: "cgi-bin/user/get", query: q, reads: true}, &out); err != nil {
		return nil, "", 0, err
	}
	if len(out.Data.OpenIDs) == 0 {
		return nil, "", out.Total, nil
	}
	return out.Data.OpenIDs, out.Next, out.Total, nil
}

// The scopes of signing in on a web page.
const (
	ScopeSilent  = "snsapi_base"     // who it is, without a question
	ScopeProfile = "snsapi_userinfo" // asks whether name and picture may be told
)

// SignInPage is where a browser inside WeChat is sent to be told who holds it. The
// platform sends it back to the address with code and state.
func (o *Official) SignInPage(back, scope, state string) string {
	base := "https://open.weixin.qq.com"
	if o.base != platform {
		base = o.base
	}
	// The platform wants the parameters in this order, and the mark at the end.
	return base + "/connect/oauth2/authorize?appid=" + url.QueryEscape(o.app) + "&redirect_uri=" + url.QueryEscape(back) +
		"&response_type=code&scope=" + scope + "&state=" + url.QueryEscape(state) + "#wechat_redirect"
}

// SignedIn turns the code of a sign-in into who it is. A code is good once, for five
// minutes.
func (o *Official) SignedIn(ctx context.Context, code string) (Person, error) {
	var out struct {
		Person
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	q := url.Values{"appid": {o.app}, "secret": {o.secret}, "code": {code}, "grant_type": {"authorization_code"}}
	if err := o.do(ctx, request{api: "sns/oauth2/access_token", query: q, open: true}, &out); err != nil {
		return Person{}, err
	}
	if out.Scope != ScopeProfile {
		return out.Person, nil
	}
	more := Person{}
	err := o.do(ctx, request{api: "sns/userinfo", query: url.Values{"access_token": {out.Token}, "openid": {out.OpenID}, "lang": {"zh_CN"}}, open: true, reads: true}, &more)
	more.Snapshot = out.Snapshot
	return more, err
}

// LoggedIn turns the code of wx.login into who it is. The session key that the
// platform gives with it stays where it comes from: nothing here needs it.
func (p *Mini) LoggedIn(ctx context.Context, code string) (Person, error) {
	var out Person
	q := url.Values{"appid": {p.app}, "secret": {p.secret}, "js_code": {code}, "grant_type": {"authorization_code"}}
	err := p.do(ctx, request{api: "sns/jscode2session", query: q, open: true}, &out)
	return out, err
}

// Phone turns the code of the button "give my phone number" into the number, with
// its country code in front unless it is China's.
func (p *Mini) Phone(ctx context.Context, code string) (string, error) {
	var out struct {
		Info struct {
			Number  string `json:"phoneNumber"`
			Pure    string `json:"purePhoneNumber"`
			Country string `json:"countryCode"`
		} `json:"phone_info"`
	}
	if err := p.do(ctx, request{api: "wxa/business/getuserphonenumber", body: map[string]string{"code": code}}, &out); err != nil {
		return "", err
	}
	if out.Info.Country == "86" || out.Info.Country == "" {
		return cmp.Or(out.Info.Pure, out.Info.Number), nil
	}
	return "+" + out.Info.Country + out.Info.Pure, nil
}
