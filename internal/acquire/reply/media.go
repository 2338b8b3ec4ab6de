package reply

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

type mediaKey struct{ file, account string }

type mediaValue struct {
	media string
	until int64
}

const (
	// mediaAhead is how long before the platform forgets a picture it is handed over anew.
	mediaAhead = 12 * time.Hour
	mediaTime  = 20 * time.Second
)

// message is a content without its picture.
func message(c Content) Message {
	return Message{Kind: c.Kind, Text: c.Text, Title: c.Title, Note: c.Note, URL: c.URL, Picture: c.Picture, AppID: c.AppID, AppPath: c.AppPath, Lines: c.Lines, Tail: c.Tail}
}

// ready makes a content the platform's, from memory.
func (s *Service) ready(account string, c Content) (Message, bool) {
	m := message(c)
	if c.File == "" {
		return m, true
	}
	if v, ok := s.media.Load(mediaKey{c.File, account}); ok && v.(mediaValue).until > clock.Ms(s.Clock.Now()) {
		m.Media = v.(mediaValue).media
		return m, true
	}
	return m, false
}

// have is ready that hands the picture over when the platform has not got it.
func (s *Service) have(ctx context.Context, account string, c Content) (Message, error) {
	m, ok := s.ready(account, c)
	if ok {
		return m, nil
	}
	call, cancel := context.WithTimeout(ctx, mediaTime)
	defer cancel()
	var err error
	m.Media, err = s.handOver(call, mediaKey{c.File, account})
	return m, err
}

func (s *Service) readMedia(ctx context.Context) error {
	rows, err := s.DB.Query(ctx, "select file, account, media, until from reply_media where until > $1", clock.Ms(s.Clock.Now()))
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var k mediaKey
		var v mediaValue
		if err = r.Scan(&k.file, &k.account, &v.media, &v.until); err == nil {
			s.media.Store(k, v)
		}
		return x, err
	})
	if err != nil {
		return fmt.Errorf("read media of auto-replies: %w", err)
	}
	return nil
}

// freshMedia hands pictures over before an answer needs them: there is no time then.
func (s *Service) freshMedia(ctx context.Context) error {
	limit := clock.Ms(s.Clock.Now().Add(mediaAhead))
	need := map[mediaKey]bool{}
	for _, d := range s.book.Load().accounts {
		for _, list := range d.by {
			for _, r := range list {
				for _, c := range r.Contents {
					if c.File == "" || r.Off {
						continue
					}
					k := mediaKey{c.File, r.Account}
					if v, ok := s.media.Load(k); !ok || v.(mediaValue).until < limit {
						need[k] = true
					}
				}
			}
		}
	}
	var faults []error
	for k := range need {
		if ctx.Err() != nil {
			break
		}
		call, cancel := context.WithTimeout(ctx, mediaTime)
		if _, err := s.handOver(call, k); err != nil {
			faults = append(faults, err)
		}
		cancel()
	}
	return errors.Join(faults...)
}

func (s *Service) handOver(ctx context.Context, k mediaKey) (string, error) {
	name, body, err := s.Files.OpenPicture(ctx, k.file)
	if err != nil {
		return "", err
	}
	defer body.Close()
	media, until, err := s.Platform.Media(ctx, k.account, name, body)
	if err != nil {
		return "", fmt.Errorf("hand over %s: %w", k.file, err)
	}
	v := mediaValue{media, clock.Ms(until)}
	if _, err := s.DB.Exec(ctx, `insert into reply_media (file, account, media, until) values ($1, $2, $3, $4)
		on conflict (file, account) do update set media = excluded.media, until = excluded.until`, k.file, k.account, v.media, v.until); err != nil {
		return "", fmt.Errorf("keep media: %w", err)
	}
	s.media.Store(k, v)
	return media, nil
}
