package outdial_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryTypeHasAnExample holds the manual complete: the Examples of a package are what its documentation shows.
func TestEveryTypeHasAnExample(t *testing.T) {
	dirs := publicDirs(t)
	require.Greater(t, len(dirs), len(core))
	for _, dir := range dirs {
		types, examples := map[string]bool{}, map[string]bool{}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.GenDecl:
					for _, s := range d.Specs {
						if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() && !strings.HasSuffix(name, "_test.go") {
							types[s.Name.Name] = true
						}
					}
				case *ast.FuncDecl:
					if subject, ok := strings.CutPrefix(d.Name.Name, "Example"); ok {
						subject, _, _ = strings.Cut(subject, "_")
						examples[subject] = true
					}
				}
			}
		}
		for name := range types {
			require.True(t, examples[name], "%s: type %s has no Example", dir, name)
		}
	}
}

// publicDirs are the directories of the packages that users import, nested modules included.
func publicDirs(t *testing.T) (dirs []string) {
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil || !d.IsDir():
			return err
		case path != "." && (name[0] == '.' || slices.Contains([]string{"internal", "examples", "tools", "testdata"}, name)):
			return fs.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	}))
	return dirs
}
