package flowlog

// Action is what the flow log says of a record's fate.
type Action uint8

const (
	// NoAction: the record carries no action (transit gateway, or the field is
	// not part of the format).
	NoAction Action = iota
	// Accept: security groups and network ACLs let the traffic pass.
	Accept
	// Reject: one of them did not.
	Reject
	// NoData: the interface had no traffic in the window. A statement about
	// the network, with no packets.
	NoData
	// SkipData: records of the window were lost inside the flow-log service.
	// How many is not known.
	SkipData
	numActions
)

var actionNames = [numActions]string{"-", "ACCEPT", "REJECT", "NODATA", "SKIPDATA"}

func (a Action) String() string { return actionNames[a] }

// Direction is seen from the interface.
type Direction uint8

const (
	// UnknownDirection: no flow-direction field, no given address, and more
	// than one address (or none) that fits every record.
	UnknownDirection Direction = iota
	Ingress
	Egress
)

var directionNames = [...]string{"unknown", "ingress", "egress"}

func (d Direction) String() string { return directionNames[d] }

// row is one record as the readers hand it on. Its slices are valid during the
// call only.
type row struct {
	iface, src, dst []byte
	packets, bytes  uint64
	start, end      uint64 // Unix seconds
	action          Action
	direction       Direction

	// The same texts in registers, for comparing; zero when too long.
	id               word24
	srcWord, dstWord word16

	// Only when conversations are wanted.
	pktSrc, pktDst   []byte
	srcPort, dstPort uint16
	protocol         uint8
	flags            uint8
	hasFlags         bool

	hasLost bool
	lost    [4]uint64 // transit gateway: no route, black hole, MTU, TTL
}

// sink takes rows. It keeps none of their slices.
type sink interface{ add(*row) }

// wordOf gives the word of a text that has no slack around it.
func wordOf(s []byte) (w word24) {
	if len(s) < 24 {
		var b [24 + slack]byte
		w.load(b[:], 0, copy(b[:], s))
	}
	return w
}

// short gives the text as a word16, zero when it is too long for one.
func (w *word24) short() word16 {
	if w[2] != 0 {
		return word16{}
	}
	return word16{w[0], w[1]}
}

// earliest is a time before flow logs existed (2001), with as many digits as
// now: what starts before is another column.
const earliest = 1_000_000_000

// plausible says whether the times can be those of a record: it spans one
// aggregation interval, ten minutes at most. One that spans an hour or runs
// backwards comes from a wrong column order.
func (r *row) plausible() bool {
	return r.start >= earliest && r.end-r.start <= 3600 && r.start < 1<<34
}
