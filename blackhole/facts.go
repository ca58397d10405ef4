package blackhole

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
				"alternatives": w.alternatives(), "clock_offset": i.ClockOffsetSeconds, "eni": i.Interface,
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
