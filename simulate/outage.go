package simulate

import (
	"context"
	"fmt"
	"time"

	"ddx/controlplane"
)

// The clock of the replay begins at 23:30 PDT on 19 October 2025.
const (
	outageStart  = "23:30"
	outageEmpty  = 18 * time.Minute              // 23:48 the endpoint is empty
	outageRepair = 2*time.Hour + 55*time.Minute  // 02:25 records restored
	outageTried  = 3*time.Hour + 50*time.Minute  // 03:20 ours: one of the attempts that did not help
	outageCure   = 4*time.Hour + 44*time.Minute  // 04:14 throttle and selective restarts
	outageLeased = 5*time.Hour + 58*time.Minute  // 05:28 all leases back
	outageFrozen = 6*time.Hour + 8*time.Minute   // 05:38 planner and enactors disabled
	outageKill   = 10*time.Hour + 6*time.Minute  // 09:36 health-check failover disabled
	outageSpread = 11*time.Hour + 6*time.Minute  // 10:36 propagation normal
	outageLift   = 11*time.Hour + 53*time.Minute // 11:23 launch throttles relaxed
	outageRevive = 14*time.Hour + 39*time.Minute // 14:09 failover enabled again
	outageEnd    = 14*time.Hour + 50*time.Minute // 14:20 event closed
)

// Scaled figures of the replay beside those of BaseLease, all ours. They are
// chosen so that the queues clear at about the documented times; what the
// replay shows is the mechanism, not the amounts.
const (
	launchDemand    = 10.0                    // instance launches asked for a minute
	launchThrottled = 20.0                    // launches a minute let through from 05:28 to 11:23
	launchGivenUp   = 0.35                    // share of failed launches that nobody asks for again
	terminations    = 10                      // a minute; they change network state too
	networkEach     = 2450 * time.Millisecond // 25.5 changes of network state a minute
	comebackGap     = 2400 * time.Millisecond // droplets let back by the throttle of 04:14
	lbJoinEvery     = 2 * time.Minute         // a launched instance joins the load balancer
	lbCheckTime     = 20 * time.Millisecond   // 50 health checks a second
	lbExtra         = 180                     // further checks that a change of a node's state costs
)

func outageSimulation() Simulation {
	return Simulation{
		Name: "outage2025", Title: "19 and 20 October 2025 through every component, with safeguards to switch on",
		Settings: []Setting{
			{"generation-cas", "fence the zone's generation", "false", nil},
			{"freeze-leases", "leases do not run out while the store is unreachable", "false", nil},
			{"drop-stale", "the lease manager throws away what nobody waits for", "false", nil},
			{"bound-propagation", "launches are turned away when network state would wait more than 5 minutes", "false", nil},
			{"readiness-gate", "a node enters the load balancer once its network state has propagated", "false", nil},
			{"load-shedding", "a late health check says nothing", "false", nil},
			{"seed", "seed", "1", nil},
		},
		run: runOutage,
	}
}

