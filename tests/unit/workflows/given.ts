// Repositories as they differ: what is rendered for each must be clean.
import { type RepositoryConfig, validateConfig } from "../../../config";
import { renderWorkflows, type WorkflowFile } from "../../../workflows";

type Values = Readonly<Record<string, unknown>>;

const image = (name: string) => ({ repository: `ghcr.io/acme/shop/${name}` });

/** The typed config of a repository's stack. */
export function repository(
  workflows?: Values,
  names: readonly string[] = ["server", "client"],
): RepositoryConfig {
  const config = validateConfig(
    {
      images: Object.fromEntries(names.map((name) => [name, image(name)])),
      repository: { owner: "acme", name: "shop" },
      ...(workflows !== undefined && { workflows }),
    },
    { stack: "repository" },
  );
  if (config.kind !== "repository") throw new Error("not the repository's stack");
  return config;
}

export const matrix: Readonly<Record<string, RepositoryConfig>> = {
  "no key at all": repository(),
  "one image": repository({ environments: ["dev", "test"] }, ["server"]),
  "two images": repository({ environments: ["dev"] }),
  "one platform": repository({ platforms: ["linux/amd64"], environments: ["dev"] }),
  "three platforms": repository({
    platforms: ["linux/amd64", "linux/arm64", "linux/riscv64"],
    runners: { "linux/riscv64": "our-riscv" },
  }),
  "no environment": repository({ environments: [] }),
  "three environments": repository({ environments: ["dev", "test", "prod.eu"], project: "." }),
  "everything set": repository({
    branch: "trunk",
    platforms: ["linux/amd64", "linux/arm64"],
    images: {
      server: {
        context: "server",
        dockerfile: "server/build/Dockerfile",
        paths: ["server", "shared files", "!**/*.md"],
        platforms: ["linux/amd64"],
        budget: "120M",
      },
    },
    environments: ["dev", "test"],
    tag: "edge",
    wait: "10m",
    login: { username: "REGISTRY_USER", password: "REGISTRY_PASSWORD" },
    check: {
      node: "24",
      setup: ["npm ci"],
      quality: ["npm run lint", "npx tsc"],
      unit: ["npm test -- --grep 'a: b # c'"],
      integration: ['test "$(id -u)" -gt 0 && npm run integration'],
      timeout: "45m",
    },
    notify: "CHAT_WEBHOOK",
    documentation: { run: ["npm ci", "npm run docs"], folder: "site" },
    project: "deploy",
    attest: false,
    renovate: false,
  }),
};

export const render = (workflows?: Values, names?: readonly string[]): WorkflowFile[] =>
  renderWorkflows(repository(workflows, names));

/** The text of one rendered file. */
export function textOf(files: readonly WorkflowFile[], path: string): string {
  const found = files.find((file) => file.path === path);
  if (found === undefined)
    throw new Error(`${path} is not rendered; there are ${files.map((file) => file.path)}`);
  return found.text;
}
