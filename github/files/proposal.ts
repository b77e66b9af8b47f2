/**
 * The one pull request by which our files come into a branch that takes no pushes. Its branch is only ever moved on:
 * what somebody else has put there stays.
 */
import { z } from "zod";
import type { Client } from "../client";
import { GitHubError, permissions } from "../errors";
import { surely } from "./commit";

export const PROPOSAL_BRANCH = "tagalong/workflows";

const pullAnswer = z.object({
  number: z.number(),
  html_url: z.string(),
  title: z.string(),
  body: z.string().nullable(),
});

export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly body: string;
}

const needs = permissions.pulls;
const patienceMs = 10_000;

/** The one that is open; undefined where there is none. @throws GitHubError */
export async function openPullRequest(client: Client, branch: string): Promise<PullRequest | undefined> {
  const [found] = await client.ask({
    route: "GET /repos/{owner}/{repo}/pulls",
    parameters: {
      ...{ state: "open", head: `${client.repository.owner}:${PROPOSAL_BRANCH}`, base: branch },
    },
    answer: z.array(pullAnswer),
    ...{ needs, patienceMs },
  });
  return found && plain(found);
}

/** Opens it, or says in it what it is about now. @throws GitHubError */
export async function propose(
  client: Client,
  branch: string,
  existing: PullRequest | undefined,
  text: { title: string; body: string },
): Promise<PullRequest> {
  if (existing?.title === text.title && existing.body === text.body) return existing;
  const ask = (route: string, parameters: object) =>
    client.ask({ route, parameters: { ...parameters, ...text }, answer: pullAnswer, needs, patienceMs });
  if (existing !== undefined) {
    const update = () =>
      ask("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", { pull_number: existing.number });
    return plain(await surely(update, async () => undefined));
  }
  const find = () => openPullRequest(client, branch);
  try {
    const open = async () =>
      plain(await ask("POST /repos/{owner}/{repo}/pulls", { head: PROPOSAL_BRANCH, base: branch }));
    return await surely(open, find);
  } catch (error) {
    // A list may lag behind: GitHub itself has each pull request once.
    const found = error instanceof GitHubError && error.reason === "refused" ? await find() : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

const plain = ({ html_url: url, body, ...rest }: z.output<typeof pullAnswer>): PullRequest => ({
  ...{ number: rest.number, title: rest.title, url },
  body: (body ?? "").replaceAll("\r\n", "\n"),
});
