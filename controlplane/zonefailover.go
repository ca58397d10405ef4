package controlplane

import "time"

// MaxZones is how many zones a load balancer spans at most.
const MaxZones = 6

// ZoneFailoverConfig says when a whole zone is taken out of DNS. The zero value
// with Threshold and RestoreAfter set is the automation of October 2025.
type ZoneFailoverConfig struct {
	Threshold    int           // percent of a zone's nodes that look unhealthy, above which the zone goes
	RestoreAfter uint8         // looks in a row at or below Threshold after which it comes back
	MaxRemove    int           // percent of all nodes that may be taken away within Window; 0 for no limit
	Window       time.Duration // over which MaxRemove counts
	MinPublished int           // percent of all nodes that must stay published; 0 for no limit
	FailOpen     int           // percent of all nodes looking unhealthy above which nothing is removed; 0 for never
}

// ZoneFailover is the state of the automation.
type ZoneFailover struct {
	Out         [MaxZones]bool // zones taken out of DNS
	Good        [MaxZones]uint8
	Off         bool // an operator switched the automation off: every zone is back
	WindowSince time.Duration
	Removed     int // nodes taken away since WindowSince
}

// ZoneView is what the checker sees of a zone.
type ZoneView struct {
	Nodes     int // nodes registered
	Unhealthy int // of these, look unhealthy
	InService int // of these, in service
}

// ZoneFailoverEventKind names what the automation hears.
type ZoneFailoverEventKind uint8

const (
	FailoverLook ZoneFailoverEventKind = iota // a look at all zones
	FailoverOff                               // the kill switch: every zone is back and stays
	FailoverOn                                // the automation is switched on again
)

// ZoneFailoverEvent is one event; the rest is set for FailoverLook only.
type ZoneFailoverEvent struct {
	Kind  ZoneFailoverEventKind
	Zones int
	View  [MaxZones]ZoneView
	At    time.Duration
}

// StepZoneFailover advances the automation by one look. The command is the new
// Out: publish the nodes in service of every zone that is not out.
func StepZoneFailover(cfg *ZoneFailoverConfig, f ZoneFailover, ev ZoneFailoverEvent) ZoneFailover {
	switch {
	case ev.Kind == FailoverOff:
		return ZoneFailover{Off: true}
	case ev.Kind == FailoverOn:
		return ZoneFailover{}
	case f.Off:
		return f
	}
	if ev.At-f.WindowSince >= cfg.Window {
		f.WindowSince, f.Removed = ev.At, 0
	}
	nodes, unhealthy := 0, 0
	for _, v := range ev.View[:ev.Zones] {
		nodes += v.Nodes
		unhealthy += v.Unhealthy
	}
	for z := range ev.Zones {
		v := ev.View[z]
		bad := v.Unhealthy*100 > v.Nodes*cfg.Threshold
		switch {
		case f.Out[z] && bad:
			f.Good[z] = 0
		case f.Out[z]:
			if f.Good[z]++; f.Good[z] >= cfg.RestoreAfter {
				f.Out[z], f.Good[z] = false, 0
			}
		case bad && f.mayRemove(cfg, ev, z, nodes, unhealthy):
			f.Out[z], f.Good[z] = true, 0
			f.Removed += v.InService
		}
	}
	return f
}

// mayRemove applies the guards to the removal of zone z.
func (f *ZoneFailover) mayRemove(cfg *ZoneFailoverConfig, ev ZoneFailoverEvent, z, nodes, unhealthy int) bool {
	if cfg.FailOpen > 0 && unhealthy*100 > nodes*cfg.FailOpen {
		return false
	}
	if cfg.MaxRemove > 0 && (f.Removed+ev.View[z].InService)*100 > nodes*cfg.MaxRemove {
		return false
	}
	if cfg.MinPublished > 0 {
		left := 0
		for i, v := range ev.View[:ev.Zones] {
			if i != z && !f.Out[i] {
				left += v.InService
			}
		}
		if left*100 < nodes*cfg.MinPublished {
			return false
		}
	}
	return true
}
