package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// raw is a connection on which frames are written by hand.
type raw struct {
	conn   net.Conn
	framer *http2.Framer
	fields *hpack.Encoder
	block  *bytes.Buffer
}

// raw opens a connection and sends the preface with these settings.
func (t *target) raw(settings ...http2.Setting) (*raw, error) {
	conn, err := t.dial()
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	block := new(bytes.Buffer)
	r := &raw{conn, http2.NewFramer(conn, conn), hpack.NewEncoder(block), block}
	r.framer.AllowIllegalWrites = true
	if _, err = conn.Write([]byte(http2.ClientPreface)); err == nil {
		err = r.framer.WriteSettings(settings...)
	}
	return r, err
}

// head is a request's fields, encoded; more are names and values.
func (r *raw) head(t *target, method, path string, more ...string) []byte {
	scheme, _, _ := strings.Cut(t.url(""), ":")
	lines := append([]string{
		":method", method, ":scheme", scheme, ":authority", t.address, ":path", path,
	}, more...)
	r.block.Reset()
	for i := 0; i < len(lines); i += 2 {
		r.fields.WriteField(hpack.HeaderField{Name: lines[i], Value: lines[i+1]})
	}
	return append([]byte(nil), r.block.Bytes()...)
}

// open sends a whole request without content.
func (r *raw) open(t *target, stream uint32, path string) error {
	return r.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: r.head(t, "GET", path), EndStream: true, EndHeaders: true,
	})
}

// await reads frames until one is like this. The server's settings are acknowledged on the way.
func (r *raw) await(what string, like func(http2.Frame) bool) error {
	for {
		frame, err := r.framer.ReadFrame()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			r.framer.WriteSettingsAck()
		}
		if like(frame) {
			return nil
		}
		if _, ok := frame.(*http2.GoAwayFrame); ok {
			return fmt.Errorf("%s: %v", what, frame)
		}
	}
}

// children are the server's processes by title.
func (s *server) children(title string) map[int]bool {
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	found := make(map[int]bool)
	for _, word := range strings.Fields(string(list)) {
		line, _ := os.ReadFile(filepath.Join("/proc", word, "cmdline"))
		if pid, err := strconv.Atoi(word); err == nil && strings.HasPrefix(string(line), "ferrite: "+title) {
			found[pid] = true
		}
	}
	return found
}

// memory is what the reactor occupies beyond what it did at a moment, at the most since then.
type memory struct {
	pid  int
	base int
}

// memory begins to watch.
func (s *server) memory() (*memory, error) {
	for pid := range s.children("reactor") {
		// 5 resets the peak (proc(5), clear_refs).
		err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
		m := &memory{pid: pid}
		m.base = m.kib("VmRSS")
		return m, err
	}
	return nil, fmt.Errorf("there is no reactor")
}

func (m *memory) kib(field string) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	for _, line := range strings.Split(string(status), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == field+":" {
			kib, _ := strconv.Atoi(words[1])
			return kib
		}
	}
	return 0
}

// bounded: the reactor has not taken more than this at any moment.
func (m *memory) bounded(mib int) error {
	peak := m.kib("VmHWM")
	if peak == 0 {
		return fmt.Errorf("the reactor is no more")
	}
	if grown := (peak - m.base) / 1024; grown > mib {
		return fmt.Errorf("the reactor took %d MiB more, %d are allowed", grown, mib)
	}
	return nil
}
