package contact

import (
	"encoding/json"
	"time"

	"github.com/koipond/koipond/internal/event"
)

// sourceName is the source of facts that this package states.
const sourceName = "koipond"

// mergedFact states a merge as a fact of the survivor.
func mergedFact(m Merge, how merge, now int64) event.Fact {
	return event.Fact{
		MessageID: m.ID, Type: event.Track, Name: event.NameContactMerged, Contact: m.Into,
		Timestamp: now, ReceivedAt: now, Source: sourceName,
		Properties: object(map[string]any{"from": m.FromID, "fromKind": string(how.from.kind), "into": m.IntoID, "reason": m.Reason, "by": how.by.kind}),
	}
}

// fact states something about a contact, here and now.
func (s *Service) fact(name string, num int64, at time.Time, props map[string]any) event.Fact {
	return event.Fact{MessageID: s.IDs.New("fc"), Type: event.Track, Name: name, Contact: num, Timestamp: at.UnixMilli(), ReceivedAt: at.UnixMilli(),
		Source: sourceName, Properties: object(props)}
}

// object encodes plain values, which cannot fail.
func object(m map[string]any) json.RawMessage {
	b, _ := json.Marshal(m)
	return b
}
