package contact

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// dump is every row of the tables that an undo must put back, apart from when a row was last touched.
func dump(t *testing.T, p *pond) []string {
	var out []string
	for _, q := range []string{
		`select num, kind, shown, name, name_pinyin, gender, birthday, city, attributes, written, owner_id, channel, first_source, first_at, kinds, created_at, import_id,
			facts, last_seen_at, merged_into from contacts order by num`,
		"select kind, lookup, contact, import_id from identities order by kind, lookup",
		"select contact, tag, source from contact_tags order by contact, tag",
		"select import_id, contact from contact_import_changes order by import_id, contact",
		"select import_id, contact, facts from contact_import_facts order by import_id, contact",
	} {
		rows, err := p.DB.Query(p.ctx, q)
		lines, err := db.Collect(rows, err, dumpRow)
		require.NoError(t, err)
		out = append(append(out, q), lines...)
	}
	return out
}

// settle lets the emitted facts go through resolving and activity, as the pipeline would.
func (p *pond) settle() {
	facts := p.emit.facts
	p.emit.facts = nil
	if len(facts) == 0 {
		return
	}
	out := p.resolve(facts...)
	stored := make([]event.Stored, len(facts))
	for i := range facts {
		require.Nil(p.t, out.Facts[i].Err)
		stored[i] = event.Stored{Fact: facts[i]}
		stored[i].Contact = out.Facts[i].Contact
	}
	require.NoError(p.t, p.Activity().Handle(p.ctx, stored))
}

func TestUpsertCreatesUpdatesAndRefuses(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tag, err := p.EnsureTag(p.ctx, "来源", "门店")
		require.NoError(t, err)
		old := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001"), Traits: js(map[string]any{"name": "旧名", "level": 1})})
		p.clock.Advance(time.Second)
		opt := UpsertOptions{ImportID: "im_1", Source: "crm", UpdateExisting: true}
		rows := []Incoming{
			{Line: 2, Identifiers: ids(KindPhone, "138-0013-8001", KindMemberNo, "M1"), Attributes: map[string]any{"name": "新名", "level": 2}, Tags: []string{tag.ID}},
			{Line: 3, Identifiers: ids(KindPhone, "13800138002", KindEmail, "not an address"), Attributes: map[string]any{"name": "李四", "city": "杭州"}, Tags: []string{tag.ID}},
			{Line: 4, Identifiers: ids(KindPhone, "12", KindMemberNo, "null")},
			{Line: 5, Identifiers: ids(KindMemberNo, "M2", KindPhone, "13800138001")},
			{Line: 6, Identifiers: ids(KindPhone, "13800138002"), Attributes: map[string]any{"level": "金"}},
		}
		out, err := p.Upsert(p.ctx, rows, opt)
		require.NoError(t, err)
		require.Equal(t, []OutcomeState{Updated, Created, Refused, Created, Updated}, []OutcomeState{out[0].State, out[1].State, out[2].State, out[3].State, out[4].State})
		require.Equal(t, old.Contact, out[0].Num)
		require.Equal(t, "contact.no_identity", out[2].Err.Code)
		require.Len(t, out[1].Ignored, 1)
		require.Contains(t, out[1].Ignored[0], "invalid_email")
		require.Equal(t, []Conflict{{Kind: KindPhone, Value: "138****8001", Holder: old.Contact, Reason: conflictPerson}}, out[3].Conflicts)
		require.Equal(t, out[1].Num, out[4].Num)

		c, err := p.Get(p.ctx, out[0].ID)
		require.NoError(t, err)
		require.Equal(t, "新名", c.Name)
		require.Equal(t, "门店", c.Tags[0].Name)
		require.Equal(t, []Attribute{{Key: "level", Label: "level", Value: float64(2)}}, c.Attributes)
		require.Equal(t, []string{event.NameContactImport, event.NameTagAdded, event.NameContactImport, event.NameTagAdded, event.NameContactImport, event.NameContactImport}, p.emit.names())
		require.Equal(t, "im_1:2:contact", p.emit.facts[0].MessageID)
		require.Contains(t, string(p.emit.facts[1].Properties), `"name":"门店"`) // a timeline shows names, not ids

		// The Resolver knows at once what the import changed.
		require.Equal(t, old.Contact, p.who(event.Fact{Identifiers: ids(KindMemberNo, "M1")}).Contact)

		opt.UpdateExisting = false
		out, err = p.Upsert(p.ctx, []Incoming{{Identifiers: ids(KindPhone, "13800138001"), Attributes: map[string]any{"name": "不要"}}}, opt)
		require.NoError(t, err)
		require.Equal(t, Unchanged, out[0].State)
		require.Equal(t, "新名", one[string](p, "select name from contacts where num = $1", old.Contact))
	})
}

