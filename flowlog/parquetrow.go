package flowlog

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
			return uint64(Accept)
		case "REJECT":
			return uint64(Reject)
		}
		return wrong
	case fieldStatus:
		switch s {
		case "OK":
			return uint64(Accept)
		case "NODATA":
			return uint64(NoData)
		case "SKIPDATA":
			return uint64(SkipData)
		}
		return wrong
	case fieldDirection:
		switch s {
		case "ingress":
			return uint64(Ingress)
		case "egress":
			return uint64(Egress)
		}
		return wrong
	}
	if n, ok := longNumber(b); ok {
		return n
	}
	return wrong
}

// row fills r from the current row of every column and steps on. It returns ""
// or what is wrong with the row.
func (p *parquetReader) row(r *row) string {
	num, text := &p.num, &p.text
	bad := fieldNone
	for _, c := range p.columns {
		i := c.pos
		c.pos++
		if !c.field.isText() {
			if num[c.field] = c.nums[i]; num[c.field] == wrong {
				bad = c.field
			}
		} else if k := c.codes[i]; k >= 0 {
			text[c.field], p.word[c.field] = c.data[c.offs[k]:c.offs[k+1]], c.words[k]
		} else {
			text[c.field], p.word[c.field] = nil, word24{}
		}
	}
	if bad != fieldNone {
		return fieldName(bad) + " holds another kind of value"
	}
	r.iface, r.id = text[fieldInterface], p.word[fieldInterface]
	if (len(r.iface) == 0 || string(r.iface) == "-") && len(text[fieldResource]) > 0 {
		r.iface, r.id = text[fieldResource], p.word[fieldResource]
	}
	r.start, r.end = num[fieldStart], num[fieldEnd]
	if r.end == missing {
		r.end = r.start
	}
	if len(r.iface) == 0 || !r.plausible() {
		return "start or end is not a time in Unix seconds, or no interface"
	}
	r.packets, r.bytes, r.src, r.dst = 0, 0, nil, nil
	r.srcWord, r.dstWord = word16{}, word16{}
	r.direction = UnknownDirection
	if s := num[fieldStatus]; s == uint64(NoData) || s == uint64(SkipData) {
		r.action = Action(s)
		return ""
	}
	if num[fieldPackets] == missing {
		if num[fieldStatus] == missing {
			r.action = SkipData // without log-status the record that claims less
			return ""
		}
		return "packets is not a number"
	}
	r.packets = num[fieldPackets]
	r.bytes = orZero(num[fieldBytes])
	r.action = Action(orZero(num[fieldAction]))
	r.direction = Direction(orZero(num[fieldDirection]))
	r.src, r.dst = text[fieldSrcAddr], text[fieldDstAddr]
	r.srcWord, r.dstWord = p.word[fieldSrcAddr].short(), p.word[fieldDstAddr].short()
	r.pktSrc, r.pktDst = text[fieldPktSrcAddr], text[fieldPktDstAddr]
	r.srcPort, r.dstPort = uint16(orZero(num[fieldSrcPort])), uint16(orZero(num[fieldDstPort]))
	r.protocol, r.flags = uint8(orZero(num[fieldProtocol])), uint8(orZero(num[fieldTCPFlags]))
	r.hasFlags = num[fieldTCPFlags] != missing
	if r.hasLost = num[fieldLostNoRoute] != missing; r.hasLost {
		for i := range r.lost {
			r.lost[i] = orZero(num[fieldLostNoRoute+field(i)])
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
