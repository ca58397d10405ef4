package catalog

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"ddx"
)

//go:embed modes/*.yaml remedies/*.yaml
var embedded embed.FS

// Catalogue is a set of failure modes and the remedies they share.
type Catalogue struct {
	Modes    []*ddx.Mode // by id
	Remedies map[string]*ddx.Remedy
	Digest   string // of the bytes of all files, overlays included

	index    map[string]*ddx.Mode
	conds    conditions
	mu       sync.Mutex
	patterns map[ddx.Pattern]*CompiledPattern
}

// Load reads the embedded catalogue and lays site directories over it, in
// order: a file modes/ID.yaml or remedies/ID.yaml in a directory replaces the
// embedded one of that name, or adds one.
func Load(dirs ...string) (*Catalogue, error) {
	files, err := collect(dirs)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	c := &Catalogue{Remedies: map[string]*ddx.Remedy{}, index: map[string]*ddx.Mode{}, patterns: map[ddx.Pattern]*CompiledPattern{}}
	sum := sha256.New()
	for _, name := range names {
		f := files[name]
		fmt.Fprintf(sum, "%s %d\n", name, len(f.data))
		sum.Write(f.data)
		if strings.HasPrefix(name, "remedies/") {
			var r ddx.Remedy
			if err := decode(f, &r, r2id(&r)); err != nil {
				return nil, err
			}
			c.Remedies[r.ID] = &r
			continue
		}
		var m ddx.Mode
		if err := decode(f, &m, m2id(&m)); err != nil {
			return nil, err
		}
		c.Modes = append(c.Modes, &m)
		c.index[m.ID] = &m
	}
	c.Digest = hex.EncodeToString(sum.Sum(nil))[:16]
	return c, nil
}

func m2id(m *ddx.Mode) func() string   { return func() string { return m.ID } }
func r2id(r *ddx.Remedy) func() string { return func() string { return r.ID } }

type file struct {
	path string // for messages
	base string // ID.yaml
	data []byte
}

// collect returns all files by "modes/ID.yaml" or "remedies/ID.yaml".
func collect(dirs []string) (map[string]file, error) {
	files := map[string]file{}
	add := func(root string, fsys fs.FS) (n int, err error) {
		for _, kind := range []string{"modes", "remedies"} {
			matches, err := fs.Glob(fsys, kind+"/*.yaml")
			if err != nil {
				return n, err
			}
			for _, m := range matches {
				data, err := fs.ReadFile(fsys, m)
				if err != nil {
					return n, fmt.Errorf("load catalogue: %w", err)
				}
				files[m] = file{path: path.Join(root, m), base: path.Base(m), data: data}
				n++
			}
		}
		return n, nil
	}
	if _, err := add("catalog", embedded); err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		n, err := add(dir, os.DirFS(dir))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, fmt.Errorf("load catalogue %s: no modes/*.yaml or remedies/*.yaml in it; see docs/catalogue.md for the layout", dir)
		}
	}
	return files, nil
}

// decode reads one YAML document strictly and checks that the id in it is the
// file's name.
func decode(f file, into any, id func() string) error {
	dec := yaml.NewDecoder(bytes.NewReader(f.data))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("empty file")
		}
		return fmt.Errorf("load catalogue: %s: %w", f.path, err)
	}
	if id()+".yaml" != f.base {
		return fmt.Errorf("load catalogue: %s: id %q does not match the file name", f.path, id())
	}
	return nil
}

