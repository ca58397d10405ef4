package scan

import "sync"

// A pipeline examines blocks with several goroutines and delivers them in order
// on one more. It holds at most a few blocks for each of them.
type pipeline struct {
	work  chan *block // to be examined
	order chan *block // the same, in the order of the input
	free  chan *block // delivered

	workers   []*examiner
	delivered sync.WaitGroup
}

func newPipeline(s *Set, workers int, d *delivery) *pipeline {
	p := &pipeline{
		work:  make(chan *block, workers),
		order: make(chan *block, 2*workers),
		free:  make(chan *block, 4*workers),
	}
	for range workers {
		e := newExaminer(s)
		p.workers = append(p.workers, e)
		p.delivered.Go(func() {
			for b := range p.work {
				e.examine(b)
				close(b.done)
			}
		})
	}
	p.delivered.Go(func() {
		for b := range p.order {
			<-b.done
			d.deliver(b)
			select {
			case p.free <- b:
			default:
			}
		}
	})
	return p
}

// put takes the next block and returns one for the text after it.
func (p *pipeline) put(b *block) (next *block) {
	b.done = make(chan struct{})
	p.order <- b
	p.work <- b
	select {
	case next = <-p.free:
		return next
	default:
		return &block{}
	}
}

// wait ends the pipeline when all blocks have been delivered, and returns its
// workers with what they counted.
func (p *pipeline) wait() []*examiner {
	close(p.work)
	close(p.order)
	p.delivered.Wait()
	return p.workers
}
