package source

import (
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var (
	ssSockets = Reader{
		Name: "ss", Doc: "ss in all its forms: sockets by state, and those with something waiting",
		Kinds:    []string{"socket.states", "socket"},
		Commands: [][]string{{"ss", "-tanpo"}},
		Match:    anyLine(`^\s*(?:(?:Netid\s+)?(?:State\s+)?Recv-Q\s+Send-Q\s+Local Address:Port|(?:(?:tcp|udp|mptcp)\s+)?(?:` + ssStates + `)\s+\d+\s+\d+\s+\S+:\S+\s+\S+:\S+)`),
		Read:     readSS,
	}
	netstatSockets = Reader{
		Name: "netstat-sockets", Doc: "netstat -an, -tnp, -tulpn (also busybox): sockets by state, and those with something waiting",
		Kinds: []string{"socket.states", "socket"},
		Match: anyLine(`^\s*(?:Proto\s+Recv-Q\s+Send-Q\s+Local Address|(?:tcp|udp)6?\s+\d+\s+\d+\s+\S+[:.](?:\d+|\*|\w+)\s+\S+[:.](?:\d+|\*|\w+)\s)`),
		Read:  readNetstatSockets,
	}
	ssSummary = Reader{
		Name: "ss-summary", Doc: "ss -s: sockets by protocol",
		Kinds:    []string{"sockets"},
		Commands: [][]string{{"ss", "-s"}},
		Match:    anyLine(`^\s*(?:TCP:\s+\d+ \(estab \d+, closed \d+|Transport\s+Total\s+IP\s+IPv6)`),
		Read:     readSSSummary,
	}
)

const ssStates = `LISTEN|ESTAB|SYN-SENT|SYN-RECV|FIN-WAIT-1|FIN-WAIT-2|TIME-WAIT|CLOSE-WAIT|LAST-ACK|CLOSING|UNCONN|NEW-SYN-RECV|CLOSED`

// socketStates are netstat's words for the states, as ss writes them.
var socketStates = map[string]string{
	"ESTABLISHED": "ESTAB", "SYN_SENT": "SYN-SENT", "SYN_RECV": "SYN-RECV", "FIN_WAIT1": "FIN-WAIT-1", "FIN_WAIT2": "FIN-WAIT-2",
	"TIME_WAIT": "TIME-WAIT", "CLOSE_WAIT": "CLOSE-WAIT", "LAST_ACK": "LAST-ACK", "CLOSING": "CLOSING", "LISTEN": "LISTEN", "CLOSE": "CLOSED",
}

// ssFilterStates are the states as a filter of ss names them, which do not add
// up several.
var ssFilterStates = map[string]string{
	"established": "ESTAB", "syn-sent": "SYN-SENT", "syn-recv": "SYN-RECV", "fin-wait-1": "FIN-WAIT-1", "fin-wait-2": "FIN-WAIT-2",
	"time-wait": "TIME-WAIT", "close-wait": "CLOSE-WAIT", "last-ack": "LAST-ACK", "closing": "CLOSING", "listening": "LISTEN", "listen": "LISTEN",
}

// socketLimit is how many sockets of one state become facts of their own; the
// counts by state are always complete.
const socketLimit = 200

// socketList collects a listing.
type socketList struct {
	it     *Item
	emit   func(ddx.Fact)
	states map[string]*socketState
	last   *ddx.Fact // may still get details from the next line
}

type socketState struct {
	count, shown int64
	n            int
	line         string
	peers        tally
}

// add counts a socket and makes a fact of it when it is worth one: listening,
// not answered yet, or with data that is not read or not acknowledged.
func (l *socketList) add(n int, line, proto, state, local, peer string, recv, send int64) {
	l.flush()
	if l.states == nil {
		l.states = map[string]*socketState{}
	}
	s := l.states[state]
	if s == nil {
		s = &socketState{n: n, line: line}
		l.states[state] = s
	}
	s.count++
	if state != "LISTEN" && state != "UNCONN" {
		s.peers.add(peer)
	}
	worth := state == "LISTEN" || state == "SYN-SENT" || state == "SYN-RECV" || recv > 0 || send > 0
	if !worth || state == "UNCONN" && recv == 0 || s.shown >= socketLimit {
		return
	}
	s.shown++
	l.last = new(l.it.fact("socket", host, n, line, "proto", proto, "state", state, "local", local, "peer", peer,
		"recv_q", recv, "send_q", send))
}

func (l *socketList) flush() {
	if l.last != nil {
		l.emit(*l.last)
	}
	l.last = nil
}

func (l *socketList) end() {
	l.flush()
	for _, state := range sortedKeys(l.states) {
		s := l.states[state]
		f := l.it.fact("socket.states", host, s.n, s.line, "state", state, "count", s.count)
		if peer, n := s.peers.most(); n > 0 {
			f.Fields["peer"], f.Fields["peer_count"] = peer, n
		}
		l.emit(f)
	}
}

// plainAddress writes an address and port without brackets and without the
// prefix of IPv4 in IPv6.
func plainAddress(s string) string {
	host, port, ok := hostPort(s)
	switch {
	case !ok:
		return s
	case strings.Contains(host, ":"):
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

var (
	ssStateWord = lazy(`^(?:` + ssStates + `)$`)
	ssTimer     = lazy(`timer:\((\w+),([^,)]*),(\d+)\)`)
	ssUsers     = lazy(`users:\(\((".*)\)\)`)
	ssUser      = lazy(`"([^"]*)",(?:pid=)?(\d+)`)
	ssInfo      = lazy(`(?:^|\s)(unacked|mss|pmtu|backoff|lastrcv|retrans):(\S+)`)
)

func readSS(it *Item, emit func(ddx.Fact)) error {
	l := &socketList{it: it, emit: emit}
	proto := ""
	if w := it.invoked("ss"); len(w) > 1 {
		options := strings.Join(w[1:], " ")
		if strings.Contains(options, "u") && !strings.Contains(options, "t") {
			proto = "udp"
		}
	}
	// a filter for one state leaves its column out: the command names it
	filtered, listed := ssFilterStates[after(it.invoked("ss"), "state")], false
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		w := strings.Fields(line)
		if len(w) == 0 {
			return
		}
		if slices.Contains(w, "Recv-Q") {
			listed = !slices.Contains(w, "State")
			return
		}
		if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ") && strings.Contains(line, "rto:") {
			l.details(n, line)
			return
		}
		p, state := proto, ""
		if !ssStateWord.MatchString(w[0]) && (!listed || strings.Trim(w[0], "0123456789") != "") {
			p, w = w[0], w[1:]
		}
		if p == "" {
			p = "tcp"
		}
		if !slices.Contains([]string{"tcp", "udp", "mptcp", "sctp", "dccp"}, p) {
			return
		}
		if listed {
			state = filtered
		} else if len(w) > 0 && ssStateWord.MatchString(w[0]) {
			state, w = w[0], w[1:]
		}
		if state == "" || len(w) < 4 {
			return
		}
		recv, err1 := strconv.ParseInt(w[0], 10, 64)
		send, err2 := strconv.ParseInt(w[1], 10, 64)
		local, peer := w[2], w[3]
		// releases before 3 write "ADDR:PORT" with a blank before the port
		if len(w) > 5 && strings.HasSuffix(local, ":") && strings.HasSuffix(w[4], ":") {
			local, peer = w[2]+w[3], w[4]+w[5]
		}
		if err1 != nil || err2 != nil || !strings.Contains(local, ":") || !strings.Contains(peer, ":") {
			return
		}
		l.add(n, line, p, state, plainAddress(local), plainAddress(peer), recv, send)
		l.details(n, line)
	})
	l.end()
	return nil
}

