package care

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

func TestListsFilteredByFollowUp(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, testkit.As(p.t.Context(), "admin")
		p.contacts.FilterBy("followUp", p.Field())
		for name, due := range map[string]time.Duration{"昨天": -24 * time.Hour, "今晚": 6 * time.Hour, "三天后": 72 * time.Hour, "下月": 30 * 24 * time.Hour} {
			p.planned(ctx, p.customer("us_a", name), Plan{Due: start.Add(max(due, time.Hour))})
			if due < 0 { // plans are made for the future: this one is grown old
				_, err := p.DB.Exec(ctx, "update follow_ups set due_at = $1 where contact = (select max(contact) from follow_ups)", start.Add(due).UnixMilli())
				require.NoError(t, err)
			}
		}
		p.customer("us_a", "没计划")
		for value, want := range map[string][]string{"overdue": {"昨天"}, "today": {"今晚"}, "week": {"今晚", "三天后"}, "later": {"下月"}, "none": {"没计划"}} {
			rule, err := rule.Parse(fmt.Sprintf(`{"v":1,"field":"followUp","op":"in","value":[%q]}`, value), "where")
			require.NoError(t, err)
			page, err := p.contacts.List(ctx, contact.Query{Where: rule})
			require.NoError(t, err)
			var names []string
			for _, r := range page.Items {
				names = append(names, r.Name)
			}
			require.ElementsMatch(t, want, names, value)
			require.EqualValues(t, len(want), page.Total)
		}
	})
}
