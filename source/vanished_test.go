package source

import (
	"slices"
	"strings"
	"testing"
)

// TestGoneFromALaterListing: what one listing of a session shows and a later
// one by the same command does not is gone, and the commands between say after
// what. Another command's listing says nothing of it.
func TestGoneFromALaterListing(t *testing.T) {
	session := `$ ip rule show
0:	from all lookup local
32765:	from all fwmark 0x31 lookup 100
32766:	from all lookup main
$ ip -6 rule show
0:	from all lookup local
1000:	from all fwmark 0x99 lookup 200
$ ip route show
default via 10.0.0.1 dev eth0 proto dhcp
10.9.0.0/16 via 10.0.0.7 dev eth0 proto 17
$ sudo systemctl restart systemd-networkd
$ ip rule show
0:	from all lookup local
32766:	from all lookup main
$ ip route show
default via 10.0.0.1 dev eth0 proto dhcp
`
	facts, _, err := Facts(Take{Items: sections(Item{Origin: "session.txt", Name: "session.txt", Data: []byte(session)})})
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	for _, f := range facts {
		if is, _ := f.Fields["gone"].(bool); is {
			after, _ := f.Fields["gone_after"].([]string)
			gone = append(gone, f.Kind+" "+f.String("table")+" "+f.String("dst")+" after "+strings.Join(after, "; "))
		}
	}
	want := []string{
		"rule 100  after ip -6 rule show; ip route show; sudo systemctl restart systemd-networkd",
		"route main 10.9.0.0/16 after sudo systemctl restart systemd-networkd; ip rule show",
	}
	slices.Sort(gone)
	slices.Sort(want)
	if !slices.Equal(gone, want) {
		t.Errorf("gone: %q\nwant: %q", gone, want)
	}
}
