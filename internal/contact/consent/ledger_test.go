package consent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestNobodyIsAskedTwiceWhatTheyMean(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n, _ := p.person(contact.NewContact{Phone: "13812341234"})
		require.Equal(t, "!unknown", p.may(n, "marketing", SMS), "without a word, no")
		require.Equal(t, "contract", p.may(n, "service", SMS), "what the contract needs, yes")
		p.say(n, "marketing", All, Granted)
		require.Equal(t, "granted", p.may(n, "marketing", SMS))
		p.clock.Advance(time.Hour)
		p.say(n, "marketing", SMS, Withdrawn)
		require.Equal(t, "!withdrawn", p.may(n, "marketing", SMS))
		require.Equal(t, "granted", p.may(n, "marketing", WeCom), "only that channel")
		p.clock.Advance(time.Hour)
		p.say(n, "marketing", All, Granted)
		require.Equal(t, "granted", p.may(n, "marketing", SMS), "the later word, for all channels")
		p.say(n, "marketing", Email, Withdrawn)
		p.say(n, "marketing", Email, Granted)
		require.Equal(t, "!withdrawn", p.may(n, "marketing", Email), "of two at the same time the withdrawal")
		p.say(n, Everything, All, Withdrawn)
		require.Equal(t, "!do_not_contact", p.may(n, "marketing", SMS))
		require.Equal(t, "!do_not_contact", p.may(n, "service", WeCom), "above everything that has channels")
		require.Equal(t, "!unknown", p.may(n, "recommendation", All), "not about the use of data")
		require.Equal(t, "!no_channel", p.may(n, "recommendation", SMS))
		p.clock.Advance(time.Hour)
		p.say(n, Everything, All, Granted)
		require.Equal(t, "granted", p.may(n, "marketing", SMS), "lifted: what was said before holds again")
		require.Len(t, p.emit.names(), 7)
		p.sound()
	})
}

func TestNobodySaysTheFuture(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n := p.people(1)[0]
		require.NoError(t, p.Write(p.ctx, []Said{{Contact: n, Purpose: "marketing", Channel: SMS, State: Granted, At: start.Add(time.Hour), Source: FromSDK}}))
		p.clock.Advance(time.Minute)
		p.say(n, "marketing", SMS, Withdrawn)
		require.Equal(t, "!withdrawn", p.may(n, "marketing", SMS), "a clock that runs ahead cannot outlast a later withdrawal")
	})
}

func TestSuppressionBeatsConsentAndOutlivesThePerson(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n, _ := p.person(contact.NewContact{Phone: "13812341234", Email: "li@qq.com"})
		p.say(n, "marketing", All, Granted)
		require.Equal(t, "granted", p.may(n, "marketing", SMS))
		sup, err := p.Suppress(p.ctx, "phone", "138 1234 1234", false, "投诉")
		require.NoError(t, err)
		require.Equal(t, "138****1234", sup.Masked)
		require.Equal(t, "!suppressed", p.may(n, "marketing", SMS), "at once")
		require.Equal(t, "!suppressed", p.may(n, "service", Phone))
		require.Equal(t, "granted", p.may(n, "marketing", Email), "another address")
		aud, err := p.Audience(p.ctx, "marketing", SMS)
		require.NoError(t, err)
		require.Empty(t, aud.Nums)
		_, err = p.Suppress(p.ctx, "phone", "+8613812341234", false, "再次")
		require.ErrorContains(t, err, "consent.suppressed_already")
		found, _, err := p.Suppressions(p.ctx, "13812341234", "", 10)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.NoError(t, p.Unsuppress(p.ctx, sup.ID, "误登"))
		require.Equal(t, "granted", p.may(n, "marketing", SMS))

		// whoever must not be contacted stays left alone when the record goes
		p.say(n, Everything, All, Withdrawn)
		require.NoError(t, p.KeepAway(p.ctx, n))
		require.NoError(t, p.forget(p.ctx, []int64{n}))
		_, err = p.DB.Exec(p.ctx, "delete from identities where contact = $1", n)
		require.NoError(t, err)
		again, _ := p.person(contact.NewContact{Email: "LI@qq.com"})
		p.say(again, "marketing", All, Granted)
		require.Equal(t, "!suppressed", p.may(again, "marketing", WeCom), "by no channel at all")
		r, err := p.Verify(p.ctx, nil)
		require.NoError(t, err)
		require.True(t, r.OK, "erased proofs leave the chain whole: %+v", r)
	})
}

