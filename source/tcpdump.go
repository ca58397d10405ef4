package source

import (
	"strconv"
	"strings"

	"ddx"
)

// tcpdumpText reads what tcpdump prints. Binary captures are the business of
// package packet; the text of a few lines is what operators paste.
var tcpdumpText = Reader{
	Name: "tcpdump", Doc: "tcpdump's text: what was repeated without an answer, and what routers and name servers said",
	Kinds: []string{"packet.event"},
	Match: anyLine(`^\s*(?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d\.\d{3,9}|\d{10}\.\d{6}) (?:\S+ +(?:In|Out|B|M|P) +)?(?:IP6? |ARP, |(?:[0-9a-f]{2}:){5}[0-9a-f]{2} > |\([^)]*\) )`),
	Read:  readTcpdump,
}

var (
	tcpdumpStart = lazy(`^\s*(?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d\.\d+|\d{10}\.\d+) (?:\S+ +(?:In|Out|B|M|P) +)?(.*)$`)
	dumpFlow     = lazy(`(?:^|\s)(\S+) > ([^\s:]+(?::[^\s:]+)*): (.*)$`)
	dumpFlags    = lazy(`^(?:tcp \d+ ?\S*, )?Flags \[([A-Z.]+)\](.*)$`)
	dumpSeq      = lazy(`\bseq (\d+:\d+)`)
	dumpTime     = lazy(`(?:^|[ \t])(\d\d):(\d\d):(\d\d\.\d+) `)
	dumpLength   = lazy(`\blength (\d+)`)
	dumpWindow   = lazy(`\bwin (\d+)`)
	dumpICMP     = lazy(`(\S+) > \S+: ICMP6?,? (.*)$`)
	dumpNeedFrag = lazy(`^(\S+) unreachable - need to frag \(mtu (\d+)\)|packet too big, mtu (\d+)`)
	dumpUnreach  = lazy(`^(?:(?:host|net|protocol) )?(\S+)(?: (?:udp|tcp) port \S+)? unreachable(?: - (.*?))?(?:,|$)`)
	dumpWhoHas   = lazy(`Request who-has (\S+?)(?: \([^)]*\))? tell (\S+?),?(?: |$)`)
	dumpIsAt     = lazy(`Reply (\S+) is-at ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})`)
	dumpChecksum = lazy(`\b(?:bad cksum|bad (?:tcp|udp) cksum|cksum 0x[0-9a-f]+ \(incorrect)`)
	dumpQuery    = lazy(`^(\d+)[+%*-]*(?: \[\w+\])* ([A-Z]+)\? (\S+?)\.? \(\d+\)`)
	dumpAnswer   = lazy(`^(\d+)[*|$-]*\s?(NXDomain|ServFail|Refused|FormErr)?[*|$-]* (?:q: \S+ \S+ )?(\d+)/(\d+)/(\d+)`)
)

// dump collects over one capture. At most 10,000 of each sort of thing are
// followed: a paste has a few, and what is beyond is not said.
type dump struct {
	it      *Item
	events  map[string]*dumpEvent
	order   []string
	syns    map[string]*dumpEvent // by flow: SYN seen, not answered
	asked   map[string]*dumpEvent // by address: who-has, not answered
	owners  map[string]string     // by address: hardware address that answered
	queries map[string]*dumpEvent // by client and id: not answered
	names   map[string]string     // by client and id: name asked for
	large   map[string]*dumpEvent // by flow and sequence: segments with data
	routers map[string]int64      // by destination: MTU a router asked for

	answered map[string]bool // by client socket: some query of it was answered
}

const dumpLimit = 10000

type dumpEvent struct {
	event, subject, peer, detail string
	count, mtu, size             int64
	clock                        float64 // time of day of the first line
	evidence                     []ddx.Evidence
}

func readTcpdump(it *Item, emit func(ddx.Fact)) error {
	d := &dump{it: it, events: map[string]*dumpEvent{}, syns: map[string]*dumpEvent{}, asked: map[string]*dumpEvent{}, owners: map[string]string{},
		queries: map[string]*dumpEvent{}, names: map[string]string{}, large: map[string]*dumpEvent{}, routers: map[string]int64{}, answered: map[string]bool{}}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		body := line
		if m := tcpdumpStart.FindStringSubmatch(line); m != nil {
			body = m[1]
		}
		d.packet(n, line, body)
	})
	d.finish()
	for _, key := range d.order {
		e := d.events[key]
		f := ddx.Fact{Kind: "packet.event", Subject: endpoint(e.subject), Time: it.Time, Evidence: e.evidence, Fields: map[string]any{"event": e.event, "count": e.count}}
		for name, v := range map[string]int64{"mtu": e.mtu, "size": e.size} {
			if v > 0 {
				f.Fields[name] = v
			}
		}
		for name, v := range map[string]string{"peer": e.peer, "detail": e.detail} {
			if v != "" {
				f.Fields[name] = v
			}
		}
		emit(f)
	}
	return nil
}

