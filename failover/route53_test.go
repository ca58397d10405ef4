package failover_test

import (
	"context"
	"os"
	"testing"
	"time"

	"ddx/aws"
	"ddx/awsfake"
	"ddx/failover"
)

// Package aws imports failover, so what the tests of package failover need of it
// is handed to them from here.
func init() {
	open := func(url, zone, key string) failover.Batcher {
		os.Setenv("AWS_ACCESS_KEY_ID", key)
		os.Setenv("AWS_SECRET_ACCESS_KEY", awsfake.SecretKey)
		z, err := aws.NewRoute53(context.Background(), aws.Route53Options{ZoneID: zone, Endpoint: url, Timeout: 500 * time.Millisecond, Pause: 20 * time.Millisecond})
		if err != nil {
			panic(err)
		}
		return z
	}
	failover.OpenRoute53 = func(url string) failover.Batcher { return open(url, awsfake.ZoneID, awsfake.AccessKey) }
	failover.StartRoute53 = func(t testing.TB, ip string, port int) failover.FakeRoute53 {
		f := awsfake.NewRoute53(t, ip, port, "race.example")
		return failover.FakeRoute53{URL: f.URL(), DNS: f.Addr, Start: f.Start, Kill: f.Kill,
			Denied: func() failover.Batcher { return open(f.URL(), awsfake.ZoneID, awsfake.DeniedKey) },
			Replace: func(names []string, sets []failover.RRSet) {
				var out []awsfake.Set
				for _, s := range sets {
					out = append(out, awsfake.Simple(s.Name, s.Type, s.TTL, s.Values...))
				}
				f.Edit(names, out...)
			}}
	}
}
