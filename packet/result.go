package packet

import (
	"time"

	"ddx/capture"
)

// Schema names the JSON form of Result; changes to it only add.
const Schema = "ddx.packets/v1"

// Verdict answers what became of the requests.
type Verdict string

// The four answers, and what stands where nothing was asked.
const (
	NeverLeft     Verdict = "never left"
	Unanswered    Verdict = "left without answer"
	Answered      Verdict = "answered"
	Nonsense      Verdict = "answered but the reply made no sense"
	NothingToSee  Verdict = "no request"
	handshakeNone         = "not captured"
)

// Result is what a capture proves about a target. Durations are in seconds.
type Result struct {
	Schema    string          `json:"schema"`
	Target    TargetResult    `json:"target"`
	Verdict   Verdict         `json:"verdict"`
	Why       []string        `json:"why"`
	Proof     Proof           `json:"proof"`
	Matched   int64           `json:"matched"` // packets to or from the target
	To        Direction       `json:"to_target"`
	From      Direction       `json:"from_target"` // the target as a client
	Conns     []Connection    `json:"connections"` // those that want attention first, at most Options.List
	ConnCount ConnCounts      `json:"connection_counts"`
	ICMP      []ICMPError     `json:"icmp"`
	Neighbour []Neighboured   `json:"neighbours"` // asked for and not answered
	Contested []Contested     `json:"contested_addresses"`
	RPC       *RPCResult      `json:"rpc,omitempty"`
	DNS       *DNSResult      `json:"dns,omitempty"`
	MTU       []MTUResult     `json:"mtu"`
	Capture   capture.Capture `json:"capture"`
}

// Wrong reports whether the target left a request unanswered or answered
// nonsense, and the capture proves it: exit status 3.
func (r *Result) Wrong() bool {
	return r.Verdict == Nonsense || (r.Verdict == NeverLeft || r.Verdict == Unanswered) && r.Proof.Sufficient
}

// Undecided reports whether the capture does not suffice for its verdict: exit
// status 4.
func (r *Result) Undecided() bool { return !r.Wrong() && r.Verdict != Answered }

// TargetResult is the target as it was understood.
type TargetResult struct {
	Host      string   `json:"host"`
	Addresses []string `json:"addresses"`
	Port      uint16   `json:"port,omitempty"`
}

// Proof says how far the capture carries the verdict.
type Proof struct {
	Sufficient   bool     `json:"sufficient"`
	Covered      float64  `json:"covered_seconds"`       // from the capture's start to its end
	CoveredBy    string   `json:"covered_by"`            // packets, interface statistics, stated, live
	SilenceBound float64  `json:"silence_bound_seconds"` // W: a waiting TCP client sends something within it
	Needed       float64  `json:"needed_seconds"`        // 2 W and a margin, to claim that nothing leaves
	WeakenedBy   []string `json:"weakened_by"`
	Filter       *Filter  `json:"filter,omitempty"`
}

// Filter is what the capture's own filter lets through: yes, no or unknown.
type Filter struct {
	Expression string `json:"expression"`
	Target     string `json:"target"`
	Neighbours string `json:"neighbours"`
	ICMP       string `json:"icmp"`
}

