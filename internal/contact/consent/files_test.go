package consent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (p *pond) file(importID string, told ...Told) (written, kept int64) {
	p.t.Helper()
	written, kept, err := p.WriteFile(p.ctx, importID, "名单.csv", told)
	require.NoError(p.t, err)
	return written, kept
}

func TestFileSaysWhatPeopleSaid(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n := p.people(4)
		p.say(n[1], "marketing", SMS, Withdrawn)
		p.say(n[2], Everything, All, Withdrawn)
		p.clock.Advance(48 * time.Hour)
		sms := func(num int64, st State, at time.Time) Told {
			return Told{Contact: num, Key: "consent.marketing.sms", State: st, At: at, Line: num + 1}
		}
		written, kept := p.file("im_1", sms(n[0], Granted, time.Time{}), sms(n[1], Granted, time.Time{}), sms(n[2], Granted, time.Time{}), sms(n[3], Withdrawn, start.AddDate(0, -1, 0)),
			Told{Contact: n[3], Key: "consent.everything.all", State: Withdrawn, Line: 9})
		require.Equal(t, []int64{3, 2}, []int64{written, kept})
		require.Equal(t, "granted", p.may(n[0], "marketing", SMS))
		require.Equal(t, "!withdrawn", p.may(n[1], "marketing", SMS), "a file without dates lifts no withdrawal")
		require.Equal(t, "!do_not_contact", p.may(n[2], "marketing", SMS))
		require.Equal(t, "!do_not_contact", p.may(n[3], "marketing", SMS))

		rows, err := p.history(p.ctx, []int64{n[0]}, 0, 10)
		require.NoError(t, err)
		row, err := p.show(&rows[0])
		require.NoError(t, err)
		require.Equal(t, FromImport, row.Source)
		require.Equal(t, "im_1", row.Batch)
		require.Equal(t, Proof{StaffID: "us_1", StaffName: "王芳", ImportID: "im_1", Note: "名单.csv #2"}, row.Proof)
		require.Equal(t, int64(1), row.Wording, "the wording of that day")

		written, kept = p.file("im_2", sms(n[0], Granted, time.Time{}), sms(n[3], Withdrawn, time.Time{}))
		require.Equal(t, []int64{0, 0}, []int64{written, kept}, "the same file again says nothing new")
		before, after := start.Add(-time.Hour), start.Add(time.Hour)
		written, kept = p.file("im_3", sms(n[1], Granted, before))
		require.Equal(t, []int64{0, 1}, []int64{written, kept}, "agreed before withdrawing")
		written, kept = p.file("im_3", sms(n[1], Granted, after))
		require.Equal(t, []int64{1, 0}, []int64{written, kept}, "agreed again since")
		require.Equal(t, "granted", p.may(n[1], "marketing", SMS))
		p.sound()

		got, err := p.FileStates(p.ctx, n, []string{"consent.marketing.sms", "consent.marketing.all", "consent.everything.all"})
		require.NoError(t, err)
		require.Equal(t, map[string]State{"consent.marketing.sms": Granted, "consent.marketing.all": "", "consent.everything.all": ""}, got[n[0]])
		require.Equal(t, map[string]State{"consent.marketing.sms": Withdrawn, "consent.marketing.all": "", "consent.everything.all": Withdrawn}, got[n[3]])

		done, err := p.VoidBatch(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.Equal(t, int64(3), done)
		require.Equal(t, "!unknown", p.may(n[0], "marketing", SMS))
		require.Equal(t, "!unknown", p.may(n[3], "marketing", SMS))
		require.Equal(t, "granted", p.may(n[1], "marketing", SMS), "of another import")
		p.sound()
	})
}

func TestFileRowsOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n := p.people(2)
		p.join(0, 1)
		told := func(num int64, key string, st State) Told { return Told{Contact: num, Key: key, State: st} }
		written, kept := p.file("im", told(n[1], "consent.marketing.all", Withdrawn), told(n[0], "consent.marketing.email", Granted), told(n[0], "consent.recommendation.all", Granted))
		require.Equal(t, []int64{2, 1}, []int64{written, kept}, "a later line meets what an earlier one said")
		require.Equal(t, "!withdrawn", p.may(n[0], "marketing", Email))
		require.Equal(t, "granted", p.may(n[0], "recommendation", All))
		got, err := p.FileStates(p.ctx, n, []string{"consent.marketing.all", "consent.recommendation.all"})
		require.NoError(t, err)
		require.Equal(t, map[string]State{"consent.marketing.all": Withdrawn, "consent.recommendation.all": Granted}, got[n[1]])
		p.sound()
	})
}

func TestFileColumnsFollowPurposes(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		yes := true
		_, err := p.UpdatePurpose(p.ctx, "surveys", PurposeChange{Archived: &yes})
		require.NoError(t, err)
		list, err := p.FileColumns(p.ctx)
		require.NoError(t, err)
		names := map[string]Text{}
		for _, c := range list {
			names[c.Key] = c.Name
		}
		require.Equal(t, Text{"营销推送 · 短信", "Marketing · Text message"}, names["consent.marketing.sms"])
		require.Equal(t, Text{"营销推送 · 全部渠道", "Marketing · All channels"}, names["consent.marketing.all"])
		require.Equal(t, Text{"个性化推荐", "Personalised recommendations"}, names["consent.recommendation.all"])
		require.NotContains(t, names, "consent.recommendation.sms")
		require.NotContains(t, names, "consent.surveys.sms")
		require.True(t, list[len(list)-1].OnlyWithdraw)
	})
}
