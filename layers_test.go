package outdial_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/outdial/outdial"

// core are the packages that read no clock and start no goroutine; "" is the root.
var core = []string{"", "routing", "cli", "kpi", "failover", "trunk"}

// quiet are the adapters that read no clock and start nothing either.
var quiet = []string{"kpi/cdr", "kpi/rtpstats"}

// hosts are the internal packages that read clocks and start goroutines: far ends for tests, and the connections and goroutines of siptrunk and
// the proxy.
var hosts = []string{"internal/siptest", "internal/sipstream", "internal/crew"}

// loops are the files of the root that are host loops: they may wait on a timer, which nothing else in the core may.
var loops = []string{"run.go"}

// third lists, per package, what it may import from outside this module, as path prefixes. Packages that are not
// listed may import the standard library only.
var third = map[string][]string{
	"trunk":            {"golang.org/x/time/rate"},
	"trunk/siptrunk":   {"github.com/emiago/sipgo"},
	"kpi/rtpstats":     {"github.com/pion/rtp"},
	"internal/siptest": {"github.com/emiago/sipgo", "github.com/pion/rtp"},
}

// TestLayers holds the arrows between packages: who may import whom, and that the core neither reads a clock nor
// starts anything.
func TestLayers(t *testing.T) {
	require.Empty(t, layerFaults(t, "."))
}

// TestLayersBite breaks a scratch copy of the module in one way at a time and expects the fault to be found.
func TestLayersBite(t *testing.T) {
	cases := []struct{ name, file, source, want string }{
		{
			"cli imports trunk", "cli/zz_imports.go",
			"package cli\n\nimport _ \"github.com/outdial/outdial/trunk\"\n",
			"cli imports trunk",
		},
		{
			"routing reads a clock", "routing/zz_clock.go",
			"package routing\n\nimport \"time\"\n\nfunc zzClock() time.Time { return time.Now() }\n",
			"routing/zz_clock.go:5: time.Now",
		},
		{
			"a clock under another name", "failover/zz_alias.go",
			"package failover\n\nimport clock \"time\"\n\nvar zzAlias = clock.Since\n",
			"failover/zz_alias.go:5: time.Since",
		},
		{
			"kpi starts a goroutine", "kpi/zz_goroutine.go",
			"package kpi\n\nfunc zzGoroutine() { go func() {}() }\n",
			"kpi/zz_goroutine.go:3: go statement",
		},
		{
			"kpi starts a goroutine by another name", "kpi/zz_group.go",
			"package kpi\n\nimport \"sync\"\n\nfunc zzGroup(wg *sync.WaitGroup) { wg.Go(func() {}) }\n",
			"kpi/zz_group.go:5: sync.Go",
		},
		{
			"a clock without a name", "cli/zz_dot.go",
			"package cli\n\nimport . \"time\"\n\nvar zzDot = Now()\n",
			"cli/zz_dot.go:5: time.Now",
		},
		{
			"a clock on another system", "routing/zz_plan9.go",
			"package routing\n\nimport \"time\"\n\nfunc zzPlan9() time.Time { return time.Now() }\n",
			"routing/zz_plan9.go:5: time.Now",
		},
		{
			"the journal reads a clock", "kpi/cdr/zz_journal.go",
			"package cdr\n\nimport \"time\"\n\nvar zzJournal = time.Now\n",
			"kpi/cdr/zz_journal.go:5: time.Now",
		},
		{
			"chance without a seed", "routing/zz_chance.go",
			"package routing\n\nimport \"math/rand/v2\"\n\nfunc zzChance() float64 { return rand.Float64() }\n",
			"routing/zz_chance.go:5: math/rand/v2.Float64",
		},
		{
			"init", "failover/zz_init.go",
			"package failover\n\nfunc init() {}\n",
			"failover/zz_init.go:3: init",
		},
		{
			"what is for tests ships", "internal/window/zz_ships.go",
			"package window\n\nimport _ \"github.com/outdial/outdial/internal/siptest\"\n",
			"internal/window imports internal/siptest",
		},
		{
			"trunk lets rate read the clock", "trunk/zz_rate.go",
			"package trunk\n\nimport \"golang.org/x/time/rate\"\n\nfunc zzRate(l *rate.Limiter) bool { return l.Allow() }\n",
			"trunk/zz_rate.go:5: rate.Limiter.Allow",
		},
		{
			"the root imports a package", "zz_root.go",
			"package outdial\n\nimport _ \"github.com/stretchr/testify/require\"\n",
			"the root imports github.com/stretchr/testify/require",
		},
		{
			"testing in what ships", "internal/siptest/zz_testing.go",
			"package siptest\n\nimport _ \"testing\"\n",
			"internal/siptest imports testing",
		},
	}
	dir := t.TempDir()
	copyModule(t, dir)
	for _, tc := range cases {
		require.NoError(t, os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.source), 0o600))
	}
	faults := strings.Join(layerFaults(t, dir), "\n")
	for _, tc := range cases {
		require.Contains(t, faults, tc.want, tc.name)
	}
}