// Direction sums the connections that one side opened.
type Direction struct {
	Verdict     Verdict   `json:"verdict"`
	Connections int       `json:"connections"`
	Unanswered  int       `json:"unanswered"`
	Packets     int64     `json:"packets"` // of the client's side
	Replies     int64     `json:"replies"` // of the server's side
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`

	rank int // of Verdict, while connections are added
}

// ConnCounts counts all connections, also those not listed.
type ConnCounts struct {
	Total      int `json:"total"`
	Answered   int `json:"answered"`
	Unanswered int `json:"unanswered"`
	Nonsense   int `json:"nonsense"`
	Handshakes int `json:"handshakes_complete"`
	Refused    int `json:"refused"`
	Resets     int `json:"resets"`
	NotListed  int `json:"not_listed"`
	NotTracked int `json:"packets_not_tracked"` // packets beyond Options.Track connections
}

// Connection is a TCP connection, a pair of UDP endpoints, or a series of
// echo requests between two hosts.
type Connection struct {
	Protocol  string    `json:"protocol"` // tcp, udp, icmp
	Client    string    `json:"client"`
	Server    string    `json:"server"`
	Verdict   Verdict   `json:"verdict"`
	Why       string    `json:"why"`
	Proven    bool      `json:"proven"`         // unanswered: repeated, or waited for long enough
	Waited    float64   `json:"waited_seconds"` // from the first unanswered packet to the end of the capture
	Handshake string    `json:"handshake,omitempty"`
	End       string    `json:"end,omitempty"` // open, closed, reset by client, reset by server
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Forward   Half      `json:"forward"`  // client to server
	Backward  Half      `json:"backward"` // server to client
	Notes     []string  `json:"notes,omitempty"`
}

// Half is one direction of a connection.
type Half struct {
	Verdict         Verdict   `json:"verdict"`
	Packets         int64     `json:"packets"`
	Bytes           int64     `json:"bytes"`   // IP
	Payload         int64     `json:"payload"` // above TCP or UDP
	Retransmissions int       `json:"retransmissions,omitempty"`
	Backoff         []float64 `json:"backoff_seconds,omitempty"` // gaps between the transmissions of the segment sent most often
	OutOfOrder      int       `json:"out_of_order,omitempty"`
	DuplicateAcks   int       `json:"duplicate_acks,omitempty"`
	KeepAlives      int       `json:"keep_alives,omitempty"`
	Duplicates      int       `json:"duplicates,omitempty"` // the same packet captured twice
	ZeroWindows     int       `json:"zero_windows,omitempty"`
	ZeroFor         float64   `json:"zero_window_seconds,omitempty"`
	Unacknowledged  int64     `json:"unacknowledged_bytes,omitempty"`
	Missing         int       `json:"missing,omitempty"` // holes in what the capture holds
}

// ICMPError is a kind of error message about the target, with its count.
type ICMPError struct {
	Meaning string    `json:"meaning"`
	From    string    `json:"from"`
	About   string    `json:"about"`
	MTU     int       `json:"mtu,omitempty"`
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// Neighboured is an address whose link-layer address was asked for in vain.
type Neighboured struct {
	Wanted   string    `json:"wanted"`
	Asker    string    `json:"asker"`
	Requests int       `json:"requests"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Target   bool      `json:"target"` // it is the target itself
}

// Contested is an address that two or more hosts claim in turn; that it moved
// once, as after a failover, is not enough.
type Contested struct {
	Address string   `json:"address"`
	MACs    []string `json:"macs"`
	Turns   int      `json:"turns"` // how often the claim changed
}

// RPCResult sums the remote procedure calls.
type RPCResult struct {
	Calls      int            `json:"calls"`
	Replies    int            `json:"replies"`
	Unanswered []RPCCall      `json:"unanswered"` // at most 100
	Waiting    int            `json:"unanswered_count"`
	Statuses   map[string]int `json:"statuses"` // of replies that are no success, by procedure
	Problems   []string       `json:"problems"` // replies that made no sense
}

// RPCCall is a call without a reply.
type RPCCall struct {
	XID       string    `json:"xid"`
	Program   string    `json:"program"`
	Procedure string    `json:"procedure"`
	Client    string    `json:"client"`
	Server    string    `json:"server"`
	Time      time.Time `json:"time"`
	Waited    float64   `json:"waited_seconds"`
	Sent      int       `json:"sent"` // how often
}

// DNSResult sums the questions.
type DNSResult struct {
	Questions  int            `json:"questions"`
	Answers    int            `json:"answers"`
	Unanswered []DNSQuestion  `json:"unanswered"` // at most 100
	NoData     []DNSQuestion  `json:"no_data"`    // NOERROR without a record, at most 100
	Rcodes     map[string]int `json:"rcodes"`
	Failed     []DNSQuestion  `json:"failed"` // other rcodes, at most 100
	Truncated  int            `json:"truncated"`
	Problems   []string       `json:"problems"` // answers that made no sense
}

// DNSQuestion is a question and what became of it.
type DNSQuestion struct {
	Name   string    `json:"name"`
	Type   string    `json:"type"`
	Client string    `json:"client"`
	Server string    `json:"server"`
	Time   time.Time `json:"time"`
	Sent   int       `json:"sent"`
	Rcode  string    `json:"rcode,omitempty"`
	Other  bool      `json:"other_type_has_data,omitempty"` // so that no data is no fault of the name
	Waited float64   `json:"waited_seconds"`                // for the answer, or in vain
}

// MTUResult is a connection that the path's packet size stops or shapes.
type MTUResult struct {
	Client       string  `json:"client"`
	Server       string  `json:"server"`
	Sender       string  `json:"sender"`        // whose packets are too large
	State        string  `json:"state"`         // black hole, discovery works
	Certainty    string  `json:"certainty"`     // certain, likely, possible
	LargestAcked int     `json:"largest_acked"` // IP length that arrived
	SmallestLost int     `json:"smallest_lost"` // IP length that was repeated in vain
	Transmitted  int     `json:"transmitted"`   // how often
	MTU          int     `json:"mtu,omitempty"` // as need-to-fragment answers say
	Answers      int     `json:"need_to_fragment"`
	AnswersFrom  string  `json:"need_to_fragment_from,omitempty"`
	Ignored      bool    `json:"ignored"` // the sender repeated the size after it was told
	Seconds      float64 `json:"seconds"` // from the first transmission to the last
	Why          string  `json:"why"`
}
