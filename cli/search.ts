// Looks for an image by what is known of it: names that are known, receipts, the labels of what tags carry. No registry
// is asked for a list of its tags.
import { execFileSync } from "node:child_process";
import { describe } from "../ledger";
import { atDigest, atTag, formatReference, type Reference } from "../registry";
import { type Period, periods } from "../rollout/past";
import type { Receipt } from "../rollout/record";
import type { Asked } from "./asked";
import { descendants } from "./descendants";
import { CommandError, exitCodes, sentenceOf } from "./failure";
import type { Environment, Project } from "./project";
import { type Finding, findingOf } from "./standing";

/** Where one image at one digest is, as `--json` has it; docs/cli.md documents it. */
export interface Location {
  image: string;
  repository: string;
  digest: string;
  version: string | null;
  commit: string | null;
  platforms: string[];
  tags: string[];
  environments: Record<
    string,
    {
      runs: boolean;
      since: string | null;
      carries: boolean;
      ran: { since: string; until: string }[];
      verdict: Finding;
    }
  >;
}

/** One environment with what its receipts tell. */
interface Place {
  environment: Environment;
  receipts: Receipt[];
  past: Period[];
}

interface Target {
  image: string;
  reference: Reference;
  digest: string;
}

type Of = (image: string, reference: Reference, place: Place) => Promise<string | undefined>;

type FullyAsked = Exclude<Asked, { kind: "short" }>;

export class Search {
  kind: FullyAsked["kind"] = "tag";
  /** The commit whose images have the one in them that was asked for and has none of its own. */
  containedIn: string | undefined;
  readonly unknown = new Set<string>();

  constructor(private readonly project: Project) {}

  async run(asked: Asked, names: readonly string[]): Promise<Location[]> {
    const places = (await Promise.all(names.map((name) => this.sure(this.place(name))))).filter(
      (place) => place !== undefined,
    );
    const full = asked.kind === "short" ? this.full(asked.short, places) : asked;
    this.kind = full.kind;
    let targets = await this.targets(full, places);
    if (full.kind === "commit" && targets.length === 0 && this.unknown.size === 0)
      targets = await this.containing(full.commit, places);
    const unique = [...new Map(targets.map((one) => [formatReference(pinned(one)), one])).values()];
    const named =
      this.containedIn === undefined ? full : { kind: "commit" as const, commit: this.containedIn };
    const found = await Promise.all(unique.map((target) => this.sure(this.locate(target, named, places))));
    return found.filter((one) => one !== undefined);
  }

  /** The answer, or undefined with the reason noted. */
  private async sure<T>(question: Promise<T>): Promise<T | undefined> {
    try {
      return await question;
    } catch (error) {
      this.unknown.add(sentenceOf(this.project.credentials.explained(error)));
      return undefined;
    }
  }

  private async place(name: string): Promise<Place> {
    const environment = this.project.environment(name);
    const receipts = await environment.ledger.receipts();
    return { environment, receipts, past: periods(receipts, Object.keys(environment.references)) };
  }

  /** What begins so: a commit that is known, or else a tag. */
  private full(short: string, places: readonly Place[]): FullyAsked {
    const commit = fullCommit(short, places, this.project.directory);
    return commit === undefined ? { kind: "tag", tag: short } : { kind: "commit", commit };
  }

  private async targets(asked: FullyAsked, places: readonly Place[]): Promise<Target[]> {
    const each = (of: Of) => this.each(places, of);
    if (asked.kind === "environment") {
      return each(async (image, reference, { environment, past }) =>
        environment.name === asked.environment
          ? (past[0]?.images[image]?.digest ?? (await this.digestAt(reference)))
          : undefined,
      );
    }
    if (asked.kind === "digest")
      return each((_, reference) => this.digestAt(atDigest(reference, asked.digest)));
    if (asked.kind === "tag") return each((_, reference) => this.digestAt(atTag(reference, asked.tag)));
    const tagged = await each((_, reference) => this.digestAt(atTag(reference, `sha-${asked.commit}`)));
    const carried = await each(async (image, reference, { environment }) => {
      const digest = await this.digestAt(reference);
      if (digest === undefined) return undefined;
      const { revision } = await describe(
        this.project.client,
        environment.references[image] ?? reference,
        digest,
      );
      return revision === asked.commit ? digest : undefined;
    });
    const rolled = places.flatMap(({ environment, receipts }) =>
      receipts.flatMap(({ images }) =>
        Object.entries(images).flatMap(([image, { to, revision }]): Target[] => {
          const reference = environment.references[image];
          return reference && revision === asked.commit ? [{ image, reference, digest: to }] : [];
        }),
      ),
    );
    return [...tagged, ...carried, ...rolled];
  }

