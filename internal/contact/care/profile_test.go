package care

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/secret"
)

const pdf = "%PDF-1.7\n报价单"

func (p *pond) files() *blob.Sealed {
	p.t.Helper()
	dir, err := blob.NewFolder(p.t.TempDir())
	require.NoError(p.t, err)
	ring, err := secret.NewRing(make([]byte, secret.KeySize))
	require.NoError(p.t, err)
	out := blob.Seal(dir, ring)
	p.Blobs = out
	return out
}

func stored(t *testing.T, b blob.Store) (keys []string) {
	for info, err := range b.List(context.Background(), "") {
		require.NoError(t, err)
		keys = append(keys, info.Key)
	}
	return keys
}

func TestFilesComeAndGo(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		store := p.files()
		c := p.customer("us_a", "甲")
		f, err := p.AddFile(ctx, c, `C:\桌面\张三报价 13812345678.pdf`, strings.NewReader(pdf))
		require.NoError(t, err)
		require.Equal(t, []any{"张三报价 13812345678.pdf", "application/pdf", int64(len(pdf)), false}, []any{f.Name, f.Type, f.Size, f.Picture})
		require.Contains(t, p.emit.names, event.NameFileAdded)
		var name string
		require.NoError(t, p.DB.QueryRow(ctx, "select name from contact_files").Scan(&name))
		require.NotContains(t, name, "13812345678", "names are sealed")
		raw, _, err := store.Raw().Get(ctx, "contacts/"+f.ID+".koi")
		require.NoError(t, err)
		all, err := io.ReadAll(raw)
		require.NoError(t, err)
		require.NoError(t, raw.Close())
		require.NotContains(t, string(all), "报价", "so is what is in them")

		got, r, err := p.OpenFile(ctx, c, f.ID)
		require.NoError(t, err)
		all, err = io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.Equal(t, pdf, string(all))
		require.Equal(t, f.Name, got.Name)
		other := p.customer("us_a", "乙")
		_, _, err = p.OpenFile(ctx, other, f.ID)
		require.Equal(t, "file.not_found", errs.As(err).Code, "a file is found with its contact only")
		_, err = p.FilesOf(p.as("us_b"), c)
		require.Equal(t, "contact.not_found", errs.As(err).Code)

		// It goes with its contact into a merge, and back out of it.
		m, err := p.contacts.MergeByHand(ctx, other, c, "同一人")
		require.NoError(t, err)
		list, err := p.FilesOf(ctx, other)
		require.NoError(t, err)
		require.Len(t, list, 1)
		_, err = p.contacts.UndoMerge(ctx, m.ID, "")
		require.NoError(t, err)
		list, err = p.FilesOf(ctx, other)
		require.NoError(t, err)
		require.Empty(t, list)

		require.NoError(t, p.DeleteFile(ctx, c, f.ID))
		require.Equal(t, "file.not_found", errs.As(p.DeleteFile(ctx, c, f.ID)).Code)
		require.Empty(t, stored(t, store))

		// Nothing stays of a contact that is gone.
		_, err = p.AddFile(ctx, c, "录音.amr", strings.NewReader("#!AMR\n…"))
		require.NoError(t, err)
		p.planned(ctx, c, Plan{Due: start})
		num, err := p.contacts.NumOf(ctx, c)
		require.NoError(t, err)
		require.NoError(t, p.Forget(ctx, []int64{num}))
		require.NoError(t, p.Forget(ctx, []int64{num}), "again")
		require.Empty(t, stored(t, store))
		fu, err := p.OfContact(ctx, c)
		require.NoError(t, err)
		require.Empty(t, fu)
	})
}

