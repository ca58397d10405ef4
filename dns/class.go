package dns

import (
	"slices"
	"time"
)

// Class names what is wrong with a name. The values are contract: they appear
// in JSON, in metrics and in facts.
type Class string

// The classes.
const (
	OK             Class = "ok"
	MeantEmpty     Class = "empty-as-meant"            // the caller says that the name is to be without addresses, and it is
	NoData         Class = "nodata"                    // the name exists and holds no address
	NXDomain       Class = "nxdomain"                  // the name does not exist
	WrongNXDomain  Class = "nxdomain-for-missing-type" // a server denies the name for one type and knows it for another
	Dangling       Class = "dangling-cname"            // the CNAME chain ends in nothing, or in itself
	Lame           Class = "lame"                      // a listed server does not answer for the zone
	Delegation     Class = "delegation-mismatch"       // the zone above and the zone itself list other servers, or glue is missing
	Regressed      Class = "regressed"                 // an older generation is served than was seen before
	Shrunk         Class = "shrunk"                    // fewer addresses than the minimum, or much fewer than before
	Disagree       Class = "authorities-disagree"      // authoritative servers give different answers
	OneFamily      Class = "one-family"                // one address family that is expected is missing
	TimedOutClass  Class = "timeout"                   // no answer at all
	UnreachClass   Class = "unreachable"               // the network says that it cannot be reached
	RefusedClass   Class = "tcp-refused"               // the connection is refused
	TCPFailed      Class = "truncated-tcp-fails"       // answer too large for UDP, and TCP does not work
	ServFail       Class = "resolver-servfail"         // the resolver fails while the authorities answer
	NegativeCached Class = "negative-cached"           // the resolver remembers an emptiness that is over
	Stale          Class = "stale"                     // the resolver serves addresses that no authority gives
	OtherView      Class = "other-view"                // the resolver answers from a source of its own: local zone, split horizon, policy
	Local          Class = "local"                     // resolv.conf, search list or the order of servers on this host
	TargetsDead    Class = "targets-dead"              // the name resolves, nothing listens
	Unknown        Class = "unknown"                   // nothing seen that decides
)

// Classes lists every class, the one that an operator must act on first coming
// first. It is the order of findings of equal level.
func Classes() []Class {
	return []Class{
		Dangling, NoData, WrongNXDomain, NXDomain, Regressed, TCPFailed, Disagree, Lame, OneFamily, Shrunk,
		ServFail, TimedOutClass, UnreachClass, RefusedClass, NegativeCached, Stale, OtherView, Local,
		TargetsDead, Delegation, Unknown, MeantEmpty, OK,
	}
}

// Level says how sure it is that a finding is a fault.
type Level string

// The levels, from the surest.
const (
	Wrong   Level = "wrong"   // a fault, shown by the answers
	Suspect Level = "suspect" // may be meant; an expectation or a second look decides
	Note    Level = "note"    // worth knowing, not a fault by itself
)

// Finding is one class that holds, with what shows it.
type Finding struct {
	Class    Class     `json:"class"`
	Level    Level     `json:"level"`
	Summary  string    `json:"summary"`
	Evidence []string  `json:"evidence"` // one line for each decisive reply
	Clears   time.Time `json:"clears,omitzero"`
}

// Verdict is the answer of Classify.
type Verdict struct {
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
	Class      Class     `json:"class"` // that of the first finding, else OK, MeantEmpty or Unknown
	Level      Level     `json:"level"` // that of the first finding; empty without one
	Findings   []Finding `json:"findings"`
	Chain      []string  `json:"chain,omitempty"` // the names a CNAME chain leads through, the first being Name
	Addresses  []string  `json:"addresses"`       // what the authorities give, both families; else what the resolvers give
	Generation uint64    `json:"generation,omitempty"`
	Expected   string    `json:"expected,omitempty"` // why addresses are expected; empty when nothing says so

	Authorities int       `json:"authorities"` // asked
	Resolvers   int       `json:"resolvers"`   // asked
	Negative    int       `json:"negative"`    // resolvers that hold a negative answer that is no longer true
	Clears      time.Time `json:"clears,omitzero"`
	Gaps        []Gap     `json:"gaps,omitempty"`
}

// Has reports whether a class is among the findings.
func (v Verdict) Has(c Class) bool {
	return v.Class == c || slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Class == c })
}

// Baseline is what is expected of a name. The zero value expects nothing: an
// empty answer is then only suspect.
type Baseline struct {
	Addresses     []string          `json:"addresses,omitempty"` // the name had these
	Minimum       int               `json:"minimum,omitempty"`   // fewer addresses than this is a fault
	Generation    uint64            `json:"generation,omitempty"`
	Serial        map[string]uint32 `json:"serial,omitempty"` // highest zone serial by server address
	MeantEmpty    bool              `json:"meant_empty,omitempty"`
	Failing       []string          `json:"failing,omitempty"` // types a user's request for this name failed on
	DisagreeSince time.Time         `json:"disagree_since,omitzero"`
}

// expects returns why addresses of a type are expected, or "".
func (b Baseline) expects(typ string) string {
	if b.MeantEmpty {
		return ""
	}
	for _, a := range b.Addresses {
		if family(a) == typ {
			return "the name had " + typ + " records before"
		}
	}
	if slices.Contains(b.Failing, typ) {
		return "a request for " + typ + " is reported to fail"
	}
	return ""
}
