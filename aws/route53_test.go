package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ddx/aws"
	"ddx/awsfake"
	"ddx/controlplane"
	"ddx/dnstest"
	"ddx/failover"
)

const name = "api.race.example."

// open starts a zone and a client with the given access key, "" for none at all.
func open(t *testing.T, key string, set func(*awsfake.Route53)) (*awsfake.Route53, *aws.Route53) {
	t.Helper()
	fake := awsfake.NewRoute53(t, "127.0.0.1", dnstest.FreePort(t), "race.example")
	if set != nil {
		set(fake)
	}
	return fake, client(t, fake, awsfake.ZoneID, key)
}

func client(t *testing.T, fake *awsfake.Route53, zone, key string) *aws.Route53 {
	t.Helper()
	// Nothing of the machine that runs the test plays a part.
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": awsfake.SecretKey, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": ""} {
		t.Setenv(k, v)
	}
	z, err := aws.NewRoute53(t.Context(), aws.Route53Options{ZoneID: zone, Endpoint: fake.URL(), Timeout: 300 * time.Millisecond, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func first() failover.Change {
	return failover.Change{Record: failover.Record{Generation: 1, Hash: "h", Owner: "o", Nonce: "n"}, Addresses: failover.Sorted(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")), TTL: 30}
}

// TestOutcomes holds what each thing that can go wrong is told as, that a batch
// which may have been applied is never sent twice, and that one which was
// certainly not applied is.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		faults  []awsfake.Fault
		status  controlplane.Status
		applied bool
		sent    int
		part    string
	}{
		{"all well", nil, controlplane.Applied, true, 1, ""},
		{"request lost", []awsfake.Fault{awsfake.LoseRequest}, controlplane.Unknown, false, 0, "reading will tell"},
		{"answer lost", []awsfake.Fault{awsfake.LoseAnswer}, controlplane.Unknown, true, 1, "reading will tell"},
		{"no answer in time", []awsfake.Fault{awsfake.Hang}, controlplane.Unknown, true, 1, "reading will tell"},
		{"server error", []awsfake.Fault{awsfake.Fail}, controlplane.Unknown, false, 1, "InternalFailure"},
		{"server error after the fact", []awsfake.Fault{awsfake.FailAfter}, controlplane.Unknown, true, 1, "InternalFailure"},
		{"a proxy's answer", []awsfake.Fault{awsfake.EmptyAnswer}, controlplane.Unknown, false, 1, "proxy"},
		{"throttled", []awsfake.Fault{awsfake.Throttle, awsfake.PriorRequest, awsfake.Throttle}, controlplane.Applied, true, 4, ""},
		{"throttled for ever", []awsfake.Fault{-1}, controlplane.Unknown, false, 6, "Rate exceeded"},
		{"throttled, then the answer lost", []awsfake.Fault{awsfake.Throttle, awsfake.LoseAnswer}, controlplane.Unknown, true, 2, "reading will tell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := c.faults
			fake, z := open(t, awsfake.AccessKey, func(f *awsfake.Route53) {
				f.Fault = func() awsfake.Fault {
					switch {
					case len(faults) == 0:
						return awsfake.None
					case faults[0] < 0:
						return awsfake.Throttle
					}
					next := faults[0]
					faults = faults[1:]
					return next
				}
			})
			p := failover.Batch{Zone: z}
			before, err := p.Read(t.Context(), name) // and a connection to be reused
			if err != nil || before.Owned {
				t.Fatalf("%+v %v", before, err)
			}
			status, err := p.Commit(t.Context(), name, before, first())
			if status != c.status || (err == nil) != (c.part == "") || err != nil && !strings.Contains(err.Error(), c.part) {
				t.Errorf("status %d, want %d: %v", status, c.status, err)
			}
			if n := fake.Count("ChangeResourceRecordSets"); n != c.sent {
				t.Errorf("%d requests arrived, want %d", n, c.sent)
			}
			after, err := p.Read(t.Context(), name)
			if err != nil || after.Owned != c.applied || c.applied && after.Addresses.String() != "192.0.2.1 2001:db8::1" {
				t.Errorf("afterwards %+v %v", after, err)
			}
		})
	}
}

// The enactor over it settles each of these by reading.
func TestEnactorSettles(t *testing.T) {
	for _, fault := range []awsfake.Fault{awsfake.LoseRequest, awsfake.LoseAnswer, awsfake.Hang, awsfake.Fail, awsfake.FailAfter, awsfake.EmptyAnswer, awsfake.Throttle} {
		t.Run(fmt.Sprint(fault), func(t *testing.T) {
			todo := []awsfake.Fault{fault}
			_, z := open(t, awsfake.AccessKey, func(f *awsfake.Route53) {
				f.Fault = func() (next awsfake.Fault) {
					if len(todo) > 0 {
						next, todo = todo[0], nil
					}
					return next
				}
			})
			e := &failover.Enactor{Provider: failover.Batch{Zone: z}, Name: name, Owner: "me", Nonce: failover.NewNonce, Wait: func(context.Context, int) error { return nil }}
			res, err := e.Enact(t.Context(), func(cur failover.Current) failover.Decision {
				if cur.Owned {
					return failover.Decision{Verdict: failover.VerdictUnchanged}
				}
				return failover.Decision{Verdict: failover.VerdictChange, Change: first()}
			})
			if err != nil || !res.Applied || res.Current.Record.Generation != 1 {
				t.Errorf("%+v %v", res, err)
			}
		})
	}
}

// Both ways in which the service writes a mismatch mean a conflict; what no
// state of the zone would take, and what is not allowed, is refused.
func TestConflictAndRefused(t *testing.T) {
	for _, old := range []bool{false, true} {
		_, z := open(t, awsfake.AccessKey, func(f *awsfake.Route53) { f.OldErrors = old })
		p := failover.Batch{Zone: z}
		if status, err := p.Commit(t.Context(), name, failover.Current{}, first()); status != controlplane.Applied {
			t.Fatal(err)
		}
		for what, expect := range map[string]failover.Current{
			"nothing": {}, "another record": {Owned: true, Text: "ddx1 gen=9 hash=x", TextTTL: 5, Addresses: first().Addresses, TTL: 30},
			"another TTL": {Owned: true, Text: first().Record.String(), TextTTL: 5, Addresses: first().Addresses, TTL: 60}} {
			if status, err := p.Commit(t.Context(), name, expect, first()); status != controlplane.Conflict || err != nil {
				t.Errorf("expecting %s, old form %t: status %d %v", what, old, status, err)
			}
		}
		if err := p.Verify(t.Context(), name); err != nil {
			t.Errorf("verify: %v", err)
		}
		if status, err := p.Commit(t.Context(), "api.other.example.", failover.Current{}, first()); status != controlplane.Refused || err == nil || !strings.Contains(err.Error(), "not permitted in zone") {
			t.Errorf("foreign name: status %d %v", status, err)
		}
		if err := p.Verify(t.Context(), "api.other.example."); err == nil {
			t.Error("a foreign name verifies")
		}
	}
	fake, _ := open(t, awsfake.AccessKey, nil)
	for what, c := range map[string]struct{ zone, key, part string }{
		"not allowed":    {awsfake.ZoneID, awsfake.DeniedKey, "AccessDenied"},
		"unknown key":    {awsfake.ZoneID, "AKIAUNKNOWN", "InvalidClientTokenId"},
		"no such zone":   {"ZOTHER", awsfake.AccessKey, "NoSuchHostedZone"},
		"no credentials": {awsfake.ZoneID, "", "no AWS credentials"},
	} {
		p := failover.Batch{Zone: client(t, fake, c.zone, c.key)}
		if status, err := p.Commit(t.Context(), name, failover.Current{}, first()); status != controlplane.Refused || err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: status %d %v", what, status, err)
		}
		if err := p.Verify(t.Context(), name); err == nil || !errors.Is(err, failover.ErrBatchDenied) {
			t.Errorf("%s: verify: %v", what, err)
		}
		if _, err := p.Read(t.Context(), name); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: read: %v", what, err)
		}
	}
}