func runOutage(ctx context.Context, in settings, progress func(int, int)) (*Result, error) {
	const parts = 4
	r := &Result{
		Title: "19 and 20 October 2025, replayed (PDT)", Clock: outageStart,
		Note: "Sizes, rates and delays are scaled and ours; operators act at the documented times. AWS published times, no amounts.",
	}
	dns := replayDNS(in.bool("generation-cas"), []delays{
		{enactor: 0, phase: controlplane.EnactorCommitting, until: outageEmpty - 30*time.Second},
		{enactor: 1, clean: controlplane.CleanerDeleting, from: outageEmpty - 4*time.Minute, until: outageEmpty},
		{enactor: 2, clean: controlplane.CleanerDeleting, from: outageEmpty - 4*time.Minute, until: outageEmpty + 10*time.Second},
	}, outageRepair, outageFrozen, outageEnd)
	progress(1, parts)
	lease, settings := outageLeases(in, dns)
	progress(2, parts)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	launches := outageLaunches(in, lease)
	progress(3, parts)
	flap := BaseFlap()
	flap.Seed, flap.Horizon, flap.KillAt, flap.ReviveAt, flap.Joins, flap.Grows = uint64(in.number("seed")), outageEnd, outageKill, outageRevive, launches.joins, true
	flap.Checker.CheckTime, flap.Checker.Extra = lbCheckTime, lbExtra
	flap.Node.Gate, flap.Checker.ShedLate = in.bool("readiness-gate"), in.bool("load-shedding")
	health := SimulateFlap(flap)
	progress(4, parts)

	flapped := flapCharts(flap, health, 0)
	flapped[0].Title = "Load balancer: capacity in DNS, over the demand"
	r.Charts = append(r.Charts,
		Chart{Title: "DNS: the endpoint", YLabel: "yes = 1", Max: 1, Curves: []Curve{dns.addresses}, Marks: dnsMarks(dns)},
		leaseCharts(settings, lease)[0],
		Chart{Title: "EC2: instance launches", YLabel: "share", Max: 1, Curves: []Curve{launches.failing}},
		Chart{Title: "Network manager: propagation of network state", YLabel: "minutes", Curves: []Curve{launches.wait},
			Marks: []Mark{{outageSpread.Seconds(), "AWS: propagation normal"}, {outageLift.Seconds(), "AWS: throttles relaxed"}}},
		flapped[0],
	)
	r.Charts[1].Title, r.Charts[1].Curves = "Lease manager: leases in force", r.Charts[1].Curves[:1]
	r.Tables = append(r.Tables, outageTable(dns, lease, settings, launches, health))
	for _, e := range dns.events {
		r.Summary = append(r.Summary, r.clockText(e.At.Seconds())+" "+e.Text)
	}
	r.Summary = append(r.Summary, "leases: "+lease.tell(),
		fmt.Sprintf("network state: longest wait %.0f min", launches.longest.Minutes()), "load balancer: "+health.tell())
	return r, nil
}

func dnsMarks(dns *dnsReplay) []Mark {
	if dns.emptyAt == 0 {
		return nil
	}
	return []Mark{{dns.emptyAt.Seconds(), "active tree deleted"}, {outageRepair.Seconds(), "records restored by hand"}, {outageFrozen.Seconds(), "planner stopped"}}
}

// outageLeases runs the lease manager through the time without addresses.
func outageLeases(in settings, dns *dnsReplay) (LeaseRun, LeaseSettings) {
	s := BaseLease()
	s.Seed, s.Whole = uint64(in.number("seed")), true
	s.Manager.DropStale, s.Lease.KeepWhileDown = in.bool("drop-stale"), in.bool("freeze-leases")
	if dns.emptyAt == 0 {
		s.OutageAt, s.Outage, s.Horizon = outageEnd, 0, 0
		return SimulateLease(s), s
	}
	s.OutageAt, s.Outage, s.Horizon = dns.emptyAt, outageRepair-dns.emptyAt, outageEnd-outageRepair
	if !s.Manager.DropStale && !s.Lease.KeepWhileDown {
		s.Restarts = []LeaseRestart{{After: outageTried - outageRepair}, {After: outageCure - outageRepair, Throttle: comebackGap}}
	}
	return SimulateLease(s), s
}

// launchRun is what became of instance launches and their network state.
type launchRun struct {
	failing, wait Curve
	joins         []FlapJoin
	longest       time.Duration
	worstAt       time.Duration
	normalAt      time.Duration // when the wait was last above two minutes
	turnedAway    int
}

