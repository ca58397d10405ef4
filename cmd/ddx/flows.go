package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ddx"
	"ddx/flowlog"
	"ddx/flowsum"
	"ddx/output"
)

// flowFlags are the flags of every command that reads flow logs.
type flowFlags struct {
	output       string
	format       string
	addresses    []string
	interval     time.Duration
	since, until string
	dedup        bool
}

func (f *flowFlags) register(c *cobra.Command, formats ...string) {
	fl := c.Flags()
	outputFlag(fl, &f.output, "", formats...)
	fl.StringVar(&f.format, "format", "", "order of the `FIELDS`, as given when the flow log was made: '${version} ${account-id} ...'; otherwise the header line or the default format")
	fl.StringArrayVar(&f.addresses, "addresses", nil, "`[HOST=]FILE` of interface addresses: describe-network-interfaces, ip -j address (of HOST), or lines eni,address")
	fl.DurationVar(&f.interval, "interval", 0, "`LENGTH` of a time bucket; default one minute")
	fl.StringVar(&f.since, "since", "", "leave out records that start before `TIME` (RFC 3339, date, or how long ago: 2h)")
	fl.StringVar(&f.until, "until", "", "leave out records that start at `TIME` or later")
	fl.BoolVar(&f.dedup, "dedup", false, "leave out records that are repeated byte for byte")
}

func (a *app) flowsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "flows",
		Short: "Sum flow logs, name their patterns, join them with host counters",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.flowsSummarizeCommand(), a.flowsPatternsCommand(), a.flowsJoinCommand(), a.flowsListenCommand())
	return c
}

// readFlows reads what the flags and paths name.
func (a *app) readFlows(ctx context.Context, paths []string, f *flowFlags, conversations int) (*flowlog.Result, []flowlog.Identity, error) {
	o := flowlog.Options{Interval: f.interval, Dedup: f.dedup, Flows: conversations, Stdin: a.stdin, Progress: a.flowProgress()}
	if f.interval != 0 && f.interval < time.Second {
		return nil, nil, usagef("--interval %v: flow logs count in seconds", f.interval)
	}
	var err error
	if f.format != "" {
		if o.Format, err = flowlog.ParseFormat(f.format); err != nil {
			return nil, nil, usageError{err}
		}
	}
	now := time.Now().UTC()
	if o.Since, err = parseTime(f.since, now); err != nil {
		return nil, nil, usagef("--since: %w", err)
	}
	if o.Until, err = parseTime(f.until, now); err != nil {
		return nil, nil, usagef("--until: %w", err)
	}
	var ids []flowlog.Identity
	for _, name := range f.addresses {
		host, path, ok := strings.Cut(name, "=")
		if !ok {
			host, path = "", name
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read addresses: %w", err)
		}
		more, err := flowlog.ReadIdentities(file, host, path)
		if err = firstError(err, file.Close()); err != nil {
			return nil, nil, err
		}
		ids = append(ids, more...)
	}
	o.Addresses = flowlog.OwnAddresses(ids)
	// The sums keep themselves small; the collector need not leave room for as
	// much again.
	debug.SetGCPercent(30)
	res, err := flowlog.Read(ctx, paths, o)
	return res, ids, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// flowProgress tells a person at a terminal how far reading is.
func (a *app) flowProgress() func(flowlog.Progress) {
	tell := a.progress()
	if tell == nil {
		return nil
	}
	return func(p flowlog.Progress) {
		m := fmt.Sprintf("%d of %d files, %.0f MB/s", p.Files, p.FilesTotal, p.Rate/1e6)
		if p.Left >= 0 {
			m += fmt.Sprintf(", %v left", p.Left.Round(time.Second))
		}
		tell(ddx.Progress{Message: m, Done: p.Bytes, Total: max(p.BytesTotal, p.Bytes)})
	}
}

// losses tells on standard error what could not be counted, and gives the exit
// status for it.
func (a *app) losses(res *flowlog.Result) int {
	exit := exitOK
	for _, f := range res.Files {
		for _, l := range f.Losses {
			exit = exitIncomplete
			size := "of unknown size"
			if l.Bytes >= 0 {
				size = fmt.Sprintf("%d bytes", l.Bytes)
			}
			fmt.Fprintf(a.stderr, "ddx: %s: at byte %d: %s: %d records lost, %s\n", output.Visible(f.Path), l.Offset, output.Visible(l.Reason), l.Records, size)
		}
		if f.Error != "" {
			exit = exitIncomplete
			fmt.Fprintf(a.stderr, "ddx: %s: %s\n", output.Visible(f.Path), output.Visible(f.Error))
		}
	}
	for _, p := range res.Repeated {
		fmt.Fprintf(a.stderr, "ddx: %s: the same object was read already, left out\n", output.Visible(p))
	}
	return exit
}

// atLeastOne wants a path.
func atLeastOne(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("name a path, or - for standard input")
	}
	return nil
}

