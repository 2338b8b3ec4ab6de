package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/testkit"
)

// TestManyHandsAtOnce lets people merge both ways round, undo, tag, untag, move,
// export, delete tags and cancel jobs all at once. Nobody gets a fault of ours, and what is left is
// consistent: whoever is merged leads to somebody alive, no identity and no shown
// tag belongs to one who is not, and every undo gives everybody back.
func TestManyHandsAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		var people, tags []string
		for n := range 12 {
			require.Equal(t, 200, w.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"u%d","traits":{"phone":%q,"name":"客户%d"}}`, n, phone(n), n), nil))
		}
		w.settle()
		var page peoplePage
		require.Equal(t, 200, w.call("GET", "/api/contacts", "", &page))
		for _, c := range page.Items {
			people = append(people, c.ID)
		}
		for n := range 4 {
			var tag struct{ ID string }
			require.Equal(t, 200, w.call("POST", "/api/tags", fmt.Sprintf(`{"name":"标签%d","group":"组"}`, n), &tag))
			tags = append(tags, tag.ID)
		}
		var user struct{ User struct{ ID string } }
		require.Less(t, w.call("POST", "/api/users", `{"email":"a@pond.example","name":"a","role":"sales"}`, &user), 300)

		var mu sync.Mutex
		var merges, runs, jobs []string
		pick := func(rnd *rand.Rand, from *[]string) string {
			mu.Lock()
			defer mu.Unlock()
			if len(*from) == 0 {
				return "none"
			}
			return (*from)[rnd.IntN(len(*from))]
		}
		keep := func(to *[]string, text []byte, prefix string) {
			for _, m := range idLike.FindAllStringSubmatch(string(text), -1) {
				if m[1] == prefix {
					mu.Lock()
					*to = append(*to, m[0])
					mu.Unlock()
					return
				}
			}
		}
		var wait sync.WaitGroup
		// A job runs with what its asker may do at the time, so they must be somebody.
		var boss struct{ User struct{ ID string } }
		require.Less(t, w.call("POST", "/api/users", `{"email":"b@pond.example","name":"b","role":"admin"}`, &boss), 300)
		admin := testkit.Principal("admin")
		admin.ID = boss.User.ID
		for hand := range 6 {
			wait.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(hand), 3))
				ask := func(method, path, body string) []byte {
					rec := w.as(admin, method, path, body)
					if rec.Code >= 500 {
						t.Errorf("%s %s %s: %d %s", method, path, body, rec.Code, rec.Body.String())
					}
					return rec.Body.Bytes()
				}
				all := `"filter":{}`
				for range 25 {
					a, b := people[rnd.IntN(len(people))], people[rnd.IntN(len(people))]
					switch rnd.IntN(10) {
					case 0, 1, 2:
						keep(&merges, ask("POST", "/api/contacts/"+a+"/merge", fmt.Sprintf(`{"other":%q,"confirm":true}`, b)), "mg")
					case 3:
						ask("POST", "/api/merges/"+pick(rnd, &merges)+"/undo", `{}`)
					case 4:
						keep(&runs, ask("POST", "/api/tags/bulk", fmt.Sprintf(`{"add":[%q],"remove":[%q],"selection":{%s}}`, tags[rnd.IntN(4)], tags[rnd.IntN(4)], all)), "tr")
					case 5:
						ask("POST", "/api/tag-runs/"+pick(rnd, &runs)+"/undo", `{}`)
					case 6:
						keep(&jobs, ask("POST", "/api/contacts/reassign", fmt.Sprintf(`{%s,"to":[{"user":%q}]}`, all, user.User.ID)), "jb")
					case 7:
						keep(&jobs, ask("POST", "/api/contacts/export", fmt.Sprintf(`{"format":"csv","selection":{%s}}`, all)), "jb")
						ask("POST", "/api/jobs/"+pick(rnd, &jobs)+"/cancel", `{}`)
					case 8:
						ask("POST", "/api/consent/changes", fmt.Sprintf(`{%s,"purpose":"marketing","channel":"sms","state":"withdrawn","reason":"r"}`, all))
						ask("PUT", "/api/contacts/"+a+"/tags", fmt.Sprintf(`{"add":[%q]}`, tags[rnd.IntN(4)]))
					case 9:
						if hand == 0 && rnd.IntN(3) == 0 {
							ask("DELETE", "/api/tags/"+tags[3], "")
						}
						ask("POST", "/api/contacts/"+a+"/follow-ups", fmt.Sprintf(`{"text":"t","assignee":%q,"due":%q}`, user.User.ID, time.Now().Add(time.Hour).Format(time.RFC3339)))
						ask("GET", "/api/contacts/"+b, "")
					}
				}
			})
		}
		wait.Wait()
		require.Eventually(t, func() bool {
			var busy int
			require.NoError(t, w.app.DB.QueryRow(t.Context(), "select count(*) from jobs where state in ('queued','running')").Scan(&busy))
			return busy == 0
		}, 60*time.Second, 50*time.Millisecond, "jobs end")
		w.settle()
		none := func(what, query string) {
			t.Helper()
			var n int
			require.NoError(t, w.app.DB.QueryRow(context.Background(), query).Scan(&n))
			require.Zero(t, n, what)
		}
		none("merged into somebody gone", "select count(*) from contacts c where c.merged_into <> 0 and not exists (select 1 from contacts d where d.num = c.merged_into)")
		none("merged and shown", "select count(*) from contacts where merged_into <> 0 and shown <> 0")
		none("identities of the merged", "select count(*) from identities i where not exists (select 1 from contacts c where c.num = i.contact and c.merged_into = 0)")
		none("tags that are not there", "select count(*) from contact_tags x where not exists (select 1 from tags t where t.id = x.tag)")
		none("failed jobs", "select count(*) from jobs where state = 'failed'")
		var shown int
		require.NoError(t, w.app.DB.QueryRow(t.Context(), "select count(*) from contacts where merged_into = 0").Scan(&shown))
		page = peoplePage{}
		require.Equal(t, 200, w.call("GET", "/api/contacts", "", &page))
		require.EqualValues(t, shown, page.Total)
		for _, id := range people { // however deep the chain, it leads to somebody
			require.Equal(t, http.StatusOK, w.call("GET", "/api/contacts/"+id, "", nil))
		}
		for left := true; left; { // newest or oldest first, all come apart again
			left = false
			for _, m := range merges {
				left = w.as(admin, "POST", "/api/merges/"+m+"/undo", `{}`).Code == 200 || left
			}
		}
		page = peoplePage{}
		require.Equal(t, 200, w.call("GET", "/api/contacts", "", &page))
		require.EqualValues(t, len(people), page.Total, "everybody is back")
		for n := range people {
			var found peoplePage
			require.Equal(t, 200, w.call("GET", "/api/contacts?q="+phone(n), "", &found))
			require.Len(t, found.Items, 1)
			require.Equal(t, fmt.Sprintf("客户%d", n), found.Items[0].Name, "with their own number")
		}
	})
}
