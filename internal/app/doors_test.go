package app

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHostileDoors goes to every door that asks for no sign-in, with what a hostile
// stranger brings, and with what a platform's own call may hold: no fault of ours, no
// error in the log, nobody led to another's address, no second life of a callback.
func TestHostileDoors(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		bell := &alarm{}
		w := startWorldLogging(t, cfg, slog.New(slog.NewTextHandler(bell, &slog.HandlerOptions{Level: slog.LevelError})))
		const token = "0123456789abcdefghij"
		account := func(kind, settings, secrets string) string {
			var made struct{ ID string }
			require.Less(t, w.call("POST", "/api/connectors", `{"kind":"`+kind+`","name":"`+kind+`","settings":`+settings+`,"secrets":`+secrets+`}`, &made), 300)
			require.Less(t, w.call("POST", "/api/connectors/"+made.ID+"/pause", `{}`, nil), 300) // nobody is called; what comes is kept
			return "/hooks/" + kind + "/" + made.ID
		}
		wechat := account("wechat", `{"appId":"wx1a2b3c4d5e6f7a8b","mode":"plain"}`, `{"secret":"`+token+`","token":"`+token+`","aesKey":"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"}`)
		texts := account("sms.aliyun", `{"accessKeyId":"LTAI5tExampleExample","signName":"锦池商城"}`, `{"accessKeySecret":"`+token+`","token":"`+token+`"}`)
		tencent := account("sms.tencent", `{"accessKeyId":"AKIDExampleExample","sdkAppId":"1400006666","signName":"锦池商城"}`, `{"accessKeySecret":"`+token+`","token":"`+token+`"}`)
		mails := account("mail", `{"host":"smtp.example.com","from":"news@mail.example.com"}`, `{"token":"`+token+`"}`)
		p := w.makePage(teaPage)
		w.app.pages.Quick = -time.Second
		var short struct{ Path string }
		require.Equal(t, 200, w.call("POST", "/api/links", `{"title":"春茶","target":"`+p.Path+`","carry":true}`, &short))
		bell.take()

		go1 := func(method, path, kind, body string) *httptest.ResponseRecorder {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, method, "http://pond.example"+path, strings.NewReader(body))
			require.NoError(t, err)
			r.Header.Set("User-Agent", "Mozilla/5.0 (iPhone) \xff\x00")
			r.Header.Set("Referer", "http://\xff"+strings.Repeat("长", 90)+".example/")
			r.Header.Set("Content-Type", kind)
			r.RemoteAddr = "203.0.113.9:1"
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			require.Less(t, rec.Code, 500, "%s %s %.200q: %s", method, path, body, rec.Body)
			require.Empty(t, bell.take(), "%s %s %.200q", method, path, body)
			if to := rec.Header().Get("Location"); to != "" {
				require.Regexp(t, `^/($|[^/\\])`, to, path)
			}
			return rec
		}
		signed := func() string {
			at := fmt.Sprint(time.Now().Unix())
			parts := []string{token, at, "n"}
			slices.Sort(parts)
			sum := sha1.Sum([]byte(strings.Join(parts, "")))
			return "?timestamp=" + at + "&nonce=n&signature=" + hex.EncodeToString(sum[:])
		}
		odd := []string{"\x00", "a\x00b", "\xff\xfe", "\ufffe", "\u202e", "𠮷", "<script>", "'\"", "\r\nX: 1", strings.Repeat("长", 3000), "=1+1", "..", "%00"}
		for _, o := range odd {
			e := url.QueryEscape(o)
			for _, path := range []string{"/l/" + url.PathEscape(o), short.Path + "?k=" + e + "&kp_v=" + e, "/p/" + url.PathEscape(o), "/p/f/" + url.PathEscape(o), "/wx/" + url.PathEscape(o) + "/in?to=" + e, "/hooks/" + url.PathEscape(o) + "/" + url.PathEscape(o),
				"/hooks/wechat/" + url.PathEscape(o), wechat + "?signature=" + e + "&echostr=" + e, wechat + signed() + "&echostr=" + e,
				p.Path + "?utm_source=" + e + "&utm_term=" + e + "&kp_l=" + e + "&kp_v=" + e + "&done=" + e} {
				go1("GET", path, "", "")
			}
			go1("GET", p.Path+"?utm_source="+e+"&utm_term="+e+"&kp_l="+e+"&kp_v="+e, "", "")
			who := w.stranger(7)
			sheet := who.sheet(p.Path)
			form := url.Values{"sheet": {sheet}, "f.phone": {"13800138000"}, "f.name": {o}, "c": {"marketing/" + o}}
			go1("POST", p.Path+"?utm_source="+e+"&utm_campaign="+e, "application/x-www-form-urlencoded", form.Encode())
			go1("POST", p.Path, "multipart/form-data; boundary="+e, o)
			go1("POST", p.Path, "application/x-www-form-urlencoded", url.Values{"sheet": {sheet}, "do": {"seen"}, "ms": {o}}.Encode())
			// What proves a call to be the platform's does not make what it says sound.
			xml := func(s string) string { return strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s) }
			go1("POST", wechat+signed(), "text/xml", "<xml><ToUserName>gh_1</ToUserName><FromUserName>"+xml(o)+"</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>"+xml(o)+"</Content><MsgId>1</MsgId></xml>")
			go1("POST", wechat+signed(), "text/xml", "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>99999999999999999999</CreateTime><MsgType>event</MsgType><Event>"+xml(o)+"</Event><EventKey>"+xml(o)+"</EventKey></xml>")
			js := strings.NewReplacer("\x00", `\u0000`, "\r\n", `\r\n`, `"`, `\"`).Replace(o)
			go1("POST", texts+"?token="+token, "application/json", `[{"phone_number":"13800138000","biz_id":"`+js+`","success":false,"err_code":"`+js+`","report_time":"2026-01-01 00:00:00","out_id":"`+js+`"}]`)
			go1("POST", texts+"?token="+token, "application/json", `[{"phone_number":"`+js+`","content":"`+js+`","send_time":"2026-01-01 00:00:00","sign_name":"`+js+`","sequence_id":1}]`)
			go1("POST", tencent+"?token="+token, "application/json", `[{"mobile":"13800138000","nationcode":"86","sid":"`+js+`","report_status":"FAIL","errmsg":"`+js+`","description":"`+js+`","user_receive_time":"`+js+`"}]`)
			go1("POST", tencent+"?token="+token, "application/json", `{"mobile":"`+js+`","nationcode":"86","text":"`+js+`","sign":"`+js+`","time":1,"extend":"`+js+`"}`)
			go1("POST", mails+"?token="+token, "application/json", `[{"event":"bounce","recipient":"a@b.example","messageId":"`+js+`","status":"`+js+`","words":"`+js+`","at":"0001-01-01T00:00:00Z"}]`)
			go1("POST", mails+"?token="+token, "message/rfc822", "From: "+o+"\r\nTo: "+o+"\r\nSubject: "+o+"\r\nContent-Type: multipart/report; boundary="+o+"\r\n\r\n"+o)
		}
		bomb := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><xml>&b;</xml>`
		for _, body := range []string{bomb, strings.Repeat("<a>", 100_000), strings.Repeat("<a/>", 100_000), "<xml>" + strings.Repeat("<a></a>", 25_000) + "</xml>", strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000), "", "null", "[null]", "[[]]", "{}", "[]", "1e999"} {
			for _, to := range []string{wechat + signed(), texts + "?token=" + token, tencent + "?token=" + token, mails + "?token=" + token} {
				began := time.Now()
				go1("POST", to, "application/json", body)
				require.Less(t, time.Since(began), 3*time.Second, "%s %.40s", to, body)
			}
		}
		for _, to := range []string{wechat, texts, tencent, mails, p.Path} {
			code := go1("POST", to+"?token=wrong", "application/x-www-form-urlencoded", strings.Repeat("x", 4<<20)).Code
			require.GreaterOrEqual(t, code, 400, to)
		}

		// One callback fifty times at once is one.
		before := w.inboxCount()
		body := "<xml><ToUserName>gh_1</ToUserName><FromUserName>o9</FromUserName><CreateTime>" + fmt.Sprint(time.Now().Unix()) + "</CreateTime><MsgType>text</MsgType><Content>好</Content><MsgId>4711</MsgId></xml>"
		var all sync.WaitGroup
		codes := make([]int, 50)
		for i := range codes {
			all.Go(func() {
				r := httptest.NewRequest("POST", wechat+signed(), strings.NewReader(body))
				rec := httptest.NewRecorder()
				w.h.ServeHTTP(rec, r)
				codes[i] = rec.Code
			})
		}
		all.Wait()
		require.Equal(t, slices.Repeat([]int{200}, 50), codes)
		require.Equal(t, before+1, w.inboxCount())

		// What was taken in went through: nothing stands before it.
		w.settle()
		require.Empty(t, bell.take())
	})
}

func (w *world) inboxCount() (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.app.DB.QueryRow(context.Background(), "select count(*) from connector_inbox").Scan(&n))
	return n
}
