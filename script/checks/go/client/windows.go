package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

var windows = []check{
	{name: "a closed window stops its worker, in bounded memory, until the deadline", run: closedWindow},
	{name: "an upload of 300 MB is spooled, in bounded memory", run: bigUpload},
}

const (
	// sendTimeout is the option send_timeout of the server.
	sendTimeout = 2 * time.Second
	// ahead is what a worker may be ahead of its client: its options response_spool_bytes_max and
	// socket_buffer_size together.
	ahead = 2 << 20
)

// closedWindow asks for a response without end, and never opens the window.
func closedWindow(t *target) error {
	name := "closed-" + t.name
	memory, err := t.server.memory()
	if err != nil {
		return err
	}
	before, err := stat(t, "stall_count")
	if err != nil {
		return err
	}
	r, err := t.raw(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	if err != nil {
		return err
	}
	defer r.conn.Close()
	begin := time.Now()
	if err := r.open(t, 1, "/endless?name="+name); err != nil {
		return err
	}
	code := http2.ErrCodeNo
	err = r.await("the end of the stream", func(frame http2.Frame) bool {
		reset, ok := frame.(*http2.RSTStreamFrame)
		if ok {
			code = reset.ErrCode
		}
		return ok && reset.StreamID == 1
	})
	if took := time.Since(begin); err != nil || took < sendTimeout || took > sendTimeout+patience/2 {
		return fmt.Errorf("cut off after %v, %v", took, err)
	}
	if err := until("the worker is told", func() bool { return gone(t, name) }); err != nil {
		return err
	}
	content, _ := os.ReadFile(filepath.Join(t.server.place, name))
	written, _ := strconv.Atoi(strings.Fields(string(content))[0])
	if written < ahead/2 || written > ahead {
		return fmt.Errorf("the worker wrote %d bytes", written)
	}
	if after, err := stat(t, "stall_count"); err != nil || after != before+1 {
		return fmt.Errorf("stall_count is %d and was %d, %v", after, before, err)
	}
	// The connection goes on, code is what the client was told.
	if err := r.open(t, 3, "/status?code=204"); err != nil {
		return err
	}
	err = r.await("the next answer", func(frame http2.Frame) bool {
		head, ok := frame.(*http2.HeadersFrame)
		return ok && head.StreamID == 3 && head.StreamEnded()
	})
	if err != nil {
		return fmt.Errorf("after %v: %w", code, err)
	}
	return memory.bounded(16)
}

// stat is a figure of stats().
func stat(t *target, name string) (int, error) {
	client, _ := t.client()
	content, err := get(client, t, "/stats")
	if err != nil {
		return 0, err
	}
	var figures map[string]int
	err = json.Unmarshal(content, &figures)
	return figures[name], err
}

func upload(client *http.Client, t *target, length int) error {
	sent := pattern(length)
	request, err := http.NewRequest("POST", t.url("/echo"), bytes.NewReader(sent))
	if err != nil {
		return err
	}
	_, content, err := do(client, request)
	if err == nil && !bytes.Equal(content, sent) {
		err = fmt.Errorf("%d bytes came back", len(content))
	}
	return err
}

// zeros is content without end.
type zeros struct{}

func (zeros) Read(space []byte) (int, error) {
	for i := range space {
		space[i] = 0
	}
	return len(space), nil
}

func bigUpload(t *target) error {
	const length = 300_000_000
	memory, err := t.server.memory()
	if err != nil {
		return err
	}
	client, _ := t.client()
	request, err := http.NewRequest("POST", t.url("/length"), io.LimitReader(zeros{}, length))
	if err != nil {
		return err
	}
	request.ContentLength = length
	_, content, err := do(client, request)
	if err != nil || string(content) != fmt.Sprint(length) {
		return fmt.Errorf("%q, %v", content, err)
	}
	return memory.bounded(16)
}
