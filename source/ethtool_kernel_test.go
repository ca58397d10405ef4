package source

import (
	"net"
	"os/exec"
	"strings"
	"testing"

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
		if _, err := ReadItem(&Item{Origin: name, Name: name, Data: out}, func(f ddx.Fact) {
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
		for _, option := range []string{"-i", "-S", "-g", "-l"} {
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
