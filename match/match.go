package match

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"

	"ddx"
	"ddx/kernlog"
	"ddx/logline"
	"ddx/scan"
)

// Stream is a log to be matched.
type Stream struct {
	Origin  string          // first part of every origin
	Offset  int             // lines of the origin before the stream's first one
	Channel logline.Channel // what the log can hold; Unknown is anything
	Hint    logline.Hint
	Host    string
	// Incidental marks material that is no log: it is scanned for patterns, and
	// neither covers anything nor has unexplained lines.
	Incidental bool
	Boot       string // current, when all of it is known to be of the running boot
	// Dropped is asked after the stream has been read: how many lines are known
	// to be lost before they reached it; bound is exact, at-least or unknown.
	Dropped func() (n int64, bound string)
}

// Match reads a log to its end and returns what it says as facts: matches of
// the catalogue's patterns, kernel reports, the coverage of the log, and what
// no pattern explains.
func (m *Matcher) Match(s Stream, r io.Reader) ([]ddx.Fact, error) {
	t := &matching{m: m, s: s, seen: make([]seen, m.indicators), templates: map[string]*template{}, boots: map[string]int{}, booted: map[string]int64{}}
	if t.s.Hint.Names == nil {
		t.s.Hint.Names = logline.Names{}
	}
	stats, err := m.set.Scan(m.oneLineRecords(s, r), 0, t.visit)
	if err != nil {
		err = fmt.Errorf("read log %s: after line %d: %w", s.Origin, stats.Lines, err)
	}
	return t.facts(stats), err
}

// oneLineRecords gives the forms of the journal whose records span lines, and a
// console that broke its messages, the form of one line a record.
func (m *Matcher) oneLineRecords(s Stream, r io.Reader) io.Reader {
	if s.Incidental {
		return r
	}
	b := bufio.NewReaderSize(r, consoleSize+1)
	if head, _ := b.Peek(512); logline.IsRecords(head) {
		return logline.NewReader(b)
	}
	return m.joined(b)
}

// matching is one pass over one log.
type matching struct {
	m         *Matcher
	s         Stream
	seen      []seen // by number of the indicator
	order     []*found
	captures  [][]byte // of the line that is looked at
	answers   answers
	templates map[string]*template
	key       []byte // of the template that is looked for
	folded    []*template
	other     *template
	reports   kernlog.Assembler
	boots     map[string]int   // boots that the log shows, by short name of the host, "" where a line names none
	booted    map[string]int64 // line of the last of them
	record    int64            // number of the message that is looked at
	lost      int64
	lostAny   bool
	all       bool // lines carry priorities: look at each of them
	first     bool
	encoded   *scan.Finder
	quoted    *scan.Finder
	patterns  []int // of a line with escapes
	begun     []begun
}

const everyLine = 1 << 30

func (t *matching) visit(line scan.Line) int {
	if !t.all && len(t.begun) == 0 && len(line.Patterns) == 0 && line.Word < 0 && t.reports.Skip(line.Text) {
		return t.reports.Want() // it only stands behind the first line of a report
	}
	l := logline.Parse(line.Text, t.s.Hint)
	n := len(line.Patterns)
	encoded := n > 0 && line.Patterns[n-1] >= t.m.escaped
	if encoded {
		t.decode(&line, l.Message)
	}
	follow := t.line(line, l)
	for len(l.Rest) > 0 { // a console ran two records into one line
		rest := l.Rest
		l = logline.Parse(rest, t.s.Hint)
		if encoded {
			t.decode(&line, l.Message)
		}
		follow = max(follow, t.line(line, l))
	}
	if t.all {
		return everyLine
	}
	return follow
}

// decode adds the patterns in a message that its framing had encoded, so that
// the raw line could not show them. Where quotes were escaped, it can show all
// but those that hold such a character themselves.
func (t *matching) decode(line *scan.Line, msg []byte) {
	t.patterns = append(t.patterns[:0], line.Patterns...)
	if line.Patterns[len(line.Patterns)-1] >= t.m.encoded {
		if t.encoded == nil {
			t.encoded = t.m.set.Finder()
		}
		var found []int
		found, line.Word = t.encoded.Find(msg)
		t.patterns = append(t.patterns, found...)
	} else {
		if t.quoted == nil {
			t.quoted = t.m.quoted.Finder()
		}
		found, _ := t.quoted.Find(msg)
		for _, p := range found {
			t.patterns = append(t.patterns, t.m.origin[p])
		}
	}
	slices.Sort(t.patterns)
	t.patterns = slices.Compact(t.patterns)
	line.Patterns = t.patterns
}

