package match

import (
	"time"

	"ddx"
	"ddx/logline"
	"ddx/scan"
)

// MaxSubjects is how many subjects of an indicator a log tells apart. Signs of
// further ones are counted together, without a name; their recovery is not kept.
const MaxSubjects = 1000

// seen is what was found of one indicator.
type seen struct {
	latest *found // lines of one kind often follow each other
	all    map[about]*found
}

// about is what a line of an indicator is about: the name of its subject, and
// the boot.
type about struct {
	name string
	boot int
}

// found is everything that matched one indicator on one subject in one boot.
type found struct {
	about
	pattern     *logPattern // that matched last
	captures    [][]byte    // of the last line
	count, peak int64
	first, last ddx.Moment
	evidence    []ddx.Evidence // the first few
	latest      latest         // the last one behind them
	record      int64          // the last one counted
	window      []time.Time
	within      time.Duration
}

// keepFirst is how many lines of evidence are kept from the beginning, beside
// the last one.
const keepFirst = 3

// latest is the last line of evidence. Most are replaced by a later one, so that
// only the bytes are kept until it is asked for.
type latest struct {
	number int64 // of the line; 0 when there is none
	line   logline.Line
	text   []byte
}

func (e *latest) keep(raw scan.Line, l logline.Line) {
	e.number, e.line = raw.Number, logline.Line{Host: l.Host, Time: l.Time, Mono: l.Mono}
	e.text = append(e.text[:0], raw.Text...)
}

// of returns what was found of a pattern's indicator on a subject in a boot, nil
// for what is not kept.
func (t *matching) of(p *logPattern, name []byte, boot int) *found {
	s := &t.seen[p.number]
	if f := s.latest; f != nil && f.boot == boot && f.name == string(name) {
		return f
	}
	f := s.all[about{string(name), boot}]
	if f == nil && len(s.all) >= MaxSubjects && len(name) > 0 {
		if p.ind.Effect == ddx.Clears {
			return nil // it could only end what was not kept either
		}
		name = nil
		f = s.all[about{boot: boot}]
	}
	if f == nil {
		f = &found{about: about{string(name), boot}}
		f.within, _ = time.ParseDuration(p.ind.Within)
		if s.all == nil {
			s.all = map[about]*found{}
		}
		s.all[f.about] = f
		t.order = append(t.order, f)
	}
	s.latest = f
	return f
}

// add counts a line for what its indicator says of its subject.
func (t *matching) add(p *logPattern, raw scan.Line, l logline.Line, captures [][]byte) {
	f := t.of(p, subjectName(p, l, captures), t.bootsOf(l.Host))
	if f == nil {
		return
	}
	f.pattern = p
	f.keep(captures)
	if f.record == t.record { // another wording of the indicator fits it, too
		return
	}
	f.record = t.record
	f.count++
	at := ddx.Moment{Wall: l.Time, Mono: max(l.Mono, 0)}
	if !f.first.Known() || at.Before(f.first, 0) {
		f.first = at
	}
	if !at.Before(f.last, 0) { // rotated files may have been joined the wrong way round
		f.last = at
	}
	if len(f.evidence) < keepFirst {
		f.evidence = append(f.evidence, t.evidence(raw.Number, l, raw.Text))
	} else {
		f.latest.keep(raw, l)
	}
	f.peak = max(f.peak, f.windowCount(at))
}

// keep copies the captures, which are parts of a line.
func (f *found) keep(captures [][]byte) {
	for len(f.captures) < len(captures) {
		f.captures = append(f.captures, nil)
	}
	f.captures = f.captures[:len(captures)]
	for i, c := range captures {
		if c == nil {
			f.captures[i] = nil
			continue
		}
		f.captures[i] = append(f.captures[i][:0], c...)
	}
}

// evidence is a line of the log as evidence.
func (t *matching) evidence(number int64, l logline.Line, text []byte) ddx.Evidence {
	return ddx.Evidence{Kind: "log", Origin: t.origin(number), Host: l.Host, Time: l.Time, Mono: max(l.Mono, 0), Text: string(text)}
}

// lines are the first few lines of evidence and the last one.
func (t *matching) lines(f *found) []ddx.Evidence {
	if f.latest.number == 0 {
		return f.evidence
	}
	return append(f.evidence[:keepFirst:keepFirst], t.evidence(f.latest.number, f.latest.line, f.latest.text))
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
	if most := max(f.pattern.ind.Count, 1) * 2; len(f.window) > most {
		f.window = f.window[len(f.window)-most:]
	}
	return int64(len(f.window))
}
