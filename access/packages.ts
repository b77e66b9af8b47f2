/**
 * What there is to know of each image's package: who sees it, what it is linked to, and whether the token at hand may
 * write to it, which is found out by opening an upload and cancelling it. A package that was not published yet is no
 * failure, and what cannot be asked is told as that.
 */
import type { RepositoryConfig } from "../config";
import { type Client, GitHubError, type GitHubFacts, type PackageFacts, packageFacts } from "../github";
import { type Reference, type RegistryClient, RegistryError } from "../registry";

export type WriteProof =
  | { kind: "proved" }
  /** A sure no, in the registry's words. */
  | { kind: "denied"; reason: string }
  | { kind: "unknown"; reason: string };

export interface PackageSurvey {
  /** `ghcr.io/acme/shop/server` */
  repository: string;
  /** Undefined where the image is on no registry of GitHub's. */
  onGitHub?: { owner: string; name: string } | undefined;
  /** `none`: not published yet. */
  found: PackageFacts | "none" | { unknown: string };
  write: WriteProof;
}

const githubRegistry = /^(?:ghcr\.io|containers\.[\w.-]+)$/;

export async function surveyPackages(
  images: RepositoryConfig["images"],
  facts: GitHubFacts,
  client: Client,
  registry: Pick<RegistryClient, "proveWrite">,
): Promise<Record<string, PackageSurvey>> {
  const entries = await Promise.all(
    Object.entries(images).map(async ([image, { repository: reference }]) => {
      const onGitHub = packageOf(reference);
      const [found, write] = await Promise.all([
        onGitHub ? look(client, facts, onGitHub) : ("none" as const),
        prove(registry, reference),
      ]);
      const repository = `${reference.registry}/${reference.repository}`;
      return [image, { repository, onGitHub, found, write }] as const;
    }),
  );
  return Object.fromEntries(entries);
}

function packageOf({ registry, repository }: Reference): { owner: string; name: string } | undefined {
  if (!githubRegistry.test(registry)) return undefined;
  const [owner = "", ...name] = repository.split("/");
  return { owner, name: name.join("/") };
}

async function look(
  client: Client,
  facts: GitHubFacts,
  { owner, name }: { owner: string; name: string },
): Promise<PackageSurvey["found"]> {
  if (facts.owner === undefined) return { unknown: "its owner is not known" };
  try {
    return (await packageFacts(client, facts.owner.kind, owner, name)) ?? "none";
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    return { unknown: error.message };
  }
}

async function prove(
  registry: Pick<RegistryClient, "proveWrite">,
  reference: Reference,
): Promise<WriteProof> {
  try {
    await registry.proveWrite(reference);
    return { kind: "proved" };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isSure = error instanceof RegistryError && ["access", "refused", "absent"].includes(error.reason);
    return { kind: isSure ? "denied" : "unknown", reason: error.message };
  }
}