// see counts one more of an event.
func (d *dump) see(m map[string]*dumpEvent, key string, n int, line string, e dumpEvent) *dumpEvent {
	old := m[key]
	if old == nil {
		if len(m) >= dumpLimit {
			return &dumpEvent{}
		}
		old = &e
		m[key] = old
	}
	old.count++
	if len(old.evidence) < 3 {
		old.evidence = append(old.evidence, d.it.evidence(n, line)...)
	}
	return old
}

// event counts one more of something that is said as it is.
func (d *dump) event(n int, line string, e dumpEvent) *dumpEvent {
	key := e.event + "|" + e.subject + "|" + e.peer
	if d.events[key] == nil && len(d.events) < dumpLimit {
		d.order = append(d.order, key)
	}
	return d.see(d.events, key, n, line, e)
}

// service splits HOST.PORT as tcpdump writes it.
func service(s string) (host, port string) {
	if i := strings.LastIndexByte(s, '.'); i > 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

func (d *dump) packet(n int, line, body string) {
	if dumpChecksum.MatchString(body) {
		from := ""
		if m := dumpFlow.FindStringSubmatch(body); m != nil {
			from, _ = service(m[1])
		}
		d.event(n, line, dumpEvent{event: "checksum-bad", subject: from, detail: "sent by the capturing host it only means that the card computes the sum"})
	}
	if strings.Contains(body, "who-has ") || strings.Contains(body, " is-at ") {
		d.arp(n, line, body)
		return
	}
	if m := dumpICMP.FindStringSubmatch(body); m != nil {
		d.icmp(n, line, m[1], m[2])
		return
	}
	m := dumpFlow.FindStringSubmatch(body)
	if m == nil {
		return
	}
	from, to, rest := m[1], m[2], m[3]
	if t := dumpFlags.FindStringSubmatch(rest); t != nil {
		d.tcp(n, line, from, to, t[1], t[2])
		return
	}
	// the checksum of a verbose line stands before the message
	if i := strings.Index(rest, "] "); strings.HasPrefix(rest, "[") && i > 0 {
		rest = rest[i+2:]
	}
	d.dns(n, line, from, to, rest)
}

func (d *dump) arp(n int, line, body string) {
	if m := dumpWhoHas.FindStringSubmatch(body); m != nil {
		if m[1] != m[2] {
			d.see(d.asked, m[1], n, line, dumpEvent{event: "arp-unanswered", subject: m[1], peer: m[2]})
		}
	} else if m := dumpIsAt.FindStringSubmatch(body); m != nil {
		delete(d.asked, m[1])
		if other := d.owners[m[1]]; other != "" && other != m[2] {
			d.event(n, line, dumpEvent{event: "duplicate-address", subject: m[1], detail: other + " and " + m[2]})
		}
		if len(d.owners) < dumpLimit {
			d.owners[m[1]] = m[2]
		}
	}
}

func (d *dump) icmp(n int, line, router, message string) {
	if m := dumpNeedFrag.FindStringSubmatch(message); m != nil {
		mtu, _ := strconv.ParseInt(m[2]+m[3], 10, 64)
		e := d.event(n, line, dumpEvent{event: "frag-needed", subject: m[1], peer: router})
		e.mtu = mtu
		if m[1] != "" && len(d.routers) < dumpLimit {
			d.routers[m[1]] = mtu
		}
		return
	}
	m := dumpUnreach.FindStringSubmatch(message)
	if m == nil {
		return
	}
	event := "icmp-unreachable"
	if strings.Contains(message, "prohibited") || strings.Contains(message, "filtered") {
		event = "icmp-prohibited"
	}
	d.event(n, line, dumpEvent{event: event, subject: m[1], peer: router, detail: message})
}

func (d *dump) tcp(n int, line, from, to, flags, rest string) {
	fromHost, _ := service(from)
	toHost, port := service(to)
	length := int64(0)
	if m := dumpLength.FindStringSubmatch(rest); m != nil {
		length, _ = strconv.ParseInt(m[1], 10, 64)
	}
	syn, reset, ack := strings.Contains(flags, "S"), strings.Contains(flags, "R"), strings.Contains(flags, ".")
	switch {
	case syn && !ack:
		d.see(d.syns, from+">"+to, n, line, dumpEvent{event: "syn-unanswered", subject: toHost, peer: fromHost, detail: "tcp port " + port})
		return
	case reset:
		if e := d.syns[to+">"+from]; e != nil {
			delete(d.syns, to+">"+from)
			d.event(n, line, dumpEvent{event: "syn-refused", subject: fromHost, peer: toHost, detail: e.detail})
		}
		return
	}
	// anything but a RST back is an answer
	delete(d.syns, to+">"+from)
	if m := dumpWindow.FindStringSubmatch(rest); m != nil && m[1] == "0" {
		d.event(n, line, dumpEvent{event: "zero-window", subject: fromHost, peer: toHost})
	}
	if m := dumpSeq.FindStringSubmatch(rest); m != nil && length >= 1000 {
		e := d.see(d.large, from+">"+to+" "+m[1], n, line, dumpEvent{event: "large-retransmitted", subject: toHost, peer: fromHost, detail: "tcp seq " + m[1]})
		e.size = length
	}
}

func (d *dump) dns(n int, line, from, to, rest string) {
	fromHost, fromPort := service(from)
	toHost, toPort := service(to)
	if m := dumpQuery.FindStringSubmatch(rest); m != nil && (toPort == "53" || toPort == "domain") {
		old := d.queries[from+" "+m[1]]
		if old != nil && old.event == "dns-unanswered" && d.answered[from] && repeatedAfter(old.clock, dumpClock(line)) {
			d.event(n, line, dumpEvent{event: "dns-twin-lost", subject: dnsName(m[3]), peer: toHost, detail: m[2]})
		}
		e := d.see(d.queries, from+" "+m[1], n, line, dumpEvent{event: "dns-unanswered", subject: dnsName(m[3]), peer: toHost, detail: m[2]})
		if old == nil {
			e.clock = dumpClock(line)
		}
		if len(d.names) < dumpLimit {
			d.names[from+" "+m[1]] = dnsName(m[3]) + " " + m[2]
		}
		return
	}
	if fromPort != "53" && fromPort != "domain" {
		return
	}
	m := dumpAnswer.FindStringSubmatch(rest)
	if m == nil {
		return
	}
	key := to + " " + m[1]
	delete(d.queries, key)
	if len(d.answered) < dumpLimit {
		d.answered[to] = true
	}
	name, kind, _ := strings.Cut(d.names[key], " ")
	event := map[string]string{"NXDomain": "dns-nxdomain", "ServFail": "dns-servfail"}[m[2]]
	if m[2] == "" && m[3] == "0" && m[4] != "0" {
		event = "dns-nodata"
	}
	if event != "" {
		d.event(n, line, dumpEvent{event: event, subject: name, peer: fromHost, detail: kind})
	}
}

// dumpClock is the time of day in seconds at which a line was captured, -1 when
// the line does not tell.
func dumpClock(line string) float64 {
	m := dumpTime.FindStringSubmatch(line)
	if m == nil {
		return -1
	}
	h, _ := strconv.Atoi(m[1])
	min, _ := strconv.Atoi(m[2])
	sec, _ := strconv.ParseFloat(m[3], 64)
	return float64(h*3600+min*60) + sec
}

// repeatedAfter reports whether a query was sent again after the time-out of
// the C library's resolver, 5 seconds. Copies of one packet, captured on several
// interfaces, lie closer together.
func repeatedAfter(first, again float64) bool {
	return first >= 0 && again-first > 4.5 && again-first < 5.6
}

// finish says what stayed without an answer: a SYN or an ARP request that was
// repeated, a query that was. One may merely be younger than the answer.
func (d *dump) finish() {
	for _, waiting := range []map[string]*dumpEvent{d.syns, d.asked} {
		for _, key := range sortedKeys(waiting) {
			if e := waiting[key]; e.count > 1 {
				d.keep(e)
			}
		}
	}
	names := map[string]*dumpEvent{}
	for _, key := range sortedKeys(d.queries) {
		e := d.queries[key]
		if names[e.subject+e.peer] == nil {
			names[e.subject+e.peer] = e
		} else {
			names[e.subject+e.peer].count += e.count
		}
	}
	for _, key := range sortedKeys(names) {
		if e := names[key]; e.count > 1 {
			d.keep(e)
		}
	}
	for _, key := range sortedKeys(d.large) {
		e := d.large[key]
		if e.count < 3 {
			continue // one retransmission is ordinary loss
		}
		if mtu := d.routers[e.subject]; mtu > 0 && e.size > mtu-40 {
			e.event, e.mtu = "frag-needed-ignored", mtu
		}
		d.keep(e)
	}
}

// keep joins an event to one of the same sort between the same two.
func (d *dump) keep(e *dumpEvent) {
	key := e.event + "|" + e.subject + "|" + e.peer + "|" + e.detail
	if strings.HasPrefix(e.detail, "tcp seq") {
		key = e.event + "|" + e.subject + "|" + e.peer
	}
	if old := d.events[key]; old != nil {
		old.count += e.count
		old.size = max(old.size, e.size)
		return
	}
	d.events[key] = e
	d.order = append(d.order, key)
}
