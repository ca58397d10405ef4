package diagnose

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ddx"
)

// Fleet joins the diagnoses of several hosts: one finding for each mode that is
// confirmed or likely on at least one of them and no mere risk. A mode is a
// consequence in the fleet if it is one on every host that has it. Findings
// that no other explains come first, by verdict, then active before old, then
// by how many hosts have them; each is followed by its consequences.
func Fleet(hosts []*ddx.Diagnosis) ddx.Fleet {
	fleet := ddx.Fleet{Schema: ddx.FleetSchema, Hosts: hosts, Findings: []ddx.FleetFinding{}}
	at := map[string]*modeInFleet{}
	var all []*modeInFleet
	for i, d := range hosts {
		modeOf := map[string]string{}
		for j := range d.Findings {
			modeOf[d.Findings[j].ID] = d.Findings[j].Mode
		}
		for j := range d.Findings {
			f := &d.Findings[j]
			if f.Latent || f.Verdict.Rank() > ddx.Likely.Rank() {
				continue
			}
			m := at[f.Mode]
			if m == nil {
				m = newModeInFleet(f)
				at[f.Mode] = m
				all = append(all, m)
			}
			m.add(i, d.Host.Name, f)
			for _, id := range f.ExplainedBy {
				m.causes[modeOf[id]] = true
			}
		}
	}
	for _, m := range all {
		m.close()
	}
	for _, m := range all {
		if m.Root {
			continue
		}
		for _, cause := range all { // in the order in which they were met
			if m.causes[cause.Mode] && cause != m {
				m.ExplainedBy = append(m.ExplainedBy, cause.ID)
				cause.explains = append(cause.explains, m)
			}
		}
	}
	slices.SortStableFunc(all, moreInFleet)
	placed := map[*modeInFleet]bool{}
	var place func(m *modeInFleet)
	place = func(m *modeInFleet) {
		if placed[m] {
			return
		}
		placed[m] = true
		fleet.Findings = append(fleet.Findings, m.FleetFinding)
		slices.SortStableFunc(m.explains, moreInFleet)
		for _, c := range m.explains {
			place(c)
		}
	}
	for _, m := range all {
		if m.Root {
			place(m)
		}
	}
	for _, m := range all {
		place(m)
	}
	return fleet
}

// modeInFleet is a FleetFinding in the making.
type modeInFleet struct {
	ddx.FleetFinding
	causes   map[string]bool // modes that explain it on some host
	explains []*modeInFleet
	accepted int
	findings int
	shared   bool // all findings are about one thing that hosts share
}

func newModeInFleet(f *ddx.Finding) *modeInFleet {
	m := &modeInFleet{causes: map[string]bool{}, shared: true}
	m.Mode, m.Title, m.Family, m.Summary, m.Whys = f.Mode, f.Title, f.Family, f.Summary, f.Whys
	m.Subject, m.Verdict, m.Active = f.Subject, f.Verdict, ddx.No
	m.ExplainedBy, m.Evidence, m.NextTests, m.Remedies = []string{}, []ddx.Support{}, []ddx.NextTest{}, []ddx.Plan{}
	return m
}

// add counts a finding of the host that stands at a place of the fleet.
func (m *modeInFleet) add(at int, host string, f *ddx.Finding) {
	m.findings++
	if f.Accepted != "" {
		m.accepted++
		m.Accepted = f.Accepted
	}
	m.shared = m.shared && f.Subject == m.Subject && isShared(f.Subject)
	if f.Verdict.Rank() < m.Verdict.Rank() {
		m.Verdict = f.Verdict
	}
	m.Root = m.Root || len(f.ExplainedBy) == 0
	m.Probability = max(m.Probability, f.Probability)
	m.Active = strongerActive(m.Active, f.Active)
	m.FirstSeen, m.LastSeen = earlier(m.FirstSeen, f.FirstSeen), later(m.LastSeen, f.LastSeen)
	if n := len(m.Hosts); n == 0 || m.Hosts[n-1].At != at {
		m.Hosts = append(m.Hosts, ddx.HostFinding{Host: host, At: at, Findings: []string{}, Verdict: f.Verdict, Active: ddx.No})
	}
	h := &m.Hosts[len(m.Hosts)-1]
	h.Findings = append(h.Findings, f.ID)
	if f.Verdict.Rank() < h.Verdict.Rank() {
		h.Verdict = f.Verdict
	}
	h.Root = h.Root || len(f.ExplainedBy) == 0
	h.Active = strongerActive(h.Active, f.Active)
	h.FirstSeen, h.LastSeen = earlier(h.FirstSeen, f.FirstSeen), later(h.LastSeen, f.LastSeen)
	for _, e := range f.Evidence { // the strongest of each host
		if len(h.Findings) == 1 && (e.Effect == ddx.Confirms || e.Effect == ddx.Supports) {
			e.Host = host
			m.Evidence = append(m.Evidence, e)
			break
		}
	}
}

// isShared reports whether a subject is one and the same for all hosts that name it.
func isShared(s ddx.Subject) bool {
	switch s.Kind {
	case ddx.Endpoint, ddx.Zone:
		return s.Name != ""
	case ddx.Mount: // a server rather than a path on each host
		return s.Name != "" && !strings.HasPrefix(s.Name, "/")
	}
	return false
}

// close names the finding and puts its hosts and their evidence in order.
func (m *modeInFleet) close() {
	if !m.shared {
		m.Subject = ddx.Subject{Kind: ddx.AllHosts}
	}
	m.ID = m.Mode + "@" + m.Subject.String()
	if m.accepted < m.findings {
		m.Accepted = ""
	}
	slices.SortStableFunc(m.Hosts, func(a, b ddx.HostFinding) int { return compareTimes(a.FirstSeen, b.FirstSeen) })
	slices.SortStableFunc(m.Evidence, func(a, b ddx.Support) int {
		return cmp.Or(cmp.Compare(effectRank(a), effectRank(b)), compareTimes(a.Time, b.Time))
	})
	m.Evidence = m.Evidence[:min(len(m.Evidence), maxEvidence)]
}

// moreInFleet orders findings of a fleet.
func moreInFleet(a, b *modeInFleet) int {
	old := func(m *modeInFleet) int {
		if m.Active == ddx.No {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()),
		cmp.Compare(old(a), old(b)),
		-cmp.Compare(len(a.Hosts), len(b.Hosts)),
		-cmp.Compare(a.Probability, b.Probability),
		compareTimes(a.FirstSeen, b.FirstSeen),
		cmp.Compare(a.Mode, b.Mode),
	)
}

// compareTimes orders times, unknown ones last.
func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

func earlier(a, b *time.Time) *time.Time {
	if compareTimes(a, b) <= 0 {
		return a
	}
	return b
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
