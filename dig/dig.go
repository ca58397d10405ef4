package dig

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ddx/dns"

	mdns "github.com/miekg/dns"
)

// Read reads the output of dig, drill or kdig, any number of runs one after
// the other with any text between them, and returns one Answers for each name
// and each look at it, in the order of the text. Runs belong to one look until
// the same question to the same server gives another answer, or two minutes
// pass. when is the time of runs that print none. It fails when the text holds
// no run at all.
//
// The role of a server is read from its flags: aa means authority, ra
// resolver; a server that shows neither is an authority when the text names it
// in an NS record, else a resolver.
func Read(r io.Reader, when time.Time) ([]dns.Answers, error) {
	d := &reader{when: when}
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), 1<<20)
	for sc.Scan() {
		d.line(strings.TrimRight(sc.Text(), " \t\r"))
	}
	d.flush()
	if err := sc.Err(); err != nil {
		return d.looks(), fmt.Errorf("read dig output after run %d: %w", len(d.replies), err)
	}
	if len(d.replies) == 0 {
		return nil, fmt.Errorf("read dig output: no run of dig, drill or kdig in it; paste the whole output, with its header lines")
	}
	return d.looks(), nil
}

// reader collects one run at a time.
type reader struct {
	when    time.Time
	replies []dns.Reply
	gaps    []dns.Gap

	cur     *dns.Reply
	sect    *[]dns.RR
	record  string      // a record that an open parenthesis continues
	last    dns.Reply   // server and question of the command line in force
	pending dns.Outcome // communications error printed before the banner
	words   string
	truncd  bool
}

var (
	reHeader  = regexp.MustCompile(`^;; ->>HEADER<<- opcode: \w+[,;] (?:status|rcode): (\w+)[,;] id: (\d+)`)
	reFlags   = regexp.MustCompile(`(?i)^;; flags:? *([a-z ]*)[;:]`)
	reBanner  = regexp.MustCompile(`^;? ?<<>> [Dd]i[Gg] .*<<>> ?(.*)$`)
	rePrompt  = regexp.MustCompile(`^(?:.*[$#%>] *)?((?:k?dig|drill) .+)$`)
	reServer  = regexp.MustCompile(`^;; SERVER: ([0-9A-Fa-f.:]+)(?:#(\d+))?(?:\(([^)]*)\))?`)
	reFrom    = regexp.MustCompile(`^;; From ([0-9A-Fa-f.:]+)@(\d+)\((UDP|TCP)\)`)
	reFailed  = regexp.MustCompile(`^;; (?:communications error to|Connection to) ([0-9A-Fa-f.:]+)#(\d+)[^:]*: (.+?)\.?$`)
	reKdigOut = regexp.MustCompile(`^;; WARNING: ((?:response|connection) timeout|can't \w+).* (?:for|to|from) ([0-9A-Fa-f.:]+)@(\d+)`)
	reEDE     = regexp.MustCompile(`^;+ EDE: (\d+)(?: \([^:]*?\))?(?:: ?\(?'?(.*?)'?\)?)?$`)
	reAsked   = regexp.MustCompile(`^;+ ?([^\s;]+)\s+(?:IN|CH)\s+([A-Z][A-Z0-9]*)$`)
)

// line takes the next line of the text.
func (d *reader) line(s string) {
	if d.record != "" && d.sect != nil {
		d.continueRecord(s)
		return
	}
	switch {
	case s == "":
	case strings.Contains(s, ">>HEADER<<"):
		d.header(s)
	case reBanner.MatchString(s):
		d.flush()
		d.command(reBanner.FindStringSubmatch(s)[1])
	case strings.HasPrefix(s, ";"):
		d.comment(s)
	case strings.HasPrefix(s, "Error: error sending query"):
		d.failed(dns.TimedOut, s)
	case rePrompt.MatchString(s) && d.sect == nil:
		d.flush()
		_, args, _ := strings.Cut(rePrompt.FindStringSubmatch(s)[1], " ")
		d.command(args)
	case d.cur != nil && d.sect != nil:
		d.continueRecord(s)
	}
}

