// Command pulumi-resource-kubernetes is Pulumi's kubernetes provider. Its own main embeds files that its release
// generates, so this one embeds the same files as the module ships them; the build lays them beside this file.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", "4.18.1", schema, terraformMapping)
}
