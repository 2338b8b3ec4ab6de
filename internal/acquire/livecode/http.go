package livecode

import (
	"context"
	"net/http"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// CodeInput names a code in the path. It is exported because the API layer reads
// no parameters of embedded types that are not.
type CodeInput struct {
	ID string `path:"id" maxLength:"60" doc:"Live code id"`
}

// FolderInput names a folder in the path.
type FolderInput struct {
	ID string `path:"id" maxLength:"60" doc:"Folder id"`
}

// AccountInput names an account in the path.
type AccountInput struct {
	Account string `path:"account" maxLength:"60" doc:"Account id"`
}

type (
	listInput struct {
		Folder  string `query:"folder" maxLength:"60" doc:"Folder id; none: in no folder"`
		State   string `query:"state" enum:"active,archived,expired,fault" default:"active" doc:"fault: the platform refuses something, or nobody meets scans"`
		Account string `query:"account" maxLength:"60"`
		Channel string `query:"channel" maxLength:"60"`
		Staff   string `query:"staff" maxLength:"64" doc:"The platform's id of a colleague in the pool"`
		Q       string `query:"q" maxLength:"120" doc:"Part of the name"`
		Cursor  string `query:"cursor"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	listOutput struct {
		Body struct {
			Items []Row  `json:"items"`
			Total int    `json:"total" doc:"All that match"`
			Next  string `json:"next,omitempty"`
		}
	}
	detailOutput struct{ Body Detail }
	changeInput  struct {
		CodeInput
		Body Definition
	}
	offlineInput struct {
		CodeInput
		Body struct {
			Staff   string `json:"staff" minLength:"1" maxLength:"64" doc:"The platform's id"`
			Offline bool   `json:"offline"`
		}
	}
	optionsOutput struct{ Body Options }
	foldersOutput struct {
		Body struct {
			Items []Folder `json:"items"`
		}
	}
	folderBody struct {
		Name string `json:"name" maxLength:"160"`
	}
	folderOutput struct{ Body Folder }
	renameInput  struct {
		FolderInput
		Body folderBody
	}
	generalInput struct {
		AccountInput
		Body Welcome
	}
	generalOutput struct{ Body Welcome }
	statsInput    struct {
		CodeInput
		From string `query:"from" maxLength:"10" doc:"First day, YYYY-MM-DD, of the company; default 29 days before the last"`
		To   string `query:"to" maxLength:"10" doc:"Last day, included; default today"`
	}
	statsOutput struct{ Body Stats }
	whoInput    struct {
		CodeInput
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	whoOutput struct {
		Body struct {
			Items []Came `json:"items"`
			Next  string `json:"next,omitempty"`
		}
	}
	logOutput struct {
		Body struct {
			Items []Entry `json:"items"`
			Next  string  `json:"next,omitempty"`
		}
	}
	readInput struct {
		Body struct {
			Account string `json:"account" maxLength:"60"`
			Text    string `json:"text" maxLength:"200000" doc:"CSV: name, colleagues (ids or names, parted by ;) and channel; a first line with these words, or in Chinese, gives their order"`
		}
	}
	readOutput struct {
		Body struct {
			Lines []BatchLine `json:"lines"`
		}
	}
	batchInput  struct{ Body Batch }
	batchOutput struct {
		Body struct {
			Job string `json:"job" doc:"Id of the job that makes them"`
		}
	}
)

// AccountOption is an account with its colleagues.
type AccountOption struct {
	Account
	Colleagues []Colleague `json:"colleagues"`
	Fault      string      `json:"fault,omitempty" doc:"Why the colleagues cannot be read just now, in words"`
}

// Options are what a form chooses from.
type Options struct {
	Accounts []AccountOption `json:"accounts"`
}

// Options gives the accounts and who there is in each, as far as the caller sees them.
func (s *Service) Options(ctx context.Context) (Options, error) {
	out := Options{Accounts: []AccountOption{}}
	list, err := s.Accounts.Accounts(ctx)
	if err != nil {
		return out, err
	}
	for _, a := range list {
		o := AccountOption{Account: a}
		staff, err := s.colleagues(ctx, a.ID)
		if err != nil { // one account that does not work does not keep the others from their codes
			s.Log.WarnContext(ctx, "colleagues are not to be had", "account", a.ID, "error", err)
			e := errs.As(err)
			o.Fault = httpx.Say(ctx, e.Code, e.Params)
		}
		o.Colleagues = append([]Colleague{}, staff.list...)
		out.Accounts = append(out.Accounts, o)
	}
	return out, nil
}

// Routes declares the API of live codes. Callers who see only some customers see
// the codes in which they stand, with their own figures, and change none.
func (s *Service) Routes(api *httpx.API) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: "/api" + path, Tag: "live-codes", Summary: summary, Permission: may, Whole: may == auth.AcquireWrite}
	}
	read, write := auth.AcquireRead, auth.AcquireWrite
	httpx.Register(api, op("list-live-codes", http.MethodGet, "/live-codes", read, "List live codes with today's figures, the newest first"), s.httpList)
	create := op("create-live-code", http.MethodPost, "/live-codes", write, "Make a live code")
	create.Idempotent = true
	httpx.Register(api, create, func(ctx context.Context, in *struct{ Body Definition }) (*detailOutput, error) {
		c, err := s.Create(ctx, in.Body)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("get-live-code-options", http.MethodGet, "/live-codes/options", read, "The accounts that codes can belong to, and their colleagues"), func(ctx context.Context, _ *struct{}) (*optionsOutput, error) {
		o, err := s.Options(ctx)
		return &optionsOutput{o}, err
	})
	httpx.Register(api, op("get-live-code", http.MethodGet, "/live-codes/{id}", read, "Get a live code: its definition, who meets scans just now, what the platform says"), func(ctx context.Context, in *CodeInput) (*detailOutput, error) {
		c, err := s.Get(ctx, in.ID)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("update-live-code", http.MethodPut, "/live-codes/{id}", write, "Change a live code; what is printed stays"), func(ctx context.Context, in *changeInput) (*detailOutput, error) {
		c, err := s.Update(ctx, in.ID, in.Body)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("archive-live-code", http.MethodPost, "/live-codes/{id}/archive", write, "Archive a live code: the platform forgets it, scans of it lead nowhere"), func(ctx context.Context, in *CodeInput) (*detailOutput, error) {
		c, err := s.SetState(ctx, in.ID, Archived)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("restore-live-code", http.MethodPost, "/live-codes/{id}/restore", write, "Take a live code out of the archive, with another picture: what was printed stays dead"), func(ctx context.Context, in *CodeInput) (*detailOutput, error) {
		c, err := s.SetState(ctx, in.ID, Active)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("set-live-code-member", http.MethodPost, "/live-codes/{id}/members", write, "Take a colleague out of turn, or put them back"), func(ctx context.Context, in *offlineInput) (*detailOutput, error) {
		c, err := s.SetOffline(ctx, in.ID, in.Body.Staff, in.Body.Offline)
		return s.answer(ctx, c, err)
	})
	httpx.Register(api, op("get-live-code-stats", http.MethodGet, "/live-codes/{id}/stats", read, "Who came and who stayed, by day, colleague and hour"), func(ctx context.Context, in *statsInput) (*statsOutput, error) {
		c, err := s.Get(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		st, err := s.Stats(ctx, c, in.From, in.To)
		return &statsOutput{st}, err
	})
	httpx.Register(api, op("list-live-code-people", http.MethodGet, "/live-codes/{id}/people", read, "Who came by a live code, newest first"), s.httpWho)
	httpx.Register(api, op("list-live-code-log", http.MethodGet, "/live-codes/{id}/log", read, "What was done to a live code, and what the platform said, newest first"), s.httpLog)
	httpx.Register(api, op("list-live-code-folders", http.MethodGet, "/live-code-folders", read, "List folders"), func(ctx context.Context, _ *struct{}) (*foldersOutput, error) {
		list, err := s.Folders(ctx)
		out := &foldersOutput{}
		out.Body.Items = list
		return out, err
	})
	httpx.Register(api, op("create-live-code-folder", http.MethodPost, "/live-code-folders", write, "Make a folder"), func(ctx context.Context, in *struct{ Body folderBody }) (*folderOutput, error) {
		f, err := s.SaveFolder(ctx, "", in.Body.Name)
		return &folderOutput{f}, err
	})
	httpx.Register(api, op("rename-live-code-folder", http.MethodPut, "/live-code-folders/{id}", write, "Name a folder anew"), func(ctx context.Context, in *renameInput) (*folderOutput, error) {
		f, err := s.SaveFolder(ctx, in.ID, in.Body.Name)
		return &folderOutput{f}, err
	})
	httpx.Register(api, op("delete-live-code-folder", http.MethodDelete, "/live-code-folders/{id}", write, "Delete a folder; its codes stay, in none"), func(ctx context.Context, in *FolderInput) (*struct{}, error) {
		return nil, s.DeleteFolder(ctx, in.ID)
	})
	httpx.Register(api, op("get-general-welcome", http.MethodGet, "/live-code-welcomes/{account}", read, "What friends of an account get who came without a code"), func(ctx context.Context, in *AccountInput) (*generalOutput, error) {
		w, err := s.General(ctx, in.Account)
		return &generalOutput{w}, err
	})
	httpx.Register(api, op("set-general-welcome", http.MethodPut, "/live-code-welcomes/{account}", write, "Set what friends of an account get who came without a code; an empty one sends nothing"), func(ctx context.Context, in *generalInput) (*generalOutput, error) {
		w, err := s.SetGeneral(ctx, in.Account, in.Body)
		return &generalOutput{w}, err
	})
	httpx.Register(api, op("read-live-code-batch", http.MethodPost, "/live-codes/batch/lines", write, "Read the lines of a batch from a file's text, with what is wrong with each"), func(ctx context.Context, in *readInput) (*readOutput, error) {
		list, err := s.ReadLines(ctx, in.Body.Account, in.Body.Text)
		for i := range list {
			if list[i].Fault != "" {
				list[i].Words = httpx.Say(ctx, list[i].Fault, map[string]any{"limit": maxName})
			}
		}
		out := &readOutput{}
		out.Body.Lines = list
		return out, err
	})
	batch := op("create-live-codes", http.MethodPost, "/live-codes/batch", write, "Make many live codes alike, as a job")
	batch.Idempotent = true
	httpx.Register(api, batch, func(ctx context.Context, in *batchInput) (*batchOutput, error) {
		j, err := s.CreateBatch(ctx, in.Body)
		out := &batchOutput{}
		out.Body.Job = j.ID
		return out, err
	})
	s.fileRoutes(api, op)
}

func (s *Service) answer(ctx context.Context, c *Code, err error) (*detailOutput, error) {
	if err != nil {
		return nil, err
	}
	d, err := s.Detail(ctx, c)
	d.Words = say(ctx, d.Fault, d.FaultCode)
	return &detailOutput{d}, err
}

// say puts a fault into words.
func say(ctx context.Context, fault string, code int) string {
	if fault == "" {
		return ""
	}
	return httpx.Say(ctx, fault, map[string]any{"code": code})
}

type listCursor struct {
	ID string `json:"id"`
}

func (s *Service) httpList(ctx context.Context, in *listInput) (*listOutput, error) {
	var c listCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	rows, next, total, err := s.List(ctx, Query{Folder: in.Folder, State: in.State, Account: in.Account, Channel: in.Channel, Staff: in.Staff, Q: in.Q}, c.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Words = say(ctx, rows[i].Fault, rows[i].FaultCode)
	}
	out := &listOutput{}
	out.Body.Items, out.Body.Total = rows, total
	if next != "" {
		out.Body.Next = httpx.EncodeCursor(listCursor{next})
	}
	return out, nil
}

type whoCursor struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

func (s *Service) httpWho(ctx context.Context, in *whoInput) (*whoOutput, error) {
	var cur whoCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &cur); err != nil {
			return nil, err
		}
	}
	c, err := s.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Who(ctx, c, cur.At, cur.ID, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &whoOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(whoCursor{list[in.Limit-1].at, list[in.Limit-1].id})
	}
	for i := range list {
		list[i].Words = say(ctx, list[i].Fault, list[i].FaultCode)
	}
	out.Body.Items = list
	return out, nil
}

type logCursor struct {
	N int64 `json:"n"`
}

func (s *Service) httpLog(ctx context.Context, in *whoInput) (*logOutput, error) {
	var cur logCursor
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &cur); err != nil {
			return nil, err
		}
	}
	c, err := s.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Entries(ctx, c.ID, cur.N, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &logOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(logCursor{list[in.Limit-1].n})
	}
	for i := range list {
		s.dress(ctx, c, &list[i])
	}
	out.Body.Items = list
	return out, nil
}

// dress adds words and names to what a log line holds as codes.
func (s *Service) dress(ctx context.Context, c *Code, e *Entry) {
	if f, ok := e.Detail["fault"].(string); ok {
		code, _ := e.Detail["code"].(float64)
		e.Detail["message"] = say(ctx, f, int(code))
	}
	switch who := e.Detail["staff"].(type) {
	case string:
		e.Detail["names"] = []string{s.named(c.Account, who)}
	case []any:
		names := make([]string, 0, len(who))
		for _, id := range who {
			if text, ok := id.(string); ok {
				names = append(names, s.named(c.Account, text))
			}
		}
		e.Detail["names"] = names
	}
}
