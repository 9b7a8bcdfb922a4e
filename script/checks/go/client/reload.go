package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
)

var reloads = []check{
	{name: "five reloads under load cost no request and no connection", run: reloadUnderLoad},
}

// reloadUnderLoad has requests of all kinds in flight, on one connection, while the workers are
// replaced again and again.
func reloadUnderLoad(t *target) error {
	client, dials := t.client()
	ask := []func() error{
		func() error { _, err := get(client, t, "/slow?ms=20"); return err },
		func() error { return echo(client, t, "some content") },
		func() error { return upload(client, t, 100<<10) },
		func() error {
			content, err := get(client, t, "/bytes?n=320000")
			if err == nil && len(content) != 320000 {
				err = fmt.Errorf("%d bytes", len(content))
			}
			return err
		},
	}
	var stop atomic.Bool
	var done, failed atomic.Int32
	var first atomic.Value
	var clients sync.WaitGroup
	for i := 0; i < 12; i++ {
		clients.Add(1)
		go func(i int) {
			defer clients.Done()
			for n := i; !stop.Load(); n++ {
				if err := ask[n%len(ask)](); err != nil {
					failed.Add(1)
					first.CompareAndSwap(nil, err.Error())
				}
				done.Add(1)
			}
		}(i)
	}
	err := reloadTimes(t, 5, &done)
	stop.Store(true)
	clients.Wait()
	if err != nil {
		return err
	}
	if failed.Load() > 0 || dials.Load() != 1 {
		return fmt.Errorf("%d of %d requests failed (%v), %d connections",
			failed.Load(), done.Load(), first.Load(), dials.Load())
	}
	return nil
}

// reloadTimes replaces all workers, waits for the last old one's end and for requests to go on, again
// and again.
func reloadTimes(t *target, times int, done *atomic.Int32) error {
	for i := 0; i < times; i++ {
		begun := done.Load()
		if err := until("requests go on", func() bool { return done.Load() >= begun+50 }); err != nil {
			return err
		}
		old := t.server.children("worker")
		if len(old) != 2 {
			return fmt.Errorf("%d workers before a reload", len(old))
		}
		if err := syscall.Kill(t.server.pid, syscall.SIGUSR1); err != nil {
			return err
		}
		err := until("the workers are others", func() bool {
			now := t.server.children("worker")
			for pid := range old {
				if now[pid] {
					return false
				}
			}
			return len(now) == 2
		})
		if err != nil {
			return err
		}
	}
	return nil
}
