package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// requests are what a client of good will sends.
var requests = []check{
	{name: "GET", run: getPlain},
	{name: "HEAD", run: head},
	{name: "responses without content", run: withoutContent},
	{name: "POST of 10 KiB", run: func(t *target) error { return post(t, 10<<10, true) }},
	{name: "POST of 5 MiB", run: func(t *target) error { return post(t, 5<<20, true) }},
	{name: "POST of 3 MiB without a length", run: func(t *target) error { return post(t, 3<<20, false) }},
	{name: "trailers both ways", run: trailers},
	{name: "100-continue", run: expectContinue, onlyTLS: true},
	{name: "1000 requests, 100 at a time, on one connection", run: concurrent},
	{name: "a slow worker blocks no stream, window or PING", run: slowWorker},
	{name: "a stream that is reset leaves the others alone", run: cancelled},
	{name: "requests that were reset before they began reach no worker", run: neverStarted},
}

// do sends a request and reads its whole answer.
func do(client *http.Client, request *http.Request) (*http.Response, []byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, content, err
}

// get asks for a path and wants 200.
func get(client *http.Client, t *target, path string) ([]byte, error) {
	request, err := http.NewRequest("GET", t.url(path), nil)
	if err != nil {
		return nil, err
	}
	response, content, err := do(client, request)
	if err == nil && response.StatusCode != 200 {
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return content, err
}

func getPlain(t *target) error {
	client, _ := t.client()
	response, err := client.Get(t.url("/bytes?n=16"))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.Proto != "HTTP/2.0" || response.StatusCode != 200 || response.ContentLength != 16 ||
		string(content) != "0123456789abcdef" {
		return fmt.Errorf("%s %s %d %q", response.Proto, response.Status, response.ContentLength, content)
	}
	return nil
}

func head(t *target) error {
	client, dials := t.client()
	for i := 0; i < 3; i++ {
		response, err := client.Head(t.url("/bytes?n=160000"))
		if err != nil {
			return err
		}
		content, err := io.ReadAll(response.Body)
		if err != nil || len(content) != 0 || response.ContentLength != 160000 {
			return fmt.Errorf("%d bytes, length %d, %v", len(content), response.ContentLength, err)
		}
	}
	if dials.Load() != 1 {
		return fmt.Errorf("%d connections", dials.Load())
	}
	return nil
}

func withoutContent(t *target) error {
	client, _ := t.client()
	for _, code := range []int{204, 304} {
		request, _ := http.NewRequest("GET", t.url(fmt.Sprintf("/status?code=%d", code)), nil)
		response, content, err := do(client, request)
		if err != nil || response.StatusCode != code || len(content) != 0 {
			return fmt.Errorf("%d: %v %q %v", code, response, content, err)
		}
	}
	return nil
}

// pattern is content in which no piece is like another.
func pattern(length int) []byte {
	content := make([]byte, length)
	for i := range content {
		content[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return content
}

func post(t *target, length int, known bool) error {
	client, _ := t.client()
	sent := pattern(length)
	var reader io.Reader = bytes.NewReader(sent)
	if !known {
		reader = io.MultiReader(reader)
	}
	request, err := http.NewRequest("POST", t.url("/echo"), reader)
	if err != nil {
		return err
	}
	response, content, err := do(client, request)
	if err != nil {
		return err
	}
	if response.StatusCode != 200 || !bytes.Equal(content, sent) {
		return fmt.Errorf("%s, %d bytes came back", response.Status, len(content))
	}
	return nil
}

func trailers(t *target) error {
	client, _ := t.client()
	request, err := http.NewRequest("POST", t.url("/echo"), io.MultiReader(strings.NewReader("content")))
	if err != nil {
		return err
	}
	request.Trailer = http.Header{"X-Sum": {"7"}}
	response, content, err := do(client, request)
	if err != nil {
		return err
	}
	if sum := response.Trailer.Get("X-Sum"); sum != "7" || string(content) != "content" {
		return fmt.Errorf("%q, trailers %v", content, response.Trailer)
	}
	return nil
}

// expectContinue goes by net/http, whose HTTP/2 alone can wait for a 100; it speaks that by TLS alone.
func expectContinue(t *target) error {
	transport := &http.Transport{
		TLSClientConfig: tlsConfig(), ForceAttemptHTTP2: true, ExpectContinueTimeout: patience,
	}
	client := &http.Client{Transport: transport, Timeout: patience}
	defer transport.CloseIdleConnections()
	told := false
	trace := &httptrace.ClientTrace{Got100Continue: func() { told = true }}
	request, err := http.NewRequest("POST", t.url("/echo"), strings.NewReader("content"))
	if err != nil {
		return err
	}
	request.Header.Set("Expect", "100-continue")
	request = request.WithContext(httptrace.WithClientTrace(context.Background(), trace))
	response, content, err := do(client, request)
	if err != nil || !told || string(content) != "content" || response.ProtoMajor != 2 {
		return fmt.Errorf("told: %v, %q, %v", told, content, err)
	}
	return nil
}

// concurrent stays below the streams that the server allows: a transport that has to wait for one does
// not always wake up again.
func concurrent(t *target) error {
	client, dials := t.client()
	errors := make(chan error, 100)
	for i := 0; i < cap(errors); i++ {
		go func(i int) {
			var err error
			for n := 0; n < 10 && err == nil; n++ {
				err = echo(client, t, fmt.Sprint("request ", i, " ", n))
			}
			errors <- err
		}(i)
	}
	for i := 0; i < cap(errors); i++ {
		if err := <-errors; err != nil {
			return err
		}
	}
	if dials.Load() != 1 {
		return fmt.Errorf("%d connections", dials.Load())
	}
	return nil
}

func echo(client *http.Client, t *target, sent string) error {
	response, err := client.Post(t.url("/echo"), "text/plain", strings.NewReader(sent))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err == nil && string(content) != sent {
		err = fmt.Errorf("%q in the place of %q", content, sent)
	}
	return err
}

// slowWorker asks one worker for something slow, and the other, on the same connection, for much else:
// downloads and uploads larger than the windows, and PING.
func slowWorker(t *target) error {
	conn, err := t.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	raw, err := (&http2.Transport{AllowHTTP: true}).NewClientConn(conn)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: raw, Timeout: patience}
	slow := make(chan error, 1)
	go func() {
		_, err := get(client, t, "/slow?ms=1500")
		slow <- err
	}()
	if err := until("one worker is busy", func() bool { return t.server.busy() == 1 }); err != nil {
		return err
	}
	for i := 0; i < 10; i++ {
		if err := upload(client, t, 300<<10); err != nil {
			return err
		}
		if err := raw.Ping(context.Background()); err != nil {
			return err
		}
	}
	select {
	case err := <-slow:
		return fmt.Errorf("the slow one was done first: %v", err)
	default:
	}
	return <-slow
}

// busy is how many workers are at /slow.
func (s *server) busy() int {
	names, _ := filepath.Glob(filepath.Join(s.place, "slow-*"))
	return len(names)
}

func cancelled(t *target) error {
	client, dials := t.client()
	name := "cancelled-" + t.name
	for i := 0; i < 3; i++ {
		ctx, cancel := context.WithCancel(context.Background())
		request, _ := http.NewRequestWithContext(ctx, "GET", t.url("/endless?name="+name), nil)
		response, err := client.Do(request)
		if err != nil {
			cancel()
			return err
		}
		_, err = io.ReadFull(response.Body, make([]byte, 1<<20))
		cancel()
		response.Body.Close()
		if err != nil {
			return err
		}
		// Its worker is told: both are free again.
		if err := until(name+": the worker was told", func() bool { return gone(t, name) }); err != nil {
			return err
		}
		os.Remove(filepath.Join(t.server.place, name))
	}
	if _, err := get(client, t, "/"); err != nil || dials.Load() != 1 {
		return fmt.Errorf("%v, %d connections", err, dials.Load())
	}
	return nil
}

// gone: the handler of /endless has seen that its client is gone.
func gone(t *target, name string) bool {
	content, err := os.ReadFile(filepath.Join(t.server.place, name))
	return err == nil && strings.HasSuffix(string(content), "gone")
}

func until(what string, condition func() bool) error {
	for begin := time.Now(); !condition(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > patience {
			return fmt.Errorf("waited in vain: %s", what)
		}
	}
	return nil
}

// neverStarted keeps both workers busy, sends requests that leave a mark, and resets them.
func neverStarted(t *target) error {
	marks := filepath.Join(t.server.place, "marks")
	os.Remove(marks)
	client, _ := t.client()
	var slow sync.WaitGroup
	var slowError error
	for i := 0; i < 2; i++ {
		slow.Add(1)
		go func() {
			defer slow.Done()
			if _, err := get(client, t, "/slow?ms=1000"); err != nil {
				slowError = err
			}
		}()
	}
	if err := until("both workers are busy", func() bool { return t.server.busy() == 2 }); err != nil {
		return err
	}
	for i := 0; i < 50; i++ {
		ctx, cancel := context.WithCancel(context.Background())
		sent := make(chan struct{})
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }}
		request, _ := http.NewRequestWithContext(
			httptrace.WithClientTrace(ctx, trace), "GET", t.url("/mark"), nil)
		done := make(chan error, 1)
		go func() {
			_, err := client.Do(request)
			done <- err
		}()
		<-sent
		cancel()
		if err := <-done; err == nil {
			return fmt.Errorf("request %d was answered before the slow ones", i)
		}
	}
	if t.server.busy() != 2 {
		return fmt.Errorf("this took longer than the slow requests")
	}
	slow.Wait()
	if slowError != nil {
		return slowError
	}
	// Behind those that were reset, in the same queues.
	for i := 0; i < 4; i++ {
		if _, err := get(client, t, "/mark"); err != nil {
			return err
		}
	}
	content, err := os.ReadFile(marks)
	if err != nil || len(content) != 4 {
		return fmt.Errorf("%d calls in the place of 4, %v", len(content), err)
	}
	return nil
}
