package sim

import "time"

// PastFollower is somebody of the world who follows an official account since a day
// before anybody listened.
type PastFollower struct {
	Person string // id
	Since  time.Time
	Scene  string // text of the code they came by; "": they came otherwise
}

// PastIDs are what WeChat calls somebody.
type PastIDs struct{ OpenID, UnionID string }

// BringFollowers lets people of the world follow an official account, and gives what
// WeChat calls them. Nothing is called back, and who follows already stays as they
// are.
func (s *Sim) BringFollowers(app string, list []PastFollower) (ids []PastIDs, err error) {
	err = s.at(func(w *World, _ time.Time) error {
		for _, x := range list {
			p, a, open, f, err := w.met(x.Person, app, AppOfficial)
			if err != nil {
				return err
			}
			ids = append(ids, PastIDs{open, p.UnionID})
			if f.Follows {
				continue
			}
			f.Follows, f.Since, f.From, f.Scene = true, x.Since, "ADD_SCENE_SEARCH", x.Scene
			if x.Scene != "" {
				f.From = "ADD_SCENE_QR_CODE"
			}
			w.appChat(p, a).note(w, x.Since, "followed", a.Name)
		}
		return nil
	})
	return ids, err
}
