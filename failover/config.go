package failover

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ddx/controlplane"
	"ddx/dns"

	"go.yaml.in/yaml/v3"
)

// Config is the file that an operator writes for one endpoint.
type Config struct {
	Name    string   `yaml:"name"` // endpoint; only this name and the record below it are ever written
	TTL     uint32   `yaml:"ttl"`  // seconds
	Targets []Target `yaml:"targets"`
	Demand  float64  `yaml:"demand"`

	Provider struct {
		RFC2136 *struct {
			Zone    string `yaml:"zone"`
			Server  string `yaml:"server"`
			KeyName string `yaml:"key_name"`
			KeyAlgo string `yaml:"key_algorithm"`
			KeyFile string `yaml:"key_file"` // holds the secret in base64
		} `yaml:"rfc2136"`
		Route53 *struct {
			Zone     string `yaml:"zone"`
			ZoneID   string `yaml:"zone_id"`
			Region   string `yaml:"region"`   // that requests are signed for; empty: us-east-1
			Profile  string `yaml:"profile"`  // of the shared configuration; empty: the default chain
			Endpoint string `yaml:"endpoint"` // URL; empty: Amazon's
		} `yaml:"route53"`
	} `yaml:"provider"`

	Check CheckConfig `yaml:"check"`
	Gate  struct {
		DownAfter uint8         `yaml:"down_after"` // failed checks in a row that make a target down
		UpAfter   uint8         `yaml:"up_after"`   // good checks in a row that make it up
		Hold      time.Duration `yaml:"hold"`       // it stays down for so long, doubled with every fall
		MaxHold   time.Duration `yaml:"max_hold"`
	} `yaml:"gate"`
	Vantage struct {
		Name    string        `yaml:"name"` // empty: the host's name
		Listen  string        `yaml:"listen"`
		Peers   []string      `yaml:"peers"`
		Quorum  int           `yaml:"quorum"`
		KeyFile string        `yaml:"key_file"`
		MaxAge  time.Duration `yaml:"max_age"`
	} `yaml:"vantage"`
	Guards struct {
		Minimum   int           `yaml:"minimum"`
		MaxShrink int           `yaml:"max_shrink_percent"`
		Window    time.Duration `yaml:"window"`
	} `yaml:"guards"`
	Automatic  bool          `yaml:"automatic"` // may change sides without a person
	Patience   time.Duration `yaml:"patience"`
	FreezeFile string        `yaml:"freeze_file"`
	Costs      Costs         `yaml:"costs"`
}

// ReadConfig reads and checks a configuration. dir is what relative file names
// in it refer to. Unknown fields are errors: a guard that is misspelt would be
// a guard that is off.
func ReadConfig(r io.Reader, dir string) (Config, error) {
	c := Config{TTL: 30, Patience: 3 * time.Minute}
	c.Guards.Minimum, c.Guards.MaxShrink, c.Guards.Window = 1, 50, 10*time.Minute
	c.Vantage.Quorum, c.Vantage.MaxAge = 1, 30*time.Second
	c.Check.Kind, c.Check.Interval = CheckTCP, 5*time.Second
	c.Gate.DownAfter, c.Gate.UpAfter, c.Gate.Hold, c.Gate.MaxHold = 3, 3, 30*time.Second, 10*time.Minute
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("read failover configuration: %w", err)
	}
	c.Name = dns.Canonical(c.Name)
	if c.Check.Host == "" {
		c.Check.Host = strings.TrimSuffix(c.Name, ".")
	}
	if c.Vantage.Name == "" {
		c.Vantage.Name, _ = os.Hostname()
	}
	for _, p := range []*string{&c.Vantage.KeyFile, &c.FreezeFile} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if k := c.Provider.RFC2136; k != nil && !filepath.IsAbs(k.KeyFile) {
		k.KeyFile = filepath.Join(dir, k.KeyFile)
	}
	return c, c.check()
}