// LoadMode reads one mode and the remedies it refers to, without the rest of
// the catalogue: what a manual page needs.
func LoadMode(id string, dirs ...string) (*ddx.Mode, map[string]*ddx.Remedy, error) {
	read := func(name string) (file, error) {
		f := file{path: name, base: path.Base(name)}
		for _, dir := range slices.Backward(dirs) {
			if data, err := os.ReadFile(path.Join(dir, name)); err == nil {
				f.data, f.path = data, path.Join(dir, name)
				return f, nil
			}
		}
		data, err := embedded.ReadFile(name)
		f.data = data
		return f, err
	}
	f, err := read("modes/" + id + ".yaml")
	if err != nil {
		return nil, nil, fmt.Errorf("explain %s: no such mode; 'ddx catalog list' shows all", id)
	}
	var m ddx.Mode
	if err := decode(f, &m, m2id(&m)); err != nil {
		return nil, nil, err
	}
	remedies := map[string]*ddx.Remedy{}
	for _, ref := range m.Remedies {
		f, err := read("remedies/" + ref.ID + ".yaml")
		if err != nil {
			return nil, nil, fmt.Errorf("explain %s: remedy %s: no such file", id, ref.ID)
		}
		var r ddx.Remedy
		if err := decode(f, &r, r2id(&r)); err != nil {
			return nil, nil, err
		}
		remedies[ref.ID] = &r
	}
	return &m, remedies, nil
}

// Mode returns a mode by id or alias, nil when there is none.
func (c *Catalogue) Mode(id string) *ddx.Mode {
	if m := c.index[id]; m != nil {
		return m
	}
	for _, m := range c.Modes {
		if slices.Contains(m.Aliases, id) {
			return m
		}
	}
	return nil
}

// Pattern returns the compiled form of a format string or regular expression.
func (c *Catalogue) Pattern(p ddx.Pattern) (*CompiledPattern, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.Printed = "" // says nothing of what matches
	if cp := c.patterns[p]; cp != nil {
		return cp, nil
	}
	var cp *CompiledPattern
	var err error
	switch {
	case p.Regexp == "":
		cp, err = CompilePattern(p.Text)
	case p.Text == "":
		cp, err = CompileRegexp(p.Regexp)
	default:
		err = fmt.Errorf("pattern %q: wants either text or regexp, not both", p.Text)
	}
	if err == nil {
		c.patterns[p] = cp
	}
	return cp, err
}

// Add lays modes that were made in memory over the catalogue; data is what they
// were made from, for the digest.
func (c *Catalogue) Add(modes []*ddx.Mode, data []byte) error {
	for _, m := range modes {
		if c.index[m.ID] != nil {
			return fmt.Errorf("add mode %s: the catalogue has one of this id", m.ID)
		}
		c.index[m.ID] = m
		c.Modes = append(c.Modes, m)
	}
	slices.SortFunc(c.Modes, func(a, b *ddx.Mode) int { return strings.Compare(a.ID, b.ID) })
	sum := sha256.Sum256(append([]byte(c.Digest), data...))
	c.Digest = hex.EncodeToString(sum[:])[:16]
	return nil
}

// Scope is what a condition can read: the fields of a fact kind, or the
// captures of log patterns.
type Scope string

// FactScope is the scope of conditions over facts of a kind.
func FactScope(kind string) Scope { return Scope("fact " + kind) }

// CaptureScope is the scope of conditions over the captures of an indicator's
// patterns and the channel of the line: they are asked line by line.
func (c *Catalogue) CaptureScope(ind *ddx.Indicator) (Scope, error) {
	all := map[string]string{"channel": "string"}
	for _, p := range ind.Log {
		cp, err := c.Pattern(p)
		if err != nil {
			return "", err
		}
		for name, typ := range cp.Captures {
			all[name] = typ
		}
	}
	names := make([]string, 0, len(all))
	for n, t := range all {
		names = append(names, n+":"+t)
	}
	slices.Sort(names)
	return Scope("captures " + strings.Join(names, " ")), nil
}

// Eval evaluates a condition. What vars does not tell is unknown. An error
// means that the condition itself is wrong.
func (c *Catalogue) Eval(scope Scope, expr string, vars map[string]any) (Truth, error) {
	return c.conds.eval(string(scope), expr, vars)
}

// Source returns the YAML of a mode or a remedy as it is in force.
func Source(id string, dirs ...string) ([]byte, error) {
	files, err := collect(dirs)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"modes/", "remedies/"} {
		if f, ok := files[kind+id+".yaml"]; ok {
			return f.data, nil
		}
	}
	return nil, fmt.Errorf("show %s: no such mode or remedy; 'ddx catalog list' shows all modes", id)
}