func TestUpsertMergesTwoWhomARowNames(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{Identifiers: ids(KindPhone, "13800138001")})
		b := p.who(event.Fact{UserID: "u1"})
		require.NotEqual(t, a.Contact, b.Contact)
		out, err := p.Upsert(p.ctx, []Incoming{{Identifiers: ids(KindUserID, "u1", KindPhone, "13800138001")}}, UpsertOptions{ImportID: "im_1", UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, Updated, out[0].State)
		require.Equal(t, a.Contact, out[0].Num, "the older")
		require.Equal(t, a.Contact, p.who(event.Fact{UserID: "u1"}).Contact)
		p.emit.facts = nil

		res, err := p.UndoImport(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.Equal(t, UndoResult{Restored: 1}, res, "two made one stay one")
	})
}

func TestUndoImportPutsEverythingBack(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tag, err := p.EnsureTag(p.ctx, "来源", "门店")
		require.NoError(t, err)
		for i := range 5 {
			p.who(event.Fact{UserID: fmt.Sprint("u", i), Identifiers: ids(KindPhone, fmt.Sprint("1380013800", i)), Timestamp: start.UnixMilli() - 1000,
				Traits: js(map[string]any{"name": "旧名", "level": i, "gone": true})})
		}
		p.who(event.Fact{AnonymousID: "dev", Timestamp: start.UnixMilli() - 1000})
		before := dump(t, p)

		rows := []Incoming{{Identifiers: ids(KindMemberNo, "Mdev", KindAnonymous, "dev"), Attributes: map[string]any{"name": "访客"}}}
		for i := range 40 {
			rows = append(rows, Incoming{Line: int64(i), Identifiers: ids(KindPhone, fmt.Sprintf("138001380%02d", i), KindMemberNo, fmt.Sprint("M", i)), Tags: []string{tag.ID}, OwnerID: "us_9",
				Attributes: map[string]any{"name": "新名", "level": "高", "gone": nil, "address": "文三路 1 号"}, CreatedAt: start.UnixMilli() - 5000, Touch: Touch{Channel: Offline, At: start.UnixMilli() - 9000}})
		}
		rows = append(rows, Incoming{Identifiers: ids(KindPhone, "13800138003"), Attributes: map[string]any{"level": "更高"}}) // one contact by two rows
		p.clock.Advance(time.Second)
		opt := UpsertOptions{ImportID: "im_1", Source: "crm", UpdateExisting: true}
		for i := 0; i < len(rows); i += 7 { // several calls, as an import makes them
			_, err = p.Upsert(p.ctx, rows[i:min(i+7, len(rows))], opt)
			require.NoError(t, err)
		}
		p.settle()
		require.NotEqual(t, before, dump(t, p))

		var forgotten []int64
		fail := true
		p.OnRemove(func(_ context.Context, nums []int64) error {
			if fail {
				fail = false
				return errors.New("store is away")
			}
			forgotten = append(forgotten, nums...)
			return nil
		})
		var told []int64
		_, err = p.UndoImport(p.ctx, "im_1", func(done, _ int64) { told = append(told, done) })
		require.Error(t, err)
		res, err := p.UndoImport(p.ctx, "im_1", nil) // goes on where it stopped
		require.NoError(t, err)
		require.NotEmpty(t, told)
		_ = res
		require.Len(t, forgotten, 35, "who is gone is forgotten elsewhere too, once it works")
		p.emit.facts = nil
		require.Equal(t, before, dump(t, p))
		require.Equal(t, event.Visitor, p.who(event.Fact{AnonymousID: "dev"}).Kind)
	})
}

