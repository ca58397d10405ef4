package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ddx"
	"ddx/logline"
)

// Facts reads the small items of a take into facts, in the order of the items,
// and returns the logs that are left for the pattern matcher. What could not be
// looked at becomes a fact of kind unavailable. The error is one that the
// caller made, such as the name of a reader that does not exist; the facts
// stand all the same.
func Facts(t Take) (facts []ddx.Fact, logs []Log, err error) {
	hint := logline.Hint{Now: t.Header.Now, Host: t.Header.Host, Boot: bootTime(t), Location: zoneOf(t)}
	r := reading{hint: hint, had: map[string]bool{}, stats: map[int]*Item{}}
	known := recogniseAll(t.Items)
	for i := range t.Items {
		r.item(&t.Items[i], known[i])
	}
	r.missing()
	facts = append(slices.Clone(t.Facts), distinct(deltas(r.facts))...)
	facts = append(facts, r.cpuShares()...)
	return JoinParts(SysctlTables(facts)), r.logs, errors.Join(r.errs...)
}

// reading is one pass over the items of a take.
type reading struct {
	hint   logline.Hint
	facts  []sampled
	logs   []Log
	errs   []error
	had    map[string]bool // readers that had something to read
	absent []*Item
	stats  map[int]*Item // /proc/stat by sample
}

func (r *reading) emit(it *Item) func(ddx.Fact) {
	return func(f ddx.Fact) { r.facts = append(r.facts, sampled{f, it.Sample, it.Name, it.Between}) }
}

// item reads one item. The item itself stays as it is.
func (r *reading) item(original *Item, known recognised) {
	it := *original
	asked := it.Reader != ""
	if it.Absent != "" {
		r.absent = append(r.absent, original)
		if it.Data == nil && it.Open == nil {
			return
		}
	}
	head, rd := known.head, known.reader
	if known.err != nil {
		r.errs = append(r.errs, known.err)
		return
	}
	name := ""
	if rd != nil {
		name = rd.Name
	}
	if rd != nil && !rd.Log && rd.Read != nil {
		if r.structured(&it, rd, asked) {
			r.had[name] = true
		}
		if asked || isJSONDocument(head) || !isText(head) {
			return
		}
	}
	if !isText(head) && !(rd != nil && rd.Log) {
		r.unrecognised(&it, "neither text nor a known form")
		return
	}
	if it.Open == nil && !asked && len(bytes.TrimSpace(it.Data)) == 0 {
		return
	}
	if rd == nil && noLog(it.path(), head) {
		r.unrecognised(&it, "settings, documentation, state or metrics of no known form, and no log")
		return
	}
	if rd == nil && quotesMessages(&it, head) {
		r.unrecognised(&it, "a JSON document of no known form and without records of a log: messages that it quotes did not happen")
		return
	}
	l := Log{Item: it, Channel: channelOf(name, head), Hint: asOf(r.hint, &it), Incidental: rd != nil && !rd.Log}
	if rd == nil {
		r.unrecognised(&it, "")
	} else {
		r.had[name] = true
	}
	l.Reader, l.Boot = name, bootOf(&it)
	r.logs = append(r.logs, l)
}

// bootOf says which boot a log belongs to, where its origin tells: only a live
// look names its items so.
func bootOf(it *Item) string {
	switch {
	case it.Reader != "kernel-log":
		return ""
	case it.Origin == "/dev/kmsg" || it.Origin == "dmesg":
		return "current"
	case strings.HasPrefix(it.Origin, "/sys/fs/pstore/"), strings.HasPrefix(it.Origin, "/var/lib/systemd/pstore/"), strings.HasPrefix(it.Origin, "/var/crash/"):
		return "earlier"
	}
	return ""
}

// recognised is what recognition found of an item.
type recognised struct {
	head   []byte
	reader *Reader
	err    error
}

