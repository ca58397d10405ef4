package source

import (
	"strconv"
	"strings"

	"ddx"
)

// netstatStatistics reads netstat -s, whose sentences stand for the counters of
// /proc/net/snmp and /proc/net/netstat; those without a sentence are printed by
// their own name.
var netstatStatistics = Reader{
	Name: "netstat-statistics", Doc: "netstat -s: protocol counters in words",
	Kinds: []string{"net.counter"},
	Match: anyLine(`^\s*(?:(?:Ip|Tcp|Udp|TcpExt|IpExt|Icmp):\s*\n\s+\S|\d+ (?:segments? (?:retransmi|sen[dt] out)|times the listen queue of a socket overflowed|SYNs to LISTEN sockets|resets received for embryonic|passive connections? opening|total packets received)|(?:TCP(?:Timeouts|SynRetrans|ReqQFull\w+|TimeWaitOverflow|LostRetransmit|BacklogDrop|AbortOn\w+)|IPReversePathFilter): \d+\s*$)`),
	Read:  readNetstatStatistics,
}

// netstatSentences map a sentence, its number as #, to the counter, by the
// protocol it stands under. Spellings of older releases stand beside the newer.
var netstatSentences = map[string]map[string]string{
	"Ip": {
		"# total packets received": "InReceives", "# with invalid headers": "InHdrErrors", "# with invalid addresses": "InAddrErrors",
		"# forwarded": "ForwDatagrams", "# with unknown protocol": "InUnknownProtos", "# incoming packets discarded": "InDiscards",
		"# incoming packets delivered": "InDelivers", "# requests sent out": "OutRequests", "# outgoing packets dropped": "OutDiscards",
		"# dropped because of missing route": "OutNoRoutes", "# fragments dropped after timeout": "ReasmTimeout",
		"# reassemblies required": "ReasmReqds", "# packets reassembled ok": "ReasmOKs", "# packet reassembles failed": "ReasmFails",
		"# packet reassemblies failed": "ReasmFails", "# fragments received ok": "FragOKs", "# outgoing packets fragmented ok": "FragOKs",
		"# fragments failed": "FragFails", "# outgoing packets failed fragmentation": "FragFails", "# fragments created": "FragCreates",
		"# incoming packets with no route": "InNoRoutes", "# with packets too big": "InTooBigErrors",
	},
	"Icmp": {
		"# icmp messages received": "InMsgs", "# input icmp message failed": "InErrors", "# icmp messages sent": "OutMsgs", "# icmp messages failed": "OutErrors",
	},
	"Tcp": {
		"# active connection openings": "ActiveOpens", "# active connections openings": "ActiveOpens",
		"# passive connection openings": "PassiveOpens", "# passive connections openings": "PassiveOpens",
		"# failed connection attempts": "AttemptFails", "# connection resets received": "EstabResets", "# connections established": "CurrEstab",
		"# segments received": "InSegs", "# segments sent out": "OutSegs", "# segments send out": "OutSegs",
		"# segments retransmitted": "RetransSegs", "# segments retransmited": "RetransSegs", "# bad segments received": "InErrs", "# resets sent": "OutRsts",
	},
	"Udp": {
		"# packets received": "InDatagrams", "# packets to unknown port received": "NoPorts", "# packet receive errors": "InErrors",
		"# packets sent": "OutDatagrams", "# receive buffer errors": "RcvbufErrors", "# send buffer errors": "SndbufErrors",
	},
	"TcpExt": {
		"# syn cookies sent": "SyncookiesSent", "# syn cookies received": "SyncookiesRecv", "# invalid syn cookies received": "SyncookiesFailed",
		"# resets received for embryonic syn_recv sockets":                           "EmbryonicRsts",
		"# packets pruned from receive queue because of socket buffer overrun":       "PruneCalled",
		"# packets pruned from receive queue":                                        "RcvPruned",
		"# packets dropped from out-of-order queue because of socket buffer overrun": "OfoPruned",
		"# icmp packets dropped because they were out-of-window":                     "OutOfWindowIcmps",
		"# icmp packets dropped because socket was locked":                           "LockDroppedIcmps",
		"# tcp sockets finished time wait in fast timer":                             "TW",
		"# tcp sockets finished time wait in slow timer":                             "TWKilled",
		"# time wait sockets recycled by time stamp":                                 "TWRecycled",
		"# passive connections rejected because of time stamp":                       "PAWSPassive",
		"# active connections rejected because of time stamp":                        "PAWSActive",
		"# packets rejected in established connections because of timestamp":         "PAWSEstab",
		"# packets rejects in established connections because of timestamp":          "PAWSEstab",
		"# delayed acks sent": "DelayedACKs", "# delayed acks further delayed because of locked socket": "DelayedACKLocked",
		"quick ack mode was activated # times":                                "DelayedACKLost",
		"# times the listen queue of a socket overflowed":                     "ListenOverflows",
		"# syns to listen sockets dropped":                                    "ListenDrops",
		"# syns to listen sockets ignored":                                    "ListenDrops",
		"# packets directly queued to recvmsg prequeue":                       "TCPPrequeued",
		"# bytes directly in process context from backlog":                    "TCPDirectCopyFromBacklog",
		"# bytes directly received in process context from prequeue":          "TCPDirectCopyFromPrequeue",
		"# packets dropped from prequeue":                                     "TCPPrequeueDropped",
		"# packet headers predicted":                                          "TCPHPHits",
		"# packet headers predicted and directly queued to user":              "TCPHPHitsToUser",
		"# packets header predicted and directly queued to user":              "TCPHPHitsToUser",
		"# acknowledgments not containing data payload received":              "TCPPureAcks",
		"# acknowledgments not containing data received":                      "TCPPureAcks",
		"# predicted acknowledgments":                                         "TCPHPAcks",
		"# times recovered from packet loss due to fast retransmit":           "TCPRenoRecovery",
		"# times recovered from packet loss due to sack data":                 "TCPSackRecovery",
		"# times recovered from packet loss by selective acknowledgements":    "TCPSackRecovery",
		"# bad sacks received":                                                "TCPSACKReneging",
		"# bad sack blocks received":                                          "TCPSACKReneging",
		"detected reordering # times using fack":                              "TCPFACKReorder",
		"detected reordering # times using sack":                              "TCPSACKReorder",
		"detected reordering # times using reno fast retransmit":              "TCPRenoReorder",
		"detected reordering # times using time stamp":                        "TCPTSReorder",
		"# congestion windows fully recovered":                                "TCPFullUndo",
		"# congestion windows fully recovered without slow start":             "TCPFullUndo",
		"# congestion windows partially recovered using hoe heuristic":        "TCPPartialUndo",
		"# congestion window recovered using dsack":                           "TCPDSACKUndo",
		"# congestion windows recovered without slow start by dsack":          "TCPDSACKUndo",
		"# congestion window recovered without slow start using dsack":        "TCPDSACKUndo",
		"# congestion windows recovered after partial ack":                    "TCPLossUndo",
		"# congestion windows recovered without slow start after partial ack": "TCPLossUndo",
		"# tcp data loss events":                                              "TCPLoss",
		"# retransmits lost":                                                  "TCPLostRetransmit",
		"# timeouts after reno fast retransmit":                               "TCPRenoFailures",
		"# timeouts after sack recovery":                                      "TCPSackFailures",
		"# timeouts in loss state":                                            "TCPLossFailures",
		"# fast retransmits":                                                  "TCPFastRetrans",
		"# forward retransmits":                                               "TCPForwardRetrans",
		"# retransmits in slow start":                                         "TCPSlowStartRetrans",
		"# other tcp timeouts":                                                "TCPTimeouts",
		"# reno fast retransmits failed":                                      "TCPRenoRecoveryFail",
		"# classic reno fast retransmits failed":                              "TCPRenoRecoveryFail",
		"# sack retransmits failed":                                           "TCPSackRecoveryFail",
		"# times receiver scheduled too late for direct processing":           "TCPSchedulerFailed",
		"# packets collapsed in receive queue due to low socket buffer":       "TCPRcvCollapsed",
		"# dsacks sent for old packets":                                       "TCPDSACKOldSent",
		"# dsacks sent for out of order packets":                              "TCPDSACKOfoSent",
		"# dsacks received":                                                   "TCPDSACKRecv",
		"# dsacks for out of order packets received":                          "TCPDSACKOfoRecv",
		"# connections reset due to unexpected syn":                           "TCPAbortOnSyn",
		"# connections reset due to unexpected data":                          "TCPAbortOnData",
		"# connections reset due to early user close":                         "TCPAbortOnClose",
		"# connections aborted due to memory pressure":                        "TCPAbortOnMemory",
		"# connections aborted due to timeout":                                "TCPAbortOnTimeout",
		"# connections aborted after user close in linger timeout":            "TCPAbortOnLinger",
		"# times unable to send rst due to no memory":                         "TCPAbortFailed",
		"# times unabled to send rst due to no memory":                        "TCPAbortFailed",
		"tcp ran low on memory # times":                                       "TCPMemoryPressures",
	},
}

