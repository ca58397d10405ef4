package source

import (
	"bytes"
	"strconv"
	"strings"

	"ddx"
)

// ethtoolStatistics reads ethtool -S. A single pasted counter line of an ENA
// device is enough: operators paste the one line that bleeds.
var ethtoolStatistics = Reader{
	Name: "ethtool-statistics", Doc: "ethtool -S: driver statistics of an interface",
	Kinds:    []string{"nic.counter"},
	Commands: [][]string{{"ethtool", "-S", "{nic}"}},
	Twice:    true,
	Match: func(name string, head []byte) bool {
		return bytes.Contains(head, []byte("NIC statistics:")) || bareENACounter.Match(head)
	},
	Read: readEthtoolStatistics,
}

var (
	bareENACounter = lazy(`(?m)^\s*(?:queue_\d+_[rt]x_\w+|\w+_allowance_(?:exceeded|available)|wd_expired|tx_timeout|interface_(?:up|down)|admin_q_pause|reset_fail|total_resets|missing_\w+|suspected_poll_starvation|device_request_reset|bad_[rt]x_\w+|[rt]x_desc_malformed|invalid_state|os_netdev_wd|admin_to|rx_overruns|ena_\w+|suspend|resume): -?\d+\s*$`)
	statLine       = lazy(`^\s*(.+?):\s*(-?\d+)\s*$`)
	queueStat      = lazy(`^queue_\d+_((?:xdp_)?[rt]x_\w+)$`)
)

func readEthtoolStatistics(it *Item, emit func(ddx.Fact)) error {
	of := newInterfaceOf(it)
	type sum struct {
		total int64
		line  int
		text  string
	}
	sums, order := map[string]*sum{}, []string(nil)
	flush := func(name string) {
		for _, key := range order {
			s := sums[key]
			emit(it.fact("nic.counter", nic(name), s.line, s.text, "name", "queue_sum_"+key, "value", s.total))
		}
		clear(sums)
		order = nil
	}
	it.lines(func(n int, line string) {
		before := of.name
		if of.follow(line) {
			flush(before)
			return
		}
		m := statLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		v, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return
		}
		emit(it.fact("nic.counter", nic(of.name), n, strings.TrimRight(line, " \t"), "name", m[1], "value", v))
		if q := queueStat.FindStringSubmatch(m[1]); q != nil {
			s := sums[q[1]]
			if s == nil {
				s = &sum{line: n, text: strings.TrimRight(line, " \t")}
				sums[q[1]], order = s, append(order, q[1])
			}
			s.total += v
		}
	})
	flush(of.name)
	return nil
}
