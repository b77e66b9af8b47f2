// Command cluster is every program of a Kubernetes cluster in one: the name it is called by says which it is.
// One program shares what all of them are made of, in the build, on disk and in memory.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiservercmd "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiservercmd.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

// What takes its arguments in another way.
var others = map[string]func(){
	"coredns": func() { serveNames(os.Args[1:]) },
	"etcd":    func() { etcdmain.Main(os.Args) },
	"forward": func() { forward(os.Args[1:]) },
	"kwok":    playNodes,
}

func main() {
	name := filepath.Base(os.Args[0])
	if command, known := commands[name]; known {
		os.Exit(cli.Run(command()))
	}
	if run, known := others[name]; known {
		run()
		return
	}
	names := slices.Sorted(maps.Keys(commands))
	names = slices.AppendSeq(names, maps.Keys(others))
	fmt.Fprintf(os.Stderr, "called as %s; call it by one of these names: %s\n", name, strings.Join(names, ", "))
	os.Exit(2)
}
