package controlplane

// CleanerConfig says how a cleaner chooses and deletes old record trees. The
// zero value with Endpoints and Retain set is the cleaner of October 2025: it
// deletes what is Retain or more generations behind the plan just applied.
type CleanerConfig struct {
	Endpoints uint8
	Retain    Generation

	Lock            bool // work under the lock record, deletion fenced by it
	SpareActive     bool // leave the tree that was active when the list was read
	AgeFromActive   bool // measure age from the active plan, not from the applied one
	Conditional     bool // the deletion itself leaves the active tree alone
	ProtectRollback bool // the deletion itself leaves the rollback tree alone
}

// CleanerPhase says what a cleaner does next.
type CleanerPhase uint8

const (
	CleanerIdle CleanerPhase = iota
	CleanerLocking
	CleanerListing
	CleanerDeleting
)

// Cleaner is the state of a cleaner.
type Cleaner struct {
	Phase    CleanerPhase
	Endpoint uint8
	Applied  Generation // the plan whose application started it
	Doomed   Set        // trees chosen for deletion
}

// StartCleaner returns a cleaner that begins after plan was applied.
func StartCleaner(cfg *CleanerConfig, plan Generation) Cleaner {
	return cfg.begin(plan, 0)
}

func (cfg *CleanerConfig) begin(plan Generation, ep uint8) Cleaner {
	if ep >= cfg.Endpoints {
		return Cleaner{}
	}
	if cfg.Lock {
		return Cleaner{Phase: CleanerLocking, Endpoint: ep, Applied: plan}
	}
	return Cleaner{Phase: CleanerListing, Endpoint: ep, Applied: plan}
}

// StepCleaner advances a cleaner by the answer to its pending command. A crash
// is the zero Cleaner.
func StepCleaner(cfg *CleanerConfig, c Cleaner, a Answer) Cleaner {
	if a.Status == Unknown {
		return c
	}
	switch c.Phase {
	case CleanerLocking:
		if a.Status == Applied {
			c.Phase = CleanerListing
		}
	case CleanerListing:
		ref := c.Applied
		if cfg.AgeFromActive {
			ref = a.Active
		}
		doomed := a.Trees.Behind(ref, cfg.Retain)
		if cfg.SpareActive {
			doomed = doomed.Without(a.Active)
		}
		if doomed == 0 {
			return cfg.begin(c.Applied, c.Endpoint+1)
		}
		c.Phase, c.Doomed = CleanerDeleting, doomed
	case CleanerDeleting:
		if a.Status == LockLost {
			return cfg.begin(c.Applied, c.Endpoint)
		}
		return cfg.begin(c.Applied, c.Endpoint+1)
	}
	return c
}

// Pending returns the command whose answer the cleaner waits for.
func (c Cleaner) Pending(cfg *CleanerConfig, sender uint8) Command {
	cmd := Command{Endpoint: c.Endpoint, Sender: sender}
	switch c.Phase {
	case CleanerLocking:
		cmd.Op = OpLock
	case CleanerListing:
		cmd.Op = OpList
	case CleanerDeleting:
		cmd.Op, cmd.Delete, cmd.Release = OpDelete, c.Doomed, cfg.Lock
		if cfg.Lock {
			cmd.Require |= RequireHolder
		}
		if cfg.Conditional {
			cmd.Require |= RequireInactive
		}
		if cfg.ProtectRollback {
			cmd.Require |= RequireNotRollback
		}
	}
	return cmd
}