// recogniseAll recognises all items that have content, several at a time: it
// is most of the work on a large collection.
func recogniseAll(items []Item) []recognised {
	out := make([]recognised, len(items))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items); i = int(next.Add(1)) - 1 {
				it := &items[i]
				if it.Data == nil && it.Open == nil {
					continue
				}
				probe := *it
				probe.Data, probe.Open = it.head(HeadSize), nil
				rd, err := Recognise(&probe)
				out[i] = recognised{probe.Data, rd, err}
			}
		})
	}
	wg.Wait()
	return out
}

// structured reads an item by its reader and reports whether it gave facts.
func (r *reading) structured(it *Item, rd *Reader, asked bool) bool {
	it.Reader = rd.Name
	if it.Open != nil {
		if err := load(it); err != nil {
			r.unavailable(it, ddx.NotReadable, err.Error(), rd)
			return false
		}
	}
	before := len(r.facts)
	err := rd.Read(it, r.emit(it))
	if err == nil && asked && it.Named && len(r.facts) == before && len(bytes.TrimSpace(it.Data)) > 0 {
		err = errors.New("nothing of this form in it; 'ddx collect --list' names the forms")
	}
	if err != nil {
		r.unavailable(it, ddx.NotReadable, fmt.Sprintf("read %s as %s: %v", it.Origin, rd.Name, err), rd)
	}
	told := len(r.facts) > before
	if err == nil && !told && it.Sample == 0 && len(it.Data) > 0 && !ofTask.MatchString(it.path()) {
		r.emit(it)(it.fact("uneventful", host, 1, "", "origin", it.Origin, "reader", rd.Name))
	}
	if isProcStat(it) {
		kept := *it
		r.stats[it.Sample] = &kept
	}
	return told || len(it.Data) > 0
}

// ofTask is a file of a task in /proc: there are thousands, and what they tell
// together is more than each by itself.
var ofTask = lazy(`(?:^|/)proc/[0-9]+/`)

// load brings a stream of structured material into memory.
func load(it *Item) error {
	f, err := it.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxItem+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", it.Origin, err)
	}
	if len(b) > MaxItem {
		return fmt.Errorf("read %s: larger than %d MiB, too much for this form; cut it into parts", it.Origin, MaxItem>>20)
	}
	it.Data, it.Open = b, nil
	return nil
}

// unrecognised tells of material of unknown form, and why the matcher is not
// given its text either.
func (r *reading) unrecognised(it *Item, why string) {
	f := it.fact("unrecognised", host, 1, "", "origin", it.Origin, "bytes", max(it.Size, int64(len(it.Data))))
	if why != "" {
		f.Fields["why"] = why
		if it.Named {
			f.Fields["named"] = true
		}
	}
	f.Evidence = nil
	r.facts = append(r.facts, sampled{f, it.Sample, it.Name, it.Between})
}

func (r *reading) unavailable(it *Item, reason ddx.Absence, detail string, rd *Reader) {
	f := ddx.Fact{Kind: "unavailable", Subject: host, Time: it.Time, Fields: map[string]any{
		"what": it.Origin, "reason": string(reason), "detail": detail,
	}}
	if rd != nil {
		f.Fields["reader"] = rd.Name
		if len(rd.Kinds) > 0 {
			f.Fields["kinds"] = slices.Clone(rd.Kinds)
		}
		if rd.Basic && !r.had[rd.Name] {
			f.Fields["basic"] = true
		}
	}
	if it.Named {
		f.Fields["named"] = true
	}
	r.facts = append(r.facts, sampled{Fact: f})
}

// missing says what could not be looked at. A reader that got its material by
// another way does not count as a basic look that failed.
func (r *reading) missing() {
	for _, it := range r.absent {
		r.unavailable(it, it.Absent, it.Detail, readerNamed(it.Reader))
	}
}

func readerNamed(name string) *Reader {
	for i := range Readers {
		if Readers[i].Name == name {
			return &Readers[i]
		}
	}
	return nil
}