func TestVisitorsAndPeopleAreCountedApart(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		v := p.resolve(event.Fact{AnonymousID: "dev1"})
		p.say(v.Contact, "recommendation", All, Withdrawn)
		x := p.people(2)
		p.say(x[0], "recommendation", All, Withdrawn)
		total := func() Total {
			all, err := p.Totals(p.ctx)
			require.NoError(t, err)
			for _, i := range all.Items {
				if i.Purpose == "recommendation" {
					return i
				}
			}
			return Total{}
		}
		require.Equal(t, Total{"recommendation", All, 0, 1, 1}, total())
		p.resolve(event.Fact{AnonymousID: "dev1", UserID: "u1"})
		require.Equal(t, Total{"recommendation", All, 0, 2, 1}, total(), "the visitor became a person")
		for st, want := range map[State]int64{Withdrawn: 2, Unknown: 1, Granted: 0} {
			page, err := p.People(p.ctx, PeopleQuery{Purpose: "recommendation", Channel: All, State: st, Limit: 10})
			require.NoError(t, err)
			require.Equal(t, want, page.Total, st)
			require.Len(t, page.Items, int(want), st)
		}
	})
}

// Totals and lists keep to the caller's data scope, and agree with each other.
func TestTotalsKeepToTheScope(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		nums := p.people(5)
		for i, n := range nums {
			if i < 4 {
				p.say(n, "marketing", All, Granted)
			}
			if i >= 2 {
				_, err := p.DB.Exec(p.ctx, "update contacts set owner_id = 'us_9' where num = $1", n)
				require.NoError(t, err)
			}
		}
		mine := auth.With(p.ctx, &auth.Principal{ID: "us_9", Name: "李娜", Via: auth.ViaSession, Scope: auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, "us_9")})
		all, err := p.Totals(mine)
		require.NoError(t, err)
		for _, x := range all.Items {
			if x.Purpose == "marketing" && x.Channel == SMS {
				require.Equal(t, Total{"marketing", SMS, 2, 0, 1}, x)
			}
		}
		for st, want := range map[State]int{Granted: 2, Unknown: 1, Withdrawn: 0} {
			page, err := p.People(mine, PeopleQuery{Purpose: "marketing", Channel: SMS, State: st, Limit: 1})
			require.NoError(t, err)
			require.EqualValues(t, want, page.Total, st)
			require.Len(t, page.Items, min(want, 1), st)
		}
		rows, _, err := p.Recent(mine, RecentQuery{Limit: 10})
		require.NoError(t, err)
		require.Len(t, rows, 2)
	})
}

func TestPeopleArePagedByKey(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		nums := p.people(7)
		for _, n := range nums[:3] {
			p.say(n, "marketing", All, Granted)
		}
		for st, want := range map[State]int{Granted: 3, Unknown: 4} {
			seen, cursor := 0, ""
			for range 10 {
				page, err := p.People(p.ctx, PeopleQuery{Purpose: "marketing", Channel: SMS, State: st, Cursor: cursor, Limit: 2})
				require.NoError(t, err)
				require.EqualValues(t, want, page.Total)
				seen += len(page.Items)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			require.Equal(t, want, seen, st)
		}
	})
}

