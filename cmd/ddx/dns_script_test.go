package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ddx/awsfake"
	"ddx/dnstest"
)

// TestDNSScripts runs the command scripts that need a name server: each gets a
// BIND of its own at $SERVER, a Route 53 zone at $ROUTE53, three targets that accept connections on $PORT of
// 127.0.0.1 to 127.0.0.3, and files with the keys.
func TestDNSScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/dns/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	const zone = "$ORIGIN shop.example.\n$TTL 60\n@ IN SOA ns host 7 3600 600 86400 300\n@ IN NS ns\nns IN A 127.0.0.1\n" +
		"good 30 IN A 192.0.2.1\nhollow IN TXT x\nlost IN CNAME gone\napi 30 IN A 127.0.0.1\napi 30 IN A 127.0.0.2\n"
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			server := dnstest.Bind(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{"shop.example.": zone}, "")
			route53 := awsfake.NewRoute53(t, "127.0.0.1", dnstest.FreePort(t), "shop.example")
			route53.PendingLooks = 1
			route53.Edit(nil, awsfake.Simple("api.shop.example", "A", 30, "127.0.0.1", "127.0.0.2"))
			port := dnstest.FreePort(t)
			for _, ip := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
				l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
			}
			testscript.Run(t, testscript.Params{
				Files:         []string{script},
				UpdateScripts: *updateScripts,
				Setup: func(e *testscript.Env) error {
					e.Setenv("SERVER", server.Addr)
					e.Setenv("ROUTE53", route53.Addr)
					e.Setenv("PORT", strconv.Itoa(port))
					e.Setenv("KEY", dnstest.KeySecret)
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"status": exitStatus,
					"expand": expandCommand,
				},
			})
		})
	}
}

// expandCommand writes FILE with its $VARIABLES replaced.
func expandCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, f := range args {
		b, err := os.ReadFile(ts.MkAbs(f))
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(f), []byte(os.Expand(string(b), ts.Getenv)), 0o644))
	}
}
