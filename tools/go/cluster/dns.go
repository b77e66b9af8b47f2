package main

import (
	"fmt"
	"os"

	"github.com/coredns/caddy"

	// CoreDNS with what a cluster needs of it.
	_ "github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

// serveNames answers what the file in the first argument, a Corefile, says.
func serveNames(args []string) {
	if err := serve(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one argument: the Corefile")
	}
	contents, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	instance, err := caddy.Start(caddy.CaddyfileInput{Filepath: args[0], Contents: contents, ServerTypeName: "dns"})
	if err != nil {
		return err
	}
	instance.Wait()
	return nil
}
