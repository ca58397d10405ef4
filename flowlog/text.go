package flowlog

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"ddx/flowsum"
)

// lineParser turns one line into a row by the column numbers of its format.
type lineParser struct {
	format  *Format
	prefix  int  // columns before the record: 1 in a CloudWatch Logs export
	detail  bool // also the fields of a conversation
	hasLost bool
	want    int // spaces in a line
	col     [numFields]int16
	pos     [maxColumns + 12]int32 // column c lies between pos[c] and pos[c+1], both exclusive
}

func newLineParser(f *Format, prefix int, detail bool) *lineParser {
	p := &lineParser{format: f, prefix: prefix, detail: detail, col: f.col}
	for i := range p.col {
		if p.col[i] >= 0 {
			p.col[i] += int16(prefix)
		}
	}
	if p.col[fieldInterface] < 0 {
		p.col[fieldInterface] = p.col[fieldAttachment]
	}
	if p.col[fieldInterface] < 0 {
		p.col[fieldInterface] = p.col[fieldResource]
	}
	if p.col[fieldSrcAddr] < 0 {
		p.col[fieldSrcAddr] = p.col[fieldPktSrcAddr]
	}
	if p.col[fieldDstAddr] < 0 {
		p.col[fieldDstAddr] = p.col[fieldPktDstAddr]
	}
	p.want = len(f.names) + prefix - 1
	p.hasLost = p.col[fieldLostNoRoute] >= 0 || p.col[fieldLostBlackhole] >= 0 || p.col[fieldLostMTU] >= 0 || p.col[fieldLostTTL] >= 0
	return p
}

// split finds the columns of b[i:j] and reports whether the line has exactly
// those of the format, parted by single spaces. It gathers 64 positions into
// one word first, so that the branches of its inner loop are foreseeable.
func (p *lineParser) split(b []byte, i, j int) bool {
	p.pos[0] = int32(i - 1)
	n := 1
	for k := i; k < j; k += 64 {
		var m uint64
		if w := b[k:]; len(w) >= 64 {
			m = spaceBits(load64(w, 0)) | spaceBits(load64(w, 8))<<8 | spaceBits(load64(w, 16))<<16 | spaceBits(load64(w, 24))<<24
			if k+32 < j {
				m |= spaceBits(load64(w, 32))<<32 | spaceBits(load64(w, 40))<<40 | spaceBits(load64(w, 48))<<48 | spaceBits(load64(w, 56))<<56
			}
		}
		if rest := j - k; rest < 64 {
			m &= 1<<uint(rest) - 1
		}
		c := bits.OnesCount64(m)
		if n+c > p.want+1 {
			return false
		}
		// Eight at a time whether there are as many or not: what is written
		// beyond n+c is overwritten or never read.
		for at := n; ; at += 8 {
			eight := (*[8]int32)(p.pos[at:])
			for e := range eight {
				eight[e] = int32(k + bits.TrailingZeros64(m))
				m &= m - 1
			}
			if m == 0 {
				break
			}
		}
		n += c
	}
	p.pos[n] = int32(j)
	return n == p.want+1
}

// span gives the place of a field; both ends are 0 when the format lacks it.
func (p *lineParser) span(k field) (i, j int) {
	c := int(p.col[k])
	if c < 0 {
		return 0, 0
	}
	return int(p.pos[c]) + 1, int(p.pos[c+1])
}

