package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// forward leads what connects to the first address on to the second: `tcp:HOST:PORT` or `unix:PATH`. A socket's path
// leads from one network namespace to another, where an address does not.
func forward(args []string) {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "two arguments: from where, to where")
		os.Exit(2)
	}
	kind, address, _ := strings.Cut(args[0], ":")
	if kind == "unix" {
		_ = os.Remove(address)
	}
	listener, err := net.Listen(kind, address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		from, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go lead(from, args[1])
	}
}

func lead(from net.Conn, target string) {
	defer from.Close()
	kind, address, _ := strings.Cut(target, ":")
	to, err := net.Dial(kind, address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer to.Close()
	done := make(chan struct{})
	go func() {
		pour(to, from)
		close(done)
	}()
	pour(from, to)
	<-done
}

// pour copies until the end and hands the end on, so that a half that is closed stays a half.
func pour(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
