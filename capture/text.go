package capture

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// text reads what tcpdump prints, with any of -n, -v, -e, -tt, -ttt (time since
// the packet before), -tttt and -i any, of versions 3 to 4. Names are kept as
// names. Relative sequence numbers stay relative: the SYN counts as 0.
type text struct {
	r      *bufio.Reader
	line   int
	offset int64

	now   int64 // time of the last packet
	day   int64 // days passed, as times of day tell
	held  *Packet
	quote bool // the lines that follow quote a packet inside an ICMP error
	verb  *Packet
	isn   map[[2]Endpoint]uint32
}

// maxLine bounds a line; what is beyond is dropped and stated.
const maxLine = 64 << 10

func newText(src io.Reader) *text {
	return &text{r: bufio.NewReaderSize(src, maxLine), isn: map[[2]Endpoint]uint32{}}
}

// looksLikeText reports whether a line of the sample is a packet.
func looksLikeText(sample []byte) bool {
	t, r := newText(strings.NewReader(string(sample))), &Reader{}
	var p Packet
	return t.nextPacket(r, &p)
}

func (t *text) next(*Reader) bool { return false }

// nextPacket holds each packet back until the next line that is not its
// continuation.
func (t *text) nextPacket(r *Reader, p *Packet) bool {
	if len(r.interfaces) == 0 {
		r.interfaces = []Interface{{Link: "text"}}
	}
	for {
		line, ok := t.readLine(r)
		if !ok {
			return t.release(p)
		}
		fresh, ready := t.parse(line, r)
		if !ready {
			continue
		}
		r.count(fresh.Time, fresh.Length)
		had := t.release(p)
		t.held = fresh
		if had {
			return true
		}
	}
}

func (t *text) release(p *Packet) bool {
	if t.held == nil {
		return false
	}
	*p, t.held = *t.held, nil
	return true
}

func (t *text) readLine(r *Reader) (string, bool) {
	line, err := t.r.ReadSlice('\n')
	at := t.offset
	t.offset += int64(len(line))
	t.line++
	out := strings.TrimRight(string(line), "\r\n")
	if err == bufio.ErrBufferFull {
		lost := int64(0)
		for err == bufio.ErrBufferFull {
			line, err = t.r.ReadSlice('\n')
			lost += int64(len(line))
		}
		t.offset += lost
		r.damaged(at, lost, fmt.Sprintf("a line longer than %d bytes", maxLine))
		r.damage[len(r.damage)-1].Line = t.line
	}
	if err != nil && err != io.EOF {
		r.damaged(t.offset, 0, err.Error())
	}
	return out, err == nil || out != "" || len(line) > 0
}

var (
	clockForm = regexp.MustCompile(`^([\s-]?)(?:(\d{4})-(\d\d)-(\d\d)[ T])?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s+`)
	epochForm = regexp.MustCompile(`^\s?(\d{9,10})\.(\d{6,9})\s+`)
	etherForm = regexp.MustCompile(`ethertype (IPv4|IPv6|ARP) \(0x[0-9a-f]+\), (?:length \d+: )?`)
	protoForm = regexp.MustCompile(`^(?:\S+\s+)??(?:(?:In|Out|P|M|B)\s+)?(?:ifindex \d+ )?(IP6|IP|ARP,|arp) `)
	statsForm = regexp.MustCompile(`^(\d+) packets? dropped by (kernel|interface)`)
	quietForm = regexp.MustCompile(`^(?:tcpdump: |listening on |\d+ packets? (?:captured|received by filter)|reading from file |dropped privs)`)
)