// bootTime returns when the host booted, by btime of /proc/stat or else by
// /proc/uptime; zero when the take has neither.
func bootTime(t Take) time.Time {
	var byUptime time.Time
	for i := range t.Items {
		it := &t.Items[i]
		if it.Data == nil {
			continue
		}
		switch {
		case isProcStat(it):
			if _, rest, ok := bytes.Cut(it.Data, []byte("\nbtime ")); ok {
				if sec, err := strconv.ParseInt(string(firstLine(rest)), 10, 64); err == nil {
					return time.Unix(sec, 0).UTC()
				}
			}
		case it.Origin == "/proc/uptime" && !it.Time.IsZero():
			first, _, _ := bytes.Cut(it.Data, []byte(" "))
			if sec, err := strconv.ParseFloat(string(first), 64); err == nil {
				byUptime = it.Time.Add(-time.Duration(sec * float64(time.Second))).UTC().Truncate(time.Second)
			}
		}
	}
	return byUptime
}

// zoneOf returns the time zone of the host, in which its syslog writes: that
// of its /etc/localtime, else the one that the caller gave.
func zoneOf(t Take) *time.Location {
	for i := range t.Items {
		if it := &t.Items[i]; bytes.HasPrefix(it.Data, []byte("TZif")) {
			if loc, err := time.LoadLocationFromTZData("local", it.Data); err == nil {
				return loc
			}
		}
	}
	return t.location
}

// cpuShares makes the shares of CPU time between the first and the last sample
// of /proc/stat.
func (r *reading) cpuShares() []ddx.Fact {
	first, last := r.stats[0], (*Item)(nil)
	for n, it := range r.stats {
		if n > 0 && (last == nil || n > last.Sample) {
			last = it
		}
	}
	if first == nil || last == nil {
		return nil
	}
	return cpuFacts(first, last)
}

// isProcStat tells /proc/stat by its first words: no other file begins so.
func isProcStat(it *Item) bool {
	return bytes.HasPrefix(it.Data, []byte("cpu  ")) && bytes.Contains(it.Data, []byte("\nctxt "))
}

// cpuFacts pairs the cpu lines of two samples of /proc/stat.
func cpuFacts(first, last *Item) []ddx.Fact {
	type row struct {
		n     int
		text  string
		ticks []int64
	}
	rows := func(it *Item) (m map[string]row, order []string) {
		m = map[string]row{}
		it.lines(func(n int, line string) {
			w := bytes.Fields([]byte(line))
			if len(w) < 5 || !bytes.HasPrefix(w[0], []byte("cpu")) {
				return
			}
			name := cmp.Or(string(w[0][3:]), "all")
			var ticks []int64
			for _, f := range w[1:] {
				v, err := strconv.ParseInt(string(f), 10, 64)
				if err != nil {
					return
				}
				ticks = append(ticks, v)
			}
			m[name], order = row{n, line, ticks}, append(order, name)
		})
		return m, order
	}
	before, _ := rows(first)
	after, order := rows(last)
	names := []string{"user", "", "system", "idle", "iowait", "irq", "softirq", "steal"} // column 1 is nice, counted as user
	var out []ddx.Fact
	for _, cpu := range order {
		a, b := before[cpu], after[cpu]
		n := min(len(a.ticks), len(b.ticks), len(names))
		if n < 4 {
			continue
		}
		var total float64
		delta := make([]float64, n)
		for i := range n {
			delta[i] = max(0, float64(b.ticks[i]-a.ticks[i])) // idle and iowait can step back by a tick
			total += delta[i]
		}
		if total == 0 {
			continue
		}
		delta[0] += delta[1]
		f := last.fact("cpu", host, b.n, b.text, "cpu", cpu)
		for i := range n {
			if names[i] != "" {
				f.Fields[names[i]] = 100 * delta[i] / total
			}
		}
		f.Evidence = append(f.Evidence, first.evidence(a.n, a.text)...)
		out = append(out, f)
	}
	return out
}
