package sim

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// PersonInput names a person in the path. It is exported because the API layer
// reads no parameters of embedded types that are not.
type PersonInput struct {
	Person string `path:"person" maxLength:"200" doc:"A person's id"`
}

type (
	worldOutput struct {
		Body struct {
			Corps  []CorpView   `json:"corps"`
			Apps   []AppView    `json:"apps" doc:"Official accounts and mini-programs"`
			People []PersonView `json:"people" doc:"Those who know the company first"`
			Faults []Fault      `json:"faults"`
		}
	}
	peopleInput struct {
		Q     string `query:"q" maxLength:"60" doc:"Letters of the name"`
		Limit int    `query:"limit" minimum:"1" maximum:"200" default:"100"`
	}
	peopleOutput struct {
		Body struct {
			Items []PersonView `json:"items"`
		}
	}
	phoneOutput struct{ Body Phone }
	doneOutput  struct{ Body Done }
	diaryInput  struct {
		After uint64 `query:"after" doc:"Number of the last entry that is known"`
		Wait  int    `query:"wait" minimum:"0" maximum:"20" doc:"Seconds to wait for the next entry when there is none"`
	}
	diaryOutput struct {
		Body struct {
			Entries []Entry `json:"entries"`
		}
	}
	faultsOutput struct {
		Body struct {
			Items []Fault `json:"items"`
		}
	}
	faultInput struct {
		ID string `path:"id" maxLength:"40"`
	}
	faultOutput struct{ Body Fault }
)

// waitLonger is how long the diary's answer may take.
const waitLonger = 25 * time.Second

// Routes declares the API behind the console's page "be a customer". running
// gives the simulator inside this program, nil when there is none. Nothing here
// changes the pond's records: what comes of an act comes back as a callback, and
// is told of where it is worked on.
func Routes(api *httpx.API, running func() *Sim) {
	op := func(id, method, path string, may auth.Permission, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: method, Path: path, Tag: "sim", Summary: summary, Permission: may, Whole: true}
	}
	get := func() (*Sim, error) {
		if s := running(); s != nil {
			return s, nil
		}
		return nil, errs.New(errs.NotFound, "sim.not_running")
	}
	httpx.Register(api, op("get-sim", http.MethodGet, "/api/sim", auth.ConnectorRead, "The simulated platform: companies, people, faults"), func(_ context.Context, _ *struct{}) (*worldOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &worldOutput{}
		out.Body.Corps, out.Body.Apps, out.Body.People, out.Body.Faults = s.Corps(), s.Apps(), s.People("", 100), s.Faults()
		return out, nil
	})
	httpx.Register(api, op("list-sim-people", http.MethodGet, "/api/sim/people", auth.ConnectorRead, "People of the simulator, by letters of their name"), func(_ context.Context, in *peopleInput) (*peopleOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &peopleOutput{}
		out.Body.Items = s.People(in.Q, in.Limit)
		return out, nil
	})
	httpx.Register(api, op("get-sim-phone", http.MethodGet, "/api/sim/phones/{person}", auth.ConnectorRead, "What a person sees on their phone; looking marks it as read"), func(_ context.Context, in *PersonInput) (*phoneOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		p, err := s.Phone(in.Person)
		return &phoneOutput{p}, err
	})
	httpx.Register(api, op("do-sim-act", http.MethodPost, "/api/sim/acts", auth.ConnectorWrite, "Let a person, or one of the staff, do something"), func(ctx context.Context, in *struct{ Body Act }) (*doneOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		d, err := s.Do(ctx, in.Body)
		return &doneOutput{d}, err
	})
	diary := op("get-sim-diary", http.MethodGet, "/api/sim/diary", auth.ConnectorRead, "What happened between the simulator and this program, after an entry")
	diary.Timeout, diary.Quiet = waitLonger, true
	httpx.Register(api, diary, func(ctx context.Context, in *diaryInput) (*diaryOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
		defer cancel()
		go func() { // a stopping program waits for nobody who waits
			select {
			case <-api.Stopping():
				cancel()
			case <-ctx.Done():
			}
		}()
		out := &diaryOutput{}
		out.Body.Entries = s.Diary(ctx, in.After)
		if out.Body.Entries == nil {
			out.Body.Entries = []Entry{}
		}
		return out, nil
	})
	faultRoutes(api, op, get)
	pictureRoutes(api, op, get)
	messageRoutes(api, op, get)
}

