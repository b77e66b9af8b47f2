// Command pulumi-resource-github is Pulumi's github provider, made by its official recipe: the bridge over upstream.
package main

import (
	"github.com/integrations/terraform-provider-github/v6/github"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// The version that the SDK's package.json names, so that the engine takes this plugin for it.
const version = "6.12.1"

func main() {
	provider := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(github.Provider()),
		Name:    "github",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"base_url": {Default: &tfbridge.DefaultInfo{
				Value:   "https://api.github.com/",
				EnvVars: []string{"GITHUB_BASE_URL"},
			}},
			"token": {Secret: tfbridge.True(), Default: &tfbridge.DefaultInfo{EnvVars: []string{"GITHUB_TOKEN"}}},
		},
		// These cannot exist beside their own replacements.
		Resources: map[string]*tfbridge.ResourceInfo{
			"github_repository_deploy_key": {
				Tok:                 "github:index/repositoryDeployKey:RepositoryDeployKey",
				DeleteBeforeReplace: true,
			},
			"github_repository_autolink_reference": {
				Tok:                 "github:index/repositoryAutolinkReference:RepositoryAutolinkReference",
				DeleteBeforeReplace: true,
			},
			"github_actions_environment_secret": {
				Tok:                 "github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret",
				DeleteBeforeReplace: true,
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"github_app": {Tok: "github:index/getGithubApp:getGithubApp"},
		},
	}
	provider.MustComputeTokens(tokens.SingleModule("github_", "index", tokens.MakeStandard("github")))
	provider.SetAutonaming(255, "-")
	tfbridge.Main("github", version, provider, []byte(`{"name":"github","version":"`+version+`"}`))
}
