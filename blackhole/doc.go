// Package blackhole joins flow logs with the counters of the guest, to find
// what the network delivered and a running guest did not receive.
//
// [Network] turns the sums of flow logs into the network's side. [Join] pairs
// the interfaces of both sides, puts their clocks on one another and finds the
// windows in which one side moved and the other stood still, with all else that
// would look the same. [Joined] becomes facts, a picture or a page.
//
// Everything here is pure. The package may import the standard library, the
// root package, flowlog, flowsum and counters.
package blackhole
