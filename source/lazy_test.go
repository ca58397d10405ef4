package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestRegexps compiles every expression that readers compile on first use, as
// far as it stands in the source as a literal.
func TestRegexps(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	look := func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		if fun, ok := call.Fun.(*ast.Ident); !ok || fun.Name != "lazy" && fun.Name != "anyLine" {
			return true
		}
		lit, ok := call.Args[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		expr, err := strconv.Unquote(lit.Value)
		if err == nil {
			_, err = regexp.Compile(expr)
		}
		if err != nil {
			t.Errorf("%s: %v", fset.Position(lit.Pos()), err)
		}
		n++
		return true
	}
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if n < 100 {
		t.Errorf("found %d expressions, expected several hundred", n)
	}
}