// parse reads a line; ready says that it completes a packet.
func (t *text) parse(line string, r *Reader) (fresh *Packet, ready bool) {
	switch {
	case strings.TrimSpace(line) == "" || quietForm.MatchString(line):
		return nil, false
	case strings.HasPrefix(line, "\tIP") || strings.HasPrefix(line, "\tIP6"):
		t.quote = true
		t.quoted(line)
		return nil, false
	case strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t"):
		if t.verb != nil && !t.quote {
			p := t.verb
			t.verb = nil
			return p, t.body(strings.TrimSpace(line), p)
		}
		if t.quote {
			t.quoted(line)
		}
		return nil, false
	}
	if m := statsForm.FindStringSubmatch(line); m != nil {
		n, _ := strconv.ParseUint(m[1], 10, 64)
		if r.dropped != nil {
			n += *r.dropped
		}
		r.dropped = &n
		return nil, false
	}
	if f := commandFilter(line); f != "" {
		r.interfaces[0].Filter = f
		return nil, false
	}
	t.quote, t.verb = false, nil
	rest, at, ok := t.clock(line, r)
	if !ok {
		rest, at = line, t.now
		if !strings.HasPrefix(rest, "IP") && !strings.HasPrefix(strings.ToUpper(rest), "ARP") {
			r.unparsed++
			return nil, false
		}
		r.dateless = true
	}
	p := &Packet{Time: at, Interface: -1}
	if m := etherForm.FindAllStringSubmatchIndex(rest, -1); m != nil {
		last := m[len(m)-1]
		kind := rest[last[2]:last[3]]
		rest = rest[last[1]:]
		ok = t.network(map[string]string{"IPv4": "IP", "IPv6": "IP6", "ARP": "ARP"}[kind], rest, p)
	} else if m := protoForm.FindStringSubmatchIndex(rest); m != nil {
		kind := strings.ToUpper(strings.TrimSuffix(rest[m[2]:m[3]], ","))
		ok = t.network(kind, rest[m[1]:], p)
	} else if strings.Contains(rest, " > ") && ok {
		ok = t.body(rest, p) // tcpdump 3 prints no protocol
	} else {
		ok = false
	}
	switch {
	case t.verb != nil: // the packet continues on the next line
		return nil, false
	case !ok:
		r.unparsed++
		return nil, false
	}
	t.now = at
	return p, true
}

// clock cuts the time off a line.
func (t *text) clock(line string, r *Reader) (rest string, at int64, ok bool) {
	if m := epochForm.FindStringSubmatch(line); m != nil {
		sec, _ := strconv.ParseInt(m[1], 10, 64)
		return line[len(m[0]):], sec*1e9 + fraction(m[2]), true
	}
	m := clockForm.FindStringSubmatch(line)
	if m == nil {
		return line, 0, false
	}
	n := func(s string) int64 { v, _ := strconv.ParseInt(s, 10, 64); return v }
	rest = line[len(m[0]):]
	day := ((n(m[5])*60+n(m[6]))*60+n(m[7]))*1e9 + fraction(m[8])
	if m[2] != "" {
		return rest, time.Date(int(n(m[2])), time.Month(n(m[3])), int(n(m[4])), 0, 0, 0, 0, time.UTC).UnixNano() + day, true
	}
	r.dateless = true
	if m[1] == "-" { // stamped before the packet before
		day = -day
	}
	if m[1] != "" { // -ttt: since the packet before
		return rest, t.now + day, true
	}
	const whole = int64(24 * time.Hour)
	at = t.day*whole + day
	if t.now-at > whole/2 { // past midnight
		t.day++
		at += whole
	}
	return rest, at, true
}

func fraction(s string) int64 {
	v, _ := strconv.ParseInt((s + "000000000")[:9], 10, 64)
	return v
}

// commandFilter finds the filter expression in a pasted tcpdump command line.
func commandFilter(line string) string {
	i := strings.Index(line, "tcpdump ")
	if i < 0 || strings.Contains(line, "tcpdump: ") || i > 200 {
		return ""
	}
	words := strings.Fields(line[i+len("tcpdump "):])
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		w := words[0]
		words = words[1:]
		if strings.ContainsAny(w[len(w)-1:], "iscwrGWCzZBEFmMTyj") && !strings.HasPrefix(w, "--") && len(words) > 0 {
			words = words[1:]
		}
	}
	f := strings.Trim(strings.Join(words, " "), `'"`)
	f, _, _ = strings.Cut(f, " | ")
	f, _, _ = strings.Cut(f, " 2>")
	f, _, _ = strings.Cut(f, " > ")
	return strings.Trim(f, `'" `)
}

// number reads the digits at the start of s.
func number(s string) (int, string) {
	i := 0
	for i < len(s) && i < 18 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return -1, s
	}
	v, _ := strconv.Atoi(s[:i])
	return v, s[i:]
}

// after returns the number behind a key, or -1.
func after(s, key string) int {
	i := strings.Index(s, key)
	if i < 0 {
		return -1
	}
	n, _ := number(s[i+len(key):])
	return n
}
