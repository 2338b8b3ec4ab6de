package livecode

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/koipond/koipond/internal/event"
)

// Canonical adds to a fact of somebody who came by a code which one it was, and
// from which channel that is, so that rules and reports can ask for them. Facts
// that say so already, and those of no code, stay as they are.
func (s *Service) Canonical(f *event.Fact) {
	if f.Name != event.NameFriendAdded || !bytes.Contains(f.Properties, []byte(keyPrefix)) {
		return
	}
	var props map[string]any
	if json.Unmarshal(f.Properties, &props) != nil {
		return
	}
	state, _ := props["state"].(string)
	c := s.find(context.Background(), state)
	if c == nil || props["code"] != nil {
		return
	}
	props["code"], props["codeName"] = c.ID, c.Name
	if c.Channel != "" && props["channel"] == nil {
		props["channel"] = c.Channel
	}
	raw, err := json.Marshal(props)
	if err != nil {
		return
	}
	f.Properties = raw
	if c.Channel == "" {
		return
	}
	about := map[string]any{}
	if len(f.Context) > 0 && json.Unmarshal(f.Context, &about) != nil || about["channel"] != nil {
		return
	}
	about["channel"] = c.Channel
	if raw, err := json.Marshal(about); err == nil {
		f.Context = raw
	}
}
