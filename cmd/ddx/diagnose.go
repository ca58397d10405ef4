package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ddx"
	"ddx/diagnose"
	"ddx/output"
	"ddx/source"
)

// diagnoseFlags are the flags of "ddx diagnose", and of ddx without a command.
type diagnoseFlags struct {
	format       string
	as           []string
	since, until string
	boot         string
	accept       string
	hosts        []string
	npd          []string
	all          bool
}

func (f *diagnoseFlags) register(c *cobra.Command) {
	fl := c.Flags()
	outputFlag(fl, &f.format, "", "text", "json", "jsonl", "markdown", "sarif")
	fl.StringArrayVar(&f.as, "as", nil, "read PATH as a `KIND=PATH` of material, whatever its content looks like")
	fl.StringVar(&f.since, "since", "", "leave out events before `TIME` (RFC 3339, date, HH:MM in UTC, or how long ago: 2h, 3d)")
	fl.StringVar(&f.until, "until", "", "leave out events after `TIME`")
	fl.StringVar(&f.boot, "boot", "", "this host: read the journal of boot `N` (0 this one, -1 the one before) or all")
	fl.StringArrayVar(&f.hosts, "host", nil, "of the evidence of many hosts, only that of `NAME` (* stands for any letters)")
	fl.StringVar(&f.accept, "accept", "", "`FILE` of known findings, with reason and expiry; they are shown, not counted")
	fl.StringArrayVar(&f.npd, "npd", nil, "run the rules of `FILE`, a system-log-monitor file of node-problem-detector, beside the catalogue")
	fl.BoolVarP(&f.all, "all", "a", false, "show everything: ruled-out modes, all evidence, all remedies")
}

func (a *app) diagnoseCommand() *cobra.Command {
	f := &diagnoseFlags{}
	c := &cobra.Command{
		Use:   "diagnose [PATH...|-]",
		Short: "Find the root cause on this host, or in files, archives and bundles",
		Long: `Diagnose this host, or files, directories and archives (tar, gz, xz, zst, a
sosreport, a ddx bundle), each recognised by its content; loose files are one
host's evidence. "-" reads standard input: a pasted log, the output of a
command, or a bundle (ssh HOST sudo ddx collect - | ddx diagnose -).`,
		Example: `  ddx diagnose
  ddx diagnose dmesg.txt ethtool.txt
  dmesg | ddx diagnose -
  ddx diagnose -o json sosreport-web1.tar.xz`,
		RunE: func(c *cobra.Command, args []string) error { return a.diagnose(c.Context(), args, f) },
	}
	f.register(c)
	return c
}

func (a *app) diagnose(ctx context.Context, paths []string, f *diagnoseFlags) error {
	if err := checkBoot(f.boot); err != nil {
		return err
	}
	now := time.Now().UTC()
	w, err := f.window(now)
	if err != nil {
		return usageError{err}
	}
	accepted, err := loadAccepted(f.accept)
	if err != nil {
		return err
	}
	takes, err := a.gather(ctx, paths, f, w)
	if err != nil {
		return err
	}
	tell := a.progress()
	e, err := a.engineWith(f.npd)
	if err != nil {
		return err
	}
	for i := range takes {
		defer takes[i].Close()
	}
	exit := exitOK
	var all []*ddx.Diagnosis
	err = e.diagnoseAll(takes, w, diagnose.Options{All: f.all}, func(t *source.Take, d *ddx.Diagnosis, facts []ddx.Fact) error {
		accepted.mark(d)
		all = append(all, d)
		exit = worse(exit, d.Exit())
		if tell != nil {
			tell(ddx.Progress{Message: strings.TrimSpace("examined " + t.Header.Host), Done: int64(len(all)), Total: int64(len(takes))})
		}
		if f.format != "jsonl" {
			return nil
		}
		a.clearProgress()
		return a.writeRecords(*t, d, facts)
	})
	if err != nil {
		return err
	}
	a.clearProgress()
	if err := a.writeDiagnoses(all, f); err != nil {
		return err
	}
	a.warn(accepted.remarks(e.cat, all))
	if exit != exitOK {
		return status(exit)
	}
	return nil
}

// worse keeps the more important of two exit statuses: 3 wins over 4.
func worse(a, b int) int {
	if a == exitWrong || b == exitWrong {
		return exitWrong
	}
	return max(a, b)
}