// copyModule copies the Go files of the module, without nested modules, and what they embed.
func copyModule(t *testing.T, dst string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || isModule(path)) {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(dst, path), 0o700)
		}
		if strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".mod", ".sum", ".tsv", ".csv", ".json"}, filepath.Ext(path)) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dst, path), data, 0o600)
	}))
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// layerFaults lists what breaks the rules in the module at dir.
func layerFaults(t *testing.T, dir string) (faults []string) {
	t.Helper()
	for _, p := range packages(t, dir) {
		for _, imp := range p.imports {
			if !allowed(p.path, imp) {
				faults = append(faults, fmt.Sprintf("%s imports %s", shown(p.path), shown(imp)))
			}
		}
		if slices.Contains(core, p.path) || slices.Contains(quiet, p.path) ||
			strings.HasPrefix(p.path, "internal/") && !slices.Contains(hosts, p.path) {
			faults = append(faults, clockFaults(t, dir, p)...)
		}
	}
	return faults
}

type pkg struct {
	path    string // relative to the module; "" is the root
	files   []string
	imports []string // paths of this module are relative
}

func packages(t *testing.T, dir string) (ps []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}|{{join .GoFiles ","}},{{join .IgnoredGoFiles ","}}|{{join .Imports ","}}`, "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	require.NoError(t, err)
	for line := range strings.Lines(strings.TrimSpace(string(out))) {
		part := strings.Split(strings.TrimSpace(line), "|")
		p := pkg{path: relative(part[0])}
		for _, file := range strings.Split(part[1], ",") { // those of other systems too
			if file != "" && !strings.HasSuffix(file, "_test.go") {
				p.files = append(p.files, file)
			}
		}
		for _, imp := range strings.Split(part[2], ",") {
			if imp != "" {
				p.imports = append(p.imports, relative(imp))
			}
		}
		ps = append(ps, p)
	}
	return ps
}

// relative is a path of this module without the module's own path: "./" for the root as an import, so that it
// cannot be taken for anything else.
func relative(path string) string {
	if path == module {
		return ""
	}
	return strings.TrimPrefix(path, module+"/")
}

func shown(path string) string {
	if path == "" {
		return "the root"
	}
	return path
}

// allowed says whether package from may import imp.
func allowed(from, imp string) bool {
	top, _, _ := strings.Cut(imp, "/")
	switch {
	case imp == "testing" || strings.HasPrefix(imp, "testing/"):
		return false
	case imp == "internal/siptest":
		return false // it is for tests
	case imp == "" || top == "internal":
		return from != "" || imp != ""
	case slices.Contains(core, top):
		parent, _, isAdapter := strings.Cut(from, "/")
		return isAdapter && parent == top && imp == parent // an adapter imports its parent, nothing else
	case strings.Contains(top, "."):
		return slices.ContainsFunc(third[from], func(p string) bool { return imp == p || strings.HasPrefix(imp, p+"/") })
	}
	return true // the standard library
}

// clocks are the functions that read a clock, wait, or start something, by package; those of the random sources that a
// process shares cannot be seeded, and so cannot be replayed.
var clocks = map[string][]string{
	"time":    {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"},
	"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc"},
}

// rateClocks are the methods of rate.Limiter and rate.Reservation that read the clock themselves.
var rateClocks = []string{"Allow", "Reserve", "Wait", "WaitN", "Tokens", "SetLimit", "SetBurst", "Delay", "Cancel"}

func clockFaults(t *testing.T, dir string, p pkg) (faults []string) {
	t.Helper()
	fset := sources.fset
	var files []*ast.File
	for _, name := range p.files {
		f, err := parser.ParseFile(fset, filepath.Join(dir, p.path, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// Types from outside the standard library are left unresolved but for their package: the checks below need no more.
	conf := types.Config{Importer: sources, Error: func(error) {}}
	_, _ = conf.Check(p.path, fset, files, info)
	at := func(n ast.Node) string {
		pos := fset.Position(n.Pos())
		return fmt.Sprintf("%s:%d", filepath.Join(p.path, filepath.Base(pos.Filename)), pos.Line)
	}
	fault := func(n ast.Node, obj types.Object) {
		fn, isFunc := obj.(*types.Func)
		if !isFunc || fn.Pkg() == nil {
			return
		}
		path, name, method := fn.Pkg().Path(), fn.Name(), fn.Type().(*types.Signature).Recv() != nil
		switch {
		case method && path == "sync" && name == "Go",
			!method && slices.Contains(clocks[path], name),
			!method && strings.HasPrefix(path, "math/rand") && !strings.HasPrefix(name, "New"):
			faults = append(faults, at(n)+": "+path+"."+name)
		}
	}
	for i, f := range files {
		isLoop := p.path == "" && slices.Contains(loops, p.files[i])
		usesRate := slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"golang.org/x/time/rate"` })
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				faults = append(faults, at(n)+": go statement")
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					faults = append(faults, at(n)+": init")
				}
			case *ast.SelectorExpr:
				if usesRate && slices.Contains(rateClocks, n.Sel.Name) && info.Uses[n.Sel] == nil {
					faults = append(faults, at(n)+": rate.Limiter."+n.Sel.Name)
				}
			case *ast.Ident: // behind a package's name, or without one after a dot import
				if !isLoop {
					fault(n, info.Uses[n])
				}
			}
			return true
		})
	}
	return faults
}

// sources resolves the standard library from source, once for all tests, and stands an empty package in for
// everything else.
var sources = func() lenient {
	fset := token.NewFileSet()
	return lenient{fset, importer.ForCompiler(fset, "source", nil)}
}()

type lenient struct {
	fset *token.FileSet
	std  types.Importer
}

func (l lenient) Import(path string) (*types.Package, error) {
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
		p := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
		p.MarkComplete()
		return p, nil
	}
	return l.std.Import(path)
}
