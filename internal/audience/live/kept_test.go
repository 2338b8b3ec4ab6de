package live

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// keptField lets rules speak of what a keeper keeps.
type keptField struct{ k *keeper }

func (f keptField) Views(context.Context) ([]contact.FieldView, error) {
	v := contact.FieldView{Label: "segment"}
	for key := range f.k.rules {
		v.Options = append(v.Options, contact.Option{Value: key, Label: key})
	}
	return []contact.FieldView{v}, nil
}

func (f keptField) Among(ctx context.Context, _, value string) (contact.Among, error) {
	set, err := f.k.kept(ctx, value)
	return contact.Among{Set: set}, err
}

// Rules may speak of what others keep: they follow its facts, and what a new
// definition changes without one.
func TestRulesAboutRules(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"x": bought})
		k.emits = true
		other := p.keeper("stages", map[string]string{"in": `{"v":1,"field":"segment","op":"in","value":["x"]}`, "out": `{"v":1,"field":"segment","op":"notIn","value":["x"]}`})
		p.contacts.FilterBy("segment", keptField{k})
		p.post2(did("z", "bought"))
		p.begin()
		p.due()
		other.agree("after the start")
		p.post(did("a", "bought"), did("b", "viewed"))
		other.agree("by the facts about the other")
		require.Contains(p, other.said("in"), fmt.Sprintf("entered %d fact live", p.num("a")))
		p.post(event.Fact{UserID: "c", Name: "bought", ImportID: "im_1"})
		require.Contains(p, other.said("in"), fmt.Sprintf("entered %d fact", p.num("c")), "what an old fact caused is not live either")
		k.define("x", twice)
		p.engine.Changed("segments")
		p.due()
		p.due()
		require.Empty(p, k.members("x"))
		other.agree("after another definition")
		require.Contains(p, other.said("in"), fmt.Sprintf("left %d fact", p.num("a")), "nobody did anything")
	})
}
