package source

import (
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var pingReader = Reader{
	Name: "ping", Doc: "ping, also of busybox, and with -M do -s SIZE",
	Kinds: []string{"probe"},
	Match: anyLine(`^\s*(?:PING6? \S+ ?\S* ?\(?[^\n]*(?:data bytes|bytes of data)|--- \S+ ping statistics ---|ping6?: (?:connect|local error|sendmsg|sendto): |\d+ packets transmitted, \d+ )`),
	Read:  readPing,
}

var (
	pingHeader = lazy(`^\s*PING6? (\S+?)(?: ?\(([0-9a-fA-F.:%]+)\))?(?: from \S+(?: \S+)?:)?(?: |: )(\d+)(?:\(\d+\))? (?:bytes of data|data bytes)`)
	pingTotals = lazy(`^\s*(\d+) packets transmitted, (\d+) (?:packets )?received`)
	pingTimes  = lazy(`^\s*(?:rtt|round-trip) min/avg/max(?:/(?:mdev|stddev))? = [\d.]+/([\d.]+)/`)
	pingMTU    = lazy(`\bmtu ?= ?(\d+)`)
)

// pingAnswers are what ping prints in place of a reply, strongest first.
var pingAnswers = []struct{ word, result string }{
	{"frag needed", "frag-needed"}, {"message too long", "frag-needed"}, {"packet too big", "frag-needed"},
	{"packet filtered", "prohibited"}, {"prohibited", "prohibited"}, {"operation not permitted", "prohibited"},
	{"host unreachable", "unreachable"}, {"no route to host", "unreachable"}, {"port unreachable", "unreachable"}, {"address unreachable", "unreachable"},
	{"net unreachable", "no-route"}, {"network is unreachable", "no-route"}, {"no route", "no-route"},
}

// pingRun is one run of ping while its lines are read.
type pingRun struct {
	fact    *ddx.Fact
	answers []string
	replies int64
}

func readPing(it *Item, emit func(ddx.Fact)) error {
	var p pingRun
	asked := it.invoked("ping", "ping6")
	begin := func(n int, line, target string) {
		p.finish(emit)
		p.fact = new(it.fact("probe", endpoint(target), n, line, "kind", "icmp"))
		if slices.Contains(asked, "do") && slices.Contains(asked, "-M") || slices.Contains(asked, "-Mdo") {
			p.fact.Fields["df"] = true
		}
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 {
			p.finish(emit)
			asked = w
			return
		}
		if m := pingHeader.FindStringSubmatch(line); m != nil {
			begin(n, line, m[1])
			p.fact.Fields["size"], _ = strconv.ParseInt(m[3], 10, 64)
			if m[2] != "" {
				p.fact.Fields["address"] = m[2]
			}
			return
		}
		lower := strings.ToLower(line)
		if i := slices.IndexFunc(pingAnswers, func(a struct{ word, result string }) bool { return strings.Contains(lower, a.word) }); i >= 0 {
			if target := operand(asked); p.fact == nil && target != "" {
				begin(n, line, target)
			}
			p.answer(it, n, line, pingAnswers[i].result)
			return
		}
		if p.fact == nil {
			return
		}
		switch {
		case strings.Contains(line, " bytes from ") && strings.Contains(line, "seq="):
			p.replies++
			if p.replies == 1 {
				it.cite(p.fact, n, line)
			}
		case pingTotals.MatchString(line):
			m := pingTotals.FindStringSubmatch(line)
			p.fact.Fields["sent"], _ = strconv.ParseInt(m[1], 10, 64)
			p.fact.Fields["received"], _ = strconv.ParseInt(m[2], 10, 64)
			it.cite(p.fact, n, line)
		case pingTimes.MatchString(line):
			p.fact.Fields["milliseconds"], _ = strconv.ParseFloat(pingTimes.FindStringSubmatch(line)[1], 64)
		}
	})
	p.finish(emit)
	return nil
}

// answer notes an error in place of a reply.
func (p *pingRun) answer(it *Item, n int, line, result string) {
	if p.fact == nil {
		return
	}
	if !slices.Contains(p.answers, result) {
		p.answers = append(p.answers, result)
		if p.fact.Evidence[0].Text != line {
			it.cite(p.fact, n, line)
		}
	}
	if result == "frag-needed" {
		p.fact.Fields["df"] = true
		if m := pingMTU.FindStringSubmatch(line); m != nil {
			p.fact.Fields["mtu"], _ = strconv.ParseInt(m[1], 10, 64)
		}
	}
}

// finish decides the result: one reply is a reply; without any the error that
// was printed; without that and with a total, silence. A run cut off before
// its total, without a reply or an error, says nothing.
func (p *pingRun) finish(emit func(ddx.Fact)) {
	f := p.fact
	if f != nil {
		received, counted := f.Int("received")
		switch {
		case received > 0 || p.replies > 0:
			f.Fields["result"] = "ok"
		case len(p.answers) > 0:
			for _, a := range pingAnswers {
				if slices.Contains(p.answers, a.result) {
					f.Fields["result"] = a.result
					break
				}
			}
		case counted:
			f.Fields["result"] = "timeout"
		}
		if f.Fields["result"] != nil {
			emit(*f)
		}
	}
	*p = pingRun{}
}
