package source

import (
	"strconv"
	"strings"

	"ddx"
)

var pathReader = Reader{
	Name: "traceroute", Doc: "traceroute, tracepath, mtr --report: the way to a target",
	Kinds: []string{"probe"},
	Match: anyLine(`^\s*(?:traceroute6? to \S+ \(|\d+\?: \[LOCALHOST\]|Resume: pmtu \d+|Too many hops: pmtu|HOST: \S+ +Loss% +Snt|\d+\.\|-- )`),
	Read:  readPath,
}

var (
	traceHeader = lazy(`^\s*traceroute6? to (\S+) \(([^)]+)\), \d+ hops max(?:, (\d+) byte packets)?`)
	traceHop    = lazy(`^\s*(\d+)  ?(\S.*)$`)
	traceFlag   = lazy(` !(H|N|P|X|F(?:-(\d+))?|\d+)\b`)
	pathMTU     = lazy(`\bpmtu (\d+)`)
	pathHop     = lazy(`^\s*\d+\??: +(\S+)`)
	pathResume  = lazy(`^\s*(Resume|Too many hops): pmtu (\d+)`)
	mtrHop      = lazy(`^\s*(\d+)\.\|-- (\S+) +([\d.]+)%? +(\d+)`)
)

var traceResults = map[string]string{"H": "unreachable", "N": "no-route", "P": "unreachable", "X": "prohibited"}

// pathRun is one trace while its lines are read; last is the line that decided.
type pathRun struct {
	fact    *ddx.Fact
	address string
	result  string
	last    string
	lastN   int
}

func (p *pathRun) finish(it *Item, emit func(ddx.Fact)) {
	if p.fact != nil && p.result != "" {
		if p.lastN > 0 && p.fact.Evidence[0].Text != p.last {
			it.cite(p.fact, p.lastN, p.last)
		}
		p.fact.Fields["result"] = p.result
		emit(*p.fact)
	}
	*p = pathRun{}
}

func readPath(it *Item, emit func(ddx.Fact)) error {
	var p pathRun
	asked := it.invoked("traceroute", "traceroute6", "tracepath", "tracepath6", "mtr")
	begin := func(n int, line string) {
		if target := operand(asked); p.fact == nil && target != "" {
			p.fact = new(it.fact("probe", endpoint(target), n, line, "kind", "path"))
		}
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 {
			p.finish(it, emit)
			asked = w
			return
		}
		switch {
		case traceHeader.MatchString(line):
			p.finish(it, emit)
			m := traceHeader.FindStringSubmatch(line)
			p.fact, p.address = new(it.fact("probe", endpoint(m[1]), n, line, "kind", "path", "address", m[2])), m[2]
			if v, err := strconv.ParseInt(m[3], 10, 64); err == nil {
				p.fact.Fields["size"] = v
			}
			return
		case pathResume.MatchString(line):
			begin(n, line)
			if p.fact != nil {
				m := pathResume.FindStringSubmatch(line)
				p.fact.Fields["mtu"], _ = strconv.ParseInt(m[2], 10, 64)
				p.fact.Fields["df"] = true
				if p.result == "" || m[1] == "Too many hops" {
					p.result = map[string]string{"Resume": "ok", "Too many hops": "timeout"}[m[1]]
				}
				p.last, p.lastN = line, n
			}
			return
		case mtrHop.MatchString(line):
			begin(n, line)
			if p.fact != nil {
				p.mtr(mtrHop.FindStringSubmatch(line))
				p.last, p.lastN = line, n
			}
			return
		case pathHop.MatchString(line):
			begin(n, line)
			if p.fact != nil {
				p.pathHop(line, pathHop.FindStringSubmatch(line)[1])
				p.last, p.lastN = line, n
			}
			return
		}
		if m := traceHop.FindStringSubmatch(line); m != nil && p.fact != nil {
			p.hop(m[2])
			p.last, p.lastN = line, n
		}
	})
	p.finish(it, emit)
	return nil
}

// hop reads a line of traceroute: the last one decides.
func (p *pathRun) hop(rest string) {
	switch m := traceFlag.FindStringSubmatch(rest); {
	case m != nil && strings.HasPrefix(m[1], "F"):
		p.result = "frag-needed"
		if v, err := strconv.ParseInt(m[2], 10, 64); err == nil {
			p.fact.Fields["mtu"] = v
		}
	case m != nil && traceResults[m[1]] != "":
		p.result = traceResults[m[1]]
	case p.address != "" && (strings.Contains(rest, "("+p.address+")") || strings.HasPrefix(rest, p.address+" ")):
		p.result = "ok"
	default:
		p.result = "timeout"
	}
}

// pathHop reads a line of tracepath.
func (p *pathRun) pathHop(line, name string) {
	if m := pathMTU.FindStringSubmatch(line); m != nil {
		p.fact.Fields["mtu"], _ = strconv.ParseInt(m[1], 10, 64)
		p.fact.Fields["df"] = true
	}
	switch {
	case strings.HasSuffix(line, "reached"):
		p.result = "ok"
	case name == "no":
		p.result = "timeout"
	case strings.Contains(line, "!A"):
		p.result = "prohibited"
	case strings.Contains(line, "!H"):
		p.result = "unreachable"
	case strings.Contains(line, "!N"):
		p.result = "no-route"
	}
}

// mtr reads a line of a report: the last one is the target if it answered.
func (p *pathRun) mtr(m []string) {
	loss, err := strconv.ParseFloat(m[3], 64)
	sent, err2 := strconv.ParseInt(m[4], 10, 64)
	if err != nil || err2 != nil {
		return
	}
	p.fact.Fields["sent"] = sent
	p.fact.Fields["received"] = int64(float64(sent)*(1-loss/100) + 0.5)
	p.result = "ok"
	if loss >= 100 || m[2] == "???" {
		p.result = "timeout"
	}
}