type opMaker = func(id, method, path string, may auth.Permission, summary string) httpx.Op

func faultRoutes(api *httpx.API, op opMaker, get func() (*Sim, error)) {
	httpx.Register(api, op("list-sim-faults", http.MethodGet, "/api/sim/faults", auth.ConnectorRead, "Faults that are ordered"), func(_ context.Context, _ *struct{}) (*faultsOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		out := &faultsOutput{}
		out.Body.Items = s.Faults()
		return out, nil
	})
	httpx.Register(api, op("add-sim-fault", http.MethodPost, "/api/sim/faults", auth.ConnectorWrite, "Let calls or callbacks of the simulator go wrong"), func(_ context.Context, in *struct{ Body FaultInput }) (*faultOutput, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		b := in.Body
		f, err := s.AddFault(Fault{Kind: b.Kind, Path: b.Path, Share: b.Share, Code: b.Code, Ms: b.Ms, Left: b.Left})
		return &faultOutput{f}, err
	})
	httpx.Register(api, op("remove-sim-fault", http.MethodDelete, "/api/sim/faults/{id}", auth.ConnectorWrite, "Take a fault away"), func(_ context.Context, in *faultInput) (*struct{}, error) {
		s, err := get()
		if err != nil {
			return nil, err
		}
		s.RemoveFault(in.ID)
		return nil, nil
	})
}

// FaultInput is what a fault is ordered with.
type FaultInput struct {
	Kind  string  `json:"kind" maxLength:"40" doc:"busy, rate, expired, code, slow, timeout, lost; callback.twice, callback.late, callback.never, callback.forged"`
	Path  string  `json:"path,omitempty" maxLength:"200" doc:"An API such as externalcontact/send_welcome_msg, or an event's name; * fits anything"`
	Share float64 `json:"share,omitempty" minimum:"0" maximum:"1" doc:"Of those that fit; none is all"`
	Code  int     `json:"code,omitempty" doc:"The errcode, for the kind code"`
	Ms    int     `json:"ms,omitempty" minimum:"0" maximum:"60000" doc:"For slow and late ones"`
	Left  int     `json:"left,omitempty" minimum:"0" maximum:"100000" doc:"How often; none: until it is taken away"`
}

func pictureRoutes(api *httpx.API, op opMaker, get func() (*Sim, error)) {
	raw := func(id, path, summary string, serve func(s *Sim, w http.ResponseWriter, r *http.Request)) {
		o := op(id, http.MethodGet, path, auth.ConnectorRead, summary)
		o.Quiet = true
		httpx.Handle(api, o, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := get()
			if err != nil {
				httpx.WriteError(w, r, err)
				return
			}
			serve(s, w, r)
		}))
	}
	raw("get-sim-avatar", "/api/sim/avatars/{id}", "The drawn picture of a person or one of the staff", func(s *Sim, w http.ResponseWriter, r *http.Request) { s.serveAvatar(w, r, r.PathValue("id")) })
	raw("get-sim-media", "/api/sim/media/{id}", "Something that was uploaded to the simulator", func(s *Sim, w http.ResponseWriter, r *http.Request) { s.serveMedia(w, r, r.PathValue("id")) })
	raw("get-sim-code", "/api/sim/codes/{id}", "The picture of a code", func(s *Sim, w http.ResponseWriter, r *http.Request) { s.serveCode(w, r, r.PathValue("id")) })
}