func (f *diagnoseFlags) window(now time.Time) (w window, err error) {
	if w.since, err = parseTime(f.since, now); err != nil {
		return w, fmt.Errorf("--since: %w", err)
	}
	if w.until, err = parseTime(f.until, now); err != nil {
		return w, fmt.Errorf("--until: %w", err)
	}
	if !w.until.IsZero() && w.until.Before(w.since) {
		return w, fmt.Errorf("--until %s is before --since %s: nothing lies between them", w.until.Format(time.RFC3339), w.since.Format(time.RFC3339))
	}
	return w, nil
}

// gather opens the paths, or looks at this host when there are none.
func (a *app) gather(ctx context.Context, paths []string, f *diagnoseFlags, w window) ([]source.Take, error) {
	o := source.Options{Version: version(), Stdin: a.stdin, Since: w.since, Boot: f.boot, Progress: a.progress(), As: map[string]string{}}
	for _, as := range f.as {
		kind, path, ok := strings.Cut(as, "=")
		if !ok {
			return nil, usagef("--as %s: want KIND=PATH, for example --as ethtool-statistics=out.txt", as)
		}
		if !slices.Contains(readerNames(), kind) {
			return nil, notThere(fmt.Errorf("--as %s: no such kind of material; 'ddx collect --list' names them", as), kind, readerNames())
		}
		o.As[path] = kind
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		if len(f.hosts) > 0 {
			return nil, usagef("--host chooses among the hosts of a bundle: name the bundle, or leave it out for this host")
		}
		t, err := source.Live(ctx, o)
		return []source.Take{t}, firstError(err, ctx.Err()) // half a look is no diagnosis
	}
	takes, err := source.OpenFiles(ctx, paths, o)
	if err != nil || len(f.hosts) == 0 {
		return takes, err
	}
	return ofHosts(takes, f.hosts)
}

// ofHosts keeps what belongs to the hosts that are named.
func ofHosts(takes []source.Take, patterns []string) ([]source.Take, error) {
	var names []string
	for _, t := range takes {
		if t.Header.Host != "" {
			names = append(names, t.Header.Host)
		}
	}
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, usagef("--host %s: no pattern: a [ without its ]", p)
		}
		if !slices.ContainsFunc(names, func(name string) bool { return matches(p, name) }) {
			return nil, notThere(fmt.Errorf("--host %s: no such host among the %d of this evidence", p, len(names)), p, names)
		}
	}
	return slices.DeleteFunc(takes, func(t source.Take) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { return matches(p, t.Header.Host) })
	}), nil
}

func matches(pattern, name string) bool {
	is, err := path.Match(pattern, name)
	return is && err == nil
}

// writeDiagnoses writes the answers in the format asked for. Records have been
// written host by host.
func (a *app) writeDiagnoses(all []*ddx.Diagnosis, f *diagnoseFlags) error {
	one := len(all) == 1
	switch f.format {
	case "json":
		if one {
			return a.encode(all[0])
		}
		return a.encode(diagnose.Fleet(all))
	case "markdown":
		if one {
			return output.Markdown(a.stdout, all[0])
		}
		fleet := diagnose.Fleet(all)
		return output.FleetMarkdown(a.stdout, &fleet)
	case "sarif":
		return output.SARIF(a.stdout, all)
	case "text":
		s := a.style()
		s.All = f.all
		if one {
			return output.Text(a.stdout, all[0], s)
		}
		fleet := diagnose.Fleet(all)
		return output.FleetText(a.stdout, &fleet, s)
	}
	return nil
}

// encode writes a value as the JSON that people and programs read.
func (a *app) encode(v any) error { return output.JSON(a.stdout, v) }

// writeRecords writes what was found and what it was found from as records.
func (a *app) writeRecords(t source.Take, d *ddx.Diagnosis, facts []ddx.Fact) error {
	h := t.Header
	h.Catalogue, h.DDX = d.Catalogue, version()
	w, err := ddx.NewRecordWriter(output.SafeJSON(a.stdout), h)
	if err != nil {
		return err
	}
	for i := range facts {
		if err := w.Write(ddx.Record{Fact: &facts[i]}); err != nil {
			return err
		}
	}
	for i := range d.Findings {
		if err := w.Write(ddx.Record{Finding: &d.Findings[i]}); err != nil {
			return err
		}
	}
	return w.Flush()
}
