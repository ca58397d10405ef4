package flowsum

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Key names one sum: an interface, the start of a time bucket, what was
// decided and which way it went.
type Key struct {
	Interface string
	Start     int64 // Unix seconds, a multiple of the interval
	Action    Action
	Direction Direction
}

// Amount is what was counted under a Key. Under [NoData] and [SkipData] Flows
// is the number of such records, and nothing else is counted.
type Amount struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	Flows   uint64 `json:"flows"`
}

// Sums are the sums of any number of records. They take a bounded amount of
// memory, and 400 bytes for each interface: beyond it they go to a temporary
// file, which has no name and vanishes with the process. Merging is associative and commutative: parts of a fleet
// can be summed anywhere in any order. Sums are for one goroutine at a time.
type Sums struct {
	mem   *table
	more  []*table // of sums merged in
	limit int64
	runs  []*run
	err   error
}

// New makes empty sums of the given bucket length (whole seconds; 0: one
// minute) that keep about memory bytes in memory (0: 16 MiB). The addresses
// are each interface's own, if known; direction comes from them where a record
// does not say it.
func New(interval time.Duration, memory int64, addresses map[string][]netip.Addr) *Sums {
	if interval < time.Second {
		interval = time.Minute
	}
	if memory <= 0 {
		memory = 16 << 20
	}
	return &Sums{mem: newTable(uint64(interval/time.Second), addresses), limit: memory}
}

// Interval is the length of a bucket.
func (s *Sums) Interval() time.Duration { return time.Duration(s.mem.interval) * time.Second }

// From sets the flow log that the records to come are of, by its id; "" when it
// is not known.
func (s *Sums) From(flowLog string) { s.mem.from(flowLog) }

// Allow sets the memory that the sums may take, in bytes.
func (s *Sums) Allow(memory int64) { s.limit = memory }

// Add adds one record.
func (s *Sums) Add(r *Record) {
	s.mem.add(r)
	if s.mem.full(s.limit) {
		s.spill()
	}
}

// spill moves the cells in memory to a file. An error is kept for Err: sums that
// could not be kept whole must not be shown as whole.
func (s *Sums) spill() {
	r, err := writeRun(s.mem)
	if err != nil && s.err == nil {
		s.err = err
	}
	if r != nil {
		s.runs = append(s.runs, r)
	}
	s.mem.empty()
}

// Merge adds all of o. The bucket lengths must be equal. o is used up: it must
// not be used again.
func (s *Sums) Merge(o *Sums) error {
	if s.mem.interval != o.mem.interval {
		return fmt.Errorf("merge flow sums: buckets of %v and %v: read both with one interval", s.Interval(), o.Interval())
	}
	s.more = append(append(s.more, o.mem), o.more...)
	s.runs = append(s.runs, o.runs...)
	s.err = errors.Join(s.err, o.err)
	s.mem.totals.merge(&o.mem.totals)
	const most = 16
	if len(s.more) > most || s.held() > s.limit {
		s.compact()
	}
	return s.err
}

// held is the memory of all tables.
func (s *Sums) held() int64 {
	n := s.mem.size
	for _, t := range s.more {
		n += t.size
	}
	return n
}

// compact makes one table of many, or a run where they are too large.
func (s *Sums) compact() {
	for _, t := range s.more {
		s.mem.absorb(t)
		if s.mem.full(s.limit) {
			s.spill()
		}
	}
	s.more = nil
}

// Err tells of sums lost on the way to or from the temporary file. It must be
// asked after All.
func (s *Sums) Err() error { return s.err }

// Plus adds b.
func (a *Amount) Plus(b Amount) {
	a.Packets += b.Packets
	a.Bytes += b.Bytes
	a.Flows += b.Flows
}

// Totals over all interfaces.
type Totals struct {
	Records map[string]uint64 `json:"records"`                // by action
	First   time.Time         `json:"first"`                  // smallest start
	Last    time.Time         `json:"last"`                   // largest end
	Span    time.Duration     `json:"-"`                      // longest window of one record
	Lost    map[string]uint64 `json:"packets_lost,omitempty"` // transit gateway: by reason
}

// Totals gives the extent of the sums.
func (s *Sums) Totals() Totals {
	t := &s.mem.totals
	out := Totals{Records: map[string]uint64{}, Span: time.Duration(t.span) * time.Second}
	for g := range s.groups() {
		for _, p := range g.parts {
			for a, n := range p.records {
				if n > 0 {
					out.Records[Action(a).String()] += n
				}
			}
		}
	}
	if t.last != 0 {
		out.First, out.Last = time.Unix(int64(t.first), 0).UTC(), time.Unix(int64(t.last), 0).UTC()
	}
	for i, n := range t.lost {
		if n > 0 {
			if out.Lost == nil {
				out.Lost = map[string]uint64{}
			}
			out.Lost[[...]string{"no-route", "blackhole", "mtu-exceeded", "ttl-expired"}[i]] = n
		}
	}
	return out
}