// comment begins a comment of a configuration file, or a command typed at the
// prompt of root: neither says that anything happened.
var comment = []byte("# ")

var linuxVersion = []byte("Linux version ")

func (t *matching) line(raw scan.Line, l logline.Line) int {
	t.record++
	if !t.first {
		t.first = true
		t.all = l.Priority >= 0 && l.Seq >= 0
	}
	if l.Channel == logline.Unknown && bytes.HasPrefix(l.Message, comment) {
		return 0
	}
	matched, starts := t.goOn(raw, l), false
	for _, p := range raw.Patterns {
		switch {
		case p < t.m.starts:
			matched = t.pattern(&t.m.lines[p], raw, l) || matched
		case p < t.m.loss:
			starts = true
		case p == t.m.boot:
			if l.Channel != logline.Service && bytes.HasPrefix(l.Message, linuxVersion) {
				t.boots[ddx.ShortHost(l.Host)]++
				t.booted[ddx.ShortHost(l.Host)] = raw.Number
			}
		case p < t.m.boot:
			t.loss(t.m.loss, p, l.Message)
		}
	}
	reported := false
	switch {
	case l.Channel == logline.Service:
	case !starts:
		reported = t.reports.Continue(l.Message)
	default:
		reported = t.reports.Add(kernlog.Line{Message: string(l.Message), Origin: t.origin(raw.Number), Text: string(raw.Text), Time: l.Time, Mono: l.Mono})
	}
	if !matched && !reported && !t.s.Incidental && t.notable(raw, l) {
		t.fold(raw, l)
	}
	return max(t.reports.Want(), t.wanted())
}

// notable reports whether a line that no pattern matched is a warning or
// worse: by its own priority, else by the word list.
func (t *matching) notable(raw scan.Line, l logline.Line) bool {
	if l.Priority >= 0 {
		return l.Priority <= 4
	}
	return raw.Word >= 0
}

// origin names a line of the log.
func (t *matching) origin(number int64) string {
	return t.s.Origin + ":" + strconv.FormatInt(int64(t.s.Offset)+number, 10)
}

func (t *matching) loss(base, p int, msg []byte) {
	switch g := lossLines[p-base].FindSubmatch(msg); {
	case g == nil:
		return
	case len(g) > 1:
		n, _ := strconv.ParseInt(string(g[1]), 10, 64)
		t.lost += n
	default:
		t.lost++
	}
	t.lostAny = true
}

// pattern checks one candidate against the message itself and its channel.
func (t *matching) pattern(p *logPattern, raw scan.Line, l logline.Line) bool {
	if !t.heard(p, l) {
		return false
	}
	captures, found := p.pattern.Find(l.Message, t.captures[:0])
	t.captures = captures
	if !found {
		return t.begin(p, l)
	}
	return t.matched(p, raw, l, captures)
}

// heard reports whether a line is of the channel that an indicator listens to.
func (t *matching) heard(p *logPattern, l logline.Line) bool {
	switch p.ind.LogChannel() {
	case "kernel":
		return t.channel(l) != logline.Service
	case "service":
		return t.channel(l) != logline.Kernel
	}
	return true
}

// channel is that of a line, or else what the log can hold.
func (t *matching) channel(l logline.Line) logline.Channel {
	if l.Channel == logline.Unknown {
		return t.s.Channel
	}
	return l.Channel
}

// matched counts a line that a pattern fits, unless a condition over the
// captures says otherwise.
func (t *matching) matched(p *logPattern, raw scan.Line, l logline.Line, captures [][]byte) bool {
	if p.ind.When != "" && !t.answers.holds(t.m.cat, p, captures, t.channel(l)) {
		return false
	}
	t.add(p, raw, l, captures)
	return true
}

// bootsOf is how many boots of a host the log has shown so far. A line without
// a name counts for every host, and every boot counts for it.
func (t *matching) bootsOf(host string) int {
	if len(t.boots) == 0 {
		return 0
	}
	if host = ddx.ShortHost(host); host != "" {
		return t.boots[""] + t.boots[host]
	}
	n := 0
	for _, k := range t.boots {
		n += k
	}
	return n
}
