package main

import (
	"fmt"
	"syscall"

	"golang.org/x/net/http2"
)

// stops are the last checks: the server is told to stop once, and has to answer on both ports.
var stops = []check{
	{name: "a stop says GOAWAY twice and lets streams finish", run: stopGracefully},
}

// stopping are the connections that were opened on each port before the server was told to stop.
var stopping = map[string]*raw{}

// stopGracefully has a request in flight on each port, stops the server, and reads the farewell (RFC
// 9113, 6.8): first that no stream should follow, then, a round trip later, which was the last.
func stopGracefully(t *target) error {
	if len(stopping) == 0 {
		if err := askAndStop(t.server); err != nil {
			return err
		}
	}
	r := stopping[t.name]
	defer r.conn.Close()
	var lasts []uint32
	late := false
	for answered := false; ; {
		frame, err := r.framer.ReadFrame()
		if err != nil {
			if answered && len(lasts) == 2 && lasts[0] == 1<<31-1 && lasts[1] == 3 {
				return nil
			}
			return fmt.Errorf("answered: %v, GOAWAY with %v, %v", answered, lasts, err)
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				r.framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !late {
				// A stream that crosses with the first GOAWAY is served still.
				late = true
				if err := r.open(t, 3, "/pid"); err != nil {
					return err
				}
			}
			if err := r.framer.WritePing(true, frame.Data); err != nil {
				return err
			}
		case *http2.GoAwayFrame:
			if frame.ErrCode != http2.ErrCodeNo {
				return fmt.Errorf("%v", frame)
			}
			lasts = append(lasts, frame.LastStreamID)
			if len(lasts) == 2 {
				// One more is too late.
				r.open(t, 5, "/pid")
			}
		case *http2.DataFrame:
			if frame.StreamID == 5 {
				return fmt.Errorf("a stream behind the last was served")
			}
			answered = answered || frame.StreamID == 1 && frame.StreamEnded()
		}
	}
}

func askAndStop(s *server) error {
	for _, t := range s.targets() {
		r, err := t.raw()
		if err != nil {
			return err
		}
		stopping[t.name] = r
		if err := r.open(t, 1, "/slow?ms=1000"); err != nil {
			return err
		}
	}
	if err := until("both requests are in work", func() bool { return s.busy() == 2 }); err != nil {
		return err
	}
	return syscall.Kill(s.pid, syscall.SIGTERM)
}