func TestTamperingShows(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		n, pid := p.person(contact.NewContact{})
		require.NoError(t, p.Set(p.ctx, pid, []Change{{Purpose: "marketing", Channel: SMS, State: Granted}}, "门店签字"))
		p.say(n, "marketing", SMS, Withdrawn)
		p.say(n, "surveys", All, Granted)
		require.NoError(t, p.Set(p.ctx, pid, []Change{{Purpose: "surveys", Channel: SMS, State: Withdrawn}}, "来电"))
		p.sound()
		for name, c := range map[string]struct {
			do    string
			fault Fault
		}{
			"state":             {"update consent_ledger set state = 'granted' where seq = 2", Edited},
			"time":              {"update consent_ledger set at = at - 1000 where seq = 3", Edited},
			"proof exchanged":   {"update consent_ledger set proof_enc = (select b.proof_enc from consent_ledger b where b.seq = 4) where seq = 1", Forged},
			"row gone":          {"delete from consent_ledger where seq = 2", Missing},
			"end gone":          {"delete from consent_ledger where seq = 4", Cut},
			"end and head gone": {"delete from consent_ledger where seq = 4; update consent_head set seq = 3, hash = (select hash from consent_ledger where seq = 3)", Cut},
		} {
			err := p.DB.Tx(p.ctx, func(ctx context.Context) error {
				for _, stmt := range splitSQL(c.do) {
					_, err := p.DB.Exec(ctx, stmt)
					require.NoError(t, err)
				}
				r, err := p.Verify(ctx, nil)
				require.NoError(t, err)
				require.False(t, r.OK, name)
				require.Equal(t, c.fault, r.Fault, name)
				return fmt.Errorf("put it back")
			})
			require.ErrorContains(t, err, "put it back")
		}
		p.sound()
	})
}

func splitSQL(s string) []string {
	var out []string
	for _, part := range []string{s} {
		for {
			i := -1
			for j := range part {
				if part[j] == ';' {
					i = j
					break
				}
			}
			if i < 0 {
				return append(out, part)
			}
			out, part = append(out, part[:i]), part[i+1:]
		}
	}
	return out
}

func TestStatesThatDifferAreMended(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		nums := p.people(3)
		p.say(nums[0], "marketing", All, Granted)
		p.say(nums[1], "marketing", All, Withdrawn)
		_, err := p.DB.Exec(p.ctx, "update consent_state set granted = 255, withdrawn = 0, cells = 'ff+1.1' where contact = $1", nums[1])
		require.NoError(t, err)
		_, err = p.DB.Exec(p.ctx, "delete from consent_state where contact = $1", nums[0])
		require.NoError(t, err)
		_, err = p.DB.Exec(p.ctx, "insert into consent_state (contact, purpose, shown, granted, withdrawn, at, cells) values ($1, 'surveys', 1, 255, 0, 1, 'ff+1.1')", nums[2])
		require.NoError(t, err)
		r, err := p.Verify(p.ctx, nil)
		require.NoError(t, err)
		require.EqualValues(t, 3, r.Mended)
		require.Equal(t, "granted", p.may(nums[0], "marketing", SMS))
		require.Equal(t, "!withdrawn", p.may(nums[1], "marketing", SMS))
		require.Equal(t, "!unknown", p.may(nums[2], "surveys", SMS))
		p.sound()
	})
}

// model is the slow reference: all rows, and who is part of whom.
type model struct {
	rows   []modelRow
	parent map[int64]int64
}

type modelRow struct {
	num     int64
	purpose string
	ch      Channel
	st      State
	at      int64
	void    bool
	batch   string
}

func (m *model) root(n int64) int64 {
	for m.parent[n] != 0 {
		n = m.parent[n]
	}
	return n
}

func (m *model) state(n int64, purpose string, ch Channel) State {
	best, at := Unknown, int64(-1)
	for _, r := range m.rows {
		if r.void || r.purpose != purpose || (r.ch != ch && r.ch != All) || m.root(r.num) != m.root(n) {
			continue
		}
		if r.at > at || r.at == at && r.st == Withdrawn {
			best, at = r.st, r.at
		}
	}
	return best
}

