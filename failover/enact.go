package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ddx/controlplane"
)

// Enactor brings decisions to the provider.
type Enactor struct {
	Provider Provider
	Name     string                                       // endpoint
	Owner    string                                       // written into the record
	Nonce    func() string                                // a fresh one for each write
	Wait     func(ctx context.Context, attempt int) error // back-off after a conflict or an unknown outcome; nil: Backoff
	Log      func(format string, args ...any)             // each step in words; nil: none
}

// Result is what became of a decision.
type Result struct {
	Decision Decision
	Applied  bool    // our own change is in the zone
	Current  Current // as last read; after Applied what was written
	Attempts int
}

// attempts bounds the conflicts and unknown outcomes that one Enact rides out.
const attempts = 20

// enactorConfig is the enactor that the explorer finds safe: it reads, writes
// record and content in one batch, fenced by the generation that it read, and
// has neither lock nor cleaner nor rollback record to protect.
var enactorConfig = controlplane.EnactorConfig{Endpoints: 1, CompareGeneration: true, OneBatch: true, RollbackApart: true, RefuseEmpty: true}

// Enact reads the endpoint, asks decide what to do, and commits it, fenced by
// what was read. After a conflict it reads and decides again. After an unknown
// outcome it reads until it knows. It is safe at any time, from any number of
// processes at once, and may be killed between any two of its steps.
func (e *Enactor) Enact(ctx context.Context, decide func(Current) Decision) (Result, error) {
	var res Result
	var last error
	for res.Attempts < attempts {
		if res.Attempts > 0 {
			if err := e.wait(ctx, res.Attempts); err != nil {
				return res, errors.Join(last, err)
			}
		}
		res.Attempts++
		cur, err := e.Provider.Read(ctx, e.Name)
		if err != nil {
			if last = err; ctx.Err() != nil {
				break
			}
			continue
		}
		res.Current, res.Decision = cur, decide(cur)
		if res.Decision.Verdict != VerdictChange {
			return res, nil
		}
		done, err := e.carry(ctx, cur, &res)
		if done {
			return res, err
		}
		last = err
	}
	return res, fmt.Errorf("enact %s: gave up after %d attempts: %w", e.Name, res.Attempts, orError(last, errors.New("conflict each time")))
}

// carry drives one decision through the step function of the enactor. It
// returns false when the decision must be made anew.
func (e *Enactor) carry(ctx context.Context, seen Current, res *Result) (bool, error) {
	change := res.Decision.Change
	change.Record.Owner, change.Record.Nonce = e.Owner, e.Nonce()
	st, out := controlplane.StepEnactor(&enactorConfig, controlplane.Enactor{}, controlplane.EnactorEvent{
		Kind: controlplane.EnactorPlanSeen, NoTargets: len(change.Addresses) == 0,
		Answer: controlplane.Answer{Latest: change.Record.Generation, Active: seen.Record.Generation, Empty: len(seen.Addresses) == 0},
	})
	var last error
	sent, maybe := false, false // maybe: an earlier write of this change may have been applied
	for out == controlplane.EnactorWorking {
		var ans controlplane.Answer
		switch cmd := st.Pending(&enactorConfig, 1, len(change.Addresses) == 0); cmd.Op {
		case controlplane.OpRead:
			cur := seen
			if sent {
				ours, same, err := e.look(ctx, seen, change, res)
				switch {
				case err != nil:
					return true, errors.Join(last, err)
				case ours:
					return true, nil
				case !same:
					return false, last // somebody else was there: decide anew
				}
			}
			ans = controlplane.Answer{Active: cur.Record.Generation, Empty: len(cur.Addresses) == 0}
		case controlplane.OpCommit:
			if sent {
				if res.Attempts++; res.Attempts > attempts {
					return true, fmt.Errorf("enact %s: gave up after %d attempts: %w", e.Name, attempts, orError(last, errors.New("outcome unknown each time")))
				}
				if err := e.wait(ctx, res.Attempts); err != nil {
					return true, errors.Join(last, err)
				}
			}
			ans.Status, last = e.Provider.Commit(ctx, e.Name, seen, change)
			sent = true
			e.log("generation %d -> %d: %s", seen.Record.Generation, change.Record.Generation, orError(last, errors.New(statusName(ans.Status))))
			switch {
			case ans.Status == controlplane.Unknown:
				maybe = true
			case ans.Status == controlplane.Conflict && maybe:
				ours, _, err := e.look(ctx, seen, change, res)
				return ours || err != nil, err
			case ans.Status == controlplane.Conflict:
				return false, nil
			}
		default:
			return true, fmt.Errorf("enact %s: step asks for operation %d", e.Name, cmd.Op)
		}
		st, out = controlplane.StepEnactor(&enactorConfig, st, controlplane.EnactorEvent{Kind: controlplane.EnactorAnswered, Answer: ans})
	}
	switch out {
	case controlplane.EnactorFinished:
		if last == nil && sent {
			res.Applied = true
			res.Current = Current{Record: change.Record, Text: change.Record.String(), Owned: true, Addresses: change.Addresses, TTL: change.TTL, TextTTL: textTTL}
			return true, nil
		}
		return false, last
	case controlplane.EnactorSkipped:
		return true, fmt.Errorf("enact %s: generation %d is not newer than %d, or has no target", e.Name, change.Record.Generation, seen.Record.Generation)
	}
	return true, fmt.Errorf("enact %s: %w", e.Name, orError(last, errors.New("refused")))
}

// look reads after a write and tells whether our change is there, and whether
// else everything is as it was.
func (e *Enactor) look(ctx context.Context, seen Current, change Change, res *Result) (ours, same bool, err error) {
	cur, err := e.settle(ctx, res)
	if err != nil {
		return false, false, err
	}
	if ours = cur.Owned && cur.Record.Nonce == change.Record.Nonce; ours {
		e.log("generation %d: the answer was lost, the change is there", change.Record.Generation)
		res.Applied = true
	}
	return ours, cur.Text == seen.Text && cur.Addresses.String() == seen.Addresses.String(), nil
}

// settle reads until it gets an answer: after an unknown outcome nothing is
// decided before the zone was seen.
func (e *Enactor) settle(ctx context.Context, res *Result) (Current, error) {
	for {
		cur, err := e.Provider.Read(ctx, e.Name)
		if err == nil {
			res.Current = cur
			return cur, nil
		}
		if res.Attempts++; res.Attempts >= attempts || ctx.Err() != nil {
			return cur, fmt.Errorf("enact %s: outcome unknown: %w", e.Name, err)
		}
		if err := e.wait(ctx, res.Attempts); err != nil {
			return cur, err
		}
	}
}

func (e *Enactor) wait(ctx context.Context, attempt int) error {
	if e.Wait != nil {
		return e.Wait(ctx, attempt)
	}
	return Backoff(ctx, attempt)
}

func (e *Enactor) log(format string, args ...any) {
	if e.Log != nil {
		e.Log(format, args...)
	}
}

func orError(err, def error) error {
	if err == nil {
		return def
	}
	return err
}

// backoffBase and backoffCap bound the waiting between attempts.
const (
	backoffBase = 50 * time.Millisecond
	backoffCap  = 5 * time.Second
)
