package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Batch is an uploaded file of links to make. Its columns are known by their names.
type Batch struct {
	UploadID string `json:"uploadId" maxLength:"60"`
	DryRun   bool   `json:"dryRun,omitempty" doc:"Only tells what it would do"`
	Common   Input  `json:"common,omitempty" doc:"What a row does not say"`
}

// Rejected is a row of a file that cannot be used.
type Rejected struct {
	Line   int64  `json:"line"`
	Text   string `json:"text,omitempty"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// BatchResult is what a file made, or would make.
type BatchResult struct {
	Rows     int64      `json:"rows"`
	Good     int        `json:"good"`
	Rejected int64      `json:"rejected"`
	Rejects  []Rejected `json:"rejects" doc:"The first of them"`
	Made     []Link     `json:"made"`
}

var columnNames = map[string][]string{
	"target":   {"target", "url", "link", "address", "目标地址", "链接", "网址", "地址", "落地页"},
	"title":    {"title", "name", "标题", "名称"},
	"channel":  {"channel", "渠道"},
	"source":   {"utm_source", "source", "来源"},
	"medium":   {"utm_medium", "medium", "媒介"},
	"campaign": {"utm_campaign", "campaign", "活动", "计划"},
	"content":  {"utm_content", "content", "内容", "素材"},
}

// CreateFromFile makes a link for each row that can be used: all of them or, when
// one cannot be written, none.
func (s *Service) CreateFromFile(ctx context.Context, in Batch) (BatchResult, error) {
	out := BatchResult{Rejects: []Rejected{}, Made: []Link{}}
	if in.UploadID == "" {
		return out, bad("uploadId", "request.field_required")
	}
	file, err := s.Tables.OpenTable(ctx, in.UploadID)
	if err != nil {
		return out, err
	}
	list, err := s.readBatch(ctx, file, in.Common, &out)
	if err = errors.Join(err, file.Close()); err != nil {
		return out, err
	}
	out.Good = len(list)
	if in.DryRun || len(list) == 0 {
		return out, nil
	}
	out.Made, err = s.Create(ctx, list...)
	return out, err
}

func (s *Service) readBatch(ctx context.Context, file *contact.Table, common Input, out *BatchResult) ([]Input, error) {
	at := map[string]int{}
	for field, names := range columnNames {
		at[field] = slices.IndexFunc(file.Columns, func(c string) bool {
			return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(strings.TrimSpace(c), n) })
		})
	}
	if at["target"] < 0 {
		return nil, bad("uploadId", "link.no_target_column", "columns", strings.Join(file.Columns, ", "))
	}
	var list []Input
	for {
		line, row, err := file.Next()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read file of links: %w", err)
		}
		if out.Rows++; out.Rows > maxBatch {
			return nil, errs.New(errs.Invalid, "link.file_too_long", "limit", maxBatch)
		}
		x := common
		for field, to := range map[string]*string{"target": &x.Target, "title": &x.Title, "channel": &x.Channel, "source": &x.Source, "medium": &x.Medium, "campaign": &x.Campaign, "content": &x.Content} {
			if i := at[field]; i >= 0 && i < len(row) && strings.TrimSpace(row[i]) != "" {
				*to = strings.TrimSpace(row[i])
			}
		}
		text, code := x.Target, ""
		if named := x.Channel; named != "" && named != common.Channel {
			if x.Channel = s.Channels.Named(ctx, named); x.Channel == "" {
				text, code = named, "acquire.row_no_channel"
			}
		}
		if x.Title == "" {
			x.Title = clipRunes(x.Target, maxTitle)
		}
		if row == nil {
			code = "acquire.row_unreadable"
		}
		if code == "" {
			if err := s.check(ctx, &x); err != nil {
				if e := errs.As(err); len(e.Fields) > 0 {
					code = e.Fields[0].Code
				} else {
					return nil, err
				}
			}
		}
		if code != "" {
			if out.Rejected++; len(out.Rejects) < 200 {
				out.Rejects = append(out.Rejects, Rejected{Line: line, Text: clipRunes(text, 80), Code: code, Reason: httpx.Say(ctx, code, map[string]any{"limit": maxTarget})})
			}
			continue
		}
		list = append(list, x)
	}
}

func clipRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}
