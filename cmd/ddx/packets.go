package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ddx/afpacket"
	"ddx/capture"
	"ddx/packet"
)

// packetFlags are the flags of ddx packets.
type packetFlags struct {
	to, filter, kernel, output string
	addresses                  []string
	covers                     time.Duration
	live                       bool
	netns, iface, write        string
	duration                   time.Duration
	maxMB                      int64
}

func (a *app) packetsCommand() *cobra.Command {
	var p packetFlags
	c := &cobra.Command{
		Use:   "packets [FILE|-] --to HOST:PORT",
		Short: "What left for a target and what came back: proof from a capture",
		Long: `Reads a capture (pcap, pcapng, either gzipped, or what tcpdump printed) and says
whether the requests to HOST:PORT never left, left without answer, were answered,
or were answered by something that made no sense, for each connection and
direction, and whether the capture suffices to prove it. Without --to it looks at
every connection. With --live it captures by itself.

Exit status 3: a request stayed unanswered, and the capture proves it; 4: the
capture is too short or too narrow to decide.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.packets(cmd.Context(), &p, args) },
	}
	f := c.Flags()
	f.StringVar(&p.to, "to", "", "the target: `HOST:PORT`, HOST or [V6]:PORT")
	f.StringArrayVar(&p.addresses, "address", nil, "an `IP` address of the target's name, besides those that the capture's DNS answers tell")
	f.StringVar(&p.filter, "filter", "", "the filter `EXPRESSION` the capture was taken with, when it does not record it")
	f.DurationVar(&p.covers, "covers", 0, "how long the capture ran, when it was longer than from its first to its last packet")
	f.StringVar(&p.kernel, "kernel", "", "the client's kernel `RELEASE`; before 4.9 a client may pause for 300 s, not 120 s")
	outputFlag(f, &p.output, "", "text", "json")
	f.BoolVar(&p.live, "live", false, "capture on this host (needs CAP_NET_RAW)")
	f.StringVar(&p.netns, "netns", "", "live: a `PID`, or the path of a network namespace")
	f.StringVar(&p.iface, "interface", "", "live: one interface instead of all")
	f.DurationVar(&p.duration, "duration", 250*time.Second, "live: how long at most")
	f.Int64Var(&p.maxMB, "max-size", 64, "live: `MB` of packets at most")
	f.StringVarP(&p.write, "write", "w", "", "live: also write the packets to a pcap `FILE`")
	return c
}

func (a *app) packets(ctx context.Context, p *packetFlags, args []string) error {
	o, err := p.options(ctx)
	if err != nil {
		return err
	}
	var r *packet.Result
	switch {
	case p.live && len(args) > 0:
		return usagef("packets: --live captures by itself; leave out %s", args[0])
	case p.live:
		r, err = p.capture(ctx, o)
	case len(args) == 0:
		return usagef("packets: name a capture file, - for standard input, or --live")
	default:
		r, err = a.readCapture(args[0], o, p.covers)
	}
	if err != nil {
		return err
	}
	if p.output == "json" {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", " ")
		err = e.Encode(r)
	} else {
		err = r.WriteText(a.stdout)
	}
	switch {
	case err != nil:
		return err
	case r.Wrong():
		return status(exitWrong)
	case r.Undecided():
		return status(exitIncomplete)
	}
	return nil
}

func (p *packetFlags) options(ctx context.Context) (o packet.Options, err error) {
	o.Filter = p.filter
	if p.to != "" {
		if o.Target, err = packet.ParseTarget(p.to); err != nil {
			return o, usageError{err}
		}
	}
	for _, s := range p.addresses {
		h := capture.ParseHost(s)
		if !h.Addr.IsValid() {
			return o, usagef("packets: --address %q is not an IP address", s)
		}
		o.Target.Addrs = append(o.Target.Addrs, h.Addr)
	}
	if p.live && o.Target.Host.Name != "" {
		// The answers of now hold for a capture of now; in recorded ones only
		// their own answers do.
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", o.Target.Host.Name); err == nil {
			o.Target.Addrs = append(o.Target.Addrs, addrs...)
		}
	}
	release := p.kernel
	if release == "" && p.live {
		release = kernelRelease()
	}
	if release != "" {
		o.Silence = packet.SilenceBound(release)
	}
	return o, nil
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func (a *app) readCapture(name string, o packet.Options, covers time.Duration) (*packet.Result, error) {
	var src io.Reader = a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("packets: %w", err)
		}
		defer f.Close()
		src = f
	}
	r, err := capture.NewReader(src, name)
	if err != nil {
		return nil, err
	}
	o.Covers = covers
	return packet.Analyse(r, o), nil
}

func (p *packetFlags) capture(ctx context.Context, o packet.Options) (r *packet.Result, err error) {
	l := afpacket.Options{Namespace: p.netns, Interface: p.iface, Duration: p.duration, MaxBytes: p.maxMB << 20}
	if p.write != "" {
		f, err := os.OpenFile(p.write, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("packets: write capture: %w", err)
		}
		defer func() {
			if closed := f.Close(); err == nil && closed != nil {
				err = fmt.Errorf("packets: write capture: %w", closed)
			}
		}()
		l.Output = f
	}
	return packet.Live(ctx, l, o)
}
