package flowlog

import "ddx/flowsum"

// wrong marks a text that is not what its field must be.
const wrong = missing - 1

// numberOf reads a text value of a number field or an enumeration.
func numberOf(b []byte, k field) uint64 {
	s := string(b)
	if s == "-" || s == "" {
		return missing
	}
	switch k {
	case fieldAction:
		switch s {
		case "ACCEPT":
			return uint64(flowsum.Accept)
		case "REJECT":
			return uint64(flowsum.Reject)
		}
		return wrong
	case fieldStatus:
		switch s {
		case "OK":
			return uint64(flowsum.Accept)
		case "NODATA":
			return uint64(flowsum.NoData)
		case "SKIPDATA":
			return uint64(flowsum.SkipData)
		}
		return wrong
	case fieldDirection:
		switch s {
		case "ingress":
			return uint64(flowsum.Ingress)
		case "egress":
			return uint64(flowsum.Egress)
		}
		return wrong
	}
	if n, ok := longNumber(b); ok {
		return n
	}
	return wrong
}

// row fills r from the row that lies n behind the columns' positions. It returns
// "" or what is wrong with the row.
func (p *parquetReader) row(n int, r *flowsum.Record) string {
	num, text := &p.num, &p.text
	bad := fieldNone
	for _, c := range p.columns {
		i := c.pos + n
		if !c.field.isText() {
			if num[c.field] = c.nums[i]; num[c.field] == wrong {
				bad = c.field
			}
		} else if k := c.codes[i]; k >= 0 {
			text[c.field], p.word[c.field] = c.text(c.first+int(k)), c.words[k]
		} else {
			text[c.field], p.word[c.field] = nil, flowsum.Word24{}
		}
	}
	if bad != fieldNone {
		return fieldName(bad) + " holds another kind of value"
	}
	r.Interface, r.ID = text[fieldInterface], p.word[fieldInterface]
	if (len(r.Interface) == 0 || string(r.Interface) == "-") && len(text[fieldResource]) > 0 {
		r.Interface, r.ID = text[fieldResource], p.word[fieldResource]
	}
	r.Start, r.End = num[fieldStart], num[fieldEnd]
	if r.End == missing {
		r.End = r.Start
	}
	if len(r.Interface) == 0 || !r.Plausible() {
		return "start or end is not a time in Unix seconds, or no interface"
	}
	r.Packets, r.Bytes, r.Src, r.Dst = 0, 0, nil, nil
	r.SrcWord, r.DstWord = flowsum.Word16{}, flowsum.Word16{}
	r.Direction = flowsum.UnknownDirection
	if s := num[fieldStatus]; s == uint64(flowsum.NoData) || s == uint64(flowsum.SkipData) {
		r.Action = flowsum.Action(s)
		return ""
	}
	if num[fieldPackets] == missing {
		if num[fieldStatus] == missing {
			r.Action = flowsum.SkipData // without log-status the record that claims less
			return ""
		}
		return "packets is not a number"
	}
	r.Packets = num[fieldPackets]
	r.Bytes = orZero(num[fieldBytes])
	r.Action = flowsum.Action(orZero(num[fieldAction]))
	r.Direction = flowsum.Direction(orZero(num[fieldDirection]))
	r.Src, r.Dst = text[fieldSrcAddr], text[fieldDstAddr]
	r.SrcWord, r.DstWord = p.word[fieldSrcAddr].Short(), p.word[fieldDstAddr].Short()
	r.PktSrc, r.PktDst = text[fieldPktSrcAddr], text[fieldPktDstAddr]
	r.SrcPort, r.DstPort = uint16(orZero(num[fieldSrcPort])), uint16(orZero(num[fieldDstPort]))
	r.Protocol, r.Flags = uint8(orZero(num[fieldProtocol])), uint8(orZero(num[fieldTCPFlags]))
	r.HasFlags = num[fieldTCPFlags] != missing
	if r.HasLost = num[fieldLostNoRoute] != missing; r.HasLost {
		for i := range r.Lost {
			r.Lost[i] = orZero(num[fieldLostNoRoute+field(i)])
		}
	}
	return ""
}

func orZero(n uint64) uint64 {
	if n == missing {
		return 0
	}
	return n
}
