//go:build !linux

package capture

import (
	"context"
	"errors"
)

// Live is for Linux; other systems read captures.
func Live(context.Context, LiveOptions, func(*Packet)) (Capture, error) {
	return Capture{}, errors.New("live capture: this system has no AF_PACKET socket; capture on the Linux host and give ddx the file")
}
