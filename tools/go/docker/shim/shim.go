// Package shim re-exports the provider that upstream keeps internal; its module path is what makes that legal.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider returns upstream's provider.
func NewProvider() *schema.Provider {
	return provider.New("5.2.0")()
}