  /** What is found at every image of every place. */
  private async each(places: readonly Place[], of: Of): Promise<Target[]> {
    const all = places.flatMap((place) =>
      Object.entries(place.environment.references).map(async ([image, reference]): Promise<Target[]> => {
        const digest = await this.sure(of(image, reference, place));
        return digest === undefined ? [] : [{ image, reference, digest }];
      }),
    );
    return (await Promise.all(all)).flat();
  }

  /** The images of the next commit that was built. */
  private async containing(commit: string, places: readonly Place[]): Promise<Target[]> {
    for (const later of descendants(commit, this.project.directory)) {
      const found = await this.each(places, (_, reference) =>
        this.digestAt(atTag(reference, `sha-${later}`)),
      );
      if (found.length > 0) this.containedIn = later;
      if (found.length > 0 || this.unknown.size > 0) return found;
    }
    return [];
  }

  private async digestAt(reference: Reference): Promise<string | undefined> {
    const found = await this.project.client.resolve(reference);
    return found.kind === "found" ? found.digest : undefined;
  }

  private async locate(target: Target, asked: FullyAsked, places: readonly Place[]): Promise<Location> {
    const { image, reference, digest } = target;
    const { version, revision, platforms } = await describe(this.project.client, reference, digest);
    const bare = version?.replace(/^v/, "");
    const names = new Set([
      ...(asked.kind === "tag" ? [asked.tag] : asked.kind === "commit" ? [`sha-${asked.commit}`] : []),
      ...(bare === undefined ? [] : [bare, `v${bare}`]),
      ...(revision === undefined ? [] : [`sha-${revision}`]),
      ...places.map(({ environment }) => environment.config.tag),
      ...places.flatMap(({ environment, receipts }) => [
        environment.config.release ?? "",
        ...receipts.flatMap(({ images, release }) => (images[image]?.to === digest ? (release ?? "") : "")),
      ]),
    ]);
    const tags = await Promise.all(
      [...names].map(async (name) => {
        if (!/^\w[\w.-]{0,127}$/.test(name)) return [];
        const carried = await this.sure(this.digestAt(atTag(reference, name)));
        return carried === digest ? [name] : [];
      }),
    );
    const environments = await Promise.all(
      places.map((place) =>
        this.sure(this.standing(target, place)).then((one) => [place.environment.name, one]),
      ),
    );
    const { registry, repository } = reference;
    return {
      image,
      repository: `${registry}/${repository}`,
      digest,
      version: version ?? null,
      commit: revision ?? null,
      platforms,
      tags: tags.flat(),
      environments: Object.fromEntries(environments.filter(([, one]) => one !== undefined)),
    };
  }

  private async standing({ image, digest }: Target, { environment, past }: Place) {
    const reference = environment.references[image];
    if (!reference) return undefined;
    const [carried, findings] = await Promise.all([
      this.digestAt(reference),
      environment.ledger.findings(image, digest),
    ]);
    const runs = past[0]?.images[image]?.digest === digest;
    const times = past.flatMap(({ since, images }, index) => {
      const until = past[index - 1]?.since;
      return images[image]?.digest === digest && until !== undefined ? [{ since, until }] : [];
    });
    const since = runs ? (past[0]?.since ?? null) : null;
    return { runs, since, carries: carried === digest, ran: times, verdict: findingOf(findings) };
  }
}

const pinned = ({ reference, digest }: Target): Reference => atDigest(reference, digest);

/** The one commit that begins so, by what was rolled or by the project's own repository. @throws CommandError if there are several */
function fullCommit(short: string, places: readonly Place[], directory: string): string | undefined {
  const rolled = places
    .flatMap(({ receipts }) => receipts.flatMap(({ images }) => Object.values(images)))
    .flatMap(({ revision }) => (revision?.startsWith(short) ? [revision] : []));
  const known = [...new Set(rolled)];
  if (known.length > 1) {
    throw new CommandError(
      `several commits begin with ${short}: ${known.join(", ")}: write more of it`,
      exitCodes.usage,
    );
  }
  if (known.length === 1) return known[0];
  try {
    const args = ["-C", directory, "rev-parse", "--verify", "--quiet", `${short}^{commit}`];
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined; // no such commit here, or no repository
  }
}