// icmpSentences are printed once under the input and once under the output
// histogram.
var icmpSentences = map[string]string{
	"destination unreachable": "DestUnreachs", "timeout in transit": "TimeExcds", "time exceeded": "TimeExcds", "wrong parameters": "ParmProbs",
	"source quenches": "SrcQuenchs", "source quench": "SrcQuenchs", "redirects": "Redirects", "redirect": "Redirects",
	"echo requests": "Echos", "echo request": "Echos", "echo replies": "EchoReps",
}

var (
	netstatSection = lazy(`^\s*([A-Z][A-Za-z0-9]+):$`)
	netstatOwnName = lazy(`^\s*([A-Z]\w+): (-?\d+)$`)
	netstatNumber  = lazy(`\d+`)
)

func readNetstatStatistics(it *Item, emit func(ddx.Fact)) error {
	section, histogram := "", ""
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := netstatSection.FindStringSubmatch(line); m != nil {
			section, histogram = m[1], ""
			return
		}
		switch strings.TrimSpace(line) {
		case "ICMP input histogram:", "Input historam:", "Input histogram:":
			histogram = "In"
			return
		case "ICMP output histogram:", "Output historam:", "Output histogram:":
			histogram = "Out"
			return
		}
		found := netstatNumber.FindString(line)
		if m := netstatOwnName.FindStringSubmatch(line); m != nil {
			found = m[2]
		}
		v, err := strconv.ParseInt(found, 10, 64)
		if err != nil {
			return
		}
		if name := netstatName(section, histogram, line); name != "" {
			emit(it.fact("net.counter", host, n, line, "name", name, "value", v))
		}
	})
	return nil
}

// netstatName returns the counter a line stands for, "" when it is not known.
// Without a section, in a pasted fragment, the sentence alone decides; none
// stands under two sections but those of UDP, which need theirs.
func netstatName(section, histogram, line string) string {
	if m := netstatOwnName.FindStringSubmatch(line); m != nil {
		if section == "" {
			section = "TcpExt"
		}
		return section + m[1]
	}
	sentence := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(line)), ".")
	if histogram != "" {
		what, _, _ := strings.Cut(sentence, ":")
		if name := icmpSentences[what]; name != "" && strings.HasPrefix(section, "Icmp") {
			return section + histogram + name
		}
		return ""
	}
	sentence = netstatNumber.ReplaceAllString(sentence, "#")
	if section == "" {
		for _, s := range []string{"Tcp", "TcpExt", "Ip"} {
			if name := netstatSentences[s][sentence]; name != "" {
				return s + name
			}
		}
		return ""
	}
	name := netstatSentences[strings.TrimSuffix(section, "6")][sentence]
	switch {
	case name == "":
		return ""
	case section == "Ip6" && name == "ForwDatagrams":
		return "Ip6OutForwDatagrams"
	}
	return section + name
}
