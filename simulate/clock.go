package simulate

import "time"

// timer is one future event on the virtual clock.
type timer struct {
	at      time.Duration
	seq     uint32 // equal times fire in the order they were set
	kind    uint8
	who     int32
	attempt uint32
}

// clock is a virtual clock: a heap of timers. Time only moves by taking the
// next one.
type clock struct {
	now  time.Duration
	heap []timer
	seq  uint32
}

func (a timer) before(b timer) bool {
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

// set arranges for an event.
func (c *clock) set(at time.Duration, kind uint8, who int32, attempt uint32) {
	c.seq++
	t := timer{at, c.seq, kind, who, attempt}
	c.heap = append(c.heap, t)
	i := len(c.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !t.before(c.heap[parent]) {
			break
		}
		c.heap[i] = c.heap[parent]
		i = parent
	}
	c.heap[i] = t
}

// next takes the earliest event and moves the clock to it.
func (c *clock) next() (timer, bool) {
	if len(c.heap) == 0 {
		return timer{}, false
	}
	first := c.heap[0]
	last := c.heap[len(c.heap)-1]
	c.heap = c.heap[:len(c.heap)-1]
	n := len(c.heap)
	i := 0
	for n > 0 {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && c.heap[child+1].before(c.heap[child]) {
			child++
		}
		if !c.heap[child].before(last) {
			break
		}
		c.heap[i] = c.heap[child]
		i = child
	}
	if n > 0 {
		c.heap[i] = last
	}
	c.now = first.at
	return first, true
}