// List goes on over pages, stops at the next name, and undoes escapes.
func TestListPages(t *testing.T) {
	fake, z := open(t, awsfake.AccessKey, func(f *awsfake.Route53) { f.PageSize = 1 })
	fake.Edit(nil,
		awsfake.Simple(name, "A", 30, "192.0.2.2", "192.0.2.1"),
		awsfake.Simple(name, "AAAA", 30, "2001:db8::1"),
		awsfake.Simple(name, "MX", 30, "10 mx.race.example."),
		awsfake.Simple("_ddx."+name, "TXT", 30, `"x"`),
		awsfake.Simple("zzz.race.example.", "A", 30, "192.0.2.9"),
		awsfake.Simple("*.race.example.", "A", 30, "192.0.2.8"))
	for n, want := range map[string]string{name: "A2 AAAA1 MX1", "*.race.example.": "A1", "none.race.example.": "", "_ddx." + name: "TXT1", "zzz.race.example.": "A1"} {
		sets, err := z.List(t.Context(), n)
		var got []string
		for _, s := range sets {
			got = append(got, s.Type+fmt.Sprint(len(s.Values)))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v %v", n, sets, err)
		}
	}
	cur, err := failover.Batch{Zone: z}.Read(t.Context(), "api.race.example.")
	if err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("%+v %v", cur, err)
	}
}

