package simulate

// deque is a queue of items that can be taken from either end.
type deque struct {
	ring  []leaseItem
	head  int
	count int
}

func (q *deque) len() int { return q.count }

func (q *deque) pushBack(it leaseItem) {
	if q.count == len(q.ring) {
		ring := make([]leaseItem, max(64, 2*len(q.ring)))
		for i := range q.count {
			ring[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = ring, 0
	}
	q.ring[(q.head+q.count)%len(q.ring)] = it
	q.count++
}

// peek returns the newest or the oldest item without taking it.
func (q *deque) peek(newest bool) (leaseItem, bool) {
	if q.count == 0 {
		return leaseItem{}, false
	}
	i := q.head
	if newest {
		i = (q.head + q.count - 1) % len(q.ring)
	}
	return q.ring[i], true
}

// drop takes the item that peek returned.
func (q *deque) drop(newest bool) {
	if !newest {
		q.head = (q.head + 1) % len(q.ring)
	}
	q.count--
}
