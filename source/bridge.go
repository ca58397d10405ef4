package source

import (
	"encoding/json"
	"strings"

	"ddx"
)

var (
	brctlShow = Reader{
		Name: "brctl", Doc: "brctl show: bridges and their ports",
		Kinds: []string{"nic.link"},
		Match: anyLine(`^\s*bridge name\s+bridge id\s+STP enabled\s+interfaces|^\s*\S+\t+\d{4}\.[0-9a-f]{12}\t+(?:yes|no)\b`),
		Read:  readBrctl,
	}
	dockerNetworks = Reader{
		Name: "docker-network", Doc: "docker network inspect: the subnets of container networks, on their bridges",
		Kinds: []string{"nic.address", "config"},
		Match: anyLine(`^\s*(?:\[?\s*\{?\s*)?"IPAM": ?\{`),
		Read:  readDockerNetworks,
	}
	dockerNetworkList = Reader{
		Name: "docker-network-list", Doc: "docker network ls: container networks",
		Kinds: []string{"config"},
		Match: anyLine(`^\s*NETWORK ID\s+NAME\s+DRIVER`),
		Read:  readDockerNetworkList,
	}
)

var (
	brctlBridge = lazy(`^\s*(\S+)\s+[0-9a-f]{4}\.[0-9a-f]{12}\s+(?:yes|no)(?:\s+(\S+))?$`)
	brctlPort   = lazy(`^\s{8,}(\S+)$|^\t+(\S+)$`)
)

func readBrctl(it *Item, emit func(ddx.Fact)) error {
	bridge := ""
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		port := ""
		if m := brctlBridge.FindStringSubmatch(line); m != nil {
			bridge, port = m[1], m[2]
			emit(it.fact("nic.link", nic(bridge), n, line, "type", "bridge"))
		} else if m := brctlPort.FindStringSubmatch(line); m != nil {
			port = m[1] + m[2]
		}
		if port != "" && bridge != "" {
			emit(it.fact("nic.link", nic(port), n, line, "master", bridge))
		}
	})
	return nil
}

// readDockerNetworks states each subnet twice: as a setting of the network,
// and, for bridges, as the address that the bridge has.
func readDockerNetworks(it *Item, emit func(ddx.Fact)) error {
	return it.objects(func(n int, raw json.RawMessage) {
		var net struct {
			Name, ID, Driver string
			IPAM             struct {
				Config []struct{ Subnet, Gateway string }
			}
			Options map[string]string
		}
		if json.Unmarshal(raw, &net) != nil || net.Name == "" {
			return
		}
		bridge := net.Options["com.docker.network.bridge.name"]
		if bridge == "" && net.Driver == "bridge" && len(net.ID) >= 12 {
			bridge = "br-" + net.ID[:12]
		}
		for _, c := range net.IPAM.Config {
			if c.Subnet == "" {
				continue
			}
			at, line := n, string(raw)
			if i := strings.Index(line, c.Subnet); i >= 0 {
				at += strings.Count(line[:i], "\n")
				line = strings.Split(line, "\n")[at-n]
			}
			emit(it.fact("config", host, at, line, "file", "docker network", "section", net.Name, "name", "subnet", "value", c.Subnet))
			_, prefix, ok := splitPrefix(c.Subnet)
			gateway, _, _ := strings.Cut(c.Gateway, "/")
			if bridge != "" && ok {
				emit(it.fact("nic.address", nic(bridge), at, line, "address", text(gateway), "prefix", prefix, "cidr", c.Subnet))
			}
		}
	})
}

var dockerNetworkLine = lazy(`^\s*[0-9a-f]{12}\s+(\S+)\s+(\S+)\s+(?:local|swarm|global)$`)

func readDockerNetworkList(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := dockerNetworkLine.FindStringSubmatch(line); m != nil {
			emit(it.fact("config", host, n, line, "file", "docker network", "section", m[1], "name", "driver", "value", m[2]))
		}
	})
	return nil
}
