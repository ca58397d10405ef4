package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"ddx"
	"ddx/blackhole"
	"ddx/counters"
	"ddx/logline"
	"ddx/output"
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
// Neighbours that did not answer when the host was looked at are events of that
// time. The error says which logs cannot be read; the others are.
func hostEvents(facts []ddx.Fact, logs []source.Log, host string, first, last time.Time, used map[string]bool) (events []blackhole.Event, err error) {
	for i := range logs {
		if l := &logs[i]; !l.Incidental && !used[l.Origin] {
			more, e := logEvents(l, host, first, last)
			events, err = append(events, more...), errors.Join(err, e)
		}
	}
	for i := range facts {
		f := &facts[i]
		state := f.String("state")
		if f.Kind != "neighbour" || state != "FAILED" && state != "INCOMPLETE" || f.Time.Before(first) || f.Time.After(last) {
			continue
		}
		e := blackhole.Event{Host: host, Interface: f.Subject.Name, Time: f.Time, Kind: "neighbour-failed", Text: f.String("address") + " " + state}
		if len(f.Evidence) > 0 {
			e.Origin = f.Evidence[0].Origin
		}
		events = append(events, e)
	}
	return events, err
}

func logEvents(l *source.Log, host string, first, last time.Time) (events []blackhole.Event, err error) {
	f, err := l.Open()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", l.Origin, err)
	}
	defer f.Close()
	var wrote time.Time
	r := bufio.NewReaderSize(f, 64<<10)
	for n := 1; ; n++ {
		raw, err := r.ReadSlice('\n')
		line := logline.Parse(raw, l.Hint)
		if !line.Time.IsZero() && !line.Time.Before(first) && !line.Time.After(last) {
			e := blackhole.Event{Host: host, Time: line.Time, Text: string(line.Message), Origin: fmt.Sprintf("%s:%d", l.Origin, l.Line+n)}
			if line.Host != "" && !sameHost(line.Host, host) {
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
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, fmt.Errorf("read %s: line %d: %w", l.Origin, l.Line+n, err)
		}
	}
}

// sameHost says whether two names can be of one host: one may lack the domain.
func sameHost(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") && b != "" || strings.HasPrefix(b, a+".") && a != ""
}

// guestEvidence reads what the caller has of the guests beside counters: bundles,
// folders, logs. It gives the exit status for what could not be read.
func (a *app) guestEvidence(ctx context.Context, paths []string, host string, in *blackhole.JoinInput) (int, error) {
	first, last, ok := span(in.Network)
	if len(paths) == 0 || !ok {
		return exitOK, nil
	}
	// A log that names no year is of the time of the flow logs.
	takes, err := source.OpenFiles(ctx, paths, source.Options{Version: version(), Stdin: a.stdin, Now: func() time.Time { return last }})
	if err != nil {
		return exitOK, err
	}
	exit := exitOK
	for i := range takes {
		t := &takes[i]
		for k := range t.Items {
			if it := &t.Items[k]; it.Absent != "" && slices.Contains(paths, it.Origin) {
				exit = exitIncomplete
				fmt.Fprintf(a.stderr, "ddx: --guest %s: %s\n", output.Visible(it.Origin), strings.TrimSpace(string(it.Absent)+" "+output.Visible(it.Detail)))
			}
		}
		facts, logs, err := source.Facts(*t)
		events, unread := hostEvents(facts, logs, cmp.Or(t.Header.Host, host), first, last, nil)
		if err = firstError(err, t.Close()); err != nil {
			return exit, err
		}
		if unread != nil {
			exit = exitIncomplete
			fmt.Fprintf(a.stderr, "ddx: %s\n", output.Visible(unread.Error()))
		}
		in.Events = append(in.Events, events...)
	}
	names := guestNames(in.Guest)
	for i := range in.Events {
		e := &in.Events[i]
		switch k := slices.IndexFunc(names, func(n string) bool { return sameHost(n, e.Host) }); {
		case k >= 0:
			e.Host = names[k]
		case e.Host == "" && len(names) == 1:
			e.Host = names[0]
		}
	}
	if !slices.ContainsFunc(in.Events, func(e blackhole.Event) bool { return slices.Contains(names, e.Host) }) {
		exit = exitIncomplete
		fmt.Fprintf(a.stderr, "ddx: --guest: nothing in it is of a guest with counters (%s) and of the time %s to %s; --host NAME names the host of logs that do not\n",
			output.Visible(strings.Join(names, ", ")), first.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339))
	}
	return exit, nil
}

// guestNames are the hosts that counters are of.
func guestNames(series []counters.Series) []string {
	var names []string
	for _, s := range series {
		if !slices.Contains(names, s.Host) {
			names = append(names, s.Host)
		}
	}
	return names
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
