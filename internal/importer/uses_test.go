package importer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
)

func TestMappingsFollowWhatTheyUse(t *testing.T) {
	tea := contact.TagRef{ID: "tg_1", Name: "绿茶", Group: "口味"}
	white := contact.TagRef{ID: "tg_2", Name: "白茶", Group: "口味"}
	m := SavedMapping{Mapping: Mapping{Columns: map[string]string{"等级": "attr:level", "性别": "gender"}}, Options: Options{Tags: []string{"口味:绿茶", "年货"}}}
	for of, want := range map[contact.Term]bool{
		{Tag: &tea}: true, {Tag: &white}: false, {Attribute: "level"}: true, {Attribute: "gender"}: true, {Attribute: "birthday"}: false,
		{Attribute: "level", Option: "a"}: false,
	} {
		require.Equal(t, want, refersTo(m, of), "%+v", of)
	}
	require.Equal(t, []string{"口味:白茶", "年货"}, movedTags(m.Options.Tags, tea, &contact.Term{Tag: &white}))
	require.Equal(t, []string{"年货"}, movedTags(m.Options.Tags, tea, nil))
	require.Equal(t, []string{"口味：白茶"}, movedTags([]string{"绿茶", "口味：白茶"}, tea, &contact.Term{Tag: &white}), "given once")
}
