/** A package on GHCR, as far as GitHub's API tells: no call sets what stands here. */
import { z } from "zod";
import type { Client } from "./client";
import { permissions } from "./errors";
import { missing } from "./inspect";

const answer = z.object({
  visibility: z.string(),
  html_url: z.string(),
  repository: z.object({ full_name: z.string() }).nullish(),
});

export interface PackageFacts {
  visibility: string;
  /** Its page. */
  page: string;
  /** `owner/name` of the repository that it is linked to. */
  linkedTo?: string;
}

const patienceMs = 5_000;

/**
 * @param owner as the registry spells it, in lower case
 * @param name below the owner, with slashes
 * @returns undefined where it was not published yet
 * @throws GitHubError
 */
export async function packageFacts(
  client: Client,
  kind: "user" | "organization",
  owner: string,
  name: string,
): Promise<PackageFacts | undefined> {
  const own = { package_type: "container", package_name: name };
  const found = await missing(() =>
    client.ask({
      ...(kind === "organization"
        ? {
            route: "GET /orgs/{org}/packages/{package_type}/{package_name}",
            parameters: { org: owner, ...own },
          }
        : {
            route: "GET /users/{username}/packages/{package_type}/{package_name}",
            parameters: { username: owner, ...own },
          }),
      answer,
      needs: permissions.packages,
      patienceMs,
    }),
  );
  if (found === undefined) return undefined;
  const { visibility, html_url: page, repository } = found;
  return { visibility, page, ...(repository ? { linkedTo: repository.full_name } : {}) };
}
