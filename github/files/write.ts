/**
 * Our files in a repository: what is to be done, and doing it in one commit, straight to the branch or in a pull request
 * where its rules ask for one. Promises that whatever it was in the middle of is gone on with by the next one.
 */
import type { Client } from "../client";
import { GitHubError } from "../errors";
import { makeCommit, makeTree, moveBranch } from "./commit";
import { type Look, look, type Tip } from "./look";
import { changesText, type Plan, planOf, type RenderedFile, waitingText } from "./plan";
import { openPullRequest, PROPOSAL_BRANCH, type PullRequest, propose } from "./proposal";
import { refusesPushes } from "./rules";
import { SIGN } from "./seal";

export interface Target {
  readonly branch: string;
  readonly files: readonly RenderedFile[];
  /** Paths of files that need not be as we wrote them. */
  readonly overwrite: readonly string[];
}

/** What there is to know before anything is written; plain data. */
export interface FilesFacts {
  readonly branch: string;
  /** Without a commit there is nothing to commit to. */
  readonly isEmpty: boolean;
  readonly plan: Plan;
  /** Whether they come by a pull request: the branch takes commits no other way, or one is open already. */
  readonly byPullRequest: boolean;
  /** Whether all that is to be changed is in the pull request that is open. */
  readonly isWaiting: boolean;
  /** The pull request that is open. */
  readonly open?: {
    readonly url: string;
    readonly number: number;
    /** Files that somebody has edited in it. */
    readonly edited: readonly string[];
  };
  /** What the token may not do, in a sentence. */
  readonly problem?: string;
}

export interface Written {
  /** The commit that was made; "" where none was. */
  readonly commit: string;
  /** The page of the pull request that is to be merged; "" where there is none. */
  readonly pullRequest: string;
}

const mostTries = 3;
const unasked = { byPullRequest: false, isWaiting: false };
const nothing: Written = { commit: "", pullRequest: "" };
const isEmptyPlan = ({ changes }: Plan): boolean => Object.keys(changes).length === 0;

/**
 * @param proves whether to try if the token may write, where there is something to write: by a tree that nobody sees
 * @throws GitHubError
 */
export async function inspectFiles(client: Client, target: Target, proves: boolean): Promise<FilesFacts> {
  const { branch, files, overwrite } = target;
  const found = await permitted(() => look(client, branch, files));
  if ("refused" in found) {
    const plan = { changes: {}, left: {} };
    return { branch, isEmpty: false, plan, ...unasked, problem: found.refused };
  }
  const { tip, found: entries } = found.answer;
  const plan = planOf(files, entries, overwrite);
  if (tip === undefined) return { branch, isEmpty: true, plan, ...unasked };
  const [isRefused, asked] = await Promise.all([
    isEmptyPlan(plan) ? false : refusesPushes(client, branch),
    permitted(() => openFacts(client, target)),
  ]);
  const { isCurrent = false, ...open } = ("answer" in asked && asked.answer) || {};
  const byPullRequest = !isEmptyPlan(plan) && (isRefused || "url" in open);
  const isWaiting = byPullRequest && isCurrent;
  const tree = await permitted(async () =>
    proves && !isEmptyPlan(plan) && !isWaiting ? makeTree(client, tip, plan.changes, files) : undefined,
  );
  const problem = "refused" in tree ? tree.refused : byPullRequest && "refused" in asked ? asked.refused : "";
  return {
    ...{ branch, isEmpty: false, plan, byPullRequest, isWaiting },
    ...("url" in open && { open }),
    ...(problem !== "" && { problem }),
  };
}

async function openFacts(
  client: Client,
  target: Target,
): Promise<(NonNullable<FilesFacts["open"]> & { isCurrent: boolean }) | undefined> {
  const pull = await openPullRequest(client, target.branch);
  if (pull === undefined) return undefined;
  const there = await look(client, PROPOSAL_BRANCH, target.files);
  const plan = planOf(target.files, there.found, target.overwrite);
  const edited = Object.keys(plan.left).filter((path) => plan.left[path] === "edited");
  return { url: pull.url, number: pull.number, isCurrent: isEmptyPlan(plan), edited };
}

/** The answer, or what the token may not do. */
async function permitted<T>(ask: () => Promise<T>): Promise<{ answer: T } | { refused: string }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (error instanceof GitHubError && ["permission", "not-found"].includes(error.reason))
      return { refused: error.message };
    throw error;
  }
}