// Interface says what is known of one interface and how.
type Interface struct {
	Name      string   `json:"interface"`
	Addresses []string `json:"addresses,omitempty"`
	// DirectionFrom is one of: flow-direction (the records say it), given
	// (own addresses were given), inferred (one address is in every record),
	// ambiguous (two addresses are, or none is: direction is unknown).
	DirectionFrom string            `json:"direction_from"`
	Records       map[string]uint64 `json:"records"` // by action
	// Duplicates are records left out because another flow log, FlowLog,
	// covers the same interface and action.
	Duplicates uint64   `json:"duplicates,omitempty"`
	FlowLogs   []string `json:"flow_logs,omitempty"`
}

// Interfaces lists the interfaces in order of name.
func (s *Sums) Interfaces() []Interface {
	var out []Interface
	for g := range s.groups() {
		out = append(out, g.describe())
	}
	return out
}

// All gives every sum, by interface, time, action and direction. Where several
// flow logs (told apart by the flow-log id in the file name) recorded one
// interface, each action is taken from the one with the most records of it:
// the others say the same again.
func (s *Sums) All() iter.Seq2[Key, Amount] {
	return func(yield func(Key, Amount) bool) {
		runs, err := newRuns(s.runs)
		if err != nil {
			s.err = err
			return
		}
		for g := range s.groups() {
			if !g.emit(s, runs, yield) {
				return
			}
		}
		if name := runs.left(); name != "" && s.err == nil {
			s.err = fmt.Errorf("read flow sums back from the temporary file: interface %q is out of order", name)
		}
	}
}

// part is a section and its number of records by action, those in runs included.
type part struct {
	*section
	records [numActions]uint64
	in      *table
}

// group is all parts of one interface.
type group struct {
	name  string
	parts []part
}

// groups gathers the parts of each interface in order of name.
func (s *Sums) groups() iter.Seq[*group] {
	return func(yield func(*group) bool) {
		var all []part
		for _, t := range append([]*table{s.mem}, s.more...) {
			for _, sec := range t.sections {
				all = append(all, part{section: sec, records: t.count(sec), in: t})
			}
		}
		slices.SortStableFunc(all, func(a, b part) int { return a.before(b.section) })
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].iface == all[0].iface {
				n++
			}
			if !yield(&group{all[0].iface, all[:n]}) {
				return
			}
			all = all[n:]
		}
	}
}

// address resolves the own address of one family over all parts.
func (g *group) address(v6 bool) (own string, state string) {
	var c []string
	seen := false
	for _, p := range g.parts {
		if p.v6 != v6 || !p.seen {
			continue
		}
		if p.ambiguous {
			return "", "ambiguous"
		}
		have := slices.DeleteFunc(slices.Clone(p.candidates[:]), func(a string) bool { return a == "" })
		if !seen {
			c, seen = have, true
			continue
		}
		c = slices.DeleteFunc(c, func(a string) bool { return !slices.Contains(have, a) })
	}
	switch {
	case !seen:
		return "", ""
	case len(c) == 1:
		return c[0], "inferred"
	}
	return "", "ambiguous"
}

// sources picks for each action the flow log that counts.
func (g *group) sources() (use [numActions]string, duplicates uint64, all []string) {
	var most [numActions]uint64
	sums := map[string]*[numActions]uint64{}
	for _, p := range g.parts {
		if sums[p.source] == nil {
			sums[p.source] = &[numActions]uint64{}
			if p.source != "" {
				all = append(all, p.source)
			}
		}
		for a, n := range p.records {
			sums[p.source][a] += n
		}
	}
	slices.Sort(all)
	names := make([]string, 0, len(sums))
	for n := range sums {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for a, k := range sums[n] {
			if k > most[a] {
				duplicates += most[a]
				most[a], use[a] = k, n
			} else {
				duplicates += k
			}
		}
	}
	return use, duplicates, all
}

func (g *group) describe() Interface {
	i := Interface{Name: g.name, Records: map[string]uint64{}}
	use, dup, logs := g.sources()
	i.Duplicates, i.FlowLogs = dup, logs
	given, directed := false, false
	for _, p := range g.parts {
		for a, n := range p.records {
			if n > 0 && p.source == use[a] {
				i.Records[Action(a).String()] += n
			}
		}
		for _, o := range p.own {
			given = true
			if !slices.Contains(i.Addresses, o) {
				i.Addresses = append(i.Addresses, o)
			}
		}
		directed = directed || p.directed
	}
	var states []string
	for _, v6 := range []bool{false, true} {
		a, state := g.address(v6)
		if a != "" {
			i.Addresses = append(i.Addresses, a)
		}
		if state != "" {
			states = append(states, state)
		}
	}
	switch {
	case slices.Contains(states, "ambiguous"):
		i.DirectionFrom = "ambiguous"
	case len(states) > 0:
		i.DirectionFrom = "inferred"
	case given:
		i.DirectionFrom = "given"
	case directed:
		i.DirectionFrom = "flow-direction"
	default:
		i.DirectionFrom = "ambiguous"
	}
	if i.Records["ACCEPT"]+i.Records["REJECT"]+i.Records["-"] == 0 {
		i.DirectionFrom = "no-traffic"
	}
	return i
}

// String of an interface's direction for people.
func (i Interface) String() string {
	return strings.TrimSpace(i.Name + " " + strings.Join(i.Addresses, ",") + " direction " + i.DirectionFrom)
}
