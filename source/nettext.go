package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

// The network readers share the reading of numbers, addresses, prompts and
// JSON lists that this file holds.

// recogniseSize bounds what a matcher of a network listing looks at: the
// shapes repeat from the first lines on.
const recogniseSize = 16 << 10

// anyLine returns a matcher for content in which some line fits the expression.
func anyLine(expr string) func(string, []byte) bool {
	re := lazy(`(?m)` + expr)
	return func(_ string, head []byte) bool {
		return re.Match(head[:min(len(head), recogniseSize)])
	}
}

// pastedPrompt is a shell prompt as it is pasted with the command behind it.
var pastedPrompt = lazy(`^\s*(?:\[[^\]]*\]\s*|\([\w.-]+\)\s*|[\w.-]+@[^\s$#>]+[^$#>]{0,80}|(?:ba|z|k)?sh-[\d.]+|[~/][\w/.-]*\s)?[$#]\s*(\S.*)$`)

// promptWords returns the words of a command behind a pasted prompt, nil when
// the line is none.
func promptWords(line string) []string {
	m := pastedPrompt.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	return commandWords(m[1])
}

func commandWords(s string) []string {
	it := Item{Name: s}
	return it.command()
}

// invoked returns the words of the command that made the item, if its program
// is one of those given: from the item's name (also as sosreport writes it,
// with _ for blanks) or from a prompt pasted in front of the output.
func (it *Item) invoked(programs ...string) []string {
	known := func(w []string) bool { return len(w) > 0 && slices.Contains(programs, w[0]) }
	if w := it.command(); known(w) {
		return w
	}
	if w := commandWords(strings.ReplaceAll(it.Name, "_", " ")); known(w) {
		return w
	}
	data := it.Data[:min(len(it.Data), 4<<10)]
	for line := range bytes.Lines(data) {
		if w := promptWords(strings.TrimRight(string(line), "\r\n")); known(w) {
			return w
		}
	}
	return nil
}

// operand returns the last word of a command that is no option, "" when there
// is none behind the program's name.
func operand(words []string) string {
	for i := len(words) - 1; i > 0; i-- {
		if w := words[i]; !strings.HasPrefix(w, "-") && !strings.ContainsAny(w, "|<>;&") {
			return w
		}
	}
	return ""
}

// after returns the word that follows one of the given words, "" when none does.
func after(words []string, keys ...string) string {
	for i := 0; i+1 < len(words); i++ {
		if slices.Contains(keys, words[i]) {
			return words[i+1]
		}
	}
	return ""
}

// attribute returns the integer behind a key word, nil when it is not there.
func attribute(words []string, key string) any {
	if v, err := strconv.ParseInt(after(words, key), 10, 64); err == nil {
		return v
	}
	return nil
}

// text returns s, or nil when it is empty, so that it is left out of a fact.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// scaled reads a count as counters print it: plain, or with a decimal unit
// K, M, G, T, or a binary one Ki, Mi, Gi.
func scaled(s string) (int64, bool) {
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v, true
	}
	base := 1000.0
	if t, ok := strings.CutSuffix(s, "i"); ok {
		s, base = t, 1024
	}
	if len(s) < 2 {
		return 0, false
	}
	power := strings.IndexByte("KMGTP", s[len(s)-1]&^0x20) + 1
	f, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if power == 0 || err != nil || f < 0 || f > 1e6 {
		return 0, false
	}
	for range power {
		f *= base
	}
	if f > 1<<62 {
		return 0, false
	}
	return int64(f), true
}

// network returns the network of an address in CIDR form, nil when it is none.
func network(address string, prefix int64) any {
	a, err := netip.ParseAddr(address)
	if err != nil || prefix < 0 || prefix > 128 {
		return nil
	}
	p, err := a.WithZone("").Prefix(int(prefix))
	if err != nil {
		return nil
	}
	return p.String()
}

// maskLength returns the prefix length of a dotted IPv4 mask.
func maskLength(mask string) (int64, bool) {
	a, err := netip.ParseAddr(mask)
	if err != nil || !a.Is4() {
		return 0, false
	}
	b := a.As4()
	ones, bits := net.IPMask(b[:]).Size()
	return int64(ones), bits == 32
}

// hostPort splits ADDR:PORT as socket listings write it, IPv6 with or without
// brackets, and an interface scope behind the address left in place.
func hostPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", false
	}
	host = strings.TrimSuffix(strings.TrimPrefix(s[:i], "["), "]")
	host = strings.TrimPrefix(host, "::ffff:")
	return host, s[i+1:], true
}

// objects calls fn for each element of a JSON list, or for the one object, with
// the number of the line on which it begins and its verbatim text.
func (it *Item) objects(fn func(n int, raw json.RawMessage)) error {
	start := bytes.IndexAny(it.Data, "[{")
	if start < 0 {
		return fmt.Errorf("read JSON: neither list nor object")
	}
	line := func(off int64) int { return 1 + bytes.Count(it.Data[:start+int(off)], []byte("\n")) }
	dec := json.NewDecoder(bytes.NewReader(it.Data[start:]))
	list := it.Data[start] == '['
	if list {
		if _, err := dec.Token(); err != nil {
			return fmt.Errorf("read JSON: line %d: %w", line(0), err)
		}
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			at := dec.InputOffset()
			for rest := it.Data[start:]; int(at) < len(rest) && bytes.IndexByte([]byte(" \t\r\n,"), rest[at]) >= 0; at++ {
			}
			return fmt.Errorf("read JSON: line %d: %w; the output may be cut off", line(at), err)
		}
		fn(line(dec.InputOffset()-int64(len(raw))), raw)
		if !list {
			return nil
		}
	}
	return nil
}

// endpoint is a name or address with a service behind it.
func endpoint(name string) ddx.Subject { return ddx.Subject{Kind: ddx.Endpoint, Name: name} }

// cite adds a further line to the evidence of a fact.
func (it *Item) cite(f *ddx.Fact, n int, line string) {
	f.Evidence = append(f.Evidence, it.evidence(n, strings.TrimRight(line, " \t"))...)
}

// sortedKeys returns the keys of a map in order, so that facts always come in
// the same order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
