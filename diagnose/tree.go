package diagnose

import "ddx"

// TreeSchema names the form of a derived tree in JSON.
const TreeSchema = "ddx.tree/v1"

// Node is a point of the derived diagnostic tree: where the modes stand, and
// what to ask next. A leaf has no question.
type Node struct {
	Question *Question  `json:"question,omitempty"`
	Branches []Branch   `json:"answers,omitempty"`
	Modes    []Standing `json:"modes"`         // most believed first, ruled-out ones left out
	Cut      bool       `json:"cut,omitempty"` // a question is left, but not shown: the depth was bounded
}

// Branch leads from a question to what follows from one of its answers.
type Branch struct {
	Answer string `json:"answer"`
	Node   *Node  `json:"next"`
}

// Tree derives the tree below a set of facts, to a depth in questions. The
// answer that something cannot be told has no branch.
func (d *Differential) Tree(facts []ddx.Fact, depth int) (*Node, error) {
	q, standings, err := d.Ask(facts)
	if err != nil {
		return nil, err
	}
	n := &Node{Modes: []Standing{}}
	for _, s := range standings {
		if s.Verdict != ddx.RuledOut {
			n.Modes = append(n.Modes, s)
		}
	}
	switch {
	case q == nil:
		return n, nil
	case depth == 0:
		n.Cut = true
		return n, nil
	}
	n.Question = q
	for _, a := range q.Answers[:len(q.Answers)-1] {
		next, err := d.Tree(append(facts[:len(facts):len(facts)], a.Facts...), depth-1)
		if err != nil {
			return nil, err
		}
		n.Branches = append(n.Branches, Branch{a.Text, next})
	}
	return n, nil
}
