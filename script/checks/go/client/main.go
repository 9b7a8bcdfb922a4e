// Command client asks a Ferrite server over HTTP/2, in cleartext with prior knowledge and by TLS, with
// golang.org/x/net/http2: what a Go program would send, and what an attacker would. Each check is a
// line "ok NAME" or "FAIL NAME", and the exit code says whether all went well.
//
//	client -clear 127.0.0.1:9501 -tls 127.0.0.1:9543 -pid SUPERVISOR -place FOLDER [GROUP ...]
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// patience is longer than anything may take.
const patience = 20 * time.Second

// server is what is asked.
type server struct {
	clear, tls string
	// The supervisor's process id.
	pid int
	// The folder that the server leaves files in.
	place string
}

// target is one of the server's ports.
type target struct {
	server  *server
	name    string
	address string
	secure  bool
}

// check is one test of a port.
type check struct {
	name string
	run  func(*target) error
	// Whether it is for the port with TLS alone.
	onlyTLS bool
}

// groups are the checks, in the order in which they run.
var groups = []struct {
	name   string
	checks []check
}{
	{"requests", requests},
	{"reloads", reloads},
	{"windows", windows},
	{"attacks", attacks},
	{"stops", stops},
}

func main() {
	var s server
	flag.StringVar(&s.clear, "clear", "", "address of the port in cleartext")
	flag.StringVar(&s.tls, "tls", "", "address of the port with TLS")
	flag.IntVar(&s.pid, "pid", 0, "process id of the supervisor")
	flag.StringVar(&s.place, "place", "", "folder of the server's files")
	flag.Parse()
	code := 0
	for _, group := range groups {
		if flag.NArg() > 0 && !contains(flag.Args(), group.name) {
			continue
		}
		for _, t := range s.targets() {
			for _, c := range group.checks {
				if c.onlyTLS && !t.secure {
					continue
				}
				begin := time.Now()
				err := c.run(t)
				took := time.Since(begin).Seconds()
				if err != nil {
					fmt.Printf("FAIL Go, %s: %s: %v (%.2f s)\n", t.name, c.name, err, took)
					code = 1
				} else {
					fmt.Printf("ok Go, %s: %s (%.2f s)\n", t.name, c.name, took)
				}
			}
		}
	}
	os.Exit(code)
}

// targets are the server's ports.
func (s *server) targets() []*target {
	return []*target{{s, "h2c", s.clear, false}, {s, "TLS", s.tls, true}}
}

func contains(words []string, wanted string) bool {
	for _, word := range words {
		if word == wanted {
			return true
		}
	}
	return false
}

// url is the address of a path.
func (t *target) url(path string) string {
	if t.secure {
		return "https://" + t.address + path
	}
	return "http://" + t.address + path
}

// dial opens a connection and, on a port with TLS, agrees on HTTP/2.
func (t *target) dial() (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", t.address, patience)
	if err != nil || !t.secure {
		return conn, err
	}
	secure := tls.Client(conn, tlsConfig())
	if err := secure.Handshake(); err != nil {
		return nil, err
	}
	if agreed := secure.ConnectionState().NegotiatedProtocol; agreed != "h2" {
		return nil, fmt.Errorf("ALPN agreed on %q", agreed)
	}
	return secure, nil
}

// tlsConfig trusts the certificate for development, which nobody has signed.
func tlsConfig() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
}

// client is a client of its own; dials counts its connections.
func (t *target) client() (client *http.Client, dials *atomic.Int32) {
	dials = new(atomic.Int32)
	transport := &http2.Transport{
		AllowHTTP: true,
		DialTLS: func(_, _ string, _ *tls.Config) (net.Conn, error) {
			dials.Add(1)
			return t.dial()
		},
	}
	return &http.Client{Transport: transport, Timeout: patience}, dials
}