// header begins a reply.
func (d *reader) header(s string) {
	d.flush()
	r := d.last
	r.Outcome, r.Transport = dns.Answered, "udp"
	if d.truncd {
		r.Transport = "tcp"
	}
	d.truncd, d.pending, d.sect = false, "", nil
	if m := reHeader.FindStringSubmatch(s); m != nil {
		r.Rcode = m[1]
	}
	d.cur = &r
}

// comment takes a line that begins with a semicolon.
func (d *reader) comment(s string) {
	switch {
	case strings.HasPrefix(s, ";; Truncated, retrying in TCP mode"):
		d.truncated()
		return
	case reFailed.MatchString(s):
		m := reFailed.FindStringSubmatch(s)
		d.last.Server = dns.Server{Addr: net.JoinHostPort(m[1], m[2])}
		d.pending, d.words = outcomeWords(m[3], strings.HasPrefix(s, ";; Connection") || d.truncd), m[3]
		return
	case reKdigOut.MatchString(s):
		m := reKdigOut.FindStringSubmatch(s)
		d.last.Server = dns.Server{Addr: net.JoinHostPort(m[2], m[3])}
		d.pending, d.words = dns.TimedOut, "no answer"
		if strings.HasPrefix(m[1], "can't") { // kdig 3.2 does not say whether refused or without a route
			d.pending, d.words = dns.Unreachable, m[1]+": refused or unreachable"
		}
		return
	case strings.Contains(s, "no servers could be reached"), strings.HasPrefix(s, ";; ERROR: failed to query"):
		out := d.pending
		if out == "" {
			out = dns.TimedOut
		}
		d.failed(out, cmp.Or(d.words, "no answer"))
		return
	}
	if d.cur == nil {
		return
	}
	switch {
	case reFlags.MatchString(s):
		flags := strings.Fields(strings.ToLower(reFlags.FindStringSubmatch(s)[1]))
		if !slices.Contains(flags, "qr") { // the query itself, as +qr shows it
			d.cur, d.sect = nil, nil
			return
		}
		for _, f := range flags {
			switch f {
			case "aa":
				d.cur.AA = true
			case "tc":
				d.cur.TC = true
			case "ra":
				d.cur.RA = true
			case "ad":
				d.cur.AD = true
			}
		}
	case strings.Contains(s, "ANSWER SECTION"):
		d.sect = &d.cur.Answer
	case strings.Contains(s, "AUTHORITY SECTION"):
		d.sect = &d.cur.Auth
	case strings.Contains(s, "ADDITIONAL SECTION"):
		d.sect = &d.cur.Extra
	case strings.Contains(s, "QUESTION SECTION"), strings.Contains(s, "PSEUDOSECTION"):
		d.sect = nil
	case strings.Contains(s, "EDNS: version") || strings.Contains(s, "Version: 0; flags"):
		d.cur.EDNS = true
	case reEDE.MatchString(s):
		m := reEDE.FindStringSubmatch(s)
		if n, err := strconv.ParseUint(m[1], 10, 16); err == nil {
			d.cur.EDE = append(d.cur.EDE, dns.EDE{Code: uint16(n), Text: m[2]})
		}
	case reServer.MatchString(s):
		m := reServer.FindStringSubmatch(s)
		d.cur.Server = dns.Server{Addr: net.JoinHostPort(m[1], cmp.Or(m[2], "53"))}
		if _, err := netip.ParseAddr(m[3]); err != nil && m[3] != "" {
			d.cur.Server.Name = dns.Canonical(m[3])
		}
		if strings.HasSuffix(s, "(TCP)") {
			d.cur.Transport = "tcp"
		}
	case reFrom.MatchString(s):
		m := reFrom.FindStringSubmatch(s)
		d.cur.Server = dns.Server{Addr: net.JoinHostPort(m[1], m[2])}
		d.cur.Transport, d.sect = strings.ToLower(m[3]), nil
	case strings.HasPrefix(s, ";; WHEN: "):
		d.cur.Time = d.time(strings.TrimPrefix(s, ";; WHEN: "))
	case strings.HasPrefix(s, ";; Time "):
		d.cur.Time = d.time(strings.TrimPrefix(s, ";; Time "))
	case strings.HasPrefix(s, ";; MSG SIZE"):
		d.sect = nil
	case d.sect == nil && reAsked.MatchString(s):
		m := reAsked.FindStringSubmatch(s)
		d.cur.Name, d.cur.Type = dns.Canonical(m[1]), m[2]
	}
}