/** @throws GitHubError */
export async function writeFiles(client: Client, target: Target): Promise<Written> {
  const { branch, files, overwrite } = target;
  for (let tried = 1; ; tried += 1) {
    const seen = await look(client, branch, files);
    const plan = planOf(files, seen.found, overwrite);
    const { tip } = seen;
    if (tip === undefined || isEmptyPlan(plan)) return nothing;
    const [isRefused, asked] = await Promise.all([
      refusesPushes(client, branch),
      permitted(() => openPullRequest(client, branch)),
    ]);
    const isOpen = "answer" in asked && asked.answer !== undefined;
    if (isRefused || isOpen) return inPullRequest(client, target, tip, plan);
    const { changes } = plan;
    const message = messageOf(changes);
    const commit = await makeCommit(client, { base: tip, parents: [tip.commit], message, changes }, files);
    const moved = await moveBranch(client, branch, tip.commit, commit);
    if (moved === "moved") return { commit, pullRequest: "" };
    // What protects the branch otherwise than by rules is found out by trying.
    if (moved !== "overtaken") return inPullRequest(client, target, tip, plan);
    if (tried >= mostTries) throw overtaken(branch);
  }
}

async function inPullRequest(client: Client, target: Target, tip: Tip, plan: Plan): Promise<Written> {
  const { branch, files } = target;
  const [pull, there] = await Promise.all([
    openPullRequest(client, branch),
    look(client, PROPOSAL_BRANCH, files),
  ]);
  const step = nextStep(target, tip, plan, pull, there);
  let commit = "";
  if (step !== undefined) {
    commit = await makeCommit(client, { ...step, message: messageOf(step.changes) }, files);
    const moved = await moveBranch(client, PROPOSAL_BRANCH, there.tip?.commit, commit);
    if (moved === "overtaken") throw overtaken(PROPOSAL_BRANCH);
    if (moved !== "moved") throw moved.refused;
  }
  const { url } = await propose(client, branch, pull, textOf(plan));
  return { commit, pullRequest: url };
}

/** What to commit to the pull request's branch; undefined where it has everything. */
function nextStep(
  { files, overwrite }: Target,
  tip: Tip,
  plan: Plan,
  pull: PullRequest | undefined,
  there: Look,
): { base: Tip; parents: string[]; changes: Plan["changes"] } | undefined {
  const fresh = { base: tip, parents: [tip.commit], changes: plan.changes };
  if (there.tip === undefined) return fresh;
  const rest = planOf(files, there.found, overwrite);
  const isBegun = pull !== undefined || there.tip.parents.includes(tip.commit);
  if (isBegun)
    return isEmptyPlan(rest)
      ? undefined
      : { base: there.tip, parents: [there.tip.commit], changes: rest.changes };
  // What an earlier pull request has left behind: its history stays, and nothing of its content.
  return { ...fresh, parents: [there.tip.commit, tip.commit] };
}

const origin = `${SIGN} from tagalong:workflows, in Pulumi.repository.yaml of its project.`;

const messageOf = (changes: Plan["changes"]): string =>
  `Workflows: ${countOf(changes)} as the config says\n\n${origin}\n\n${listOf(changes)}\n`;

const countOf = (changes: Plan["changes"]): string => {
  const count = Object.keys(changes).length;
  return count === 1 ? "1 file" : `${count} files`;
};

const listOf = (changes: Plan["changes"], quote = ""): string =>
  Object.entries(changes)
    .map(([path, change]) => `- ${change}: ${quote}${path}${quote}`)
    .join("\n");

function textOf({ changes, left }: Plan): { title: string; body: string } {
  const kept = Object.keys(left);
  const rest =
    kept.length === 0
      ? ""
      : `\n\nLeft as they are, since they are not as they were rendered: ${kept.map((path) => `\`${path}\``).join(", ")}.`;
  return {
    title: `Workflows: ${countOf(changes)} as the config says`,
    body: `${origin}\n\n${listOf(changes, "`")}${rest}\n\nThe next \`pulumi up --stack repository\` updates this pull request in place. Change the config rather than these files.`,
  };
}

const overtaken = (branch: string): GitHubError =>
  new GitHubError("refused", `somebody else moves the branch ${branch} at the same time; try again`);

/** What is to be written, and how, or what it waits for, in words. */
export function factsText({ plan, branch, byPullRequest, isWaiting, open }: FilesFacts): string {
  if (isWaiting && open) return waitingText(plan.changes, `#${open.number}`);
  const how = byPullRequest
    ? open
      ? `in pull request #${open.number}, updated in place`
      : `in a pull request to ${branch}, whose rules ask for one`
    : `in one commit to ${branch}`;
  return `${how}: ${changesText(plan.changes)}`;
}
