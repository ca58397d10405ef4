//go:build !linux

package afpacket

import (
	"context"
	"errors"

	"ddx/capture"
)

// Capture is for Linux; other systems read captures.
func Capture(context.Context, Options, func(*capture.Packet)) (capture.Capture, error) {
	return capture.Capture{}, errors.New("live capture: this system has no AF_PACKET socket; capture on the Linux host and give ddx the file")
}
