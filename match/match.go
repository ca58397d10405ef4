package match

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"ddx"
	"ddx/catalog"
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
	t := &matching{m: m, s: s, found: map[matchKey]*found{}, kept: map[string]int{}, templates: map[string]*template{}, boots: map[string]int{}, booted: map[string]int64{}}
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
	found     map[matchKey]*found
	order     []*found
	kept      map[string]int // by indicator: how many subjects were found
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

type matchKey struct {
	indicator string
	subject   ddx.Subject
	boot      int
}

// found is everything that matched one indicator on one subject in one boot.
type found struct {
	key         matchKey
	ind         *ddx.Indicator
	count, peak int64
	first, last ddx.Moment
	evidence    []ddx.Evidence // the first few, and in the last place the last
	captures    map[string]string
	record      int64 // the last one counted
	window      []time.Time
	within      time.Duration
}

// MaxSubjects is how many subjects of an indicator a log tells apart. Signs of
// further ones are counted together, without a name; their recovery is not kept.
const MaxSubjects = 1000

const (
	keepFirst = 3 // lines of evidence kept from the beginning, beside the last one
	everyLine = 1 << 30
)

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
			if l.Channel != logline.Service && strings.HasPrefix(string(l.Message), "Linux version ") {
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
		reported = t.reports.Add(kernlog.Line{Message: string(l.Message), Origin: t.origin(raw), Text: string(raw.Text), Time: l.Time, Mono: l.Mono})
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

func (t *matching) origin(raw scan.Line) string {
	return t.s.Origin + ":" + strconv.FormatInt(int64(t.s.Offset)+raw.Number, 10)
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
	caps := p.pattern.Find(l.Message)
	if caps == nil {
		return t.begin(p, l)
	}
	return t.matched(p, raw, l, caps)
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
func (t *matching) matched(p *logPattern, raw scan.Line, l logline.Line, caps map[string]string) bool {
	if p.ind.When != "" && !t.holds(p, caps, t.channel(l)) {
		return false
	}
	t.add(p, raw, l, caps)
	return true
}

// holds evaluates an indicator's condition over the captures of a line.
func (t *matching) holds(p *logPattern, caps map[string]string, ch logline.Channel) bool {
	vars := map[string]any{"channel": ch.String()}
	for name, v := range caps {
		vars[name] = v
		switch p.pattern.Captures[name] {
		case "int":
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				vars[name] = n
			}
		case "double":
			if n, err := strconv.ParseFloat(v, 64); err == nil {
				vars[name] = n
			}
		}
	}
	ok, err := t.m.cat.Eval(p.scope, p.ind.When, vars)
	return err == nil && ok == catalog.True
}

func (t *matching) add(p *logPattern, raw scan.Line, l logline.Line, caps map[string]string) {
	key := matchKey{p.key, ddx.Subject{Kind: p.mode.Subject, Name: subjectName(p, l, caps)}, t.bootsOf(l.Host)}
	f := t.found[key]
	if f == nil && t.kept[p.key] >= MaxSubjects && key.subject.Name != "" {
		if p.ind.Effect == ddx.Clears {
			return // it could only end what was not kept either
		}
		key.subject.Name = ""
		f = t.found[key]
	}
	if f == nil {
		t.kept[p.key]++
		f = &found{key: key, ind: p.ind}
		f.within, _ = time.ParseDuration(p.ind.Within)
		t.found[key] = f
		t.order = append(t.order, f)
	}
	at := ddx.Moment{Wall: l.Time, Mono: max(l.Mono, 0)}
	ev := ddx.Evidence{Kind: "log", Origin: t.origin(raw), Host: l.Host, Time: l.Time, Mono: max(l.Mono, 0), Text: string(raw.Text)}
	f.captures = caps
	if f.record == t.record { // another wording of the indicator fits it, too
		return
	}
	f.record = t.record
	f.count++
	if !f.first.Known() || at.Before(f.first, 0) {
		f.first = at
	}
	if !at.Before(f.last, 0) { // rotated files may have been joined the wrong way round
		f.last = at
	}
	if len(f.evidence) <= keepFirst {
		f.evidence = append(f.evidence, ev)
	} else {
		f.evidence[keepFirst] = ev
	}
	f.peak = max(f.peak, f.windowCount(at))
}

// bootsOf is how many boots of a host the log has shown so far. A line without
// a name counts for every host, and every boot counts for it.
func (t *matching) bootsOf(host string) int {
	if host = ddx.ShortHost(host); host != "" {
		return t.boots[""] + t.boots[host]
	}
	n := 0
	for _, k := range t.boots {
		n += k
	}
	return n
}

// windowCount is how many matches lie in the window that ends at a moment. A
// log without times has one window.
func (f *found) windowCount(at ddx.Moment) int64 {
	if f.within == 0 || !at.Known() {
		return f.count
	}
	wall := at.Wall
	if wall.IsZero() {
		wall = time.Unix(0, 0).Add(time.Duration(at.Mono * float64(time.Second)))
	}
	f.window = append(f.window, wall)
	keep := 0
	for keep < len(f.window) && f.window[keep].Before(wall.Add(-f.within)) {
		keep++
	}
	f.window = f.window[keep:]
	if most := max(f.ind.Count, 1) * 2; len(f.window) > most {
		f.window = f.window[len(f.window)-most:]
	}
	return int64(len(f.window))
}
