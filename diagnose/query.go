package diagnose

import (
	"time"

	"ddx"
	"ddx/catalog"
)

// Query asks conditions of a set of facts, with the same context as a run.
type Query struct{ e *evaluation }

// NewQuery prepares facts for questions.
func NewQuery(cat *catalog.Catalogue, facts []ddx.Fact, now time.Time) *Query {
	return &Query{newEvaluation(cat, facts, now)}
}

// Any evaluates a condition over all facts of a kind, and returns the fact that
// makes it true.
func (q *Query) Any(kind, when string) (catalog.Truth, *ddx.Fact) { return q.e.any(kind, when) }

// Only returns the fact of a kind when there is exactly one.
func (q *Query) Only(kind string) *ddx.Fact {
	if f := q.e.byKind[kind]; len(f) == 1 {
		return f[0]
	}
	return nil
}
