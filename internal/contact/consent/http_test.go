package consent

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx/httpxtest"
)

func TestPermissions(t *testing.T) {
	each(t, func(t *testing.T, p *pond) { httpxtest.WalkPermissions(t, serve(p).api, auth.BuiltinRoles()) })
}

type m = map[string]any

func TestStaffChange(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		n, pid := p.person(contact.NewContact{Phone: "13812341234"})
		at := "/api/contacts/" + pid + "/consents"
		for name, c := range map[string]struct {
			body m
			code string
		}{
			"no reason":     {m{"reason": " ", "changes": []m{{"purpose": "marketing", "channel": "sms", "state": "granted"}}}, "request.invalid"},
			"no purpose":    {m{"reason": "来电", "changes": []m{{"purpose": "nothing", "channel": "sms", "state": "granted"}}}, "consent.no_such_purpose"},
			"no channel":    {m{"reason": "来电", "changes": []m{{"purpose": "recommendation", "channel": "sms", "state": "granted"}}}, "request.invalid"},
			"no wording":    {m{"reason": "来电", "changes": []m{{"purpose": "marketing", "channel": "sms", "state": "granted", "wording": 9}}}, "request.invalid"},
			"in the future": {m{"reason": "来电", "changes": []m{{"purpose": "marketing", "channel": "sms", "state": "granted", "at": "2030-01-01T00:00:00Z"}}}, "request.invalid"},
			"nothing":       {m{"reason": "来电", "changes": []m{}}, "request.invalid"},
		} {
			status, code := s.call("POST", at, "service", c.body, nil)
			require.Equal(t, c.code, code, name)
			require.Less(t, status, 500, name)
		}
		require.Zero(t, p.rows())
		status, code := s.call("POST", at, "analyst", m{"reason": "来电", "changes": []m{{"purpose": "marketing", "channel": "sms", "state": "granted"}}}, nil)
		require.Equal(t, 403, status, code)

		var prof Profile
		status, code = s.call("POST", at, "service", m{"reason": "来电要求退订短信", "changes": []m{{"purpose": "marketing", "channel": "sms", "state": "withdrawn", "reply": true, "messageId": "sms-TD-1"}}}, &prof)
		require.Equal(t, 200, status, code)
		require.Equal(t, "!withdrawn", p.may(n, "marketing", SMS))
		var hist LedgerPage
		s.call("GET", at+"/history", "analyst", nil, &hist)
		require.Len(t, hist.Items, 1)
		require.Equal(t, FromReply, hist.Items[0].Source)
		require.Equal(t, "来电要求退订短信", hist.Items[0].Proof.Note)
		require.Equal(t, "sms-TD-1", hist.Items[0].Proof.MessageID)

		var checked CheckResult
		status, code = s.call("POST", "/api/consent/check", "analyst", m{"ids": []string{pid, "ct_nobody"}, "purpose": "marketing", "channel": "sms"}, &checked)
		require.Equal(t, 200, status, code)
		require.Len(t, checked.Items, 1)
		require.Equal(t, ByWithdrawal, checked.Items[pid].Reason)

		var recent LedgerPage
		s.call("GET", "/api/consent/ledger?source=reply", "analyst", nil, &recent)
		require.Len(t, recent.Items, 1)
		require.Equal(t, pid, recent.Items[0].Contact.ID)

		for _, format := range []string{"", "?format=html"} {
			r := httptest.NewRequest("GET", at+"/proof"+format, nil)
			r.Header.Set("X-Role", "analyst")
			w := httptest.NewRecorder()
			s.h.ServeHTTP(w, r)
			require.Equal(t, 200, w.Code)
			require.Contains(t, w.Body.String(), "来电要求退订短信")
			require.Contains(t, w.Body.String(), hist.Items[0].Hash)
		}
	})
}