func TestFilesThatAreRefused(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		store := p.files()
		c := p.customer("us_a", "甲")
		for name, body := range map[string]string{
			"page.html": "<html>", "drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>", "photo.png": "<html><script>alert(1)</script>", "notes.txt": "<!DOCTYPE html><script>",
			"run.exe": "MZ", "none": "text", "fake.pdf": "PK\x03\x04", "fake.docx": "%PDF-1.7", "archive.zip": "PK\x03\x04",
		} {
			_, err := p.AddFile(ctx, c, name, strings.NewReader(body))
			require.Equal(t, "file.bad_type", errs.As(err).Fields[0].Code, name)
		}
		_, err := p.AddFile(ctx, c, "empty.txt", strings.NewReader(""))
		require.Equal(t, "file.empty", errs.As(err).Fields[0].Code)
		_, err = p.AddFile(ctx, c, " .. ", strings.NewReader("x"))
		require.Equal(t, "name", errs.As(err).Fields[0].Path)
		_, err = p.AddFile(ctx, c, "big.txt", io.LimitReader(endless{}, maxFile+1))
		require.Equal(t, "file.too_large", errs.As(err).Code)
		require.Empty(t, stored(t, store))
		f, err := p.AddFile(ctx, c, "a\u202egpj.txt", strings.NewReader("读得懂"))
		require.NoError(t, err)
		require.Equal(t, "agpj.txt", f.Name, "no name reads backwards")

		// An upload that a crash cut off is swept once nobody can be at it any more.
		_, err = store.Put(ctx, "contacts/fl_lost", bytes.NewReader([]byte("x")))
		require.NoError(t, err)
		_, err = p.DB.Exec(ctx, "insert into contact_files_gone (id, at) values ('fl_lost', $1)", p.clock.Now().UnixMilli())
		require.NoError(t, err)
		require.NoError(t, p.Remind(t.Context()))
		require.Len(t, stored(t, store), 2)
		p.clock.Advance(2 * time.Hour)
		require.NoError(t, p.Remind(t.Context()))
		require.Equal(t, []string{"contacts/" + f.ID}, stored(t, store))
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestRelations(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		a, b, c, d := p.customer("us_a", "甲"), p.customer("us_a", "乙"), p.customer("us_a", "丙"), p.customer("us_b", "丁")
		relate := func(id, other, role string) error {
			_, err := p.Relate(ctx, id, NewRelation{Contact: other, Role: role, Note: " 带来的 "})
			return err
		}
		code := func(err error) string { t.Helper(); return errs.As(err).Fields[0].Code }
		roles := func(id string) (out []string) {
			list, err := p.RelationsOf(ctx, id)
			require.NoError(t, err)
			for _, r := range list {
				name := "?"
				if r.Contact != nil {
					name = r.Contact.Name
				}
				out = append(out, r.Role+" "+name)
			}
			return out
		}
		require.NoError(t, relate(b, a, "inviter"))
		require.Equal(t, []string{"inviter 甲"}, roles(b))
		require.Equal(t, []string{"invitee 乙"}, roles(a), "the right word on each side")
		require.NoError(t, relate(b, c, "invitee"))
		require.Equal(t, "relation.cycle", code(relate(a, c, "inviter")), "乙 invited 丙, 甲 invited 乙")
		require.Equal(t, "relation.cycle", code(relate(c, a, "invitee")))
		require.Equal(t, "relation.has_inviter", code(relate(c, a, "inviter")))
		require.Equal(t, "relation.self", code(relate(a, a, "household")))
		require.NoError(t, relate(a, b, "household"))
		require.Equal(t, "relation.there", code(relate(b, a, "household")), "the same, from the other side")
		require.NoError(t, relate(a, b, "colleague"), "another kind is another relation")
		require.Equal(t, "contact.not_found", code(relate(a, d, "colleague")), "outside the scope")
		require.Equal(t, "request.not_one_of", code(relate(a, b, "boss")))
		var note string
		require.NoError(t, p.DB.QueryRow(ctx, "select note from contact_relations limit 1").Scan(&note))
		require.NotContains(t, note, "带来")
		require.Contains(t, p.emit.names, event.NameRelationAdded)

		// A merge of two that are related leaves no relation to oneself, of two who
		// are related to the same no double; its undo brings both back.
		e := p.customer("us_a", "戊")
		require.NoError(t, relate(c, e, "household"))
		require.NoError(t, relate(b, e, "household"))
		m, err := p.contacts.MergeByHand(ctx, b, c, "同一人")
		require.NoError(t, err)
		require.Equal(t, []string{"inviter 甲", "household 甲", "colleague 甲", "household 戊"}, roles(b))
		require.Equal(t, []string{"household 乙"}, roles(e))
		require.Equal(t, "relation.there", code(relate(e, b, "household")))
		_, err = p.contacts.UndoMerge(ctx, m.ID, "")
		require.NoError(t, err)
		require.Equal(t, []string{"household 丙", "household 乙"}, roles(e))
		require.Equal(t, []string{"inviter 乙", "household 戊"}, roles(c))

		// Seen without a name from where the other is out of sight, and taken away.
		owner := "us_b"
		_, err = p.contacts.Update(ctx, a, contact.Change{OwnerID: &owner})
		require.NoError(t, err)
		require.Contains(t, roles(b), "inviter ?")
		list, err := p.RelationsOf(ctx, b)
		require.NoError(t, err)
		require.NoError(t, p.Unrelate(ctx, b, list[0].ID))
		require.NotContains(t, roles(b), "inviter ?")
		require.Equal(t, "relation.not_found", errs.As(p.Unrelate(ctx, b, list[0].ID)).Code)
		require.Equal(t, "relation.not_found", errs.As(p.Unrelate(ctx, e, list[1].ID)).Code, "only from one of its sides")
	})
}