func finish(exit int) error {
	if exit != exitOK {
		return status(exit)
	}
	return nil
}

func (a *app) flowsSummarizeCommand() *cobra.Command {
	f := &flowFlags{}
	c := &cobra.Command{
		Use:   "summarize PATH...",
		Short: "Sum packets, bytes and flows per interface, minute, direction and action",
		Long: `Sum packets, bytes and flows per interface, minute, direction and action. PATH is
a file (text, gzip, Parquet), a directory in the S3 key layout, or "-" for a
pipe. Memory is bounded whatever the size of the input.

Exit status: 4 when records could not be read; each loss is told on standard
error with file, byte and number.`,
		Example: `  ddx flows summarize AWSLogs/
  aws s3 cp s3://BUCKET/KEY - | ddx flows summarize -o csv -`,
		Args: atLeastOne,
		RunE: func(c *cobra.Command, args []string) error { return a.flowsSummarize(c.Context(), args, f) },
	}
	f.register(c, "text", "csv", "json")
	return c
}

func (a *app) flowsSummarize(ctx context.Context, paths []string, f *flowFlags) error {
	write := map[string]func(*bufio.Writer, *flowlog.Result) error{"text": sumsText, "csv": sumsCSV, "json": sumsJSON}[f.output]
	res, _, err := a.readFlows(ctx, paths, f, 0)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(a.stdout, 256<<10)
	if err := firstError(write(w, res), w.Flush(), res.Sums.Err()); err != nil {
		return err
	}
	return finish(a.losses(res))
}

func sumsCSV(w *bufio.Writer, res *flowlog.Result) error {
	fmt.Fprintln(w, "interface,start,direction,action,packets,bytes,flows")
	var line []byte
	for k, v := range res.Sums.All() {
		line = append(append(line[:0], k.Interface...), ',')
		line = append(strconv.AppendInt(line, k.Start, 10), ',')
		line = append(append(line, k.Direction.String()...), ',')
		line = append(append(line, k.Action.String()...), ',')
		for i, n := range [...]uint64{v.Packets, v.Bytes, v.Flows} {
			line = append(strconv.AppendUint(line, n, 10), ",,\n"[i])
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func sumsText(w *bufio.Writer, res *flowlog.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INTERFACE\tSTART (UTC)\tDIRECTION\tACTION\tPACKETS\tBYTES\tFLOWS\t")
	for k, v := range res.Sums.All() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t\n", output.Visible(k.Interface), time.Unix(k.Start, 0).UTC().Format(time.DateTime), k.Direction, k.Action, v.Packets, v.Bytes, v.Flows)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, i := range res.Sums.Interfaces() {
		if i.DirectionFrom == "ambiguous" {
			fmt.Fprintf(w, "%s: direction is not known: no address is in all of its records, or two are; give its own with --addresses\n", output.Visible(i.Name))
		}
		if i.Duplicates > 0 {
			fmt.Fprintf(w, "%s: recorded by the flow logs %s; %d records that say the same again are left out\n", output.Visible(i.Name), strings.Join(i.FlowLogs, ", "), i.Duplicates)
		}
	}
	return nil
}

func sumsJSON(w *bufio.Writer, res *flowlog.Result) error {
	head, err := json.Marshal(struct {
		Schema     string               `json:"schema"`
		Interval   float64              `json:"interval_seconds"`
		Totals     flowsum.Totals       `json:"totals"`
		Interfaces []flowsum.Interface  `json:"interfaces"`
		Files      []flowlog.FileReport `json:"files"`
	}{"ddx.flows/v1", res.Sums.Interval().Seconds(), res.Sums.Totals(), res.Sums.Interfaces(), res.Files})
	if err != nil {
		return err
	}
	// The sums are many: they are written one by one into the same object.
	fmt.Fprintf(w, "%s,\n\"sums\":[", head[:len(head)-1])
	sep := "\n"
	for k, v := range res.Sums.All() {
		line, err := json.Marshal(struct {
			Interface string    `json:"interface"`
			Start     time.Time `json:"start"`
			Direction string    `json:"direction"`
			Action    string    `json:"action"`
			flowsum.Amount
		}{k.Interface, time.Unix(k.Start, 0).UTC(), k.Direction.String(), k.Action.String(), v})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s%s", sep, line)
		sep = ",\n"
	}
	_, err = fmt.Fprintln(w, "\n]}")
	return err
}

// writeFacts writes facts as records.
func (a *app) writeFacts(facts []ddx.Fact) error {
	w, err := ddx.NewRecordWriter(a.stdout, ddx.Header{DDX: version(), Now: time.Now().UTC()})
	if err != nil {
		return err
	}
	for i := range facts {
		if err := w.Write(ddx.Record{Fact: &facts[i]}); err != nil {
			return err
		}
	}
	return w.Flush()
}
