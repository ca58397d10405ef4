package counters

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// The parts of collectd's binary protocol: a type and a length of two bytes
// each, big-endian, the length including those four.
// Source: collectd's wiki page "Binary protocol" and its network.h.
const (
	partHost           = 0x0000
	partTime           = 0x0001
	partPlugin         = 0x0002
	partPluginInstance = 0x0003
	partType           = 0x0004
	partTypeInstance   = 0x0005
	partValues         = 0x0006
	partInterval       = 0x0007
	partTimeHR         = 0x0008
	partIntervalHR     = 0x0009
	partSign           = 0x0200
	partEncrypt        = 0x0210
)

// CollectdPackets gathers series from packets of collectd's network plugin. It
// may be used by several goroutines.
type CollectdPackets struct {
	// Users are the names and passwords for signed and encrypted packets.
	Users map[string]string
	// Require refuses packets that are neither signed nor encrypted.
	Require bool
	Origin  string

	mu  sync.Mutex
	set set
	cpu map[string]map[int64]float64
}

// Add takes one packet. What stands before an error in it is kept.
func (c *CollectdPackets) Add(packet []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.parts(packet, !c.Require, true); err != nil {
		return fmt.Errorf("read collectd packet: %w", err)
	}
	return nil
}

// Series gives what was gathered so far.
func (c *CollectdPackets) Series() []Series {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := set{m: cloned(c.set.m)}
	for h, m := range c.cpu {
		for at, v := range m {
			s.add(h, "", CPU, Cumulative, 0, c.Origin, time.Unix(at, 0).UTC(), v)
		}
	}
	out := s.series()
	for i := range out {
		if out[i].Metric == CPU {
			out[i].dropPartial()
		}
	}
	return out
}

// value list names, kept from part to part as the protocol does.
type collectdState struct {
	host, plugin, instance, typ, typInstance string
	at                                       time.Time
	step                                     time.Duration
}

func (c *CollectdPackets) parts(b []byte, trusted, outer bool) error {
	var s collectdState
	for off := 0; len(b) > 0; {
		if len(b) < 4 {
			return fmt.Errorf("byte %d: %d bytes are left, less than a part", off, len(b))
		}
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			return fmt.Errorf("byte %d: part 0x%04x claims %d bytes of %d", off, kind, n, len(b))
		}
		body, rest := b[4:n], b[n:]
		switch kind {
		case partSign:
			if err := c.verify(body, rest); err != nil {
				return fmt.Errorf("byte %d: %w", off, err)
			}
			trusted = true
		case partEncrypt:
			if !outer {
				return fmt.Errorf("byte %d: an encrypted part within an encrypted part", off)
			}
			plain, err := c.decrypt(body)
			if err != nil {
				return fmt.Errorf("byte %d: %w", off, err)
			}
			if err := c.parts(plain, true, false); err != nil {
				return fmt.Errorf("byte %d, decrypted: %w", off, err)
			}
		default:
			if !trusted {
				return fmt.Errorf("byte %d: neither signed nor encrypted, and that is required", off)
			}
			if err := c.part(&s, kind, body); err != nil {
				return fmt.Errorf("byte %d: %w", off, err)
			}
		}
		b = rest
		off += n
	}
	return nil
}

func (c *CollectdPackets) part(s *collectdState, kind uint16, body []byte) error {
	text := func(into *string) error {
		if len(body) == 0 || body[len(body)-1] != 0 {
			return fmt.Errorf("part 0x%04x: text without its zero byte", kind)
		}
		*into = string(body[:len(body)-1])
		return nil
	}
	number := func() (uint64, error) {
		if len(body) != 8 {
			return 0, fmt.Errorf("part 0x%04x: %d bytes, not a number of 8", kind, len(body))
		}
		return binary.BigEndian.Uint64(body), nil
	}
	switch kind {
	case partHost:
		return text(&s.host)
	case partPlugin:
		return text(&s.plugin)
	case partPluginInstance:
		return text(&s.instance)
	case partType:
		return text(&s.typ)
	case partTypeInstance:
		return text(&s.typInstance)
	case partTime, partTimeHR, partInterval, partIntervalHR:
		n, err := number()
		if err != nil {
			return err
		}
		switch kind {
		case partTime:
			s.at = time.Unix(int64(n), 0).UTC()
		case partTimeHR:
			s.at = time.Unix(0, 0).UTC().Add(highResolution(n))
		case partInterval:
			s.step = time.Duration(n) * time.Second
		case partIntervalHR:
			s.step = highResolution(n)
		}
	case partValues:
		return c.values(s, body)
	}
	return nil // other parts: notifications and what later versions add
}

