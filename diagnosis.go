package ddx

import "time"

// Schemas of the contracts. A change that is not additive takes a new number.
const (
	DiagnosisSchema = "ddx.diagnosis/v1"
	FleetSchema     = "ddx.fleet/v1"
	RecordSchema    = "ddx.record/v1"
)

// Diagnosis is the answer of the engine for one host: the contract of
// "ddx diagnose -o json", documented in docs/json.md.
type Diagnosis struct {
	Schema      string        `json:"schema"`
	DDX         string        `json:"ddx"`       // version of the program
	Catalogue   string        `json:"catalogue"` // digest of the catalogue
	Now         time.Time     `json:"now"`       // when the evidence was taken
	Host        HostInfo      `json:"host"`
	Examined    []Examined    `json:"examined"`
	Findings    []Finding     `json:"findings"`
	NextTests   []NextTest    `json:"next_tests"`
	Counts      Counts        `json:"counts"`
	NotExamined []NotExamined `json:"not_examined"`
	Unexplained []Unexplained `json:"unexplained"`
}

// Fleet is the answer for several hosts: the contract of "ddx diagnose -o json"
// with the evidence of more than one.
type Fleet struct {
	Schema   string         `json:"schema"`
	Hosts    []*Diagnosis   `json:"hosts"`
	Findings []FleetFinding `json:"findings"` // over all hosts; the first one is the answer
}

// FleetFinding is a mode that is confirmed or likely on at least one host, over
// all of them. Next tests and remedies differ by host and stand with the hosts.
type FleetFinding struct {
	Finding
	Hosts []HostFinding `json:"hosts"` // who has it, the earliest first
}

// HostFinding says how one host has a mode.
type HostFinding struct {
	Host      string     `json:"host"`
	At        int        `json:"at"`       // place in Fleet.Hosts: names need not be unique
	Findings  []string   `json:"findings"` // ids within that host's diagnosis
	Verdict   Verdict    `json:"verdict"`  // the strongest of them
	Root      bool       `json:"root"`
	Active    Active     `json:"active"`
	FirstSeen *time.Time `json:"first_seen"`
	LastSeen  *time.Time `json:"last_seen"`
}

// HostInfo is what is known of the machine itself.
type HostInfo struct {
	Name       string `json:"name,omitempty"`
	Kernel     string `json:"kernel,omitempty"`
	OS         string `json:"os,omitempty"`
	Hypervisor string `json:"hypervisor,omitempty"`
	Product    string `json:"product,omitempty"`
	Instance   string `json:"instance,omitempty"`
	Boot       string `json:"boot,omitempty"`
}

// Examined is one thing that was looked at.
type Examined struct {
	Kind    string `json:"kind"`
	Origin  string `json:"origin"`
	Items   int64  `json:"items"` // facts, or lines of a log
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	Dropped *int64 `json:"dropped"` // null: unknown
}

// Finding is a mode on a subject with a verdict and the facts for and against.
type Finding struct {
	ID          string     `json:"id"` // MODE@KIND:NAME, stable
	Mode        string     `json:"mode"`
	Title       string     `json:"title"`
	Family      string     `json:"family"`
	Verdict     Verdict    `json:"verdict"`
	Probability float64    `json:"probability"`
	Root        bool       `json:"root"`
	ExplainedBy []string   `json:"explained_by"`
	Subject     Subject    `json:"subject"`
	FirstSeen   *time.Time `json:"first_seen"`
	LastSeen    *time.Time `json:"last_seen"`
	Active      Active     `json:"active"`
	ActiveWhy   string     `json:"active_because,omitempty"`
	Latent      bool       `json:"latent"`
	Accepted    string     `json:"accepted,omitempty"` // reason it is a known finding
	Summary     string     `json:"summary"`
	Evidence    []Support  `json:"evidence"`
	Whys        []string   `json:"whys"`
	NextTests   []NextTest `json:"next_tests"`
	Remedies    []Plan     `json:"remedies"`

	// Mono orders findings whose logs have no clock: seconds since boot of the
	// first evidence, 0 when unknown.
	Mono float64 `json:"-"`
}

// Support is one piece of evidence for or against a finding.
type Support struct {
	Origin    string     `json:"origin"`
	Time      *time.Time `json:"time,omitempty"`
	Text      string     `json:"text"`
	Indicator string     `json:"indicator"`
	Effect    Effect     `json:"effect"`
	Strength  Strength   `json:"strength,omitempty"`
	Count     int64      `json:"count,omitempty"` // how many such lines
	Note      string     `json:"note,omitempty"`
	Host      string     `json:"host,omitempty"` // in a fleet: whose line it is
}

// NextTest is a test worth running, and the open modes that it separates.
type NextTest struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Command   string   `json:"command"`
	Cost      Cost     `json:"cost"`
	Separates []string `json:"separates"`
	Gain      float64  `json:"gain"` // expected bits over cost
}

// Plan is a remedy for this finding on this machine.
type Plan struct {
	ID            string   `json:"id"`
	Title         string   `json:"title"`
	When          string   `json:"when,omitempty"`
	Steps         []Step   `json:"steps"`
	Prerequisites []string `json:"prerequisites"`
	BlastRadius   []Blast  `json:"blast_radius"`
	Verify        []string `json:"verify"`
	Back          string   `json:"back,omitempty"`
	Conflicts     []string `json:"conflicts,omitempty"`
}

// Blast is one effect of a remedy, and whether it applies to this machine.
type Blast struct {
	Effect  string `json:"effect"`
	Applies Active `json:"applies"`
	Because string `json:"because"`
}

// Counts sums up all modes of the catalogue.
type Counts struct {
	Modes    int `json:"modes"`
	RuledOut int `json:"ruled_out"`
	Untested int `json:"untested"`
}

// NotExamined is something that could not be looked at, and who needed it.
type NotExamined struct {
	What     string   `json:"what"`
	Why      string   `json:"why"`
	NeededBy []string `json:"needed_by"`
	Basic    bool     `json:"basic,omitempty"`
	Named    bool     `json:"named,omitempty"`   // the caller asked for it by name
	Decides  bool     `json:"decides,omitempty"` // could decide a mode that has evidence for it
}

// Unexplained is a warning or error that no mode accounts for.
type Unexplained struct {
	Origin string `json:"origin"`
	Text   string `json:"text"`
	Count  int64  `json:"count"`
}

// Wrong reports whether the finding makes the exit status 3: confirmed or
// likely, and not accepted.
func (f *Finding) Wrong() bool {
	return (f.Verdict == Confirmed || f.Verdict == Likely) && f.Accepted == "" && !f.Latent
}

// Exit returns the exit status of DESIGN 5: 3 something is wrong, 4 nothing
// such but a look that mattered was impossible, 0 otherwise.
func (d *Diagnosis) Exit() int {
	for i := range d.Findings {
		if d.Findings[i].Wrong() {
			return 3
		}
	}
	for _, n := range d.NotExamined {
		if n.Basic || n.Named || n.Decides {
			return 4
		}
	}
	return 0
}
