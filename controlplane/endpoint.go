package controlplane

// Endpoint is what the provider holds for one endpoint: a tree of records for
// each plan generation, the public alias that points to one tree, the rollback
// alias that points to the tree before it, and the lock record. It is the
// smallest model of a zone that has transactions; Zone is the full one, and a
// test holds that both give the same outcomes.
type Endpoint struct {
	Trees    Set        // generations whose record tree exists
	Active   Generation // generation that the public alias points to
	Rollback Generation // generation that the rollback alias points to, or None
	Holder   uint8      // who holds the lock record, 0 for nobody
}

// NewEndpoint returns an endpoint on which generation 0 is active.
func NewEndpoint() Endpoint {
	return Endpoint{Trees: 1, Rollback: None}
}

// Empty reports whether the endpoint resolves to no address: the alias points
// to a tree that does not exist.
func (z Endpoint) Empty() bool { return !z.Trees.Has(z.Active) }

// RollbackUsable reports whether the rollback alias, if set, points to a tree
// that exists.
func (z Endpoint) RollbackUsable() bool {
	return z.Rollback == None || z.Trees.Has(z.Rollback)
}

// Op is a request to the provider.
type Op uint8

const (
	OpNone   Op = iota // nothing under way
	OpPick             // look at the newest plan and at what is active
	OpLock             // take the lock record
	OpBuild            // add the record tree of a plan
	OpRead             // read the active generation
	OpCommit           // switch the alias, in one transaction
	OpList             // list the record trees
	OpDelete           // delete record trees
)

// Require is a set of conditions of a transaction. If one does not hold,
// nothing of the transaction is applied.
type Require uint16

const (
	RequireHolder      Require = 1 << iota // the lock is held by the sender
	RequireGeneration                      // the active generation is still Expect
	RequireOlder                           // the active generation is older than the plan
	RequireTarget                          // the tree that becomes active exists
	RequireFresh                           // the plan is fewer than Retain behind the newest
	RequireRollback                        // the tree that becomes the rollback exists
	RequireInactive                        // delete leaves the active tree alone
	RequireNotRollback                     // delete leaves the rollback tree alone
)

// Command is one request to the provider. The zero value asks for nothing.
type Command struct {
	Op       Op
	Endpoint uint8
	Sender   uint8 // from 1
	Require  Require
	Build    bool // the commit also adds the tree of Plan
	Empty    bool // the plan has no targets: its tree holds no address
	Release  bool // the transaction also gives the lock back, whoever holds it
	Plan     Generation
	Expect   Generation
	Retain   Generation
	Delete   Set
}

// Writes reports whether the command changes the zone, so that a lost answer
// leaves its outcome unknown.
func (c Command) Writes() bool {
	return c.Op == OpBuild || c.Op == OpCommit || c.Op == OpDelete
}

// Status is the outcome of a command.
type Status uint8

const (
	Applied  Status = iota
	Conflict        // a condition on the generation did not hold: nothing applied
	LockLost        // the lock is not the sender's any more: nothing applied
	Refused         // another condition did not hold: nothing applied
	Unknown         // no answer: applied or not
)

// Answer is what the provider says to a command.
type Answer struct {
	Status   Status
	Empty    bool       // read, list: the endpoint has no address
	Active   Generation // read, list: the active generation
	Rollback Generation // list: the generation of the rollback alias
	Latest   Generation // pick, read: the newest plan published
	Trees    Set        // list: the trees that exist
}

// Apply performs a command as one transaction and returns the endpoint after
// it. newest is the newest plan's generation; only RequireFresh looks at it,
// which no DNS provider can offer.
func (z Endpoint) Apply(c Command, newest Generation) (Endpoint, Answer) {
	switch c.Op {
	case OpLock:
		if z.Holder != 0 && z.Holder != c.Sender {
			return z, Answer{Status: LockLost}
		}
		z.Holder = c.Sender
	case OpBuild:
		if !c.Empty {
			z.Trees = z.Trees.With(c.Plan)
		}
	case OpCommit:
		return z.commit(c, newest)
	case OpDelete:
		return z.delete(c)
	}
	return z, Answer{Empty: z.Empty(), Active: z.Active, Rollback: z.Rollback, Latest: newest, Trees: z.Trees}
}

func (z Endpoint) commit(c Command, newest Generation) (Endpoint, Answer) {
	switch {
	case c.Require&RequireGeneration != 0 && z.Active != c.Expect,
		c.Require&RequireOlder != 0 && z.Active >= c.Plan && !z.Empty(),
		c.Require&RequireFresh != 0 && newest-c.Plan >= c.Retain:
		return z, Answer{Status: Conflict}
	case c.Require&RequireHolder != 0 && z.Holder != c.Sender:
		return z, Answer{Status: LockLost}
	case c.Require&RequireRollback != 0 && z.Empty() && !(c.Build && !c.Empty && c.Plan == z.Active),
		c.Require&RequireTarget != 0 && !c.Build && !z.Trees.Has(c.Plan):
		return z, Answer{Status: Refused}
	}
	if z.Active != c.Plan && !z.Empty() {
		z.Rollback = z.Active
	}
	if c.Build && !c.Empty {
		z.Trees = z.Trees.With(c.Plan)
	}
	z.Active = c.Plan
	if c.Release {
		z.Holder = 0
	}
	return z, Answer{}
}

func (z Endpoint) delete(c Command) (Endpoint, Answer) {
	if c.Require&RequireHolder != 0 && z.Holder != c.Sender {
		return z, Answer{Status: LockLost}
	}
	doomed := c.Delete
	if c.Require&RequireInactive != 0 {
		doomed = doomed.Without(z.Active)
	}
	if c.Require&RequireNotRollback != 0 {
		doomed = doomed.Without(z.Rollback)
	}
	z.Trees &^= doomed
	if c.Release {
		z.Holder = 0
	}
	return z, Answer{}
}
