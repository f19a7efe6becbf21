package outdial_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial"
)

func TestTags(t *testing.T) {
	var tags outdial.Tags
	require.False(t, tags.Has(0), "none is not a tag")
	require.True(t, tags.Add(0))
	require.Equal(t, outdial.Tags{}, tags)
	for id := range outdial.TagID(outdial.MaxTags) {
		require.True(t, tags.Add(100+id))
		require.True(t, tags.Add(100), "it is there already")
	}
	require.False(t, tags.Add(99))
	require.True(t, tags.Add(107))
	require.True(t, tags.Add(0))
	n := outdial.TagID(0)
	for id := range tags.All() {
		require.Equal(t, 100+n, id)
		require.True(t, tags.Has(id))
		n++
	}
	require.Equal(t, outdial.TagID(outdial.MaxTags), n)
	for range tags.All() {
		break
	}
	require.False(t, tags.Has(99))
}
