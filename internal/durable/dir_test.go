package durable_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outdial/outdial/internal/durable"
)

func TestSyncDir(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new"), nil, 0o600))
	require.NoError(t, durable.SyncDir(dir))
	require.ErrorIs(t, durable.SyncDir(filepath.Join(dir, "nowhere")), fs.ErrNotExist)
}
