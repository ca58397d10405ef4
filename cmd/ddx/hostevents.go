package main

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"ddx/blackhole"
	"ddx/logline"
	"ddx/source"
)

// eventLines are the lines that say what became of a host or of its interface;
// the group of an expression is the interface.
var eventLines = []struct {
	kind    string
	channel logline.Channel // that may say so; Unknown is any
	must    string          // stands in every such line
	re      *regexp.Regexp
}{
	{"link-down", logline.Kernel, "own", regexp.MustCompile(`(\S+): (?:NIC )?[Ll]ink (?:is )?[Dd]own\b`)},
	{"link-up", logline.Kernel, "ink", regexp.MustCompile(`(\S+): (?:(?:NIC )?[Ll]ink (?:is )?[Uu]p\b|link becomes ready)`)},
	{"link-down", logline.Service, "ost carrier", regexp.MustCompile(`(\S+): Lost carrier`)},
	{"link-up", logline.Service, "ained carrier", regexp.MustCompile(`(\S+): Gained carrier`)},
	{"boot", logline.Kernel, "Linux version", regexp.MustCompile(`^Linux version \d`)},
	{"shutdown", logline.Kernel, "reboot: ", regexp.MustCompile(`^reboot: (?:Restarting system|Power down|System halted)`)},
	{"shutdown", logline.Service, "hut", regexp.MustCompile(`Reached target (?:System )?Shutdown|^Shutting down\.$`)},
	{"no-route", logline.Unknown, "route to host", regexp.MustCompile(`No route to host`)},
}

// hostEvents reads the logs of a host for what the join needs to know of the
// time from first to last: that a link was down, that the host booted, that a
// service had no route, and that it was writing at all, one event a second.
func hostEvents(logs []source.Log, host string, first, last time.Time, used map[string]bool) []blackhole.Event {
	var events []blackhole.Event
	for i := range logs {
		if l := &logs[i]; !l.Incidental && !used[l.Origin] {
			events = append(events, logEvents(l, host, first, last)...)
		}
	}
	return events
}

func logEvents(l *source.Log, host string, first, last time.Time) []blackhole.Event {
	f, err := l.Open()
	if err != nil {
		return nil // the matcher says that it cannot be read
	}
	defer f.Close()
	var events []blackhole.Event
	var wrote time.Time
	r := bufio.NewReaderSize(f, 64<<10)
	for n := 1; ; n++ {
		raw, err := r.ReadSlice('\n')
		line := logline.Parse(raw, l.Hint)
		if !line.Time.IsZero() && !line.Time.Before(first) && !line.Time.After(last) {
			e := blackhole.Event{Host: host, Time: line.Time, Text: string(line.Message), Origin: fmt.Sprintf("%s:%d", l.Origin, l.Line+n)}
			if short, _, _ := strings.Cut(line.Host, "."); line.Host != "" && line.Host != host && short != host {
				e.Host = line.Host // a log that several hosts write to
			}
			e.Kind, e.Interface = eventOf(&line, e.Text)
			if e.Kind != "log" {
				events = append(events, e)
			} else if line.Time.Truncate(time.Second) != wrote {
				wrote = line.Time.Truncate(time.Second)
				events = append(events, e)
			}
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the end of a long line tells no more
			_, err = r.ReadSlice('\n')
		}
		if err != nil {
			return events // at the end, or where the matcher says that it breaks off
		}
	}
}

// eventOf names what a line says; "log" if only that it was written.
func eventOf(line *logline.Line, text string) (kind, iface string) {
	for i := range eventLines {
		e := &eventLines[i]
		if !strings.Contains(text, e.must) || e.channel != logline.Unknown && line.Channel != logline.Unknown && line.Channel != e.channel {
			continue
		}
		if m := e.re.FindStringSubmatch(text); m != nil {
			if len(m) > 1 {
				return e.kind, m[1]
			}
			return e.kind, ""
		}
	}
	return "log", ""
}
