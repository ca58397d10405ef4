package flowpattern

import (
	"time"

	"ddx"
)

// Facts states patterns as facts of the kind flow.pattern, about the
// endpoint whose service it is: the peer's where the interface is the client.
func Facts(patterns []Pattern) []ddx.Fact {
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
