// Package controlplane holds the moving parts of a DNS, lease and health
// control plane as pure functions: planner, enactor, cleaner, lease manager,
// network manager and health checker, and the zone they write to.
//
// Each part is one comparable state value and one function
//
//	Step(config, state, event) -> (state, command or commands)
//
// without a clock, a goroutine, input or output: time and randomness arrive in
// events, work leaves as commands. Three drivers use the same functions. The
// explorer of package lab performs a command against the model of the provider
// and hands the answer back in one atomic action, in every order that exists;
// the simulator of package lab does so on a virtual clock; the failover daemon
// does so with real time and a real provider.
//
// The enactor and the cleaner always wait for exactly one answer. What they
// wait for is a function of their state (Enactor.Pending, Cleaner.Pending), so
// a state alone says which command is under way and a driver may repeat it
// after a restart.
//
// The package imports the standard library only.
package controlplane