// parse reads the line b[i:j]. It returns "" or what is wrong with the line.
// b has slack bytes around the line.
func (p *lineParser) parse(b []byte, i, j int, r *flowsum.Record) string {
	if !p.split(b, i, j) {
		return "number of fields differs from the format"
	}
	s, e := p.span(fieldInterface)
	r.Interface = b[s:e]
	if e-s == 1 && b[s] == '-' {
		// The interface of a regional NAT gateway: its resource-id stands in.
		if s, e = p.span(fieldResource); e > s {
			r.Interface = b[s:e]
		}
	}
	r.ID.Load(b, s, e)
	status := flowsum.Accept
	if s, e = p.span(fieldStatus); e > s {
		switch {
		case e-s == 2 && b[s] == 'O' && b[s+1] == 'K':
		case string(b[s:e]) == "NODATA":
			status = flowsum.NoData
		case string(b[s:e]) == "SKIPDATA":
			status = flowsum.SkipData
		default:
			return "log-status is none of OK, NODATA, SKIPDATA"
		}
	}
	if !p.times(b, r) {
		return "start or end is not a time in Unix seconds"
	}
	s, e = p.span(fieldPackets)
	if status == flowsum.Accept && e-s == 1 && b[s] == '-' && p.col[fieldStatus] < 0 {
		// Without log-status, NODATA and SKIPDATA look alike: the one that
		// claims less is taken.
		status = flowsum.SkipData
	}
	if status != flowsum.Accept {
		r.Action, r.Packets, r.Bytes = status, 0, 0
		r.Src, r.Dst, r.Direction = nil, nil, flowsum.UnknownDirection
		r.SrcWord, r.DstWord = flowsum.Word16{}, flowsum.Word16{}
		return ""
	}
	var ok bool
	if r.Packets, ok = number(b, s, e); !ok {
		return "packets is not a number"
	}
	r.Bytes = 0
	if s, e = p.span(fieldBytes); e > s {
		if r.Bytes, ok = number(b, s, e); !ok {
			return "bytes is not a number"
		}
	}
	r.Action = flowsum.NoAction
	if s, e = p.span(fieldAction); e > s {
		switch w := binary.LittleEndian.Uint32(b[s:]); {
		case e-s == 6 && w == 'A'|'C'<<8|'C'<<16|'E'<<24:
			r.Action = flowsum.Accept
		case e-s == 6 && w == 'R'|'E'<<8|'J'<<16|'E'<<24:
			r.Action = flowsum.Reject
		case e-s == 1 && b[s] == '-':
		default:
			return "action is neither ACCEPT nor REJECT"
		}
	}
	r.Direction = flowsum.UnknownDirection
	if s, e = p.span(fieldDirection); e > s {
		switch {
		case b[s] == 'i' && e-s == 7:
			r.Direction = flowsum.Ingress
		case b[s] == 'e' && e-s == 6:
			r.Direction = flowsum.Egress
		case b[s] != '-':
			return "flow-direction is neither ingress nor egress"
		}
	}
	s, e = p.span(fieldSrcAddr)
	r.Src = b[s:e]
	r.SrcWord.Load(b, s, e)
	s, e = p.span(fieldDstAddr)
	r.Dst = b[s:e]
	r.DstWord.Load(b, s, e)
	r.HasLost = p.hasLost
	if p.hasLost {
		p.lost(b, r)
	}
	if p.detail {
		return p.parseDetail(b, r)
	}
	return ""
}

// times reads start and end.
func (p *lineParser) times(b []byte, r *flowsum.Record) bool {
	s, e := p.span(fieldStart)
	var ok bool
	if r.Start, ok = number(b, s, e); !ok {
		return false
	}
	r.End = r.Start
	if s, e = p.span(fieldEnd); e > s {
		if r.End, ok = number(b, s, e); !ok {
			return false
		}
	}
	return r.Plausible()
}

func (p *lineParser) lost(b []byte, r *flowsum.Record) {
	for k := range r.Lost {
		r.Lost[k] = 0
		if s, e := p.span(fieldLostNoRoute + field(k)); e > s {
			r.Lost[k], _ = number(b, s, e) // "-" means none
		}
	}
}

func (p *lineParser) parseDetail(b []byte, r *flowsum.Record) string {
	num := func(k field, limit uint64) (uint64, bool) {
		s, e := p.span(k)
		if e <= s || b[s] == '-' {
			return 0, true
		}
		n, ok := number(b, s, e)
		return n, ok && n <= limit
	}
	sport, ok1 := num(fieldSrcPort, 65535)
	dport, ok2 := num(fieldDstPort, 65535)
	proto, ok3 := num(fieldProtocol, 255)
	flags, ok4 := num(fieldTCPFlags, 255)
	if !(ok1 && ok2 && ok3 && ok4) {
		return "port, protocol or tcp-flags is not a number in range"
	}
	r.SrcPort, r.DstPort, r.Protocol, r.Flags = uint16(sport), uint16(dport), uint8(proto), uint8(flags)
	s, e := p.span(fieldTCPFlags)
	r.HasFlags = e > s && b[s] != '-'
	s, e = p.span(fieldPktSrcAddr)
	r.PktSrc = b[s:e]
	s, e = p.span(fieldPktDstAddr)
	r.PktDst = b[s:e]
	return ""
}

// normalise rewrites a line that is parted by tabs or several blanks, or that
// ends in a carriage return, into single spaces. It reports false when there
// was nothing to mend.
func normalise(line []byte) ([]byte, bool) {
	words := bytes.Fields(line)
	if len(words) == 0 {
		return nil, false
	}
	joined := bytes.Join(words, []byte{' '})
	return joined, !bytes.Equal(joined, line)
}
