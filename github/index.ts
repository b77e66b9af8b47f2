/** The GitHub room's public face: what other rooms import, and all they need to. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Receipt } from "../rollout/record";
import { Client, type Clock } from "./client";
import { type CompareOptions, type Comparison, compare } from "./compare";
import { Deployments, type Report, type ReportOptions } from "./deployments";
import { ReceiptMirror } from "./mirror";
import { type Access, accessIn, type Repository, repositoryIn, runPageIn } from "./repository";

export { Client } from "./client";
export type { Commit, CompareOptions, Comparison } from "./compare";
export type { Report, ReportOptions } from "./deployments";
export { GitHubError, type GitHubReason } from "./errors";
export {
  blobSha,
  type FilesFacts,
  type FoundEntry,
  type FoundFiles,
  factsText,
  inspectFiles,
  isOwnPlace,
  parentsOf,
  type RenderedFile,
  type Standing,
  standings,
  writeFiles,
} from "./files";
export {
  type EnvironmentFacts,
  type Feature,
  type GitHubFacts,
  inspect,
  type RepositoryFacts,
  type RulesetFacts,
} from "./inspect";
export { ReceiptMirror } from "./mirror";
export { type PackageFacts, packageFacts } from "./packages";
export { type Access, accessIn, type Repository, tokenAccess } from "./repository";

/** The one repository that a project belongs to, on GitHub. */
export class GitHub {
  readonly #client: Client;
  readonly #deployments: Deployments;

  constructor(
    readonly repository: Repository,
    access: Access,
    clock?: Clock,
  ) {
    this.#client = new Client(repository, access, clock);
    this.#deployments = new Deployments(this.#client);
  }

  /** Mirrors a roll as a deployment; again for each step of it. Failures are in the answer. */
  report(receipt: Receipt, options?: ReportOptions): Promise<Report> {
    return this.#deployments.report(receipt, options);
  }

  /** @throws GitHubError: `not-found` where the repository lacks one of the commits */
  compare(from: string, to: string, options?: CompareOptions): Promise<Comparison> {
    return compare(this.#client, from, to, options);
  }
}

export interface Surroundings {
  /** The project's folder, which has Pulumi.repository.yaml. */
  directory: string;
  env: NodeJS.ProcessEnv;
}

/** What may be asked of GitHub, or why nothing can; `reason` is left out where nobody asked for it. */
export function findGitHub({ directory, env }: Surroundings): { github: GitHub } | { reason?: string } {
  try {
    const file = join(directory, "Pulumi.repository.yaml");
    const repository = existsSync(file) ? repositoryIn(readFileSync(file, "utf8")) : undefined;
    if (repository === undefined) return {};
    const access = accessIn(env);
    if (access !== undefined) return { github: new GitHub(repository, access) };
    const { owner, name } = repository;
    return {
      reason: `${owner}/${name} on GitHub is told nothing: there is no token in GITHUB_TOKEN or GH_TOKEN`,
    };
  } catch (error) {
    const [first = ""] = (error as Error).message.split("\n");
    return { reason: `GitHub is told nothing: ${first}` };
  }
}

/** GitHub, where a repository is configured and the environment has a token. */
export function openGitHub(surroundings: Surroundings): GitHub | undefined {
  const found = findGitHub(surroundings);
  return "github" in found ? found.github : undefined;
}

/**
 * The way of receipts to GitHub; undefined where no repository is configured, or no token there. A roll in a workflow
 * has that workflow's page for its log.
 * @param say is told what is in the way, a sentence each, and each once; `info` where there is nothing but no token
 */
export function mirrorTo(
  surroundings: Surroundings,
  say: (problem: string, severity: "info" | "warning") => void,
): ReceiptMirror | undefined {
  const found = findGitHub(surroundings);
  if ("github" in found) {
    const logUrl = runPageIn(surroundings.env);
    return new ReceiptMirror(found.github, { say: (problem) => say(problem, "warning"), logUrl });
  }
  if (found.reason !== undefined) say(found.reason, "info");
  return undefined;
}
