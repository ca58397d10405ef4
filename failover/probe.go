package failover

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// CheckKind is how a target is looked at.
type CheckKind string

// The kinds of checks.
const (
	CheckTCP  CheckKind = "tcp"  // the connection is accepted
	CheckHTTP CheckKind = "http" // GET gives the expected status
	CheckTLS  CheckKind = "tls"  // handshake with a certificate valid for Host
)

// CheckConfig says how targets are looked at.
type CheckConfig struct {
	Kind     CheckKind      `yaml:"kind"`
	Port     uint16         `yaml:"port"`
	Host     string         `yaml:"host"`     // name sent to the target; empty: the endpoint
	Path     string         `yaml:"path"`     // for http; empty: /
	Expect   int            `yaml:"expect"`   // HTTP status; 0: any of 200 to 399
	Timeout  time.Duration  `yaml:"timeout"`  // 0: 2 s
	Interval time.Duration  `yaml:"interval"` // 0: 5 s
	Roots    *x509.CertPool `yaml:"-"`        // nil: the system's
}

// Probe checks one target once. Faults of this host are Unknown, because they
// say nothing about the target: no route of that family, no free port, no
// permission, an ended context.
func Probe(ctx context.Context, cfg CheckConfig, ip netip.Addr) (Health, error) {
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = 2 * time.Second
	}
	tctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	addr := net.JoinHostPort(ip.String(), strconv.Itoa(int(cfg.Port)))
	err := check(tctx, cfg, addr)
	switch {
	case err == nil:
		return Up, nil
	case ctx.Err() != nil, errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE),
		errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.ENOBUFS):
		return Unknown, fmt.Errorf("check %s %s: this host cannot look: %w", cfg.Kind, addr, err)
	}
	return Down, fmt.Errorf("check %s %s: %w", cfg.Kind, addr, err)
}

func check(ctx context.Context, cfg CheckConfig, addr string) error {
	var d net.Dialer
	switch cfg.Kind {
	case CheckTCP:
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	case CheckTLS:
		conn, err := (&tls.Dialer{NetDialer: &d, Config: &tls.Config{ServerName: cfg.Host, RootCAs: cfg.Roots}}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	case CheckHTTP:
		return get(ctx, cfg, addr)
	}
	return fmt.Errorf("unknown kind of check; use tcp, http or tls")
}

// get asks the target itself, whatever its name resolves to, and follows no
// redirect: another machine's health is not this one's.
func get(ctx context.Context, cfg CheckConfig, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return err
	}
	if cfg.Path != "" {
		if req.URL, err = req.URL.Parse(cfg.Path); err != nil {
			return err
		}
	}
	if cfg.Host != "" {
		req.Host = cfg.Host
	}
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if cfg.Expect != 0 && resp.StatusCode != cfg.Expect || cfg.Expect == 0 && (resp.StatusCode < 200 || resp.StatusCode > 399) {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