// outageLaunches goes minute by minute: a launch needs a droplet with a lease,
// and what was launched or terminated needs its network state propagated.
func outageLaunches(in settings, lease LeaseRun) launchRun {
	run := launchRun{failing: Curve{Name: "launches that fail"}, wait: Curve{Name: "wait until network state is everywhere"}}
	cfg := controlplane.NetworkConfig{Each: networkEach}
	if in.bool("bound-propagation") {
		cfg.MaxWait = 5 * time.Minute
	}
	var net controlplane.Network
	pentUp, owed := 0.0, 0.0
	nextJoin := 6 * time.Hour
	for i := 0; time.Duration(i)*time.Minute < outageEnd; i++ {
		now := time.Duration(i) * time.Minute
		leased := lease.Series[min(i, len(lease.Series)-1)].Leased
		limit := launchDemand + pentUp
		if now >= outageEmpty && now < outageLift {
			limit = min(limit, launchThrottled)
		}
		asked := launchDemand + pentUp
		granted := min(limit, asked) * leased
		failed := launchDemand * (1 - leased)
		pentUp = max(0, pentUp+launchDemand-granted-failed*launchGivenUp)
		owed += granted
		for ; owed >= 1; owed-- {
			var v controlplane.NetworkVerdict
			net, v = controlplane.StepNetwork(&cfg, net, controlplane.NetworkEvent{At: now})
			if !v.Accepted {
				run.turnedAway++
				pentUp += 1 - launchGivenUp
			} else if now >= nextJoin {
				run.joins = append(run.joins, FlapJoin{now, v.Propagated})
				nextJoin = now + lbJoinEvery
			}
		}
		for range terminations {
			net, _ = controlplane.StepNetwork(&cfg, net, controlplane.NetworkEvent{Termination: true, At: now})
		}
		wait := net.Wait(now + time.Minute)
		if wait > run.longest {
			run.longest, run.worstAt = wait, now
		}
		if wait > 2*time.Minute {
			run.normalAt = now
		}
		run.failing.X, run.failing.Y = append(run.failing.X, now.Seconds()), append(run.failing.Y, 1-leased)
		run.wait.X, run.wait.Y = append(run.wait.X, now.Seconds()), append(run.wait.Y, wait.Minutes())
	}
	return run
}

// outageTable sets the documented times beside those of the replay.
func outageTable(dns *dnsReplay, lease LeaseRun, s LeaseSettings, launches launchRun, health FlapRun) Table {
	clock := Result{Clock: outageStart}
	at := func(t time.Duration) string {
		if t <= 0 {
			return "does not happen"
		}
		return clock.clockText(t.Seconds())
	}
	first := func(low bool) time.Duration {
		for _, p := range lease.Series {
			if low && p.Leased < 0.01 {
				return time.Duration(p.T) * time.Second
			}
		}
		return 0
	}
	back := time.Duration(0)
	if lease.LowestLeased < 0.99 && lease.Recovered {
		back = s.OutageAt + s.Outage + time.Duration(lease.Recovery)*time.Second
	}
	repaired := time.Duration(0)
	if dns.emptyAt > 0 {
		repaired = outageRepair
	}
	short, fine := time.Duration(0), time.Duration(0)
	for _, p := range health.Series {
		if p.Serving < 1 {
			if short == 0 {
				short = time.Duration(p.T) * time.Second
			}
			fine = time.Duration(p.T) * time.Second
		}
	}
	return Table{
		Title:  "Documented times and the replay's (PDT)",
		Header: []string{"what", "documented", "replay", "remark"},
		Rows: [][]string{
			{"endpoint empty", "23:48", at(dns.emptyAt), "the delays are set so that it does"},
			{"batches refused", "all", fmt.Sprint(dns.refused), "one a minute and enactor"},
			{"records restored", "02:25", at(repaired), "by hand, as documented"},
			{"every lease gone", "by 02:24", at(first(true)), "lease time is ours"},
			{"all leases back", "05:28", at(back), "speed of the throttle is ours"},
			{"network state slowest", "after 06:21", at(launches.worstAt), fmt.Sprintf("%.0f min; rates are ours", launches.longest.Minutes())},
			{"propagation normal", "10:36", at(launches.normalAt), "wait below 2 min"},
			{"capacity short at the load balancer", "05:30", at(short), "checker and nodes are ours"},
			{"capacity short for the last time", "until 09:36", at(fine), "failover is switched off at 09:36"},
		},
	}
}
