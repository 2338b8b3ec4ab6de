package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/blob"
)

// raw makes a request whose body or answer is no JSON.
func (s *served) raw(method, path, role, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Role", role)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

func TestPreviewOfManyAgreesWithTheChange(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		nums := p.people(620)
		p.say(nums[0], "marketing", SMS, Withdrawn)
		p.say(nums[1], Everything, All, Withdrawn)
		p.say(nums[2], "marketing", All, Granted)
		ask := m{"filter": m{}, "purpose": "marketing", "channel": "sms", "state": "granted"}
		var pre BulkPreview
		status, code := s.call("POST", "/api/consent/changes/preview", "user_ops", ask, &pre)
		require.Equal(t, 200, status, code)
		require.Equal(t, BulkPreview{Total: 620, Checked: 620, Changing: 617, Kept: 2, Complete: true}, pre)
		require.EqualValues(t, 3, p.rows(), "nothing is written")
		ask["state"] = "withdrawn"
		s.call("POST", "/api/consent/changes/preview", "user_ops", ask, &pre)
		require.Equal(t, BulkPreview{Total: 620, Checked: 620, Changing: 619, Complete: true}, pre)
		for name, bad := range map[string]m{"purpose": {"purpose": "raffle"}, "channel": {"purpose": "recommendation"}, "lift": {"purpose": "everything", "state": "granted"}} {
			body := m{"filter": m{}, "purpose": "marketing", "channel": "sms", "state": "granted"}
			for k, v := range bad {
				body[k] = v
			}
			status, _ := s.call("POST", "/api/consent/changes/preview", "user_ops", body, nil)
			require.Contains(t, []int{404, 422}, status, name)
		}
	})
}

func TestFileProvesAChange(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		nums := p.people(3)
		const paper = "王芳 2026-03-01 同意接收短信"
		sum := sha256.Sum256([]byte(paper))
		require.Equal(t, 403, s.raw("POST", "/api/consent/proofs?name=a.txt", "analyst", paper).Code)
		require.Equal(t, 422, s.raw("POST", "/api/consent/proofs?name=a.txt", "user_ops", "").Code)
		w := s.raw("POST", "/api/consent/proofs?name=..%2F%E7%AD%BE%E5%AD%97.txt", "user_ops", paper)
		require.Equal(t, 200, w.Code, w.Body.String())
		var f ProofFile
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &f))
		require.Equal(t, "签字.txt", f.Name)
		require.Equal(t, hex.EncodeToString(sum[:]), f.SHA256)

		change := m{"filter": m{}, "purpose": "marketing", "channel": "sms", "state": "granted", "wording": 1, "reason": "线下签字", "proofFile": f.ID}
		status, _ := s.call("POST", "/api/consent/changes", "admin", change, nil)
		require.Equal(t, 422, status, "somebody else's file")
		var b Batch
		status, code := s.call("POST", "/api/consent/changes", "user_ops", change, &b)
		require.Equal(t, 200, status, code)
		require.Equal(t, &ProofRef{f.ID, f.SHA256, f.Size}, b.Proof)
		require.NoError(t, p.queue.run(p.ctx))
		row, err := p.show(&mustHistory(t, p, nums[1])[0])
		require.NoError(t, err)
		require.Equal(t, "签字.txt "+f.SHA256+" 线下签字", row.Proof.File+" "+row.Proof.SHA256+" "+row.Proof.Note)
		require.NotContains(t, string(p.queue.jobs[0].job.Params), "签字.txt", "its name is not for everybody who lists jobs")
		status, _ = s.call("POST", "/api/consent/changes", "user_ops", change, nil)
		require.Equal(t, 422, status, "a file proves one change")

		require.Equal(t, 403, s.raw("GET", "/api/consent/changes/"+b.ID+"/proof", "analyst", "").Code)
		w = s.raw("GET", "/api/consent/changes/"+b.ID+"/proof", "user_ops", "")
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, paper, w.Body.String())
		require.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))
		var again BatchWork
		s.call("GET", "/api/consent/changes/"+b.ID, "analyst", nil, &again)
		require.EqualValues(t, 3, again.Written)
		require.Equal(t, b.Proof, again.Proof)
		require.EqualValues(t, "succeeded", again.State)

		s.raw("POST", "/api/consent/proofs?name=b.txt", "user_ops", "不用了")
		p.clock.Advance(25 * time.Hour)
		s.raw("POST", "/api/consent/proofs?name=c.txt", "user_ops", "新的")
		files, _, err := blob.Usage(p.ctx, p.Files, "consent/")
		require.NoError(t, err)
		require.EqualValues(t, 2, files, "the one in use and the new one")
		p.sound()
	})
}

func TestPreviewOfThePage(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(p)
		show := func(body m) string {
			var out PagePreview
			status, code := s.call("POST", "/api/consent/preview", "analyst", body, &out)
			require.Equal(t, 200, status, code)
			return out.HTML
		}
		page := show(m{"lang": "zh-CN"})
		require.Contains(t, page, "<body inert>")
		require.Contains(t, page, "山月家居")
		require.Contains(t, page, "营销推送")
		require.NotContains(t, page, "/p/", "no link of anybody")
		page = show(m{"lang": "en", "draft": m{"id": "marketing", "name": m{"zh": "", "en": "News & offers"}, "channels": []string{"email"}, "wording": m{"zh": "新", "en": "I want <b>news</b>"}}})
		require.Contains(t, page, "News &amp; offers")
		require.Contains(t, page, "I want &lt;b&gt;news&lt;/b&gt;")
		require.Contains(t, page, "Version 2")
		require.Contains(t, page, "marketing/email")
		require.NotContains(t, page, "marketing/sms")
		page = show(m{"lang": "en", "draft": m{"name": m{"zh": "", "en": "Raffles"}, "selfGrant": true, "channels": []string{"sms"}}})
		require.Contains(t, page, "Raffles")
		require.NotContains(t, show(m{"lang": "en", "draft": m{"id": "marketing", "archived": true}}), "marketing/sms")
		status, _ := s.call("POST", "/api/consent/preview", "analyst", m{"draft": m{"id": "marketing", "channels": []string{"pigeon"}}}, nil)
		require.Equal(t, 422, status)
		saved, err := p.purpose(p.ctx, "marketing")
		require.NoError(t, err)
		require.Equal(t, "Marketing", saved.Name.EN, "a preview changes nothing")
		require.Len(t, saved.Wordings, 1)
	})
}
