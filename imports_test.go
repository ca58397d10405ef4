package ddx_test

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// allowed lists what each package may import beside the standard library and
// the root package: packages of this module by name, others by module path
// prefix. A package that is not listed may import nothing more. Only cmd/ddx
// may import everything.
var allowed = map[string][]string{
	".":            {},
	"catalog":      {"cel.dev/cel-go", "go.yaml.in/yaml"},
	"scan":         {"golang.org/x/sys"},
	"logline":      {},
	"kernlog":      {},
	"match":        {"catalog", "scan", "logline", "kernlog"},
	"diagnose":     {"catalog"},
	"remedy":       {"catalog", "diagnose"},
	"output":       {},
	"dns":          {"github.com/miekg/dns", "github.com/prometheus/client_golang"},
	"dig":          {"dns", "github.com/miekg/dns"},
	"dnstest":      {"github.com/miekg/dns"}, // tests only
	"aws":          {"failover", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"},
	"awsfake":      {"github.com/miekg/dns"}, // tests only
	"failover":     {"controlplane", "dns", "github.com/miekg/dns", "go.yaml.in/yaml"},
	"controlplane": {},
	"lab":          {"controlplane", "svg"},
	"simulate":     {"controlplane", "svg"},
	"svg":          {},
	"capture":      {"github.com/klauspost/compress", "golang.org/x/sys"},
	"afpacket":     {"capture", "golang.org/x/net", "golang.org/x/sys"},
	"packet":       {"capture", "afpacket"},
	"counters":     {},
	"blackhole":    {"counters", "flowlog", "flowsum"},
	"flowlog":      {"flowsum", "flowpattern", "github.com/klauspost/compress", "github.com/parquet-go/parquet-go", "golang.org/x/sys"},
	"flowpattern":  {"flowsum"},
	"flowsum":      {},
	"golden":       {},                   // tests only
	"netlab":       {"golang.org/x/sys"}, // tests only
	"examples/gen": {"source"},
	"source":       {"logline", "scan", "github.com/klauspost/compress", "github.com/ulikunitz/xz", "golang.org/x/sys"},
}

// TestImports holds the direction of the house: sources never see the
// catalogue, cores never see sources, and a new third-party module is a line of
// this file that somebody reviews.
func TestImports(t *testing.T) {
	for dir, names := range allowed {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		for _, imp := range pkg.Imports {
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case imp == "ddx" || first != "ddx" && !strings.Contains(first, "."):
			case slices.ContainsFunc(names, func(n string) bool { return imp == "ddx/"+n || strings.HasPrefix(imp, n+"/") || imp == n }):
			default:
				t.Errorf("%s imports %s: not allowed; see the table in imports_test.go", dir, imp)
			}
		}
	}
}

// TestEveryPackage holds that every package is in the table above, has a doc.go,
// and that no file and no package outgrows the house rules of 400 and 3,000
// lines; source and cmd/ddx are lists of small independent files.
func TestEveryPackage(t *testing.T) {
	const maxLines, maxPackage = 400, 3000
	lists := []string{"source", "cmd/ddx"}
	sizes := map[string]int{}
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") || strings.HasPrefix(path, "bench/") {
			return err
		}
		dir := filepath.Dir(path)
		if _, listed := allowed[dir]; !listed && !strings.HasPrefix(dir, "cmd/") {
			t.Errorf("%s: package is missing in the table of imports_test.go", dir)
		}
		if _, err := os.Stat(filepath.Join(dir, "doc.go")); err != nil {
			t.Errorf("%s: no doc.go", dir)
		}
		if strings.HasSuffix(path, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		n := strings.Count(string(data), "\n")
		if n > maxLines {
			t.Errorf("%s has %d lines, more than %d: is there a second room in it?", path, n, maxLines)
		}
		sizes[dir] += n
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for dir, n := range sizes {
		if n > maxPackage && !slices.Contains(lists, dir) {
			t.Errorf("%s has %d lines, more than %d: where does another dependency begin in it?", dir, n, maxPackage)
		}
	}
}
