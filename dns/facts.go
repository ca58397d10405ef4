package dns

import (
	"fmt"
	"strings"
	"time"

	"ddx"
)

// Facts turns answers and what they mean into the vocabulary of the engine: one
// dns.answer for each final reply about an address type, and one dns.verdict.
// origin is where the answers come from, a command or FILE:LINE.
func Facts(a Answers, v Verdict, origin string) []ddx.Fact {
	var out []ddx.Fact
	for _, w := range views(a) {
		if w.Type == "CNAME" || w.Type == "NS" || w.Type == "TXT" {
			continue
		}
		f := answerFact(w)
		f.Subject = ddx.Subject{Kind: ddx.Endpoint, Name: strings.TrimSuffix(w.Name, ".")}
		f.Evidence = []ddx.Evidence{{Kind: "dns", Origin: origin, Time: w.Time, Text: w.String()}}
		out = append(out, f)
	}
	set := map[string]bool{}
	for _, w := range views(a) {
		set[w.Server.Addr] = true
	}
	f := VerdictFact(v, origin)
	if len(set) > 0 {
		f.Fields["servers"] = sorted(set)
	}
	return append(out, f)
}

// VerdictFact is the dns.verdict fact alone, as the watcher gives it.
func VerdictFact(v Verdict, origin string) ddx.Fact {
	detail := "every authoritative server and resolver that was heard agrees: " + plural(len(v.Addresses), "address")
	var evidence []ddx.Evidence
	if len(v.Findings) > 0 {
		detail = v.Findings[0].Summary
		for _, line := range v.Findings[0].Evidence {
			evidence = append(evidence, ddx.Evidence{Kind: "dns", Origin: origin, Time: v.Time, Text: line})
		}
	}
	fields := map[string]any{"class": string(v.Class), "detail": detail, "expected": v.Expected != ""}
	if !v.Clears.IsZero() {
		fields["clears_at"] = v.Clears.UTC().Format(time.RFC3339)
	}
	subject := ddx.Subject{Kind: ddx.Endpoint, Name: strings.TrimSuffix(v.Name, ".")}
	return ddx.Fact{Kind: "dns.verdict", Subject: subject, Time: v.Time, Fields: fields, Evidence: evidence}
}

// answerFact is one final reply.
func answerFact(w view) ddx.Fact {
	fields := map[string]any{
		"type": w.Type, "server": w.Server.Addr, "rcode": w.Rcode, "answers": int64(len(w.addrs)), "authority": int64(len(w.Auth)),
		"authoritative": w.AA, "truncated": w.TC, "tcp": w.Transport == "tcp", "milliseconds": float64(w.RTT.Microseconds()) / 1000,
	}
	if w.Outcome != Answered {
		fields["rcode"] = "timeout"
		if w.Outcome == Refused || strings.Contains(w.Error, "port unreachable") {
			fields["rcode"] = "refused-connection"
		}
	}
	if w.addrs != nil {
		fields["values"] = w.addrs
	}
	for _, sec := range [][]RR{w.Answer, w.Auth} {
		if soa, ok := soaOf(sec); ok {
			fields["soa_minimum"], fields["soa_ttl"], fields["serial"] = int64(soa.Minimum), int64(soa.TTL), int64(soa.Serial)
			break
		}
	}
	if len(w.EDE) > 0 {
		fields["ede"] = strings.TrimSpace(fmt.Sprintf("%d %s %s", w.EDE[0].Code, edeText(w.EDE[0].Code), w.EDE[0].Text))
	}
	return ddx.Fact{Kind: "dns.answer", Time: w.Time, Fields: fields}
}
