package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ddx/controlplane"
)

// Record is the generation record of an endpoint, a single TXT string at
// dns.GenerationName. Everything that several enactors must agree on is in it,
// so that one fenced message moves all of it together.
type Record struct {
	Generation controlplane.Generation
	Hash       string    // of the addresses and their TTL: tells an edit by others
	Owner      string    // who wrote it
	Nonce      string    // of this one write: tells our own after a lost answer
	Site       string    // side that is in service, "" where there is one only
	Frozen     bool      // no enactor may change anything
	Since      time.Time // when the current shrink window began
	Size       int       // addresses when it began
}

// recordMark begins every record; another mark is another format.
const recordMark = "ddx1"

// String is the text of the TXT record.
func (r Record) String() string {
	s := fmt.Sprintf("%s gen=%d hash=%s owner=%s nonce=%s since=%d size=%d", recordMark, r.Generation, r.Hash, r.Owner, r.Nonce, r.Since.Unix(), r.Size)
	if r.Site != "" {
		s += " site=" + r.Site
	}
	if r.Frozen {
		s += " frozen=1"
	}
	return s
}

// ParseRecord reads the text of a TXT record. It refuses what it does not know:
// a record that a newer ddx wrote is not to be overwritten by this one.
func ParseRecord(text string) (Record, error) {
	var r Record
	f := strings.Fields(text)
	if len(f) == 0 || f[0] != recordMark {
		return r, fmt.Errorf("parse generation record %q: does not begin with %q; the name belongs to somebody else", text, recordMark)
	}
	have := map[string]bool{}
	for _, kv := range f[1:] {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || have[k] {
			return r, fmt.Errorf("parse generation record %q: field %q", text, kv)
		}
		have[k] = true
		var err error
		switch k {
		case "gen":
			var n uint64
			n, err = strconv.ParseUint(v, 10, 32)
			r.Generation = controlplane.Generation(n)
		case "since":
			var n int64
			n, err = strconv.ParseInt(v, 10, 64)
			r.Since = time.Unix(n, 0).UTC()
		case "size":
			r.Size, err = strconv.Atoi(v)
		case "hash":
			r.Hash = v
		case "owner":
			r.Owner = v
		case "nonce":
			r.Nonce = v
		case "site":
			r.Site = v
		case "frozen":
			r.Frozen = v == "1"
		default:
			err = fmt.Errorf("unknown field, written by a newer ddx")
		}
		if err != nil {
			return r, fmt.Errorf("parse generation record %q: field %q: %w", text, k, err)
		}
	}
	if !have["gen"] || !have["hash"] || r.Generation == controlplane.None {
		return r, fmt.Errorf("parse generation record %q: gen or hash is missing", text)
	}
	return r, nil
}

// Addresses is a set of addresses, sorted and distinct.
type Addresses []netip.Addr

// Sorted returns the set of the given addresses.
func Sorted(addrs ...netip.Addr) Addresses {
	out := slices.Clone(addrs)
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// Type returns the addresses of one record type, "A" or "AAAA".
func (a Addresses) Type(typ string) Addresses {
	var out Addresses
	for _, ip := range a {
		if ip.Is4() == (typ == "A") {
			out = append(out, ip)
		}
	}
	return out
}

func (a Addresses) String() string {
	var s []string
	for _, ip := range a {
		s = append(s, ip.String())
	}
	return strings.Join(s, " ")
}

// hash names a set of addresses and its TTL in 16 hexadecimal digits.
func hash(a Addresses, ttl uint32) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", ttl, a))
	return hex.EncodeToString(sum[:8])
}
