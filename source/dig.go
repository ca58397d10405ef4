package source

import (
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var digReader = Reader{
	Name: "dig", Doc: "dig, drill, kdig: DNS answers, whole or only their records",
	Kinds: []string{"dns.answer"},
	Match: matchDig,
	Read:  readDig,
}

var (
	digHeader   = lazy(`->>HEADER<<- opcode: \w+[,;] (?:status|rcode): (\w+)[,;] id: (\d+)`)
	digFlags    = lazy(`^\s*;; [Ff]lags: ([a-z ]*?) ?; QUERY: \d+[,;] ANSWER: (\d+)[,;] AUTHORITY: (\d+)`)
	digQuestion = lazy(`^\s*;;? ?(\S+)\s+(?:IN|CH)\s+(\w+)\s*$`)
	digRecord   = lazy(`^\s*([^\s;]\S*)\s+(?:(\d+)\s+)?IN\s+([A-Z][A-Z0-9]*)\s+(\S.*)$`)
	digSection  = lazy(`^\s*;; (\w+)(?: PSEUDO)?\s?SECTION:`)
	digServer   = lazy(`^\s*;; (?:SERVER: ([0-9A-Fa-f.:%\w]+?)(?:#\d+)?(?:\([^)]*\))?|From ([0-9a-fA-F.:]+)@\d+)(?:\s*\((UDP|TCP)\))?(?: in ([\d.]+) ms)?\s*$`)
	digTime     = lazy(`^\s*;; Query time: (\d+) ([mu])sec`)
	digBanner   = lazy(`^\s*; <<>> DiG [^<]*<<>> (.*)$`)
	digReceived = lazy(`^\s*;; Received \d+ bytes from ([0-9a-fA-F.:]+)#\d+\S* in (\d+) ms`)
	digProblem  = lazy(`(?:communications error to ([^\s#]+)#\d+: |connection timed out; |^\s*;; )(timed out|connection refused|network unreachable|host unreachable|end of file|no servers could be reached)`)
	digEDE      = lazy(`^\s*; EDE: (\d+(?: \([^)]*\))?(?::? .*)?)`)
)

func matchDig(_ string, head []byte) bool {
	head = head[:min(len(head), recogniseSize)]
	if digHeader.Match(head) || anyDigLine(head, digBanner) {
		return true
	}
	records, other := 0, 0
	for line := range strings.Lines(string(head)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, ";") || promptWords(line) != nil:
		case strings.HasPrefix(line, "$"):
			return false // a zone file
		case digRecord.MatchString(line):
			records++
		default:
			other++
		}
	}
	return records > 0 && other == 0 && records <= 64
}

func anyDigLine(head []byte, re *lazyRegexp) bool {
	for line := range strings.Lines(string(head)) {
		if re.MatchString(strings.TrimRight(line, "\r\n")) {
			return true
		}
	}
	return false
}

