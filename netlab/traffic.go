//go:build linux

package netlab

import (
	"context"
	"net"
	"sync"
	"time"
)

// Traffic lets the client send UDP datagrams to the guest at the given rate a
// second, and the guest answer each. It ends with the test or by stop.
func (l *Lab) Traffic(port, rate int) (stop func()) {
	l.t.Helper()
	var server, client *net.UDPConn
	err := In(l.Guest, func() (err error) {
		server, err = net.ListenUDP("udp4", &net.UDPAddr{Port: port})
		return err
	})
	if err == nil {
		err = In(l.Client, func() (err error) {
			client, err = net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.ParseIP(GuestAddr), Port: port})
			return err
		})
	}
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := server.ReadFromUDP(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteToUDP(buf[:n], from) // an interface that is down refuses: that is the test's doing
		}
	})
	wg.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		payload := make([]byte, 100)
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_, _ = client.Write(payload)
			}
		}
	})
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			client.Close()
			server.Close()
			wg.Wait()
		})
	}
	l.t.Cleanup(stop)
	return stop
}