func TestPurposesAndWordings(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		var list PurposeList
		s.call("GET", "/api/consent/purposes", "analyst", nil, &list)
		require.Len(t, list.Items, 7)
		status, code := s.call("POST", "/api/consent/purposes", "user_ops", m{"id": "live", "name": m{"zh": "直播", "en": "Live"}, "wording": m{"zh": "同意", "en": "I agree"}}, nil)
		require.Equal(t, 403, status, code)
		var pur Purpose
		status, code = s.call("POST", "/api/consent/purposes", "admin", m{"id": "live", "name": m{"zh": "直播", "en": "Live"}, "channels": []string{"wecom", "sms"}, "wording": m{"zh": "同意", "en": "I agree"}}, &pur)
		require.Equal(t, 200, status, code)
		require.EqualValues(t, 1, pur.Current)
		require.False(t, pur.Default)
		for name, c := range map[string]struct {
			method, path string
			body         m
			status       int
		}{
			"taken":           {"POST", "/api/consent/purposes", m{"id": "live", "name": m{"zh": "直播", "en": "Live"}, "wording": m{"zh": "同意", "en": "I agree"}}, 409},
			"bad id":          {"POST", "/api/consent/purposes", m{"id": "Live!", "name": m{"zh": "直播", "en": "Live"}, "wording": m{"zh": "同意", "en": "I agree"}}, 422},
			"reserved":        {"POST", "/api/consent/purposes", m{"id": "everything", "name": m{"zh": "直播", "en": "Live"}, "wording": m{"zh": "同意", "en": "I agree"}}, 422},
			"no name":         {"POST", "/api/consent/purposes", m{"id": "live2", "name": m{"zh": "直播", "en": " "}, "wording": m{"zh": "同意", "en": "I agree"}}, 422},
			"no wording":      {"POST", "/api/consent/purposes", m{"id": "live2", "name": m{"zh": "直播", "en": "Live"}, "wording": m{"zh": "", "en": "I agree"}}, 422},
			"pigeon":          {"PATCH", "/api/consent/purposes/live", m{"channels": []string{"pigeon"}}, 422},
			"builtin's basis": {"PATCH", "/api/consent/purposes/marketing", m{"basis": "contract"}, 422},
			"nobody":          {"PATCH", "/api/consent/purposes/nobody", m{"archived": true}, 404},
			"in the past":     {"POST", "/api/consent/purposes/live/wordings", m{"text": m{"zh": "新", "en": "new"}, "effectiveAt": "2020-01-01T00:00:00Z"}, 422},
		} {
			status, code := s.call(c.method, c.path, "admin", c.body, nil)
			require.Equal(t, c.status, status, "%s: %s", name, code)
		}
		n := p.people(1)[0]
		p.say(n, "live", All, Granted)
		status, code = s.call("POST", "/api/consent/purposes/live/wordings", "admin", m{"text": m{"zh": "新文案", "en": "new words"}, "effectiveAt": start.Add(24 * time.Hour)}, &pur)
		require.Equal(t, 200, status, code)
		require.EqualValues(t, 1, pur.Current, "not yet")
		p.clock.Advance(25 * time.Hour)
		p.say(n, "live", All, Granted)
		var got []int64
		for _, e := range mustHistory(t, p, n) {
			got = append(got, e.wording)
		}
		require.Equal(t, []int64{2, 1}, got, "each row names what was shown that day")
		s.call("PATCH", "/api/consent/purposes/live", "admin", m{"archived": true}, nil)
		require.Equal(t, "!archived", p.may(n, "live", SMS))
	})
}

func mustHistory(t *testing.T, p *pond, n int64) []entry {
	l, err := p.history(p.ctx, []int64{n}, 0, 100)
	require.NoError(t, err)
	return l
}

func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		nums := p.people(2*bulkBatch + 7)
		p.say(nums[0], "marketing", SMS, Withdrawn)
		p.say(nums[1], Everything, All, Withdrawn)
		p.say(nums[2], "marketing", All, Granted)
		p.clock.Advance(time.Minute)
		start := func(body m) (Batch, string) {
			var b Batch
			_, code := s.call("POST", "/api/consent/changes", "user_ops", body, &b)
			return b, code
		}
		_, code := start(m{"purpose": "marketing", "state": "granted", "reason": "线下签字"})
		require.Equal(t, "request.invalid", code, "work on everybody must be meant")
		_, code = start(m{"filter": m{}, "purpose": "marketing", "state": "granted", "reason": "线下签字"})
		require.Equal(t, "request.invalid", code, "a grant names its wording")
		_, code = start(m{"filter": m{}, "purpose": "everything", "state": "granted", "reason": "恢复"})
		require.Equal(t, "request.invalid", code)
		b, code := start(m{"filter": m{}, "purpose": "marketing", "channel": "sms", "state": "granted", "wording": 1, "reason": "线下签字，见合同 A-12"})
		require.Empty(t, code)
		_, code = s.call("POST", "/api/consent/changes/"+b.ID+"/undo", "user_ops", nil, nil)
		require.Equal(t, "consent.still_running", code)
		p.queue.cutAfter = 2 // the power goes in the second batch
		require.Error(t, p.queue.run(p.ctx))
		require.NoError(t, p.queue.run(p.ctx))
		require.Equal(t, "!withdrawn", p.may(nums[0], "marketing", SMS), "who withdrew is left alone")
		require.Equal(t, "!do_not_contact", p.may(nums[1], "marketing", SMS))
		require.Equal(t, "granted", p.may(nums[len(nums)-1], "marketing", SMS))
		require.EqualValues(t, 3+len(nums)-3, p.rows(), "each once, and none for whom it changes nothing")
		var res changeResult
		require.NoError(t, json.Unmarshal(p.queue.jobs[0].result, &res))
		require.EqualValues(t, 2, res.Kept)
		aud, err := p.Audience(p.ctx, "marketing", SMS)
		require.NoError(t, err)
		require.Len(t, aud.Nums, len(nums)-2)
		require.False(t, aud.Except)
		all, err := p.Audience(p.ctx, "service", SMS)
		require.NoError(t, err)
		require.Equal(t, Audience{[]int64{nums[1]}, true}, all)

		p.clock.Advance(time.Minute)
		p.say(nums[5], "marketing", SMS, Withdrawn) // since then somebody said otherwise
		var undone Batch
		status, code := s.call("POST", "/api/consent/changes/"+b.ID+"/undo", "user_ops", nil, &undone)
		require.Equal(t, http.StatusOK, status, code)
		require.NotNil(t, undone.UndoneAt)
		require.NoError(t, p.queue.run(p.ctx))
		require.Equal(t, "!unknown", p.may(nums[4], "marketing", SMS))
		require.Equal(t, "!withdrawn", p.may(nums[5], "marketing", SMS), "what was said since stays")
		require.Equal(t, "granted", p.may(nums[2], "marketing", SMS))
		_, code = s.call("POST", "/api/consent/changes/"+b.ID+"/undo", "user_ops", nil, nil)
		require.Equal(t, "consent.undone_already", code)
		p.sound()
	})
}
