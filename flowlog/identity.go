package flowlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// Identity is what the evidence says of an interface on either side: by its
// addresses and hardware address the two sides are paired. For the network's
// side ENI is set, for the guest's side Host and Interface.
type Identity struct {
	ENI             string
	Host, Interface string
	Addresses       []string
	MAC             string
}

// ReadIdentities reads what pairs the two sides: the answer of `aws ec2
// describe-network-interfaces`, the output of `ip -j address` of a host, or
// lines "eni,address". host names the host of `ip -j address`.
func ReadIdentities(r io.Reader, host, origin string) ([]Identity, error) {
	b, err := io.ReadAll(io.LimitReader(r, 256<<20))
	if err != nil {
		return nil, fmt.Errorf("read addresses %s: %w", origin, err)
	}
	text := bytes.TrimSpace(b)
	var out []Identity
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		out, err = describedInterfaces(text)
	case bytes.HasPrefix(text, []byte("[")):
		out, err = ipAddresses(text, host)
	default:
		out, err = addressLines(text)
	}
	if err != nil {
		return nil, fmt.Errorf("read addresses %s: %w: want describe-network-interfaces or ip -j address as JSON, or lines eni,address", origin, err)
	}
	return out, nil
}

func describedInterfaces(b []byte) ([]Identity, error) {
	var d struct {
		NetworkInterfaces []struct {
			NetworkInterfaceID string `json:"NetworkInterfaceId"`
			MacAddress         string
			PrivateIPAddress   string `json:"PrivateIpAddress"`
			PrivateIPAddresses []struct {
				PrivateIPAddress string `json:"PrivateIpAddress"`
			} `json:"PrivateIpAddresses"`
			IPv6Addresses []struct {
				IPv6Address string `json:"Ipv6Address"`
			} `json:"Ipv6Addresses"`
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, err
	}
	var out []Identity
	for _, n := range d.NetworkInterfaces {
		i := Identity{ENI: n.NetworkInterfaceID, MAC: n.MacAddress}
		if n.PrivateIPAddress != "" && len(n.PrivateIPAddresses) == 0 {
			i.Addresses = append(i.Addresses, n.PrivateIPAddress)
		}
		for _, a := range n.PrivateIPAddresses {
			i.Addresses = append(i.Addresses, a.PrivateIPAddress)
		}
		for _, a := range n.IPv6Addresses {
			i.Addresses = append(i.Addresses, a.IPv6Address)
		}
		out = append(out, i)
	}
	if len(out) == 0 {
		return nil, errors.New("no NetworkInterfaces in it")
	}
	return out, nil
}

func ipAddresses(b []byte, host string) ([]Identity, error) {
	var links []struct {
		Name    string `json:"ifname"`
		Address string `json:"address"`
		Info    []struct {
			Local string `json:"local"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(b, &links); err != nil {
		return nil, err
	}
	var out []Identity
	for _, l := range links {
		i := Identity{Host: host, Interface: l.Name, MAC: l.Address}
		for _, a := range l.Info {
			i.Addresses = append(i.Addresses, a.Local)
		}
		out = append(out, i)
	}
	return out, nil
}

func addressLines(b []byte) ([]Identity, error) {
	var out []Identity
	sc := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; sc.Scan(); n++ {
		words := strings.FieldsFunc(sc.Text(), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '"' })
		if len(words) < 2 {
			continue
		}
		if _, err := netip.ParseAddr(words[1]); err != nil {
			if n == 1 {
				continue // a header
			}
			return nil, fmt.Errorf("line %d: %.60q is not eni,address", n, sc.Text())
		}
		out = append(out, Identity{ENI: words[0], Addresses: words[1:2]})
	}
	return out, sc.Err()
}

// OwnAddresses gives the addresses of network interfaces among the identities,
// for Options.Addresses.
func OwnAddresses(ids []Identity) map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for _, i := range ids {
		for _, a := range i.Addresses {
			if p, err := netip.ParseAddr(a); err == nil && i.ENI != "" {
				out[i.ENI] = append(out[i.ENI], p)
			}
		}
	}
	return out
}
