package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// JobView is a job as the API shows it.
type JobView struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Title      string          `json:"title"`
	State      State           `json:"state" enum:"queued,running,succeeded,failed,cancelled"`
	Done       int64           `json:"done"`
	Total      int64           `json:"total" doc:"0 while not known"`
	Unit       string          `json:"unit"`
	Error      *JobError       `json:"error,omitempty"`
	Result     json.RawMessage `json:"result,omitempty"`
	HasFile    bool            `json:"hasFile"`
	FileName   string          `json:"fileName,omitempty"`
	CreatedBy  JobCreator      `json:"createdBy"`
	CreatedAt  time.Time       `json:"createdAt"`
	StartedAt  time.Time       `json:"startedAt,omitzero"`
	FinishedAt time.Time       `json:"finishedAt,omitzero"`
	Link       string          `json:"link,omitempty" doc:"Console path of the thing it is about"`
}

// JobError says why a job failed, in the caller's language.
type JobError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// JobCreator is who asked for it.
type JobCreator struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// View shows a job in the language of ctx's request.
func View(ctx context.Context, j Job) JobView {
	v := JobView{ID: j.ID, Kind: j.Kind, Title: j.Title, State: j.State, Done: j.Done, Total: j.Total, Unit: j.Unit,
		Result: j.Result, HasFile: j.FileName != "", FileName: j.FileName, CreatedBy: JobCreator{j.CreatedByID, j.CreatedByName},
		CreatedAt: j.CreatedAt, StartedAt: j.StartedAt, FinishedAt: j.FinishedAt, Link: j.Link}
	if mayFile(ctx, j) != nil { // not offered to whom it would be refused
		v.HasFile, v.FileName = false, ""
	}
	if j.Error != nil {
		v.Error = &JobError{j.Error.Code, httpx.Say(ctx, j.Error.Code, j.Error.Params)}
	}
	return v
}

type listIn struct {
	State  string `query:"state" enum:"queued,running,succeeded,failed,cancelled"`
	Kind   string `query:"kind"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listOut struct {
	Body struct {
		Items []JobView `json:"items"`
		Next  string    `json:"next,omitempty"`
	}
}

type oneIn struct {
	ID string `path:"id"`
}

type oneOut struct{ Body JobView }

// Routes adds the operations of jobs.
func (s *Service) Routes(api *httpx.API) {
	httpx.Register(api, httpx.Op{ID: "list-jobs", Method: http.MethodGet, Path: "/api/jobs", Tag: "jobs",
		Summary: "List jobs, the newest first", Permission: auth.JobsRead}, s.httpList)
	httpx.Register(api, httpx.Op{ID: "get-job", Method: http.MethodGet, Path: "/api/jobs/{id}", Tag: "jobs",
		Summary: "Get one job", Permission: auth.JobsRead}, one(s.Get))
	httpx.Register(api, httpx.Op{ID: "cancel-job", Method: http.MethodPost, Path: "/api/jobs/{id}/cancel", Tag: "jobs",
		Summary: "Stop a job that waits or runs", Permission: auth.JobsWrite}, one(s.Cancel))
	httpx.Register(api, httpx.Op{ID: "retry-job", Method: http.MethodPost, Path: "/api/jobs/{id}/retry", Tag: "jobs",
		Summary: "Queue a failed or cancelled job again", Permission: auth.JobsWrite}, one(s.Retry))
	httpx.Handle(api, httpx.Op{ID: "download-job-file", Method: http.MethodGet, Path: "/api/jobs/{id}/file", Tag: "jobs",
		Summary: "Download the result file of a job", Permission: auth.JobsRead}, http.HandlerFunc(s.httpFile))
}

func one(do func(context.Context, string) (Job, error)) func(context.Context, *oneIn) (*oneOut, error) {
	return func(ctx context.Context, in *oneIn) (*oneOut, error) {
		j, err := do(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &oneOut{View(ctx, j)}, nil
	}
}

func (s *Service) httpList(ctx context.Context, in *listIn) (*listOut, error) {
	var after place
	if err := httpx.DecodeCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	rows, err := s.store.list(ctx, Filter{State: State(in.State), Kind: in.Kind}, after, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	out := &listOut{}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		last := rows[in.Limit-1]
		out.Body.Next = httpx.EncodeCursor(place{clock.Ms(last.CreatedAt), last.ID})
	}
	for _, r := range rows {
		out.Body.Items = append(out.Body.Items, View(ctx, s.fresh(r.Job)))
	}
	return out, nil
}

// httpFile serves the file as a download: a browser never runs what is in it.
func (s *Service) httpFile(w http.ResponseWriter, r *http.Request) {
	j, err := s.store.get(r.Context(), r.PathValue("id"))
	if err == nil {
		err = mayRead(r.Context(), j)
	}
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	f, info, err := s.Files.Get(r.Context(), j.fileKey)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if mt, _, err := mime.ParseMediaType(j.fileType); err == nil {
		h.Set("Content-Type", mt)
		if strings.HasPrefix(mt, "text/") {
			h.Set("Content-Type", mt+"; charset=utf-8")
		}
	}
	h.Set("Content-Disposition", Attachment(j.FileName))
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", info.ModifiedAt, f)
}

func mayRead(ctx context.Context, j row) error {
	if err := mayFile(ctx, j.Job); err != nil {
		return err
	}
	if j.fileKey == "" {
		return errs.New(errs.NotFound, "jobs.no_file")
	}
	return nil
}

// mayFile guards a result file: what somebody with a wide view had written
// about customers is not for those who see only some.
func mayFile(ctx context.Context, j Job) error {
	p := auth.From(ctx)
	switch {
	case p == nil || j.FilePermission == "":
		return nil
	case !p.May(j.FilePermission):
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(j.FilePermission))
	case !p.Scope.All && p.ID != j.CreatedByID:
		return errs.New(errs.Forbidden, "permission.scope")
	}
	return nil
}

// Attachment is the Content-Disposition for a download with a name that a
// person gave, in any script: without folders, quotes or control characters.
func Attachment(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || strings.ContainsRune(`"\/:*?<>|`, r):
			return '_'
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069: // marks that make a name read backwards
			return -1
		}
		return r
	}, name)
	clean = strings.Trim(clean, ". ")
	if clean == "" {
		clean = "file"
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": clean})
}
