package flowlog

import (
	"time"

	"ddx"
)

// Facts states the windows as facts of the kind flow.window, about the guest's
// interface. The alternatives are the explanations that the evidence does not
// exclude; those that it bears out come first, marked with "yes:".
func (j *Joined) Facts() []ddx.Fact {
	var out []ddx.Fact
	for _, i := range j.Interfaces {
		for _, w := range i.Windows {
			f := ddx.Fact{Kind: "flow.window", Subject: ddx.Subject{Kind: ddx.NIC, Name: i.guestName}, Time: w.Start, Fields: map[string]any{
				"kind": string(w.Kind), "start": w.Start.Format(time.RFC3339), "end": w.End.Format(time.RFC3339),
				"network_packets": int64(w.NetworkPackets), "guest_packets": int64(w.GuestPackets), "certainty": w.Certainty,
				"alternatives": w.alternatives(), "clock_offset": j.ClockOffsetSeconds, "eni": i.Interface,
			}}
			if w.GuestRan != "unknown" {
				f.Fields["guest_ran_on"] = w.GuestRan == "yes"
			}
			f.Evidence = append(f.Evidence, ddx.Evidence{Origin: "join of flow log and host counters", Host: i.guestHost, Time: w.Start, Text: w.String()})
			out = append(out, f)
		}
	}
	return out
}

func (w Window) alternatives() []string {
	out := []string{}
	for _, x := range w.Explanations {
		if x.Verdict == "yes" {
			out = append(out, "yes:"+x.What)
		}
	}
	for _, x := range w.Explanations {
		if x.Verdict == "unknown" {
			out = append(out, x.What)
		}
	}
	return out
}

// PatternFacts states patterns as facts of the kind flow.pattern, about the
// endpoint whose service it is: the peer's where the interface is the client.
func PatternFacts(patterns []Pattern) []ddx.Fact {
	var out []ddx.Fact
	for _, p := range patterns {
		name, port := p.Local, p.LocalPort
		if p.client() {
			name, port = p.Peer, p.PeerPort
		}
		f := ddx.Fact{Kind: "flow.pattern", Subject: ddx.Subject{Kind: ddx.Endpoint, Name: endpoint(name, port)}, Fields: map[string]any{
			"pattern": string(p.Kind), "eni": p.Interface, "peer": p.Peer.String(), "port": int64(port),
			"packets": int64(p.In.Accepted.Packets + p.In.Rejected.Packets + p.Out.Accepted.Packets + p.Out.Rejected.Packets),
		}}
		if p.Local.IsValid() {
			f.Fields["local"] = p.Local.String()
		}
		if p.Last != 0 {
			f.Time = time.Unix(int64(p.First), 0).UTC()
			f.Fields["from"] = f.Time.Format(time.RFC3339)
			f.Fields["to"] = time.Unix(int64(p.Last), 0).UTC().Format(time.RFC3339)
		}
		f.Evidence = []ddx.Evidence{{Origin: "flow log", Time: f.Time, Text: p.String()}}
		out = append(out, f)
	}
	return out
}
