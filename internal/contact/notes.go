package contact

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// maxNote is the longest note, in characters.
const maxNote = 4000

// noteField is under which name notes are sealed: staff write phone numbers and
// addresses into them, in words that no rule finds.
const noteField = "contact.note"

type noteCursor struct {
	At int64  `json:"t"`
	ID string `json:"i"`
}

// Notes lists what staff wrote about a contact, newest first.
func (s *Service) Notes(ctx context.Context, id, cursor string, limit int) (notes []Note, next string, err error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	cur := noteCursor{At: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &cur); err != nil {
		return nil, "", err
	}
	limit = pageLimit(limit)
	rows, err := s.DB.Query(ctx, `select id, body, author_id, author_name, created_at from contact_notes
		where contact = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4`, num, cur.At, cur.ID, limit+1)
	notes, err = db.Collect(rows, err, func(r *sql.Rows) (n Note, err error) {
		var at int64
		err = r.Scan(&n.ID, &n.Text, &n.Author.ID, &n.Author.Name, &at)
		n.CreatedAt = clock.FromMs(at)
		if err == nil {
			n.Text, err = s.Keys.OpenOrClear(noteField, n.Text)
		}
		return n, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read notes: %w", err)
	}
	if len(notes) > limit {
		notes = notes[:limit]
		end := notes[limit-1]
		next = httpx.EncodeCursor(noteCursor{clock.Ms(end.CreatedAt), end.ID})
	}
	return notes, next, nil
}

func pageLimit(n int) int {
	if n <= 0 {
		return 50
	}
	return min(n, 200)
}

// AddNote writes a note about a contact. The fact that states it holds no text.
func (s *Service) AddNote(ctx context.Context, id, text string) (Note, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Note{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "request.field_required"))
	case utf8.RuneCountInString(text) > maxNote:
		return Note{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "request.too_long", "limit", maxNote))
	}
	by, now := principal(ctx), s.Clock.Now()
	n := Note{ID: s.IDs.New("nt"), Text: text, Author: Ref{by.ID, by.Name}, CreatedAt: now}
	body, err := s.Keys.Seal(noteField, n.Text)
	if err != nil {
		return Note{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		num, err := s.NumOf(ctx, id)
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "insert into contact_notes (id, contact, body, author_id, author_name, created_at) values ($1,$2,$3,$4,$5,$6)",
			n.ID, num, body, n.Author.ID, n.Author.Name, now.UnixMilli())
		if err != nil {
			return err
		}
		if err := s.Touched(ctx, num, by.ID, now); err != nil {
			return err
		}
		if err := s.Emit.Emit(ctx, s.fact(event.NameNoteAdded, num, now, map[string]any{"note": n.ID, "by": by.Name})); err != nil {
			return err
		}
		return s.recordNote(ctx, "contact.note_added", num, n.ID)
	})
	if err != nil {
		return Note{}, fmt.Errorf("add note: %w", err)
	}
	return n, nil
}

// DeleteNote takes a note away.
func (s *Service) DeleteNote(ctx context.Context, id, note string) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.NumOf(ctx, id)
		if err != nil {
			return err
		}
		n, err := s.DB.ExecN(ctx, "delete from contact_notes where id = $1 and contact = $2", note, num)
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.New(errs.NotFound, "contact.no_such_note", "id", note)
		}
		return s.recordNote(ctx, "contact.note_deleted", num, note)
	})
	if err != nil {
		return fmt.Errorf("delete note: %w", err)
	}
	return nil
}

func (s *Service) recordNote(ctx context.Context, action string, num int64, note string) error {
	refs, err := s.Refs(ctx, []int64{num})
	if err != nil {
		return err
	}
	return s.record(ctx, action, refs[num].ID, refs[num].Name, map[string]any{"note": note})
}

// Author is somebody who wrote notes about a contact: how many, and the last when.
type Author struct {
	ID    string
	Count int64
	Last  time.Time
}

// NoteAuthors tells who wrote notes about a contact and those merged into it.
func (s *Service) NoteAuthors(ctx context.Context, num int64) ([]Author, error) {
	rows, err := s.DB.Query(ctx, "select author_id, count(*), max(created_at) from contact_notes where contact = $1 group by author_id order by author_id", num)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (a Author, err error) {
		var at int64
		err = r.Scan(&a.ID, &a.Count, &at)
		a.Last = clock.FromMs(at)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("read authors: %w", err)
	}
	return out, nil
}
