package contact

import (
	"encoding/json"

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

// object encodes plain values, which cannot fail.
func object(m map[string]any) json.RawMessage {
	b, _ := json.Marshal(m)
	return b
}
