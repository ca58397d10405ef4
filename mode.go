package ddx

// Mode is a failure mode (the term of FMEA): one YAML file of the catalogue.
// The fields are documented for authors in docs/catalogue.md.
type Mode struct {
	ID       string      `yaml:"id"`
	Aliases  []string    `yaml:"aliases,omitempty"`
	Title    string      `yaml:"title"`
	Family   string      `yaml:"family"`
	Subject  SubjectKind `yaml:"subject"`
	Summary  string      `yaml:"summary"`
	Symptoms []string    `yaml:"symptoms"`

	// Frequency is how often operators meet the mode: common, uncommon or rare.
	// It is the prior, before any evidence.
	Frequency string `yaml:"frequency"`
	// Latent marks a risk without a symptom of its own: possible at most.
	Latent bool `yaml:"latent,omitempty"`

	Applies    []Condition `yaml:"applies,omitempty"`
	Indicators []Indicator `yaml:"indicators"`
	TTL        string      `yaml:"ttl,omitempty"` // how long an event without recovery evidence counts as current; default 1h

	Whys         []string    `yaml:"whys"`
	LeadsTo      []Edge      `yaml:"leads_to,omitempty"`
	ConfusedWith []Confusion `yaml:"confused_with,omitempty"`
	Tests        []Test      `yaml:"tests,omitempty"`
	Remedies     []RemedyRef `yaml:"remedies"`
	References   []string    `yaml:"references"`
	Review       string      `yaml:"review"` // verified, or inferred: an inferred mode never confirms
	Examples     []Example   `yaml:"examples"`
	LookAlikes   []Example   `yaml:"look_alikes"`
}

// Condition is a CEL expression over one kind of fact. The fields of the fact
// are variables of the expression.
type Condition struct {
	Fact string `yaml:"fact"`
	When string `yaml:"when"`
	Why  string `yaml:"why,omitempty"` // said to the operator when it decides
}

// Indicator is one observation that speaks for or against its mode: either a
// set of log patterns, or a condition over facts.
type Indicator struct {
	ID       string    `yaml:"id"`
	Title    string    `yaml:"title,omitempty"` // the question a human can answer: "does the log show ...?"
	Log      []Pattern `yaml:"log,omitempty"`
	Channel  string    `yaml:"channel,omitempty"` // kernel, service or any; default kernel
	Fact     string    `yaml:"fact,omitempty"`
	When     string    `yaml:"when,omitempty"` // over the fact's fields, or over the captures of the log patterns
	Effect   Effect    `yaml:"effect"`
	Strength Strength  `yaml:"strength,omitempty"`
	Group    string    `yaml:"group,omitempty"`   // indicators of one group count once, the strongest
	Count    int       `yaml:"count,omitempty"`   // at least so many times
	Within   string    `yaml:"within,omitempty"`  // in a window of this length
	Subject  string    `yaml:"subject,omitempty"` // capture or field that names the subject
	On       string    `yaml:"on,omitempty"`      // "host": counts for every subject of the mode
	Absent   *Absent   `yaml:"absent,omitempty"`
	Active   bool      `yaml:"active,omitempty"` // seeing it means that it is happening now
}

// LogChannel is where the lines of a log indicator come from.
func (i *Indicator) LogChannel() string {
	if i.Channel == "" {
		return "kernel"
	}
	return i.Channel
}

// Absent gives a meaning to not seeing a log indicator although the log was
// looked at without a gap. Fact and When name the software that could have
// printed the line; without such a fact, absence stays unknown.
type Absent struct {
	Effect   Effect   `yaml:"effect"`
	Strength Strength `yaml:"strength,omitempty"`
	Fact     string   `yaml:"fact"`
	When     string   `yaml:"when"`
}

// Pattern is a literal format string with typed placeholders: {name:type}.
// See docs/catalogue.md for the types. Regexp holds a regular expression (RE2)
// instead, for rules that come from elsewhere.
type Pattern struct {
	Text    string `yaml:"text,omitempty"`
	Regexp  string `yaml:"regexp,omitempty"`
	Printed string `yaml:"printed,omitempty"` // the software versions that print it
}

// String returns the pattern as its author wrote it.
func (p Pattern) String() string {
	if p.Regexp != "" {
		return p.Regexp
	}
	return p.Text
}

// Edge leads from a mode to one of its consequences.
type Edge struct {
	Mode string `yaml:"mode"`
	Same bool   `yaml:"same,omitempty"` // only on the same subject
	Only string `yaml:"only,omitempty"` // only to subjects whose name begins so
	Why  string `yaml:"why,omitempty"`
}

// Confusion names a near miss and the test that tells the two apart.
type Confusion struct {
	Mode string `yaml:"mode"`
	Test string `yaml:"test"`
}

// Test is something that can be looked at next.
type Test struct {
	ID       string    `yaml:"id" json:"id"`
	Title    string    `yaml:"title" json:"title"`
	Run      string    `yaml:"run" json:"command"`
	Cost     Cost      `yaml:"cost" json:"cost"`
	Yields   []string  `yaml:"yields,omitempty" json:"-"` // fact kinds it produces: no use when they are there already
	Outcomes []Outcome `yaml:"outcomes" json:"-"`
}

// Outcome is one way in which a test can end, and what that says.
type Outcome struct {
	If       string   `yaml:"if"`
	Supports []string `yaml:"supports,omitempty"`
	Refutes  []string `yaml:"refutes,omitempty"`
}

// RemedyRef points to a shared remedy; When narrows it to a state of the facts.
type RemedyRef struct {
	ID   string `yaml:"id"`
	When string `yaml:"when,omitempty"` // said to the operator: "after three events in a day"
}

// Remedy is what to do: one shared object of the catalogue.
type Remedy struct {
	ID            string        `yaml:"id"`
	Title         string        `yaml:"title"`
	Steps         []Step        `yaml:"steps"`
	Prerequisites []string      `yaml:"prerequisites,omitempty"`
	BlastRadius   []BlastEffect `yaml:"blast_radius"`
	Verify        []string      `yaml:"verify"`
	Back          string        `yaml:"back,omitempty"`
	Conflicts     []string      `yaml:"conflicts,omitempty"` // remedies that advise the opposite
	References    []string      `yaml:"references,omitempty"`
}

// Step is a command to run, or something to do by hand.
type Step struct {
	Run string `yaml:"run,omitempty" json:"run,omitempty"`
	Do  string `yaml:"do,omitempty" json:"do,omitempty"`
}

// BlastEffect is one thing a remedy breaks, and the condition over facts under
// which it does so on this machine. Without a condition it always does.
type BlastEffect struct {
	Effect string `yaml:"effect"`
	Fact   string `yaml:"fact,omitempty"`
	When   string `yaml:"when,omitempty"`
}

// Example is raw material with the outcome it must have.
type Example struct {
	Text    string  `yaml:"text"`
	Verdict Verdict `yaml:"verdict,omitempty"` // default: likely or better
	Why     string  `yaml:"why,omitempty"`
	Framed  *bool   `yaml:"framed,omitempty"` // false: the text is not a bare message, do not re-frame it
}
