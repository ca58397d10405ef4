package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ddx"
	"ddx/catalog"
)

// The committed pages are those that the program writes; -update refreshes them.
func TestDocsAreCurrent(t *testing.T) {
	for name, want := range map[string][]byte{"facts.md": factsPage(), "sources.md": sourcesPage()} {
		path := filepath.Join("..", "..", "docs", name)
		if *updateScripts {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/%s is stale (%v): go test ./cmd/ddx -run TestDocsAreCurrent -update", name, err)
		}
	}
}

func TestDocsCommand(t *testing.T) {
	dir := t.TempDir()
	if status := run([]string{"catalog", "docs", dir}, strings.NewReader(""), t.Output(), t.Output()); status != exitOK {
		t.Fatalf("status %d", status)
	}
	cat, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(dir, "modes", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range cat.Modes {
		page, err := os.ReadFile(filepath.Join(dir, "modes", m.ID+".md"))
		if err != nil || !bytes.Contains(page, []byte(m.Title)) {
			t.Errorf("page of %s: %v", m.ID, err)
		}
		if !bytes.Contains(index, []byte("]("+m.ID+".md)")) {
			t.Errorf("%s is not in the index", m.ID)
		}
	}
}

// Every command has a manual page, and every shell its completion.
func TestManAndCompletion(t *testing.T) {
	dir := t.TempDir()
	if status := run([]string{"man", dir}, strings.NewReader(""), t.Output(), t.Output()); status != exitOK {
		t.Fatalf("man: status %d", status)
	}
	for page, want := range map[string]string{"ddx.1": "Exit status", "ddx-diagnose.1": "--since", "ddx-tree.1": "--from", "ddx-catalog-import-npd.1": "node-problem-detector", "ddx-catalog-calibrate.1": "calibrate"} {
		text, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil || !strings.Contains(string(text), want) || !strings.HasPrefix(string(text), ".nh") {
			t.Errorf("%s: %v, want a page with %q", page, err, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var out bytes.Buffer
		if status := run([]string{"completion", shell}, strings.NewReader(""), &out, t.Output()); status != exitOK || out.Len() < 1000 {
			t.Errorf("completion %s: status %d, %d bytes", shell, status, out.Len())
		}
	}
}

// docs/json.md names every field of the contract, under the type that has it.
func TestJSONIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[strings.TrimSpace(name)] = body
	}
	seen := map[reflect.Type]bool{}
	var check func(typ reflect.Type)
	check = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[ddx.Diagnosis]().PkgPath() || seen[typ] {
			return
		}
		seen[typ] = true
		body, ok := sections[typ.Name()]
		if !ok {
			t.Errorf("docs/json.md has no section %q", typ.Name())
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous { // its fields are documented under its own name
				check(f.Type)
				continue
			}
			if name == "-" {
				continue
			}
			row := ""
			for line := range strings.Lines(body) {
				if strings.HasPrefix(line, "| `"+name+"` ") {
					row = line
				}
			}
			if row == "" {
				t.Errorf("docs/json.md: section %s does not name %q", typ.Name(), name)
			} else if optional := strings.Contains(row, "| optional"); optional != strings.Contains(options, "omit") {
				t.Errorf("docs/json.md: section %s: %q optional=%v, the code says %q", typ.Name(), name, optional, options)
			}
			check(f.Type)
		}
	}
	check(reflect.TypeFor[ddx.Diagnosis]())
	check(reflect.TypeFor[ddx.Fleet]())
}