// details adds what -p, -o and -i print behind or below a socket.
func (l *socketList) details(n int, line string) {
	f := l.last
	if f == nil {
		return
	}
	found := false
	if m := ssTimer.FindStringSubmatch(line); m != nil {
		f.Fields["timer"] = m[1] + "," + m[2] + "," + m[3]
		if v, err := strconv.ParseInt(m[3], 10, 64); err == nil && m[1] == "on" {
			f.Fields["retransmits"] = v
		}
		found = true
	}
	if m := ssUsers.FindStringSubmatch(line); m != nil {
		if u := ssUser.FindStringSubmatch(m[1]); u != nil {
			f.Fields["process"], found = u[1]+":"+u[2], true
		}
	}
	for _, m := range ssInfo.FindAllStringSubmatch(line, -1) {
		value, _, _ := strings.Cut(m[2], "/")
		v, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			continue
		}
		switch m[1] {
		case "retrans", "backoff":
			// "retrans:1/9" is now and ever; the backoff counts the timeouts in a row
			if old, _ := f.Int("retransmits"); v < old {
				continue
			}
			f.Fields["retransmits"] = v
		case "lastrcv":
			f.Fields["last_received"] = v
		default:
			f.Fields[m[1]] = v
		}
		found = true
	}
	if found && f.Evidence[0].Text != line {
		l.it.cite(f, n, line)
	}
}

