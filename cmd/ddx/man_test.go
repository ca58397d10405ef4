package main

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"
)

// TestBuiltFrom: pages and version tell of the commit where the build knows it,
// and claim nothing where it does not.
func TestBuiltFrom(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-03-01T12:00:00Z"}, {Key: "vcs.modified", Value: "true"}}
	for name, c := range map[string]struct {
		info       *debug.BuildInfo
		version, h string
	}{
		"nothing":  {nil, "devel", `.TH "DDX-COLLECT" "1" "" "ddx" "ddx manual"`},
		"no stamp": {&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "devel", `.TH "DDX-COLLECT" "1" "" "ddx" "ddx manual"`},
		"commit":   {&debug.BuildInfo{Settings: commit}, "devel-0123456789ab+dirty", `"Mar 2026" "ddx devel-0123456789ab+dirty" "ddx manual"`},
		"release":  {&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: commit}, "v1.2.3", `"Mar 2026" "ddx v1.2.3" "ddx manual"`},
	} {
		if got := versionOf(c.info); got != c.version {
			t.Errorf("%s: version %s, want %s", name, got, c.version)
		}
		root := (&app{stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output()}).root()
		collect, _, err := root.Find([]string{"collect"})
		if err != nil {
			t.Fatal(err)
		}
		page, err := manPage(collect, c.info)
		if err != nil || !bytes.Contains(page, []byte(c.h)) || bytes.Contains(page, []byte("1970")) {
			t.Errorf("%s: %v\n%.200s\nwant a page with %s", name, err, page, c.h)
		}
	}
}
