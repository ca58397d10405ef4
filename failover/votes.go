package failover

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A vantage point publishes its vote over HTTP, signed with a key that all
// vantage points share: a forged vote could move an endpoint.

const (
	signatureHeader = "Ddx-Signature" // hexadecimal HMAC-SHA256 of the body
	maxVote         = 1 << 20         // bytes
)

// sign returns the signature of a body.
func sign(key, body []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// VoteHandler serves the vote that current returns.
func VoteHandler(key []byte, current func() Vote) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := json.Marshal(current())
		if err != nil {
			http.Error(w, "vote cannot be written", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(signatureHeader, sign(key, body))
		w.Write(body)
	})
}

// FetchVote reads and verifies the vote of another vantage point.
func FetchVote(ctx context.Context, url string, key []byte) (Vote, error) {
	var v Vote
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return v, fmt.Errorf("fetch vote: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return v, fmt.Errorf("fetch vote: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxVote))
	switch {
	case err != nil:
		return v, fmt.Errorf("fetch vote %s: %w", url, err)
	case resp.StatusCode != http.StatusOK:
		return v, fmt.Errorf("fetch vote %s: status %d", url, resp.StatusCode)
	case !hmac.Equal([]byte(sign(key, body)), []byte(resp.Header.Get(signatureHeader))):
		return v, fmt.Errorf("fetch vote %s: signature does not hold; do both vantage points have the same key?", url)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, fmt.Errorf("fetch vote %s: %w", url, err)
	}
	return v, nil
}