// continueRecord adds a line to the record being read and keeps it when it is
// complete. What is no record is left out: text between runs is not evidence.
func (d *reader) continueRecord(s string) {
	if i := strings.Index(s, " ; "); i >= 0 && (d.record != "" || strings.Contains(s[:i], "(")) {
		s = s[:i]
	}
	d.record = strings.TrimSpace(d.record + " " + s)
	if strings.Count(d.record, "(") > strings.Count(d.record, ")") && len(d.record) < 64<<10 {
		return
	}
	rr, err := mdns.NewRR(d.record)
	d.record = ""
	if err == nil && rr != nil {
		*d.sect = append(*d.sect, dns.Record(rr))
	}
}

// command remembers what a command line asks and of whom.
func (d *reader) command(args string) {
	d.last = dns.Reply{}
	f := strings.Fields(args)
	port := "53"
	for i := 0; i < len(f); i++ {
		switch {
		case strings.HasPrefix(f[i], "@"):
			d.last.Server = dns.Server{Addr: f[i][1:]}
		case f[i] == "-p" && i+1 < len(f):
			port = f[i+1]
			i++
		case strings.HasPrefix(f[i], "-") || strings.HasPrefix(f[i], "+"):
		case mdns.StringToType[strings.ToUpper(f[i])] != 0 && f[i] != "any":
			d.last.Type = strings.ToUpper(f[i])
		case strings.ToUpper(f[i]) == "IN":
		default:
			d.last.Name = dns.Canonical(f[i])
		}
	}
	d.last.Type = cmp.Or(d.last.Type, "A")
	if a := d.last.Server.Addr; a != "" {
		if _, err := netip.ParseAddr(a); err != nil {
			d.last.Server.Name = dns.Canonical(a)
		}
		d.last.Server.Addr = net.JoinHostPort(a, port)
	}
}

// truncated records the UDP answer that dig does not print.
func (d *reader) truncated() {
	d.flush()
	r := d.last
	r.Outcome, r.Transport, r.Rcode, r.TC = dns.Answered, "udp", "NOERROR", true
	if r.Name != "" {
		d.replies = append(d.replies, r)
	}
	d.truncd = true
}

// failed records a run without an answer.
func (d *reader) failed(o dns.Outcome, words string) {
	d.flush()
	r := d.last
	if r.Name == "" || len(d.replies) > 0 && d.replies[len(d.replies)-1].Outcome == o && d.replies[len(d.replies)-1].Server == r.Server && d.replies[len(d.replies)-1].Name == r.Name && d.replies[len(d.replies)-1].Type == r.Type {
		return // dig repeats the line for each attempt
	}
	r.Outcome, r.Error, r.Transport = o, words, "udp"
	if d.truncd || o == dns.Refused {
		r.Transport = "tcp"
	}
	r.Server.Addr = cmp.Or(r.Server.Addr, "default resolver")
	d.truncd, d.pending, d.words = false, "", ""
	d.replies = append(d.replies, r)
}

// flush keeps the reply under way.
func (d *reader) flush() {
	d.record, d.sect = "", nil
	if d.cur == nil {
		return
	}
	r := *d.cur
	d.cur = nil
	if r.Name == "" {
		return
	}
	r.Server.Addr = cmp.Or(r.Server.Addr, "default resolver")
	d.replies = append(d.replies, r)
}