var (
	netstatSocket = lazy(`^\s*((?:tcp|udp|raw)6?)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)(?:\s+([A-Z][A-Z_0-9]+))?(?:\s+(\d+/\S*|-))?(.*)$`)
	netstatTimer  = lazy(`\b(on|keepalive|timewait|probe|off) \(([\d.]+)/(\d+)/(\d+)\)`)
)

// netstat does not print the backlog of a listening socket: send_q is left out
// there.
func readNetstatSockets(it *Item, emit func(ddx.Fact)) error {
	l := &socketList{it: it, emit: emit}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		m := netstatSocket.FindStringSubmatch(line)
		if m == nil {
			return
		}
		proto, state := strings.TrimSuffix(m[1], "6"), socketStates[m[6]]
		if state == "" && proto == "udp" {
			state = "UNCONN"
			if m[6] == "ESTABLISHED" {
				state = "ESTAB"
			}
		}
		recv, err1 := strconv.ParseInt(m[2], 10, 64)
		send, err2 := strconv.ParseInt(m[3], 10, 64)
		if state == "" || err1 != nil || err2 != nil {
			return
		}
		l.add(n, line, proto, state, plainAddress(m[4]), plainAddress(m[5]), recv, send)
		if l.last == nil {
			return
		}
		if state == "LISTEN" {
			delete(l.last.Fields, "send_q")
		}
		if pid, name, ok := strings.Cut(m[7], "/"); ok {
			l.last.Fields["process"] = strings.TrimSuffix(name, ":") + ":" + pid
		}
		if t := netstatTimer.FindStringSubmatch(line); t != nil && t[1] != "off" {
			l.last.Fields["timer"] = t[1] + "," + t[2] + "sec," + t[3]
			if v, err := strconv.ParseInt(t[3], 10, 64); err == nil && t[1] == "on" {
				l.last.Fields["retransmits"] = v
			}
		}
	})
	l.end()
	return nil
}

var (
	ssTotals    = lazy(`^\s*TCP:\s+(\d+) \(estab (\d+), closed (\d+), orphaned (\d+)(?:, synrecv (\d+))?, timewait (\d+)`)
	ssTransport = lazy(`^\s*(RAW|UDP|TCP|INET|FRAG)\s+(\d+)\s+(\d+|-)\s+(\d+|-)$`)
)

// readSSSummary joins the two statements about TCP: in use is what the table
// of transports counts, the rest comes from the line before it.
func readSSSummary(it *Item, emit func(ddx.Fact)) error {
	var tcp *ddx.Fact
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := ssTotals.FindStringSubmatch(line); m != nil {
			orphan, _ := strconv.ParseInt(m[4], 10, 64)
			tw, _ := strconv.ParseInt(m[6], 10, 64)
			tcp = new(it.fact("sockets", host, n, line, "proto", "TCP", "orphan", orphan, "tw", tw))
			return
		}
		m := ssTransport.FindStringSubmatch(line)
		if m == nil || m[1] == "INET" {
			return
		}
		inuse, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return
		}
		if m[1] == "TCP" && tcp != nil {
			tcp.Fields["inuse"] = inuse
			it.cite(tcp, n, line)
			return
		}
		emit(it.fact("sockets", host, n, line, "proto", m[1], "inuse", inuse))
	})
	if tcp != nil {
		emit(*tcp)
	}
	return nil
}
