package consent

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

// listed gives the numbers that a condition on consent means.
func (p *pond) listed(key, op, values string) []int64 {
	p.t.Helper()
	rule, err := rule.Parse(fmt.Sprintf(`{"v":1,"all":[{"field":"consent","key":%q,"op":%q,"value":[%s]}]}`, key, op, values), "where")
	require.NoError(p.t, err)
	sel := contact.Selection{Query: contact.Query{Where: rule}}
	nums, err := p.Contacts.Walk(p.ctx, sel, 0, 1000)
	require.NoError(p.t, err)
	n, err := p.Contacts.Count(p.ctx, sel)
	require.NoError(p.t, err)
	require.EqualValues(p.t, len(nums), n, "the count and the list agree")
	return nums
}

// Lists filtered by consent hold exactly those of whom May says so, whatever
// was said, merged and put on the suppression list.
func TestListsFilteredByConsent(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		people := p.people(8)
		barred, _ := p.person(contact.NewContact{Name: "王投诉", Phone: "13812341234"})
		people = append(people, barred)
		p.say(people[0], "marketing", All, Granted)
		p.say(people[1], "marketing", SMS, Granted)
		p.say(people[1], "marketing", Email, Withdrawn)
		p.say(people[2], "marketing", SMS, Withdrawn)
		p.say(people[3], "marketing", All, Granted)
		p.say(people[3], Everything, All, Withdrawn)
		p.say(people[4], "service", SMS, Withdrawn)
		p.say(people[5], "marketing", SMS, Granted)
		p.say(people[6], "recommendation", All, Granted)
		p.say(barred, "marketing", SMS, Granted)
		_, err := p.Suppress(p.ctx, "phone", "13812341234", false, "投诉")
		require.NoError(t, err)
		p.join(4, 5) // what the later one said counts for both

		alive, err := p.Contacts.Walk(p.ctx, contact.Selection{}, 0, 1000)
		require.NoError(t, err)
		require.Len(t, alive, len(people)-1)
		views, err := field{p.Service}.Views(p.ctx)
		require.NoError(t, err)
		require.NotEmpty(t, views)
		told := 0
		for _, q := range []struct {
			purpose string
			ch      Channel
		}{{"marketing", SMS}, {"marketing", Email}, {"service", SMS}, {"recommendation", All}} {
			key := q.purpose + ":" + string(q.ch)
			want := map[string][]int64{}
			for _, n := range alive {
				d, err := p.May(p.ctx, n, q.purpose, q.ch)
				require.NoError(t, err)
				want[string(d.State)] = append(want[string(d.State)], n)
				if d.Allowed {
					want[allowed] = append(want[allowed], n)
				}
			}
			for _, v := range []string{allowed, "granted", "withdrawn", "unknown"} {
				require.ElementsMatch(t, want[v], p.listed(key, "in", fmt.Sprintf("%q", v)), key+" "+v)
				require.Len(t, p.listed(key, "notIn", fmt.Sprintf("%q", v)), len(alive)-len(want[v]), key+" not "+v)
				if len(want[v]) > 0 {
					told++
				}
			}
			require.Len(t, p.listed(key, "in", `"granted","unknown"`), len(alive)-len(want["withdrawn"]))
		}
		require.Greater(t, told, 9, "the answers differ")

		for text, code := range map[string]string{
			`{"v":1,"field":"consent","key":"marketing:fax","op":"in","value":["granted"]}`: "rule.bad_key",
			`{"v":1,"field":"consent","key":"marketing:sms","op":"in","value":["maybe"]}`:   "rule.not_a_value",
			`{"v":1,"field":"consent","key":"marketing:sms","op":"contains","value":"x"}`:   "rule.bad_op",
		} {
			rule, err := rule.Parse(text, "where")
			require.NoError(t, err)
			_, err = p.Contacts.Count(p.ctx, contact.Selection{Query: contact.Query{Where: rule}})
			require.Equal(t, code, errs.As(err).Fields[0].Code, text)
		}
	})
}
