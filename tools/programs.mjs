// The programs that the ground brings: what each is, and how it is built where no download answers.

/** @typedef {import("./go-build.mjs").Program} Program */

const PULUMI = "3.250.0";

/** @type {Program} */
export const engine = {
  name: "engine",
  title: "Pulumi engine",
  version: PULUMI,
  binary: "pulumi",
  target: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  usually: 200,
  gigabytes: 5,
  set: `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${PULUMI}`,
};

/** @type {Program} */
export const language = {
  name: "language",
  title: "Pulumi language host for Node.js",
  version: PULUMI,
  binary: "pulumi-language-nodejs",
  target: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  usually: 30,
  gigabytes: 1,
};

/** @type {Program} */
export const docker = {
  name: "docker",
  title: "Pulumi provider for Docker",
  version: "5.2.0",
  binary: "pulumi-resource-docker",
  target: ".",
  usually: 150,
  gigabytes: 4,
};

/** @type {Program} */
export const github = {
  name: "github",
  title: "Pulumi provider for GitHub",
  version: "6.12.1",
  binary: "pulumi-resource-github",
  target: ".",
  usually: 90,
  gigabytes: 3,
};

/** @type {Program} */
export const kubernetes = {
  name: "kubernetes",
  title: "Pulumi provider for Kubernetes",
  version: "4.18.1",
  binary: "pulumi-resource-kubernetes",
  target: ".",
  usually: 330,
  gigabytes: 6,
  embeds: {
    module: "github.com/pulumi/pulumi-kubernetes/provider/v4",
    folder: "cmd/pulumi-resource-kubernetes",
    files: ["schema.json", "terraform-mapping.json"],
  },
};

/** @type {Program} */
export const caddy = {
  name: "edge",
  title: "Caddy",
  version: "2.11.9",
  binary: "caddy",
  target: "github.com/caddyserver/caddy/v2/cmd/caddy",
  usually: 60,
  gigabytes: 2,
  set: "github.com/caddyserver/caddy/v2.CustomVersion=v2.11.9",
};

/** @type {Program} */
export const distribution = {
  name: "registry",
  title: "Distribution registry",
  version: "3.1.2",
  binary: "registry",
  target: "github.com/distribution/distribution/v3/cmd/registry",
  usually: 60,
  gigabytes: 2,
};

/** @type {Program} */
export const watchtower = {
  name: "watchtower",
  title: "Watchtower",
  version: "1.7.1",
  binary: "watchtower",
  target: "github.com/containrrr/watchtower",
  usually: 60,
  gigabytes: 2,
};

/** @type {Program} */
export const actionlint = {
  name: "actionlint",
  title: "actionlint",
  version: "1.7.12",
  binary: "actionlint",
  target: "github.com/rhysd/actionlint/cmd/actionlint",
  usually: 5,
  gigabytes: 1,
};

/** @type {Program} */
export const act = {
  name: "act",
  title: "act",
  version: "0.2.89",
  binary: "act",
  target: "github.com/nektos/act",
  usually: 60,
  gigabytes: 1,
};

const KUBERNETES = "1.34.2";
const kubernetesVersion = "k8s.io/component-base/version";

/** @type {Program} */
export const cluster = {
  name: "cluster",
  title: "Kubernetes",
  version: KUBERNETES,
  binary: "cluster",
  target: ".",
  usually: 420,
  gigabytes: 5,
  set: [
    `${kubernetesVersion}.gitVersion=v${KUBERNETES}`,
    `${kubernetesVersion}.gitMajor=1`,
    `${kubernetesVersion}.gitMinor=34`,
  ],
};