// check says what is missing or dangerous.
func (c Config) check() error {
	var wrong []string
	bad := func(cond bool, format string, args ...any) {
		if cond {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	bad(c.Name == ".", "name is missing")
	bad(len(c.Targets) == 0, "targets are missing")
	bad(len(c.Targets) > 64, "%d targets, at most 64 can be handled", len(c.Targets))
	seen := map[netip.Addr]bool{}
	for _, t := range c.Targets {
		bad(!t.Address.IsValid() || t.Address.Zone() != "" || t.Address.Is4In6(), "target address %q is not a plain address", t.Address)
		bad(seen[t.Address], "target %s is listed twice", t.Address)
		bad(strings.ContainsAny(t.Site, " =\""), "site %q: no space, = or quotation mark", t.Site)
		seen[t.Address] = true
	}
	bad(c.TTL == 0 || c.TTL > 3600, "ttl must be between 1 and 3600 seconds")
	bad(c.Check.Port == 0, "check.port is missing")
	bad(c.Check.Kind != CheckTCP && c.Check.Kind != CheckHTTP && c.Check.Kind != CheckTLS, "check.kind %q: use tcp, http or tls", c.Check.Kind)
	bad(c.Check.Interval <= 0 || c.Check.Timeout < 0, "check.interval must be positive")
	bad(c.Vantage.Listen != "" && c.Vantage.KeyFile == "", "vantage.key_file is missing: votes are signed")
	bad(c.Gate.DownAfter < 1 || c.Gate.UpAfter < 1, "gate.down_after and gate.up_after must be at least 1")
	bad(c.Guards.Minimum < 1, "guards.minimum must be at least 1")
	bad(c.Guards.MaxShrink < 1 || c.Guards.MaxShrink > 100, "guards.max_shrink_percent must be between 1 and 100")
	bad(c.Guards.Window <= 0, "guards.window must be positive")
	bad(c.Vantage.Quorum < 1 || c.Vantage.Quorum > len(c.Vantage.Peers)+1, "vantage.quorum %d cannot be reached by %d vantage points", c.Vantage.Quorum, len(c.Vantage.Peers)+1)
	bad(len(c.Vantage.Peers) > 0 && c.Vantage.KeyFile == "", "vantage.key_file is missing: votes of peers are signed")
	bad(c.Automatic && c.Vantage.Quorum < 2, "automatic needs vantage.quorum of 2 or more: one vantage point that lost its own network must not move an endpoint")
	bad((c.Provider.RFC2136 == nil) == (c.Provider.Route53 == nil), "provider: one of rfc2136 and route53 is needed")
	zone := ""
	if k := c.Provider.RFC2136; k != nil {
		zone = k.Zone
		bad(k.Zone == "" || k.Server == "" || k.KeyName == "", "provider.rfc2136: zone, server and key_name are needed")
	}
	if k := c.Provider.Route53; k != nil {
		zone = k.Zone
		bad(k.Zone == "" || k.ZoneID == "", "provider.route53: zone and zone_id are needed")
	}
	bad(zone != "" && !strings.HasSuffix(c.Name, "."+dns.Canonical(zone)), "name %s does not lie in zone %s", c.Name, zone)
	if len(wrong) > 0 {
		return fmt.Errorf("failover configuration: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// Policy is the part of the configuration that decisions are made from.
func (c Config) Policy() Policy {
	return Policy{Name: c.Name, TTL: c.TTL, Targets: c.Targets, Minimum: c.Guards.Minimum, MaxShrink: c.Guards.MaxShrink,
		Window: c.Guards.Window, Automatic: c.Automatic, Patience: c.Patience, Demand: c.Demand}
}

// Dynamic builds the RFC 2136 provider of the configuration.
func (c Config) Dynamic() (*RFC2136, error) {
	k := c.Provider.RFC2136
	if k == nil {
		return nil, fmt.Errorf("failover configuration: provider.rfc2136 is missing")
	}
	secret, err := os.ReadFile(k.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read TSIG key: %w", err)
	}
	algo := k.KeyAlgo
	if algo == "" {
		algo = "hmac-sha256"
	}
	return &RFC2136{Zone: dns.Canonical(k.Zone), Server: k.Server, KeyName: dns.Canonical(k.KeyName), KeyAlgo: dns.Canonical(algo), Secret: string(bytes.TrimSpace(secret))}, nil
}

// Daemon builds everything that runs for the endpoint, over the given provider.
// It changes nothing until its Apply is set.
func (c Config) Daemon(prov Provider, now func() time.Time) (*Daemon, error) {
	var key []byte
	if c.Vantage.KeyFile != "" {
		b, err := os.ReadFile(c.Vantage.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read vantage key: %w", err)
		}
		if key = bytes.TrimSpace(b); len(key) < 16 {
			return nil, fmt.Errorf("read vantage key %s: %d bytes, at least 16 are needed", c.Vantage.KeyFile, len(key))
		}
	}
	var ips []netip.Addr
	for _, t := range c.Targets {
		ips = append(ips, t.Address)
	}
	return &Daemon{
		Policy:  c.Policy(),
		Enactor: &Enactor{Provider: prov, Name: c.Name, Owner: strings.Map(plain, c.Vantage.Name), Nonce: NewNonce},
		Vantage: &Vantage{Name: c.Vantage.Name, Check: c.Check, Targets: ips, Now: now,
			Gate: controlplane.NodeConfig{FailAfter: c.Gate.DownAfter, PassAfter: c.Gate.UpAfter, HoldDown: c.Gate.Hold, MaxHoldDown: c.Gate.MaxHold}},
		Peers: c.Vantage.Peers, VoteKey: key, Quorum: c.Vantage.Quorum, MaxAge: c.Vantage.MaxAge,
		FreezeFile: c.FreezeFile, Now: now,
	}, nil
}

// plain keeps what may stand in a record's field.
func plain(r rune) rune {
	if r <= ' ' || r == '=' || r == '"' || r == '\\' || r > '~' {
		return '-'
	}
	return r
}
