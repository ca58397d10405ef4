package lab

import (
	"slices"

	"ddx/controlplane"
)

// dnsSafeguards lists the safeguards of the DNS model and what each one sets.
var dnsSafeguards = []struct {
	name, doc string
	apply     func(*DNSConfig)
}{
	{"generation-cas", "the write requires the generation that was just read; on conflict read again",
		func(c *DNSConfig) { c.Enactor.CompareGeneration = true }},
	{"generation-guard", "the provider itself refuses a generation that is not newer",
		func(c *DNSConfig) { c.Enactor.OnlyNewer = true }},
	{"lock", "an expiring lock record is taken before work on an endpoint; writes do not look at it",
		func(c *DNSConfig) { c.Enactor.Lock, c.LockExpires = true, true }},
	{"lock-fence", "the lock, and every write requires that it is still held (October 2025 as told)",
		func(c *DNSConfig) { c.Enactor.Lock, c.Enactor.Fence, c.LockExpires = true, true, true }},
	{"recheck", "the active generation is read again just before the write",
		func(c *DNSConfig) { c.Enactor.Recheck = true }},
	{"plan-expiry", "a plan that is K behind the newest is given up, judged before the write",
		func(c *DNSConfig) { c.Enactor.ExpirePlan = true }},
	{"plan-expiry-atomic", "the same, judged inside the write's transaction (no DNS provider offers it)",
		func(c *DNSConfig) { c.Enactor.ExpireAtomic = true }},
	{"target-check", "the switch is refused if the new tree does not exist",
		func(c *DNSConfig) { c.Enactor.CheckTarget = true }},
	{"one-batch", "build and switch are one transaction",
		func(c *DNSConfig) { c.Enactor.OneBatch = true }},
	{"carry-tree", "the tree is built beforehand and the switch carries it once more",
		func(c *DNSConfig) { c.Enactor.CarryTree = true }},
	{"rollback-apart", "the rollback alias is not part of the switch's transaction",
		func(c *DNSConfig) { c.Enactor.RollbackApart = true }},
	{"one-enactor", "there is one enactor only",
		func(c *DNSConfig) { c.Enactors = 1 }},
	{"no-cleanup", "old trees are never deleted",
		func(c *DNSConfig) { c.Enactor.Clean = false }},
	{"cleaner-spares-active", "the cleaner leaves the tree that was active when it listed",
		func(c *DNSConfig) { c.Cleaner.SpareActive = true }},
	{"conditional-delete", "the deletion itself leaves the active tree alone",
		func(c *DNSConfig) { c.Cleaner.Conditional = true }},
	{"protect-rollback", "the deletion itself leaves the rollback tree alone",
		func(c *DNSConfig) { c.Cleaner.ProtectRollback = true }},
	{"age-from-active", "the cleaner measures age from the active plan, not from the one it applied",
		func(c *DNSConfig) { c.Cleaner.AgeFromActive = true }},
	{"cleaner-lock", "the cleaner works under the lock, fenced, and leaves the active tree alone",
		func(c *DNSConfig) { c.Cleaner.Lock, c.Cleaner.SpareActive, c.LockExpires = true, true, true }},
	{"keep-last-good", "the planner publishes nothing when no target looks healthy",
		func(c *DNSConfig) { c.Planner.KeepLastGood = true }},
	{"refuse-empty", "an enactor never takes a plan without targets",
		func(c *DNSConfig) { c.Enactor.RefuseEmpty = true }},
}

// dnsInvariants says what the bits of DNSInvariants mean.
var dnsInvariants = []Invariant{
	{DNSInvariants[0], "the endpoint always resolves to an address"},
	{DNSInvariants[1], "the active generation never goes down"},
	{DNSInvariants[2], "no deletion removes the tree that is active"},
	{DNSInvariants[3], "the rollback alias, once set, points to a tree that exists"},
}

// dnsModel returns the DNS model with other defaults for some parameters.
func dnsModel(name, title string, defaults map[string]int) Model {
	m := Model{
		Name: name, Title: title,
		Parameters: []Parameter{
			{"enactors", "enactors that run side by side", 2, 1, maxEnactors},
			{"retain", "K: generations behind at which a tree is cleaned", 1, 1, 7},
			{"plans", "generations that come into being", 3, 1, 7},
			{"endpoints", "endpoints to a plan", 1, 1, 2},
			{"crashes", "enactor crashes", 0, 0, 3},
			{"lost-acks", "transactions applied whose answer is lost", 0, 0, 3},
			{"rollbacks", "operator rollbacks as a new generation", 0, 0, 3},
			{"switch-backs", "times an operator points the alias at the rollback tree", 0, 0, 3},
			{"bad-plans", "observations in which no target looks healthy", 0, 0, 3},
		},
		Recommended: []string{"generation-cas", "conditional-delete", "protect-rollback", "target-check"},
		Invariants:  dnsInvariants,
		space: func(p map[string]int, safeguards []string) NarratedSpace {
			return newDNSSpace(dnsConfig(p, safeguards))
		},
	}
	if name == "dns-bad-plan" {
		m.Recommended = append(m.Recommended, "keep-last-good")
	}
	for i, p := range m.Parameters {
		if v, ok := defaults[p.Name]; ok {
			m.Parameters[i].Default = v
		}
	}
	for _, s := range dnsSafeguards {
		m.Safeguards = append(m.Safeguards, Safeguard{s.name, s.doc})
	}
	return m
}

// dnsConfig turns parameters and safeguards into a configuration.
func dnsConfig(p map[string]int, safeguards []string) DNSConfig {
	c := DNSConfig{
		Enactors: p["enactors"], Retain: p["retain"], Plans: p["plans"], Endpoints: p["endpoints"],
		Crashes: p["crashes"], LostAcks: p["lost-acks"], Rollbacks: p["rollbacks"],
		SwitchBacks: p["switch-backs"], BadPlans: p["bad-plans"],
		Enactor: controlplane.EnactorConfig{Clean: true},
	}
	for _, s := range dnsSafeguards {
		if slices.Contains(safeguards, s.name) {
			s.apply(&c)
		}
	}
	return c
}
