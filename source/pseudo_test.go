package source

import (
	"strings"
	"testing"

	"ddx"
)

// TestPseudoFiles: the running kernel is not walked through as if it were a
// recording, and one of its files that is named is read.
func TestPseudoFiles(t *testing.T) {
	if !onPseudo("/proc/self/status") {
		t.Skip("/proc is not mounted here")
	}
	if onPseudo("/proc/sys/kernel") || onPseudo(t.TempDir()) {
		t.Error("settings or ordinary files are taken for what can block")
	}
	for _, dir := range []string{"/proc", "/proc/self"} {
		items := open(t, Options{}, dir)[0].Items
		if len(items) != 1 || items[0].Absent != ddx.NotAsked || !items[0].Named || !strings.Contains(items[0].Detail, "'ddx' without a path") {
			t.Errorf("%s: %s", dir, list(items))
		}
	}
	if items := open(t, Options{}, "/proc/meminfo")[0].Items; len(items) != 1 || !strings.HasPrefix(string(items[0].Data), "MemTotal:") {
		t.Errorf("/proc/meminfo: %s", list(items))
	}
}
