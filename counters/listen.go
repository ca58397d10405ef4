package counters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// ListenCollectd takes packets from conn until ctx ends and hands each to c.
// Bad packets are told to bad, which may be nil, and do not stop it. It closes
// conn.
func ListenCollectd(ctx context.Context, conn net.PacketConn, c *CollectdPackets, bad func(from net.Addr, err error)) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("listen for collectd on %s: %w", conn.LocalAddr(), err)
		}
		if err := c.Add(buf[:n]); err != nil && bad != nil {
			bad(from, err)
		}
	}
}

// ListenCarbon takes connections from l until ctx ends. It closes l and waits
// for the connections, which it closes too.
func ListenCarbon(ctx context.Context, l net.Listener, c *Carbon, bad func(from net.Addr, err error)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("listen for carbon on %s: %w", l.Addr(), err)
		}
		wg.Go(func() {
			done := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer done()
			defer conn.Close()
			if err := c.Read(unlessClosed{conn}); err != nil && bad != nil {
				bad(conn.RemoteAddr(), err)
			}
		})
	}
}

// unlessClosed ends where this side closed the connection: that is no error of
// what came before.
type unlessClosed struct{ net.Conn }

func (c unlessClosed) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, net.ErrClosed) {
		err = io.EOF
	}
	return n, err
}
