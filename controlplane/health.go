package controlplane

import "time"

// CheckerConfig says what a health checker can do.
type CheckerConfig struct {
	CheckTime time.Duration // work of one check: one over the checks a second
	Timeout   time.Duration // a check that ends later than this after it was due has failed
	Extra     int           // further checks that every change of a node's state costs
	ShedLate  bool          // a late check says nothing instead of counting as failed, and further checks are not made while behind
}

// Checker is the state of a health checker: the work it has taken on, done one
// after the other.
type Checker struct {
	Free time.Duration // when it is done with what it has
}

// CheckerEventKind names what a checker is asked.
type CheckerEventKind uint8

const (
	CheckDue     CheckerEventKind = iota // the check of a node is due
	StateChanged                         // a node entered or left service
)

// CheckTiming is when a check ends, and whether that is too late.
type CheckTiming struct {
	Ends time.Duration
	Late bool
}

// StepChecker gives work to a checker.
func StepChecker(cfg *CheckerConfig, c Checker, kind CheckerEventKind, at time.Duration) (Checker, CheckTiming) {
	c.Free = max(c.Free, at)
	if kind == StateChanged {
		if !cfg.ShedLate || c.Free-at <= cfg.Timeout/2 {
			c.Free += time.Duration(cfg.Extra) * cfg.CheckTime
		}
		return c, CheckTiming{Ends: c.Free}
	}
	if cfg.ShedLate && c.Free-at > cfg.Timeout {
		return c, CheckTiming{Ends: at, Late: true}
	}
	c.Free += cfg.CheckTime
	return c, CheckTiming{Ends: c.Free, Late: c.Free-at > cfg.Timeout}
}

// NodeConfig says when a node enters and leaves service.
type NodeConfig struct {
	FailAfter   uint8         // failures in a row after which it leaves
	PassAfter   uint8         // passes in a row after which it enters
	HoldDown    time.Duration // time out of service after leaving, doubled with every leave; 0 for none
	MaxHoldDown time.Duration
	Gate        bool // it enters only once its network state is known to have propagated
}

// Node is what a health checker knows of one node.
type Node struct {
	InService bool
	Fails     uint8 // in a row
	Passes    uint8 // in a row
	Leaves    uint8 // times it left service
	HeldUntil time.Duration
}

// CheckResult is the result of a check of a node.
type CheckResult uint8

const (
	CheckPassed CheckResult = iota
	CheckFailed
	CheckUnknown // nothing is known: neither passed nor failed
)

// NodeEvent is a check's result. Propagated says whether the node's network
// state is known to be everywhere.
type NodeEvent struct {
	Result     CheckResult
	Propagated bool
	At         time.Duration
}

// NodeChange is what follows for a node.
type NodeChange uint8

const (
	NodeStays NodeChange = iota
	NodeEnters
	NodeLeaves
)

// StepNode advances a node by one check.
func StepNode(cfg *NodeConfig, n Node, ev NodeEvent) (Node, NodeChange) {
	switch ev.Result {
	case CheckUnknown:
		return n, NodeStays
	case CheckPassed:
		n.Fails = 0
		n.Passes = min(n.Passes+1, 250)
		if !n.InService && n.Passes >= cfg.PassAfter && ev.At >= n.HeldUntil && (!cfg.Gate || ev.Propagated) {
			n.InService = true
			return n, NodeEnters
		}
		return n, NodeStays
	}
	n.Passes = 0
	n.Fails = min(n.Fails+1, 250)
	if !n.InService || n.Fails < cfg.FailAfter {
		return n, NodeStays
	}
	n.InService = false
	if cfg.HoldDown > 0 {
		hold := cfg.HoldDown << min(n.Leaves, 16)
		n.HeldUntil = ev.At + min(hold, cfg.MaxHoldDown)
	}
	n.Leaves = min(n.Leaves+1, 250)
	return n, NodeLeaves
}

// Majority joins the results of several vantage points: what more than half of
// them say, else unknown.
func Majority(results []CheckResult) CheckResult {
	var count [3]int
	for _, r := range results {
		count[r]++
	}
	switch {
	case 2*count[CheckPassed] > len(results):
		return CheckPassed
	case 2*count[CheckFailed] > len(results):
		return CheckFailed
	}
	return CheckUnknown
}