// Any order of words, merges, undone merges and taken-back batches gives what the
// slow model says, and what is kept for lists is what the ledger says.
func TestRandomHistories(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := newPond(t, d)
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			p.history1(r, n)
		})
		p.sound()
	}, audit.Migrations(), contact.Migrations(), Migrations())
}

func (p *pond) history1(r *rapid.T, run int) {
	m := &model{parent: map[int64]int64{}}
	key := func(n int64) string { return fmt.Sprintf("r%d-%d", run, n) }
	var nums []int64
	for i := range 4 {
		num, _ := p.person(contact.NewContact{Name: "甲", ExternalID: key(int64(i))})
		nums = append(nums, num)
	}
	who := rapid.SampledFrom(nums)
	what := rapid.SampledFrom([]string{"marketing", "surveys", Everything})
	where := rapid.SampledFrom([]Channel{All, SMS, WeCom, Email})
	how := rapid.SampledFrom([]State{Granted, Withdrawn})
	for step := range rapid.IntRange(1, 14).Draw(r, "steps") {
		switch rapid.IntRange(0, 9).Draw(r, "what") {
		default:
			said := Said{Contact: who.Draw(r, "who"), Purpose: what.Draw(r, "purpose"), Channel: where.Draw(r, "channel"), State: how.Draw(r, "state"), Source: FromStaff,
				At: start.Add(time.Duration(rapid.IntRange(-3, 0).Draw(r, "at")) * time.Hour)}
			if said.Purpose == Everything {
				said.Channel = All
			}
			if rapid.Bool().Draw(r, "batch") {
				said.Batch = fmt.Sprintf("b%d-%d", run, rapid.IntRange(0, 2).Draw(r, "which"))
			}
			require.NoError(r, p.Write(p.ctx, []Said{said}))
			m.rows = append(m.rows, modelRow{num: said.Contact, purpose: said.Purpose, ch: said.Channel, st: said.State, at: said.At.UnixMilli(), batch: said.Batch})
		case 6, 7:
			a, b := who.Draw(r, "one"), who.Draw(r, "other")
			if ra, rb := m.root(a), m.root(b); ra != rb {
				p.resolve(event.Fact{Identifiers: []event.Identifier{{Kind: "external_id", Value: key(a - nums[0])}, {Kind: "external_id", Value: key(b - nums[0])}}})
				m.parent[max(ra, rb)] = min(ra, rb) // the older survives
			}
		case 8:
			a := who.Draw(r, "apart")
			if into := m.parent[a]; into != 0 {
				p.apart(r, a, into)
				delete(m.parent, a)
			}
		case 9:
			batch := fmt.Sprintf("b%d-%d", run, rapid.IntRange(0, 2).Draw(r, "taken back"))
			_, err := p.VoidBatch(p.ctx, batch, nil)
			require.NoError(r, err)
			for i := range m.rows {
				if m.rows[i].batch == batch {
					m.rows[i].void = true
				}
			}
		}
		for _, n := range nums {
			for _, ch := range []Channel{SMS, WeCom, Email, Phone} {
				for _, purpose := range []string{"marketing", "surveys"} {
					got, err := p.May(p.ctx, n, purpose, ch)
					require.NoError(r, err)
					want := m.state(n, purpose, ch)
					require.Equal(r, want, got.State, "step %d: %d %s %s", step, n, purpose, ch)
					dnc := m.state(n, Everything, All) == Withdrawn
					require.Equal(r, want == Granted && !dnc, got.Allowed, "step %d: %d %s %s", step, n, purpose, ch)
				}
			}
		}
	}
}

// apart takes back the merge of num, and forgets that the two were said to be apart.
func (p *pond) apart(t require.TestingT, num, into int64) {
	var merge string
	require.NoError(t, p.DB.QueryRow(p.ctx, "select id from contact_merges where from_num = $1 and undone_at = 0", num).Scan(&merge))
	_, err := p.Contacts.UndoMerge(p.ctx, merge, "不是同一个人")
	require.NoError(t, err)
	require.NoError(t, p.Contacts.Reunite(p.ctx, num, into))
}
