package flowlog

import (
	"fmt"
	"slices"
	"strings"
)

// field is a column that the package reads. Columns of other names are
// skipped, so that a version published later is still readable.
type field uint8

const (
	fieldNone field = iota
	fieldVersion
	fieldInterface
	fieldSrcAddr
	fieldDstAddr
	fieldSrcPort
	fieldDstPort
	fieldProtocol
	fieldPackets
	fieldBytes
	fieldStart
	fieldEnd
	fieldAction
	fieldStatus
	fieldTCPFlags
	fieldPktSrcAddr
	fieldPktDstAddr
	fieldDirection
	fieldResource
	fieldAttachment
	fieldLostNoRoute
	fieldLostBlackhole
	fieldLostMTU
	fieldLostTTL
	numFields
)

var fieldByName = map[string]field{
	"version":                   fieldVersion,
	"interface-id":              fieldInterface,
	"srcaddr":                   fieldSrcAddr,
	"dstaddr":                   fieldDstAddr,
	"srcport":                   fieldSrcPort,
	"dstport":                   fieldDstPort,
	"protocol":                  fieldProtocol,
	"packets":                   fieldPackets,
	"bytes":                     fieldBytes,
	"start":                     fieldStart,
	"end":                       fieldEnd,
	"action":                    fieldAction,
	"log-status":                fieldStatus,
	"tcp-flags":                 fieldTCPFlags,
	"pkt-srcaddr":               fieldPktSrcAddr,
	"pkt-dstaddr":               fieldPktDstAddr,
	"flow-direction":            fieldDirection,
	"resource-id":               fieldResource,
	"tgw-attachment-id":         fieldAttachment,
	"packets-lost-no-route":     fieldLostNoRoute,
	"packets-lost-blackhole":    fieldLostBlackhole,
	"packets-lost-mtu-exceeded": fieldLostMTU,
	"packets-lost-ttl-expired":  fieldLostTTL,
}

// published lists every field by the version that introduced it, in the order
// of the documentation.
// Source: "Flow log records" of the Amazon VPC user guide and "Transit Gateway
// Flow Log records" of the transit gateway guide.
var published = [...]struct {
	version int
	fields  string
}{
	{2, "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"},
	{3, "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr"},
	{4, "region az-id sublocation-type sublocation-id"},
	{5, "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"},
	{6, "resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired"},
	{7, "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id"},
	{8, "reject-reason"},
	{9, "resource-id"},
	{10, "encryption-status"},
}

// transitGatewayOrder is the default (and, without a custom format, the only)
// order of a transit-gateway record.
const transitGatewayOrder = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service"

// maxColumns bounds a record: more than twice the fields published so far.
const maxColumns = 126

// Format is the order of the fields in a record.
type Format struct {
	names []string
	col   [numFields]int16 // column of a field, -1 when absent
}

var (
	// Version2 is the default format of a VPC flow log: 14 fields.
	Version2 = mustFormat(published[0].fields)
	// TransitGateway is the default format of a transit-gateway flow log.
	TransitGateway = mustFormat(transitGatewayOrder)
)

func mustFormat(s string) *Format {
	f, err := ParseFormat(s)
	if err != nil {
		panic(err)
	}
	return f
}

// ParseFormat reads a header line (`version account-id ...`) or the format
// string given to CreateFlowLogs (`${version} ${account-id} ...`). Names may be
// spelt with underscores, as in Parquet files. Fields that are not published
// are kept as columns and skipped.
func ParseFormat(s string) (*Format, error) {
	names := strings.Fields(s)
	if len(names) == 0 {
		return nil, fmt.Errorf("parse flow-log format: no field in %q: give a header line, or fields such as ${version} ${account-id}", clip(s))
	}
	if len(names) > maxColumns {
		return nil, fmt.Errorf("parse flow-log format: %d fields, more than %d", len(names), maxColumns)
	}
	f := &Format{}
	for i := range f.col {
		f.col[i] = -1
	}
	for i, n := range names {
		if inner, ok := strings.CutPrefix(n, "${"); ok {
			n = strings.TrimSuffix(inner, "}")
		}
		n = strings.ReplaceAll(strings.ToLower(n), "_", "-")
		if slices.Contains(f.names, n) {
			return nil, fmt.Errorf("parse flow-log format: field %q is named twice", n)
		}
		f.names = append(f.names, n)
		if k := fieldByName[n]; k != fieldNone {
			f.col[k] = int16(i)
		}
	}
	return f, f.usable()
}

// usable says whether sums can be made of such records at all.
func (f *Format) usable() error {
	if f.col[fieldInterface] < 0 && f.col[fieldAttachment] < 0 && f.col[fieldResource] < 0 {
		return fmt.Errorf("parse flow-log format: none of interface-id, tgw-attachment-id, resource-id among %q", clip(strings.Join(f.names, " ")))
	}
	for _, need := range []field{fieldPackets, fieldStart} {
		if f.col[need] < 0 {
			return fmt.Errorf("parse flow-log format: field %q is missing from %q", fieldName(need), clip(strings.Join(f.names, " ")))
		}
	}
	return nil
}

// Fields gives the names in order.
func (f *Format) Fields() []string { return slices.Clone(f.names) }

// Version gives the version that a record of this format carries: the highest
// version of its published fields, and 0 when none is published.
func (f *Format) Version() int {
	v := 0
	for _, p := range published {
		for _, n := range strings.Fields(p.fields) {
			if slices.Contains(f.names, n) {
				v = max(v, p.version)
			}
		}
	}
	return v
}

func (f *Format) String() string { return strings.Join(f.names, " ") }

// isHeader says whether a line is a header and not a record: every word of it
// is a field name and at least one of them is a published one. A record never
// is: its first number is no name.
func isHeader(line []byte) bool {
	words := strings.Fields(clip(string(line)))
	if len(words) < 2 {
		return false
	}
	known := false
	for _, w := range words {
		for _, c := range []byte(w) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '$' && c != '{' && c != '}' {
				return false
			}
		}
		switch w {
		case "version", "interface-id", "packets", "start", "interface_id", "${version}", "${interface-id}":
			known = true
		}
		if w[0] >= '0' && w[0] <= '9' || w == "-" {
			return false
		}
	}
	return known
}

func fieldName(k field) string {
	for n, f := range fieldByName {
		if f == k {
			return n
		}
	}
	return "?"
}

// clip shortens input that is quoted in a message.
func clip(s string) string {
	const most = 4096
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
