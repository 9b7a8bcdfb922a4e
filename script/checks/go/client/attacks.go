package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// attackTime is for how long each attack goes on, from several connections, one after the other.
const attackTime = 700 * time.Millisecond

// inTime is how long another client may have to wait for an answer meanwhile.
const inTime = time.Second

var attacks = []check{
	// CVE-2023-44487.
	attack("rapid reset", calm, func(t *target, r *raw, id uint32) error {
		if err := r.open(t, id, "/"); err != nil {
			return err
		}
		return r.framer.WriteRSTStream(id, http2.ErrCodeCancel)
	}),
	// CVE-2025-8671: a window beyond 2^31 - 1 is an error of the stream (RFC 9113, 6.9.1).
	attack("resets that the server is made to send", calm, func(t *target, r *raw, id uint32) error {
		if err := r.open(t, id, "/"); err != nil {
			return err
		}
		return r.framer.WriteWindowUpdate(id, 1<<31-1)
	}),
	attack("PING flood", calm, func(_ *target, r *raw, _ uint32) error {
		return r.framer.WritePing(false, [8]byte{})
	}),
	attack("SETTINGS flood", calm, func(_ *target, r *raw, _ uint32) error {
		return r.framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	}),
	attack("PRIORITY flood", calm, func(_ *target, r *raw, id uint32) error {
		return r.framer.WritePriority(1, http2.PriorityParam{Weight: 7})
	}),
	attack("empty content", calm, func(t *target, r *raw, id uint32) error {
		if id == 1 {
			return r.unfinished(t)
		}
		return r.framer.WriteData(1, false, nil)
	}),
	attack("content in frames that are all padding", calm, func(t *target, r *raw, id uint32) error {
		if id == 1 {
			return r.unfinished(t)
		}
		return r.framer.WriteDataPadded(1, false, nil, make([]byte, 200))
	}),
	// CVE-2024-27316.
	attack("CONTINUATION flood", calm, func(t *target, r *raw, id uint32) error {
		if id == 1 {
			return r.headless(t)
		}
		return r.framer.WriteContinuation(1, false, nil)
	}),
	attack("CONTINUATION flood of fields", calm, func(t *target, r *raw, id uint32) error {
		if id == 1 {
			return r.headless(t)
		}
		return r.framer.WriteContinuation(1, false, literal("name", "value"))
	}),
	// CVE-2016-6581: one large field in the table, and references to it of one byte each.
	attack("HPACK bomb", refused, func(t *target, r *raw, id uint32) error {
		block := r.head(t, "GET", "/", "x", strings.Repeat("v", 3900))
		for i := 0; i < 10_000; i++ {
			block = append(block, 0x80|62)
		}
		return r.framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true,
		})
	}),
	attack("streams beyond the limit", refused, func(t *target, r *raw, id uint32) error {
		return r.framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: id, BlockFragment: r.head(t, "POST", "/echo"), EndHeaders: true,
		})
	}),
}

// unfinished opens a request whose content is to come.
func (r *raw) unfinished(t *target) error {
	return r.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: r.head(t, "POST", "/echo"), EndHeaders: true,
	})
}

// headless begins with a head that has no end.
func (r *raw) headless(t *target) error {
	return r.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: r.head(t, "GET", "/"),
	})
}

// literal is a field that is not to be indexed (RFC 7541, 6.2.2).
func literal(name, value string) []byte {
	block := append([]byte{0, byte(len(name))}, name...)
	return append(append(block, byte(len(value))), value...)
}

// outcome is how the server ended connections, and how often it refused streams before.
type outcome struct {
	// Connections.
	ended, open int
	// Connections that were told why, by code. A reset may overtake what the server says to a client
	// that goes on sending.
	told map[http2.ErrCode]int
	// Streams.
	refused int
	// By how much the server's flood_count has grown.
	counted int
}

// calm: the server ends every such connection, says why, and counts it.
func calm(o outcome) error {
	told := o.told[http2.ErrCodeEnhanceYourCalm]
	if told == 0 || len(o.told) > 1 || o.open > 0 || o.counted < told {
		return fmt.Errorf("ENHANCE_YOUR_CALM is not what became of it: %+v", o)
	}
	return nil
}

// refused: streams or the connection, with whatever code.
func refused(o outcome) error {
	if len(o.told) == 0 && o.refused == 0 {
		return fmt.Errorf("nothing was refused: %+v", o)
	}
	return nil
}

// attack sends such frames for a while, from two connections at a time, while another client asks.
func attack(name string, want func(outcome) error, frame func(*target, *raw, uint32) error) check {
	return check{name: name, run: func(t *target) error {
		memory, err := t.server.memory()
		if err != nil {
			return err
		}
		before, err := stat(t, "flood_count")
		if err != nil {
			return err
		}
		end := time.Now().Add(attackTime)
		all := outcome{told: make(map[http2.ErrCode]int)}
		var lock sync.Mutex
		var attackers sync.WaitGroup
		for i := 0; i < 2; i++ {
			attackers.Add(1)
			go func() {
				defer attackers.Done()
				for time.Now().Before(end) {
					strike(t, end, frame, &all, &lock)
				}
			}()
		}
		worst, err := serveMeanwhile(t, end)
		attackers.Wait()
		if err != nil {
			return fmt.Errorf("another client: %w", err)
		}
		if worst > inTime {
			return fmt.Errorf("another client waited %v", worst)
		}
		after, err := stat(t, "flood_count")
		if err != nil {
			return err
		}
		all.counted = after - before
		if err := want(all); err != nil {
			return err
		}
		return memory.bounded(32)
	}}
}

// serveMeanwhile asks until the end, and tells the longest time of an answer.
func serveMeanwhile(t *target, end time.Time) (time.Duration, error) {
	client, dials := t.client()
	var worst time.Duration
	for time.Now().Before(end) {
		begin := time.Now()
		if _, err := get(client, t, "/"); err != nil {
			return 0, err
		}
		if took := time.Since(begin); took > worst {
			worst = took
		}
	}
	if dials.Load() != 1 {
		return 0, fmt.Errorf("%d connections", dials.Load())
	}
	return worst, nil
}

// strike attacks by one connection, until the server ends it or the time is over.
func strike(
	t *target, end time.Time, frame func(*target, *raw, uint32) error, all *outcome, lock *sync.Mutex,
) {
	r, err := t.raw()
	if err != nil {
		return // which another client will see, too
	}
	defer r.conn.Close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.listen(all, lock)
	}()
	for id := uint32(1); !closed(over) && (id < 10_000 || time.Now().Before(end)); id += 2 {
		if err := frame(t, r, id); err != nil {
			break
		}
	}
	// Whoever was not thrown out ends by himself.
	select {
	case <-over:
	case <-time.After(inTime):
		r.conn.SetReadDeadline(time.Now())
		<-over
	}
}

func closed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// listen reads what the server says, up to the end of the connection.
func (r *raw) listen(all *outcome, lock *sync.Mutex) {
	for {
		var head [9]byte
		_, err := io.ReadFull(r.conn, head[:])
		payload := make([]byte, binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))
		if err == nil {
			_, err = io.ReadFull(r.conn, payload)
		}
		lock.Lock()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			all.open++
		case err != nil:
			all.ended++
		case http2.FrameType(head[3]) == http2.FrameGoAway:
			all.told[http2.ErrCode(binary.BigEndian.Uint32(payload[4:]))]++
		case http2.FrameType(head[3]) == http2.FrameRSTStream:
			all.refused++
		}
		lock.Unlock()
		if err != nil {
			return
		}
	}
}
