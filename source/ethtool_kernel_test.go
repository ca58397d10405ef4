package source

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ddx"
)

// TestEthtoolText compares what the kernel says with what the tool prints of
// every interface here, fact by fact; counters may have grown in between.
func TestEthtoolText(t *testing.T) {
	if _, err := exec.LookPath("ethtool"); err != nil {
		t.Skip("needs the tool ethtool to compare with")
	}
	nics, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	facts := func(argv []string, out []byte) (list []string) {
		name := strings.Join(argv, " ")
		if _, err := readItem(&Item{Origin: name, Name: name, Data: out}, func(f ddx.Fact) {
			line := f.Kind + " " + f.Subject.String()
			for _, field := range []string{"name", "driver", "version", "bus", "rx", "tx", "rx_max", "tx_max", "combined", "combined_max"} {
				line += " " + f.String(field)
			}
			list = append(list, line)
		}); err != nil {
			t.Error(err)
		}
		return list
	}
	compared := 0
	for _, nic := range nics {
		for _, option := range []string{"-i", "-S", "-g", "-c", "-l"} {
			argv := []string{"ethtool", option, nic.Name}
			out, supported, err := EthtoolText(argv)
			if !supported {
				t.Errorf("%v is not supported", argv)
			}
			tool, toolErr := exec.Command(argv[0], argv[1:]...).Output()
			if (err != nil) != (toolErr != nil) {
				t.Errorf("%v: kernel %v, tool %v", argv, err, toolErr)
			}
			if err != nil || toolErr != nil {
				continue
			}
			got, want := facts(argv, out), facts(argv, tool)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%v says\n%s\nthe tool\n%s", argv, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			compared += len(got)
		}
	}
	if compared == 0 {
		t.Skip("needs an interface whose driver answers ethtool")
	}
	for _, argv := range [][]string{{"ethtool", "-X", "lo"}, {"ethtool", "lo"}, {"ip", "-i", "lo"}, {"ethtool", "-i", "a-name-that-is-too-long"}} {
		if _, supported, _ := EthtoolText(argv); supported {
			t.Errorf("%v is said to be supported", argv)
		}
	}
	if _, _, err := EthtoolText([]string{"ethtool", "-i", "ddx-none"}); err == nil {
		t.Error("an interface that does not exist gives no error")
	}
}

// TestWithoutEthtool: where the tool is not installed, a command of it is
// answered by the kernel all the same, in a child.
func TestWithoutEthtool(t *testing.T) {
	installed := lookPath
	t.Cleanup(func() { lookPath = installed })
	lookPath = func(name string) (string, error) { return "", errors.New(name + ": not installed") }
	run := func(argv ...string) (string, Output) {
		var b bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		o := streamCommand(ctx, argv, &b)
		return b.String(), o
	}
	if _, o := run("ethtool", "-X", "lo"); o.Absent != ddx.NotThere || !strings.Contains(o.Detail, "not installed") {
		t.Errorf("an option that is not known: %+v", o)
	}
	if _, o := run("ethtool", "-i", "ddx-none"); o.Absent != ddx.NotThere || !strings.Contains(o.Detail, "ddx-none") {
		t.Errorf("an interface that does not exist: %+v", o)
	}
	nics, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, nic := range nics {
		want, _, err := EthtoolText([]string{"ethtool", "-i", nic.Name})
		if got, o := run("ethtool", "-i", nic.Name); err == nil && (o.Absent != "" || got != string(want)) {
			t.Errorf("%s: %q %+v, want %q", nic.Name, got, o, want)
		}
	}
}
