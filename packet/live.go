package packet

import (
	"context"

	"ddx/afpacket"
)

// Live captures until the context ends or a limit of l is reached, and answers
// the question of o. The kernel's filter is made from the target; a target
// without addresses is looked for in all packets.
func Live(ctx context.Context, l afpacket.Options, o Options) (*Result, error) {
	l.Hosts, l.Port = o.Target.Addrs, o.Target.Port
	l.DNS = o.Target.Host.Name != ""
	if len(l.Hosts) == 0 && l.DNS {
		l.Port = 0
	}
	a := NewAnalyser(o)
	about, err := afpacket.Capture(ctx, l, a.Add)
	if err != nil {
		return nil, err
	}
	a.o.Start, a.o.End, a.o.Live = about.From, about.To, true
	return a.Result(about), nil
}
