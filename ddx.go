package ddx

import (
	"fmt"
	"strings"
	"time"
)

// SubjectKind says what sort of thing a fact or a finding is about.
type SubjectKind string

// The kinds of subject. A name is unique within its kind on one host.
const (
	Host     SubjectKind = "host"     // the machine itself; its name may be empty
	NIC      SubjectKind = "nic"      // a network interface of the guest, by name, or by PCI address before it has one
	Mount    SubjectKind = "mount"    // a mount point, by path, or an NFS server, by name
	Disk     SubjectKind = "disk"     // a block device, by kernel name without /dev/
	Task     SubjectKind = "task"     // a process or thread, "comm" or "comm:pid"
	Endpoint SubjectKind = "endpoint" // a name or address with a service behind it
	Zone     SubjectKind = "zone"     // an availability zone
	Instance SubjectKind = "instance" // a cloud instance or another resource of the provider, by id
	Cgroup   SubjectKind = "cgroup"   // a control group, by path
	Unit     SubjectKind = "unit"     // a service, container or pod
	AllHosts SubjectKind = "fleet"    // the hosts that were looked at together; without a name
)

// Subject is what a fact or a finding is about.
type Subject struct {
	Kind SubjectKind `json:"kind"`
	Name string      `json:"name"`
}

// String returns "kind:name", the form used in finding ids.
func (s Subject) String() string { return string(s.Kind) + ":" + s.Name }

// ParseSubject reads the form that String writes.
func ParseSubject(s string) (Subject, error) {
	kind, name, ok := strings.Cut(s, ":")
	if !ok || kind == "" {
		return Subject{}, fmt.Errorf("parse subject %q: want KIND:NAME", s)
	}
	return Subject{SubjectKind(kind), name}, nil
}

// Evidence is raw material, verbatim, with where and when it was found.
type Evidence struct {
	Kind   string    `json:"kind,omitempty"`   // name of the reader that recognised it, "" when none did
	Origin string    `json:"origin"`           // FILE:LINE, FILE@OFFSET or the command, as on the source host
	Host   string    `json:"host,omitempty"`   // source host, when the material names it
	Time   time.Time `json:"time,omitzero"`    // wall clock of the source host; zero when unknown
	Mono   float64   `json:"mono,omitempty"`   // seconds since boot where the line carries them
	Text   string    `json:"text,omitempty"`   // the line or lines, unchanged
	File   string    `json:"file,omitempty"`   // large material stays a file of the bundle; Text is empty then
	Status string    `json:"status,omitempty"` // why the material is not there: see Absence
	Taken  *Taken    `json:"taken,omitempty"`  // how it was taken; only in the index of a bundle
}

// Taken is what the index of a bundle says of a piece of material beside its
// evidence, so that reading it back gives what was there when it was taken.
type Taken struct {
	Name    string `json:"name,omitempty"`    // file or command, where it is not the base name of the origin
	Sample  int    `json:"sample,omitempty"`  // which reading of a counter this is, from 0
	Line    int    `json:"line,omitempty"`    // lines of the origin before the material
	Named   bool   `json:"named,omitempty"`   // the caller asked for it by name
	Detail  string `json:"detail,omitempty"`  // the status in words
	Dropped int64  `json:"dropped,omitempty"` // log: lines that were lost before they could be read
	Bound   string `json:"bound,omitempty"`   // log: exact, at-least or unknown
}

// Absence says why something could not be looked at. It is a value of its own:
// never to be taken for an empty result.
type Absence string

// The reasons for an absence.
const (
	NeedsRoot   Absence = "needs-root"   // permission denied to an ordinary user
	Refused     Absence = "refused"      // permission denied to root: a capability is missing, or a sandbox forbids it
	TimedOut    Absence = "timed-out"    // the deadline passed; the thing may hang
	NotThere    Absence = "not-there"    // the file or tool does not exist here
	TooOld      Absence = "too-old"      // the software at hand cannot say it
	NotReadable Absence = "not-readable" // present, but damaged or in an unknown form
	NotAsked    Absence = "not-asked"    // costs more than was allowed
)

// Fact is a typed statement read out of evidence. Its kind is declared in
// FactKinds; Fields holds only declared fields, each with the declared type:
// string, int64, float64, bool or []string.
type Fact struct {
	Kind     string         `json:"kind"`
	Subject  Subject        `json:"subject"`
	Time     time.Time      `json:"time,omitzero"`
	Fields   map[string]any `json:"fields,omitempty"`
	Evidence []Evidence     `json:"evidence,omitempty"`
}

// String returns the field as text, "" when it is absent.
func (f Fact) String(field string) string {
	switch v := f.Fields[field].(type) {
	case nil:
		return ""
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	default:
		return fmt.Sprint(v)
	}
}

// Int returns a whole-number field and whether it is present.
func (f Fact) Int(field string) (int64, bool) { v, ok := f.Fields[field].(int64); return v, ok }

// Float returns a numeric field and whether it is present.
func (f Fact) Float(field string) (float64, bool) {
	switch v := f.Fields[field].(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// Bool returns a truth value and whether it is present.
func (f Fact) Bool(field string) (value, ok bool) { value, ok = f.Fields[field].(bool); return }

// Strings returns a list field, nil when it is absent.
func (f Fact) Strings(field string) []string { v, _ := f.Fields[field].([]string); return v }

// Cost is what a test asks of the machine it is run on.
type Cost string

// The classes of cost. Only read-only tests run without being asked for.
const (
	ReadOnly  Cost = "read-only"
	Load      Cost = "load"
	Intrusive Cost = "intrusive"
)

// Verdict is what the evidence says of a mode on a subject.
type Verdict string

// The verdicts, strongest first. Confirmed needs an indicator that confirms.
const (
	Confirmed Verdict = "confirmed"
	Likely    Verdict = "likely"
	Possible  Verdict = "possible"
	RuledOut  Verdict = "ruled-out"
	Untested  Verdict = "untested"
)

// Rank orders verdicts, 0 for the strongest.
func (v Verdict) Rank() int {
	switch v {
	case Confirmed:
		return 0
	case Likely:
		return 1
	case Possible:
		return 2
	case Untested:
		return 3
	}
	return 4
}

// Active says whether a finding holds now.
type Active string

// The answers to "is it still so?".
const (
	Yes     Active = "yes"
	No      Active = "no"
	Unknown Active = "unknown"
)

// Effect is what an indicator does to its mode when it is seen.
type Effect string

// The effects of an indicator.
const (
	Confirms Effect = "confirms"
	Supports Effect = "supports"
	Against  Effect = "against"
	Refutes  Effect = "refutes"
	Clears   Effect = "clears" // recovery evidence: ends the finding, says nothing about the mode
)

// Strength grades the effects supports and against.
type Strength string

// The strengths of an effect.
const (
	Strong   Strength = "strong"
	Moderate Strength = "moderate"
	Weak     Strength = "weak"
)
