// The CI/CD workflows of the managed repository, from the config of the repository's stack: a pure function to files,
// which the stack writes into the repository and `tagalong workflows` into a folder.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RepositoryConfig } from "../config";
import { SIGN, sealed, UNSEALED } from "../github/files/seal";
import { checkWorkflow } from "./check";
import { imageWorkflow } from "./image";
import { previewWorkflow } from "./preview";
import { promoteWorkflow } from "./promote";
import { releaseWorkflow } from "./release";
import { renovate } from "./renovate";
import { loginOf, settingsOf } from "./settings";
import { FOLDER } from "./steps";
import { type Workflow, workflowText } from "./syntax";

export interface WantedWorkflows {
  readonly files: readonly WorkflowFile[];
  readonly overwrite: readonly string[];
  /** What they take for the default branch. */
  readonly branch: string;
}

export interface WorkflowFile {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  /** As Git has it. */
  readonly mode: "100644" | "100755";
}

const HEADER = [
  `${SIGN} from tagalong:workflows, in Pulumi.repository.yaml of its project. Do not edit it here:`,
  "change the config there, then `pulumi up --stack repository`, or `npx tagalong workflows --out` this folder.",
  UNSEALED,
];

/** What the stack is to write into the repository; undefined where it writes nothing. */
export function wantedWorkflows(config: RepositoryConfig): WantedWorkflows | undefined {
  const { overwrite, branch } = config.workflows;
  return config.writesWorkflows ? { files: renderWorkflows(config), overwrite, branch } : undefined;
}

/** The repository's settings; where only selected actions may run, those of the workflows that it gets are among them. */
export function settingsFor(config: RepositoryConfig): RepositoryConfig["repository"] {
  const { repository, writesWorkflows } = config;
  const { actions } = repository;
  if (!writesWorkflows || actions.allowed !== "selected") return repository;
  const used = renderWorkflows(config).flatMap(({ text }) =>
    [...text.matchAll(/\buses: ([\w.-]+\/[\w./-]+)@/g)].map(([, action = ""]) => `${action}@*`),
  );
  const needed = used.filter((pattern) => !pattern.startsWith("actions/")); // GitHub's own may run anyway
  return {
    ...repository,
    actions: { ...actions, patterns: [...new Set([...actions.patterns, ...needed])].sort() },
  };
}

/** Every file, in the order of their paths. */
export function renderWorkflows(config: RepositoryConfig): WorkflowFile[] {
  const settings = settingsOf(config);
  const login = loginOf(config);
  const { workflows } = config;
  const rendered: Record<string, Workflow> = {
    check: checkWorkflow(workflows, settings, login),
    image: imageWorkflow(workflows, settings, login),
    release: releaseWorkflow(workflows, login),
    // Without an environment there is nothing to promote to.
    ...(settings.environments.length > 0 && {
      promote: promoteWorkflow(workflows, settings, login),
      preview: previewWorkflow(workflows, settings, login),
    }),
  };
  const files = [
    ...Object.entries(rendered).map(([name, workflow]) =>
      file(`.github/workflows/${name}.yml`, workflowText(workflow, HEADER.join("\n"))),
    ),
    file(`${FOLDER}/settings.json`, json({ "//": HEADER.join(" "), ...settings })),
    ...(workflows.renovate ? [file(".github/renovate.json", json(withDescription(renovate())))] : []),
    ...scripts(),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const file = (path: string, text: string): WorkflowFile => ({
  path,
  text: sealed(text),
  mode: text.startsWith("#!") ? "100755" : "100644",
});

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Renovate refuses keys that it does not know, and has one of its own for words. */
const withDescription = ({ $schema, ...rest }: Record<string, unknown>): Record<string, unknown> => ({
  $schema,
  description: HEADER,
  ...rest,
});

/** The scripts that the workflows run, below the same header. */
function scripts(): WorkflowFile[] {
  const folder = scriptsFolder();
  return readdirSync(folder).map((name) =>
    file(
      `${FOLDER}/${name}`,
      withHeader(readFileSync(join(folder, name), "utf8"), name.endsWith(".mjs") ? "//" : "#"),
    ),
  );
}

/** Where this project keeps them: below this file as it is written, and as it is bundled into dist/ or into the program. */
function scriptsFolder(): string {
  const found = [__dirname, join(__dirname, "..")]
    .map((folder) => join(folder, "workflows", "scripts"))
    .find(existsSync);
  if (found !== undefined) return found;
  throw new Error(
    `the scripts of the workflows are not where they belong, beside ${__dirname}: install anew`,
  );
}

function withHeader(text: string, mark: string): string {
  const header = `${HEADER.map((line) => `${mark} ${line}`).join("\n")}\n`;
  const [first = "", ...rest] = text.split("\n");
  return first.startsWith("#!") ? [first, header + rest.join("\n")].join("\n") : header + text;
}