func TestUndoImportKeepsWhatCameSince(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tag, err := p.EnsureTag(p.ctx, "来源", "门店")
		require.NoError(t, err)
		known := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001"), Traits: js(map[string]any{"name": "旧名", "city": "上海", "level": 1})})
		p.clock.Advance(time.Second)
		rows := []Incoming{{Identifiers: ids(KindPhone, "13800138001"), Attributes: map[string]any{"name": "新名", "city": "杭州", "level": 2}}}
		for i := range 6 {
			rows = append(rows, Incoming{Identifiers: ids(KindPhone, fmt.Sprint("1390013900", i))})
		}
		out, err := p.Upsert(p.ctx, rows, UpsertOptions{ImportID: "im_1", UpdateExisting: true})
		require.NoError(t, err)
		p.settle()
		p.clock.Advance(time.Second)

		name := "改过"
		_, err = p.Update(p.ctx, known.ID, Change{Name: &name})
		require.NoError(t, err)
		_, err = p.SetTags(p.ctx, out[1].ID, []string{tag.ID}, nil)
		require.NoError(t, err)
		_, err = p.AddNote(p.ctx, out[2].ID, "回访过")
		require.NoError(t, err)
		require.NoError(t, p.SetOrderSummary(p.ctx, "CNY", []OrderSummary{{Num: out[3].Num, Orders: 1}}))
		require.Equal(t, out[4].Num, p.who(event.Fact{Identifiers: ids(KindPhone, "13900139003"), UserID: "u4"}).Contact)
		p.settle()
		require.NoError(t, p.Activity().Handle(p.ctx, []event.Stored{{Fact: event.Fact{Name: "viewed", Contact: out[5].Num, Timestamp: 5}}}))

		res, err := p.UndoImport(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.Equal(t, UndoResult{Restored: 1, Removed: 1, Kept: 5}, res)
		c, err := p.Get(p.ctx, known.ID)
		require.NoError(t, err)
		require.Equal(t, []any{"改过", "上海"}, []any{c.Name, c.City}, "what a person changed since stays, the rest goes back")
		require.Equal(t, float64(1), c.Attributes[0].Value)
		_, err = p.Get(p.ctx, out[6].ID)
		require.True(t, isNotFound(err))
		for _, o := range out[1:6] {
			_, err := p.Get(p.ctx, o.ID)
			require.NoError(t, err)
		}
		require.NotEqual(t, out[6].Num, p.who(event.Fact{Identifiers: ids(KindPhone, "13900139005")}).Contact, "the Resolver forgot who is gone")
	})
}

// An import of orders or events makes people by its facts alone.
func TestUndoOfFactsRemovesPeopleTheyMade(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		old := p.who(event.Fact{UserID: "u1"})
		seen := func(num, ts int64, imp string) {
			require.NoError(t, p.Activity().Handle(p.ctx, []event.Stored{{Fact: event.Fact{Name: event.NameOrderPaid, Contact: num, Timestamp: ts, ImportID: imp}}}))
		}
		seen(old.Contact, 50, "")
		fresh := p.who(event.Fact{UserID: "u2", ImportID: "im_1"})
		stays := p.who(event.Fact{UserID: "u3", ImportID: "im_1"})
		for _, n := range []int64{old.Contact, fresh.Contact, stays.Contact} {
			seen(n, 100, "im_1")
		}
		seen(stays.Contact, 70, "")
		res, err := p.UndoImport(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.Equal(t, UndoResult{Restored: 1, Removed: 1, Kept: 1}, res)
		require.Equal(t, int64(1), one[int64](p, "select facts from contacts where num = $1", old.Contact))
		require.Equal(t, int64(50), one[int64](p, "select last_seen_at from contacts where num = $1", old.Contact))
		_, err = p.Get(p.ctx, fresh.ID)
		require.True(t, isNotFound(err))
	})
}
