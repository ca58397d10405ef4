package catalog

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ddx"
)

// Truth is the value of a condition: conditions over what is not known are
// unknown, never false.
type Truth int

// The three truth values.
const (
	Unknown Truth = iota
	False
	True
)

// context are the variables that every condition can read beside its own
// fields. Those that the evidence does not tell are unknown.
var context = map[string]*cel.Type{
	"kernel":     cel.StringType, // release of the running kernel
	"os":         cel.StringType, // os-release ID
	"hypervisor": cel.StringType, // nitro, xen, kvm, other, metal
	"subject":    cel.StringType, // name of the fact's subject
	"facts":      cel.MapType(cel.StringType, cel.ListType(cel.MapType(cel.StringType, cel.DynType))),
}

// Condition is a compiled CEL expression.
type compiled struct {
	once sync.Once
	prg  cel.Program
	err  error
}

// conditions compiles each expression once, on first use: most runs need a few
// of the catalogue's many hundreds.
type conditions struct {
	mu   sync.Mutex
	envs map[string]*cel.Env
	prgs map[[2]string]*compiled
}

// baseEnv has the functions and the context variables; made once, when the
// first condition is needed.
var baseEnv = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.OptionalTypes(),
		fn2("vcmp", cel.StringType, cel.StringType, cel.IntType, func(a, b string) ref.Val { return types.Int(CompareVersions(a, b)) }),
		fn2("in_cidr", cel.StringType, cel.StringType, cel.BoolType, func(ip, cidr string) ref.Val { return types.Bool(inCIDR(ip, cidr)) }),
		fn2("overlaps", cel.StringType, cel.StringType, cel.BoolType, func(a, b string) ref.Val { return types.Bool(overlaps(a, b)) }),
		cel.Function("has_frame", cel.Overload("has_frame_list_string", []*cel.Type{cel.ListType(cel.StringType), cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(l, s ref.Val) ref.Val { return types.Bool(hasFrame(l, string(s.(types.String)))) }))),
		cel.Function("option", cel.Overload("option_list_string", []*cel.Type{cel.ListType(cel.StringType), cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(l, s ref.Val) ref.Val { return types.String(option(l, string(s.(types.String)))) }))),
	}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		opts = append(opts, cel.Variable(name, context[name]))
	}
	return cel.NewEnv(opts...)
})

func fn2(name string, a, b, result *cel.Type, f func(a, b string) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_string_string", []*cel.Type{a, b}, result,
		cel.BinaryBinding(func(x, y ref.Val) ref.Val { return f(string(x.(types.String)), string(y.(types.String))) })))
}

var celTypes = map[ddx.Type]*cel.Type{
	ddx.String: cel.StringType, ddx.Int: cel.IntType, ddx.Float: cel.DoubleType,
	ddx.Bool: cel.BoolType, ddx.Strings: cel.ListType(cel.StringType),
}

// env returns the environment for a scope: "fact KIND", or "captures a:int b:string".
func (c *conditions) env(scope string) (*cel.Env, error) {
	if e := c.envs[scope]; e != nil {
		return e, nil
	}
	base, err := baseEnv()
	if err != nil {
		return nil, err
	}
	var opts []cel.EnvOption
	kind, captures, _ := strings.Cut(scope, " ")
	switch kind {
	case "fact":
		k := ddx.LookupFact(captures)
		if k == nil {
			return nil, fmt.Errorf("fact kind %q is not declared", captures)
		}
		for _, f := range k.Fields {
			opts = append(opts, cel.Variable(f.Name, celTypes[f.Type]))
		}
	case "captures":
		for _, p := range strings.Fields(captures) {
			name, typ, _ := strings.Cut(p, ":")
			t := cel.StringType
			switch typ {
			case "int":
				t = cel.IntType
			case "double":
				t = cel.DoubleType
			}
			opts = append(opts, cel.Variable(name, t))
		}
	}
	e, err := base.Extend(opts...)
	if err == nil {
		c.envs[scope] = e
	}
	return e, err
}

func (c *conditions) compile(scope, expr string) (cel.Program, error) {
	c.mu.Lock()
	if c.prgs == nil {
		c.prgs, c.envs = map[[2]string]*compiled{}, map[string]*cel.Env{}
	}
	key := [2]string{scope, expr}
	p := c.prgs[key]
	if p == nil {
		p = &compiled{}
		c.prgs[key] = p
	}
	env, err := c.env(scope)
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	p.once.Do(func() {
		ast, iss := env.Compile(expr)
		if iss.Err() != nil {
			p.err = fmt.Errorf("condition %q over %s: %w", expr, scope, iss.Err())
			return
		}
		if ast.OutputType() != cel.BoolType {
			p.err = fmt.Errorf("condition %q over %s: is a %s, want a truth value", expr, scope, ast.OutputType())
			return
		}
		p.prg, p.err = env.Program(ast, cel.CostLimit(1_000_000), cel.EvalOptions(cel.OptOptimize)) // regexps compiled once
	})
	return p.prg, p.err
}

// eval evaluates an expression. A variable that vars does not have makes the
// result unknown, unless the rest decides it.
func (c *conditions) eval(scope, expr string, vars map[string]any) (Truth, error) {
	prg, err := c.compile(scope, expr)
	if err != nil {
		return Unknown, err
	}
	out, _, err := prg.Eval(vars)
	if err != nil || out == nil {
		return Unknown, nil
	}
	switch out {
	case types.True:
		return True, nil
	case types.False:
		return False, nil
	}
	return Unknown, nil
}

// CompareVersions compares dotted versions by their numbers and returns -1, 0
// or 1. Letters and suffixes after the numbers (2.1.0K, 2.8.1g, 4.14.67-generic)
// are ignored, so that 2.1.0K equals 2.1.0; missing parts count as 0.
func CompareVersions(a, b string) int {
	x, y := versionNumbers(a), versionNumbers(b)
	for i := range max(len(x), len(y)) {
		var u, v int
		if i < len(x) {
			u = x[i]
		}
		if i < len(y) {
			v = y[i]
		}
		if u != v {
			return map[bool]int{true: -1, false: 1}[u < v]
		}
	}
	return 0
}

func versionNumbers(s string) []int {
	var out []int
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 0 {
			break
		}
		n, _ := strconv.Atoi(s[:min(i, 9)])
		out = append(out, n)
		if i == len(s) || (s[i] != '.' && s[i] != '-') {
			break
		}
		s = s[i+1:]
	}
	return out
}

func inCIDR(ip, cidr string) bool {
	a, err := netip.ParseAddr(ip)
	p, err2 := netip.ParsePrefix(cidr)
	return err == nil && err2 == nil && p.Contains(a)
}

func overlaps(a, b string) bool {
	p, err := netip.ParsePrefix(a)
	q, err2 := netip.ParsePrefix(b)
	return err == nil && err2 == nil && p.Overlaps(q)
}

// hasFrame reports whether a stack holds a function whose name is, or begins
// with, one of the names separated by |.
func hasFrame(list ref.Val, names string) bool {
	frames, _ := list.Value().([]string)
	for _, f := range frames {
		for n := range strings.SplitSeq(names, "|") {
			if strings.HasPrefix(f, n) {
				return true
			}
		}
	}
	return false
}

// option returns the value of a KEY=VALUE in a list of options, KEY itself
// when it stands without a value, "" when it is not there.
func option(list ref.Val, key string) string {
	opts, _ := list.Value().([]string)
	for _, o := range opts {
		k, v, ok := strings.Cut(o, "=")
		if k == key {
			if !ok {
				return key
			}
			return v
		}
	}
	return ""
}
