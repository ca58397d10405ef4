package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"
)

// TestRegexps compiles every expression that readers compile on first use, as
// far as it stands in the source as a literal.
func TestRegexps(t *testing.T) {
	fset := token.NewFileSet()
	pkgs, err := parser.ParseDir(fset, ".", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(pkgs["source"], func(node ast.Node) bool {
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
	})
	if n < 100 {
		t.Errorf("found %d expressions, expected several hundred", n)
	}
}
