package dns

import (
	"bufio"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// Resolv is what the C library's resolver reads from resolv.conf(5).
type Resolv struct {
	Servers  []string `json:"servers,omitempty"` // addresses in order, without port
	Search   []string `json:"search,omitempty"`
	Ndots    int      `json:"ndots"`
	Timeout  int      `json:"timeout"` // seconds for one server
	Attempts int      `json:"attempts"`
	Rotate   bool     `json:"rotate,omitempty"`
	Ignored  []string `json:"ignored,omitempty"` // nameserver lines past the third, which glibc never asks
}

// maxServers is MAXNS of glibc.
const maxServers = 3

// ParseResolv reads resolv.conf. Lines it does not know are skipped, as the C
// library does; the last search or domain line wins.
func ParseResolv(r io.Reader) (Resolv, error) {
	c := Resolv{Ndots: 1, Timeout: 5, Attempts: 2}
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		line := sc.Text()
		if i := strings.IndexAny(line, "#;"); i >= 0 {
			line = line[:i]
		}
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			if _, err := netip.ParseAddr(f[1]); err != nil {
				continue
			}
			if len(c.Servers) == maxServers {
				c.Ignored = append(c.Ignored, f[1])
				continue
			}
			c.Servers = append(c.Servers, f[1])
		case "search", "domain":
			c.Search = nil
			for _, d := range f[1:] {
				c.Search = append(c.Search, Canonical(d))
			}
		case "options":
			for _, o := range f[1:] {
				c.option(o)
			}
		}
	}
	return c, sc.Err()
}

// option applies one option within the limits of glibc.
func (c *Resolv) option(o string) {
	name, v, _ := strings.Cut(o, ":")
	n, err := strconv.Atoi(v)
	switch {
	case name == "rotate":
		c.Rotate = true
	case err != nil || n < 0:
	case name == "ndots":
		c.Ndots = min(n, 15)
	case name == "timeout":
		c.Timeout = min(n, 30)
	case name == "attempts":
		c.Attempts = min(n, 5)
	}
}

// Candidates returns the names that the C library asks for, in order, when a
// program looks up name: a name with a final dot is asked as it is; one with at
// least Ndots dots first as it is, then with each search domain; any other the
// other way round.
func (c Resolv) Candidates(name string) []string {
	if strings.HasSuffix(name, ".") {
		return []string{strings.ToLower(name)}
	}
	asIs := Canonical(name)
	var searched []string
	for _, d := range c.Search {
		if d == "." {
			continue
		}
		searched = append(searched, asIs+d)
	}
	if strings.Count(name, ".") >= c.Ndots {
		return append([]string{asIs}, searched...)
	}
	return append(searched, asIs)
}