// highResolution reads collectd's time unit, 2^-30 seconds.
func highResolution(n uint64) time.Duration {
	return time.Duration(n>>30)*time.Second + time.Duration(float64(n&(1<<30-1))/(1<<30)*1e9)
}

func (c *CollectdPackets) values(s *collectdState, body []byte) error {
	if len(body) < 2 {
		return errors.New("values part without a count")
	}
	n := int(binary.BigEndian.Uint16(body))
	if len(body) != 2+9*n {
		return fmt.Errorf("values part of %d bytes for %d values", len(body), n)
	}
	types, data := body[2:2+n], body[2+n:]
	sources := map[string][]string{"if_packets": {"rx", "tx"}, "if_octets": {"rx", "tx"}, "if_errors": {"rx", "tx"}, "if_dropped": {"rx", "tx"},
		"load": {"shortterm", "midterm", "longterm"}}[s.typ]
	for i := range n {
		raw := data[8*i : 8*i+8]
		var v float64
		kind := Cumulative
		switch types[i] {
		case 0, 3: // COUNTER, ABSOLUTE
			v = float64(binary.BigEndian.Uint64(raw))
		case 1: // GAUGE, little-endian for historical reasons
			v, kind = math.Float64frombits(binary.LittleEndian.Uint64(raw)), State
		case 2: // DERIVE
			v = float64(int64(binary.BigEndian.Uint64(raw)))
		default:
			return fmt.Errorf("value of unknown type %d", types[i])
		}
		source := "value"
		if i < len(sources) {
			source = sources[i]
		}
		iface, metric := collectdMetric(s.plugin, s.instance, s.typ, s.typInstance, source)
		if metric == "" || s.at.IsZero() || math.IsNaN(v) {
			continue
		}
		if metric == CPU {
			if kind != Cumulative {
				continue
			}
			if c.cpu == nil {
				c.cpu = map[string]map[int64]float64{}
			}
			if c.cpu[s.host] == nil {
				c.cpu[s.host] = map[int64]float64{}
			}
			c.cpu[s.host][s.at.Round(time.Second).Unix()] += v / userHZ
			continue
		}
		c.set.add(s.host, iface, metric, kind, s.step, c.Origin, s.at, v)
	}
	return nil
}

// verify checks an HMAC-SHA-256 over the user name and all that follows.
func (c *CollectdPackets) verify(body, rest []byte) error {
	if len(body) < 33 {
		return errors.New("signature part is too short")
	}
	mac, user := body[:32], body[32:]
	password, ok := c.Users[string(user)]
	if !ok {
		return fmt.Errorf("signed by %q, whose password is not known", user)
	}
	h := hmac.New(sha256.New, []byte(password))
	h.Write(user)
	h.Write(rest)
	if !hmac.Equal(h.Sum(nil), mac) {
		return fmt.Errorf("signature of %q does not fit: wrong password, or changed on the way", user)
	}
	return nil
}

// decrypt opens an AES-256-OFB part: user length, user, 16 bytes of initial
// vector, then encrypted a SHA-1 of the content and the content.
func (c *CollectdPackets) decrypt(body []byte) ([]byte, error) {
	if len(body) < 2 {
		return nil, errors.New("encrypted part is too short")
	}
	n := int(binary.BigEndian.Uint16(body))
	if len(body) < 2+n+16+20 {
		return nil, errors.New("encrypted part is too short")
	}
	user, iv, data := body[2:2+n], body[2+n:2+n+16], body[2+n+16:]
	password, ok := c.Users[string(user)]
	if !ok {
		return nil, fmt.Errorf("encrypted by %q, whose password is not known", user)
	}
	key := sha256.Sum256([]byte(password))
	cipher, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(data))
	stream := [16]byte(iv)
	for i := range data {
		if i%16 == 0 {
			cipher.Encrypt(stream[:], stream[:])
		}
		plain[i] = data[i] ^ stream[i%16]
	}
	if sum := sha1.Sum(plain[20:]); !hmac.Equal(sum[:], plain[:20]) {
		return nil, fmt.Errorf("content encrypted by %q does not fit its checksum: wrong password, or changed on the way", user)
	}
	return plain[20:], nil
}
