package flowsum

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

// Record is one record as the readers hand it on. Its slices are valid during
// the call only.
type Record struct {
	Interface, Src, Dst []byte
	Packets, Bytes      uint64
	Start, End          uint64 // Unix seconds
	Action              Action
	Direction           Direction

	// The same texts in registers, for comparing; zero when too long.
	ID               Word24
	SrcWord, DstWord Word16

	// What sums do without; set only when conversations are wanted.
	PktSrc, PktDst   []byte
	SrcPort, DstPort uint16
	Protocol         uint8
	Flags            uint8
	HasFlags         bool

	HasLost bool
	Lost    [4]uint64 // transit gateway: no route, black hole, MTU, TTL
}

// Earliest is a time before flow logs existed (2001), with as many digits as
// now: what starts before is another column.
const Earliest = 1_000_000_000

// Plausible says whether the times can be those of a record: it spans one
// aggregation interval, ten minutes at most. One that spans an hour or runs
// backwards comes from a wrong column order.
func (r *Record) Plausible() bool { return plausible(r.Start, r.End) }

func plausible(start, end uint64) bool {
	return start >= Earliest && end-start <= 3600 && start < 1<<34
}

// Ordinary is a record in registers: accepted or rejected IPv4 traffic whose
// texts fit their words.
type Ordinary struct {
	ID             Word24
	Src, Dst       Word16
	Start, End     uint64 // plausible ones, see [Record.Plausible]
	Packets, Bytes uint64
	Rejected       uint8
	Direction      Direction
}

// Fits says whether an address in a word can be one of an Ordinary.
func Fits(dst Word16) bool { return dst[0] != 0 && !startsV6(dst[0]) }