// dnsName writes a name without its last dot, in lower case.
func dnsName(s string) string {
	if s == "." {
		return s
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// dnsRecord is one record of an answer.
type dnsRecord struct {
	name, kind, data string
	ttl              any
}

// dnsMessage is one answer while its lines are read.
type dnsMessage struct {
	fact          *ddx.Fact
	name, kind    string
	section       string
	answer        []dnsRecord
	soa           *dnsRecord
	counted       bool // the header said how many records there are
	problem       string
	problemServer string
	askedName     string // from the command
	askedType     string
	askedServer   string
	open          *dnsRecord // a SOA in parentheses that goes on in the next line
	trace         bool
	startN        int
	startLine     string
}

func readDig(it *Item, emit func(ddx.Fact)) error {
	m := &dnsMessage{}
	if w := it.invoked("dig", "drill", "kdig"); w != nil {
		m.asked(w[1:])
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m.open != nil {
			body, _, _ := strings.Cut(line, ";")
			m.open.data += " " + strings.TrimSpace(body)
			if strings.Contains(body, ")") {
				record := *m.open
				m.open = nil
				m.record(record)
			}
			return
		}
		if w := promptWords(line); len(w) > 0 {
			m.flush(it, emit)
			m.problem, m.problemServer = "", ""
			if w[0] == "dig" || w[0] == "drill" || w[0] == "kdig" {
				m.asked(w[1:])
			}
			return
		}
		if b := digBanner.FindStringSubmatch(line); b != nil {
			m.flush(it, emit)
			m.asked(strings.Fields(b[1]))
			return
		}
		if h := digHeader.FindStringSubmatch(line); h != nil {
			m.flush(it, emit)
			m.fact = new(it.fact("dns.answer", endpoint(m.askedName), n, line, "rcode", strings.ToUpper(h[1])))
			return
		}
		m.line(it, n, line, emit)
	})
	m.flush(it, emit)
	return nil
}

// asked reads the operands of dig and drill.
func (m *dnsMessage) asked(w []string) {
	m.askedName, m.askedType, m.askedServer = "", "A", ""
	for i := 0; i < len(w); i++ {
		switch a := w[i]; {
		case strings.HasPrefix(a, "@"):
			m.askedServer = a[1:]
		case strings.HasPrefix(a, "+"):
		case a == "-t" && i+1 < len(w):
			i++
			m.askedType = strings.ToUpper(w[i])
		case a == "-x" && i+1 < len(w):
			i++
			m.askedName, m.askedType = w[i], "PTR"
		case a == "-p" || a == "-b" || a == "-c" || a == "-k" || a == "-f":
			i++
		case strings.HasPrefix(a, "-"):
		case slices.Contains(dnsTypes, strings.ToUpper(a)):
			m.askedType = strings.ToUpper(a)
		case a != "IN" && m.askedName == "":
			m.askedName = dnsName(a)
		}
	}
}

var dnsTypes = []string{"A", "AAAA", "NS", "SOA", "MX", "TXT", "CNAME", "PTR", "SRV", "CAA", "ANY", "DS", "DNSKEY", "HTTPS", "SVCB"}

func (m *dnsMessage) line(it *Item, n int, line string, emit func(ddx.Fact)) {
	if s := digSection.FindStringSubmatch(line); s != nil {
		m.section = s[1]
		return
	}
	if r := digReceived.FindStringSubmatch(line); r != nil {
		m.endOfTrace(it, n, line, r, emit)
		return
	}
	if p := digProblem.FindStringSubmatch(line); p != nil {
		if p[2] != "no servers could be reached" {
			m.problem, m.problemServer = p[2], p[1]
			return
		}
		m.unreached(it, n, line, emit)
		return
	}
	if r := digRecord.FindStringSubmatch(line); r != nil {
		var ttl any
		if v, err := strconv.ParseInt(r[2], 10, 64); err == nil {
			ttl = v
		}
		record := dnsRecord{dnsName(r[1]), r[3], r[4], ttl}
		if m.startN == 0 {
			m.startN, m.startLine = n, line
		}
		if strings.Contains(r[4], "(") && !strings.Contains(r[4], ")") && r[3] == "SOA" {
			record.data, _, _ = strings.Cut(record.data, ";")
			m.open = &record
			return
		}
		m.record(record)
		if m.fact != nil && (m.section == "ANSWER" || record.kind == "SOA") && len(m.fact.Evidence) < 8 {
			it.cite(m.fact, n, line)
		}
		return
	}
	if m.fact == nil {
		return
	}
	f := m.fact
	switch {
	case digFlags.MatchString(line):
		x := digFlags.FindStringSubmatch(line)
		flags := strings.Fields(x[1])
		if !slices.Contains(flags, "qr") { // the query itself, as +qr shows it
			m.fact = nil
			return
		}
		f.Fields["authoritative"] = slices.Contains(flags, "aa")
		f.Fields["truncated"] = slices.Contains(flags, "tc")
		f.Fields["answers"], _ = strconv.ParseInt(x[2], 10, 64)
		f.Fields["authority"], _ = strconv.ParseInt(x[3], 10, 64)
		m.counted = true
		it.cite(f, n, line)
	case m.section == "QUESTION" && digQuestion.MatchString(line):
		q := digQuestion.FindStringSubmatch(line)
		m.name, m.kind = dnsName(q[1]), q[2]
	case digServer.MatchString(line):
		s := digServer.FindStringSubmatch(line)
		f.Fields["server"] = s[1] + s[2]
		if s[3] != "" {
			f.Fields["tcp"] = s[3] == "TCP"
		}
		if ms, err := strconv.ParseFloat(s[4], 64); err == nil {
			f.Fields["milliseconds"] = ms
		}
	case digTime.MatchString(line):
		t := digTime.FindStringSubmatch(line)
		ms, _ := strconv.ParseFloat(t[1], 64)
		if t[2] == "u" {
			ms /= 1000
		}
		f.Fields["milliseconds"] = ms
	case digEDE.MatchString(line):
		f.Fields["ede"] = digEDE.FindStringSubmatch(line)[1]
		it.cite(f, n, line)
	}
}

func (m *dnsMessage) record(r dnsRecord) {
	switch {
	case m.section == "AUTHORITY" && r.kind == "SOA":
		m.soa = &r
	case m.section == "ANSWER" || m.section == "":
		if len(m.answer) < 256 {
			m.answer = append(m.answer, r)
		}
	}
}

// unreached makes a fact of a question that nobody answered.
func (m *dnsMessage) unreached(it *Item, n int, line string, emit func(ddx.Fact)) {
	rcode := "timeout"
	if m.problem == "connection refused" {
		rcode = "refused-connection"
	}
	server := m.askedServer
	if server == "" {
		server = m.problemServer
	}
	if m.askedName != "" {
		emit(it.fact("dns.answer", endpoint(m.askedName), n, line, "type", m.askedType, "rcode", rcode, "server", text(server)))
	}
	m.problem, m.problemServer = "", ""
}

// endOfTrace ends one step of dig +trace: only the step that answers counts.
func (m *dnsMessage) endOfTrace(it *Item, n int, line string, received []string, emit func(ddx.Fact)) {
	m.trace = true
	for _, r := range m.answer {
		if r.name == m.askedName && (r.kind == m.askedType || r.kind == "CNAME") {
			ms, _ := strconv.ParseFloat(received[2], 64)
			m.fact = new(it.fact("dns.answer", endpoint(m.askedName), n, line, "rcode", "NOERROR", "server", received[1], "milliseconds", ms))
			m.name, m.kind = m.askedName, m.askedType
			m.flush(it, emit)
			return
		}
	}
	m.answer, m.soa = nil, nil
}

// flush emits the message, or the records that stand for one, and begins anew.
func (m *dnsMessage) flush(it *Item, emit func(ddx.Fact)) {
	if m.fact == nil && len(m.answer) > 0 && !m.trace {
		m.bare(it)
	}
	if f := m.fact; f != nil {
		if m.name == "" {
			m.name, m.kind = m.askedName, m.askedType
		}
		f.Subject = endpoint(m.name)
		if m.kind != "" {
			f.Fields["type"] = m.kind
		}
		m.fill(f)
		if m.name != "" {
			emit(*f)
		}
	}
	// what went wrong is printed before the banner of the same question
	*m = dnsMessage{askedName: m.askedName, askedType: m.askedType, askedServer: m.askedServer, trace: m.trace,
		problem: m.problem, problemServer: m.problemServer}
}

// bare makes a message of records alone: they answer the first one's name.
// Without a record that is no alias nothing can be said about the code.
func (m *dnsMessage) bare(it *Item) {
	kind := ""
	for _, r := range m.answer {
		if r.kind != "CNAME" {
			kind = r.kind
		}
	}
	if kind == "" {
		kind = "CNAME"
	}
	m.fact = new(it.fact("dns.answer", endpoint(""), m.startN, m.startLine, "rcode", "NOERROR", "server", text(m.askedServer)))
	m.name, m.kind = m.answer[0].name, kind
}

// fill sets the fields that the records decide.
func (m *dnsMessage) fill(f *ddx.Fact) {
	aliases := map[string]string{}
	var values []string
	answers := int64(0)
	for _, r := range m.answer {
		if r.kind == "CNAME" {
			aliases[r.name] = dnsName(r.data)
		}
		if r.kind == m.kind || m.kind == "ANY" {
			answers++
			if len(values) < 64 {
				values = append(values, dnsName(r.data))
			}
		}
		if r.kind == "SOA" && m.kind == "SOA" {
			m.soa = &r
		}
	}
	if len(m.answer) > 0 || !m.counted {
		f.Fields["answers"] = answers
	}
	if values != nil {
		f.Fields["values"] = values
	}
	for at, seen := m.name, map[string]bool{}; aliases[at] != ""; at = aliases[at] {
		if seen[at] {
			f.Fields["cname_loop"] = at
			break
		}
		seen[at] = true
	}
	if m.soa == nil {
		return
	}
	w := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(m.soa.data))
	if m.soa.ttl != nil {
		f.Fields["soa_ttl"] = m.soa.ttl
	}
	if len(w) < 7 {
		return
	}
	if v, err := strconv.ParseInt(w[2], 10, 64); err == nil {
		f.Fields["serial"] = v
	}
	if v, err := strconv.ParseInt(w[6], 10, 64); err == nil {
		f.Fields["soa_minimum"] = v
	}
}
