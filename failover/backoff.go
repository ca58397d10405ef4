package failover

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"time"
)

// Backoff waits a random time that grows with the attempt, so that enactors
// that met once do not meet again in step.
func Backoff(ctx context.Context, attempt int) error {
	limit := min(backoffBase<<min(attempt, 10), backoffCap)
	t := time.NewTimer(mathrand.N(limit))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NewNonce returns 64 random bits.
func NewNonce() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