// Sets that a batch cannot name by TTL and values are not taken over.
func TestRoutedSetsAreLeftAlone(t *testing.T) {
	ttl, weight := uint32(30), int64(1)
	for part, set := range map[string]awsfake.Set{
		"an alias":         {Name: name, Type: "A", AliasTarget: &awsfake.Alias{HostedZoneID: "Z", DNSName: "lb.example."}},
		"routing policy":   {Name: name, Type: "A", TTL: &ttl, SetIdentifier: "one", Weight: &weight, Records: []awsfake.Record{{Value: "192.0.2.1"}}},
		"a health check":   {Name: name, Type: "AAAA", TTL: &ttl, HealthCheckID: "abc", Records: []awsfake.Record{{Value: "2001:db8::1"}}},
		"that it points":   awsfake.Simple(name, "CNAME", 30, "x.example."),
		"make them equal":  awsfake.Simple(name, "A", 30, "192.0.2.1"),
		"generation recor": awsfake.Simple("_ddx."+name, "TXT", 30, `"ddx1 gen=1 hash=a"`, `"ddx1 gen=2 hash=a"`),
	} {
		fake, z := open(t, awsfake.AccessKey, nil)
		fake.Edit(nil, set)
		if part == "make them equal" {
			fake.Edit(nil, awsfake.Simple(name, "AAAA", 60, "2001:db8::1"))
		}
		if cur, err := (failover.Batch{Zone: z}).Read(t.Context(), name); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %+v %v", part, cur, err)
		}
	}
}

func TestInSync(t *testing.T) {
	_, z := open(t, awsfake.AccessKey, func(f *awsfake.Route53) { f.PendingLooks = 2 })
	p := failover.Batch{Zone: z}
	if ok, err := p.InSync(t.Context()); !ok || err != nil {
		t.Errorf("nothing written: %t %v", ok, err)
	}
	if status, err := p.Commit(t.Context(), name, failover.Current{}, first()); status != controlplane.Applied {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true, true} {
		if ok, err := p.InSync(t.Context()); ok != want || err != nil {
			t.Errorf("look %d: %t %v", i, ok, err)
		}
	}
}
