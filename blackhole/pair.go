package blackhole

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ddx/counters"
	"ddx/flowlog"
)

// HostInterface is an interface as the guest names it.
type HostInterface struct {
	Host, Interface string
}

func (h HostInterface) String() string { return h.Host + "/" + h.Interface }

// ParseMap reads one `eni-...=HOST/eth0`.
func ParseMap(s string) (eni string, h HostInterface, err error) {
	eni, to, ok := strings.Cut(s, "=")
	i := strings.LastIndexByte(to, '/')
	if !ok || eni == "" || i <= 0 || i == len(to)-1 {
		return "", h, fmt.Errorf("interface map %q: write it as eni-0123456789abcdef0=HOST/eth0", s)
	}
	return eni, HostInterface{to[:i], to[i+1:]}, nil
}

// Pairing says which guest interface belongs to a network interface, and how
// that is known.
type Pairing struct {
	ENI   string
	Guest HostInterface
	By    string // map, address, mac, only-one
}

// pairUp pairs every network interface with at most one guest interface. Those
// left over come back with the reason.
func pairUp(network []NetworkSeries, guests []HostInterface, ids []flowlog.Identity, given map[string]HostInterface) (pairs []Pairing, left []Unpaired) {
	taken := map[HostInterface]string{}
	take := func(eni string, g HostInterface, by string) {
		pairs = append(pairs, Pairing{eni, g, by})
		taken[g] = eni
	}
	var open []NetworkSeries
	for _, n := range network {
		if g, ok := given[n.Interface]; ok {
			if slices.Contains(guests, g) {
				take(n.Interface, g, "map")
			} else {
				left = append(left, Unpaired{n.Interface, fmt.Sprintf("the map says %s, of which there are no counters", g)})
			}
			continue
		}
		open = append(open, n)
	}
	var still []NetworkSeries
	for _, n := range open {
		var fit []HostInterface
		by := ""
		for _, g := range guests {
			if how := sameInterface(n, g, ids); how != "" && taken[g] == "" && !slices.Contains(fit, g) {
				fit, by = append(fit, g), how
			}
		}
		switch len(fit) {
		case 1:
			take(n.Interface, fit[0], by)
		case 0:
			still = append(still, n)
		default:
			left = append(left, Unpaired{n.Interface, fmt.Sprintf("its address fits %v: say which with --map", fit)})
		}
	}
	var free []HostInterface
	for _, g := range guests {
		if taken[g] == "" && g.Interface != "lo" {
			free = append(free, g)
		}
	}
	switch {
	case len(still) == 1 && len(free) == 1:
		take(still[0].Interface, free[0], "only-one")
	default:
		for _, n := range still {
			left = append(left, Unpaired{n.Interface, fmt.Sprintf("no address or MAC in the evidence pairs it with one of %v: say which with --map", free)})
		}
	}
	slices.SortFunc(pairs, func(a, b Pairing) int { return cmp.Compare(a.ENI, b.ENI) })
	return pairs, left
}

// sameInterface says by what a network interface is a guest's, "" if by nothing.
func sameInterface(n NetworkSeries, g HostInterface, ids []flowlog.Identity) string {
	addresses, mac := n.Addresses, ""
	for _, i := range ids {
		if i.ENI == n.Interface {
			addresses = append(slices.Clone(addresses), i.Addresses...)
			mac = cmp.Or(mac, i.MAC)
		}
	}
	for _, i := range ids {
		if i.Host != g.Host || i.Interface != g.Interface || i.Host == "" && i.Interface == "" {
			continue
		}
		if mac != "" && strings.EqualFold(mac, i.MAC) {
			return "mac"
		}
		for _, a := range i.Addresses {
			if a, _, _ = strings.Cut(a, "/"); slices.Contains(addresses, a) {
				return "address"
			}
		}
	}
	return ""
}

// guestInterfaces lists the interfaces of which packets are counted.
func guestInterfaces(all []counters.Series) []HostInterface {
	var out []HostInterface
	for _, s := range all {
		h := HostInterface{s.Host, s.Interface}
		if s.Metric == counters.RxPackets && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}
