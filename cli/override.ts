// `tagalong override`: somebody's word that an environment may run what was rejected, or not found healthy yet. It
// names every rejection that is on record now; one that comes later is not overridden.
import { resolveRelease } from "../ledger";
import { atDigest, isDigest } from "../registry";
import type { Admission } from "../rollout/admission";
import type { Findings } from "../rollout/record";
import { whoAmI } from "../watcher/hand";
import { admissionOf } from "./admission";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, outputTo, paragraph } from "./output";
import { type Environment, Project } from "./project";
import { shortDigest } from "./standing";
import { ago } from "./times";

interface OverrideOptions {
  cwd: string;
  release?: string;
  image?: string;
  reason: string;
  dryRun?: boolean;
  json?: boolean;
}

/** One image, as `--json` has it; docs/cli.md documents it. */
export interface OverrideEntry {
  digest: string;
  /** What it is overridden in spite of. */
  rejections: { environment: string; record: string; at: string; by: string; reason: string }[];
  /** Whether something was in the way. */
  needed: boolean;
  written: boolean;
}

export async function override(
  name: string,
  options: OverrideOptions,
  output: Output = outputTo(),
): Promise<ExitCode> {
  const reason = options.reason.trim();
  if (reason === "") {
    throw new CommandError('an override has a reason: say why with --reason "…"', exitCodes.usage);
  }
  return Project.with(options.cwd, async (project) => {
    const environment = project.environment(name);
    const now = Date.now();
    const digests = await digestsOf(project, environment, options);
    const asked = await Promise.all(
      Object.entries(digests).map(async ([image, digest]) => {
        const admission = await admissionOf(project, environment, image, digest, now);
        return { image, digest, admission, rejections: rejectionsIn(name, admission) };
      }),
    );
    const images: Record<string, OverrideEntry> = {};
    for (const { image, digest, admission, rejections } of asked) {
      const needed = !admission.admitted;
      const written = needed && !options.dryRun;
      const record = {
        at: new Date(now).toISOString(),
        by: whoAmI(),
        reason,
        rejections: rejections.map(({ record }) => record),
      };
      if (written) await environment.ledger.override(image, digest, record);
      images[image] = { digest, rejections, needed, written };
    }
    output.write(
      options.json ? json({ environment: name, reason, images }) : rendered(name, images, asked, output, now),
    );
    return exitCodes.ok;
  });
}

/** By image, what is to be allowed. */
async function digestsOf(
  { client }: Project,
  { name, sources }: Environment,
  { release, image }: OverrideOptions,
): Promise<Record<string, string>> {
  if ((release === undefined) === (image === undefined)) {
    const fix = "name either --release <release> or --image <name@digest>";
    throw new CommandError(`what may ${name} run? ${fix}`, exitCodes.usage);
  }
  if (release !== undefined) {
    const images = await resolveRelease(client, sources, release);
    return Object.fromEntries(Object.entries(images).map(([one, { digest }]) => [one, digest]));
  }
  const [one = "", digest = "", ...more] = (image ?? "").split("@");
  const reference = sources[one];
  if (more.length > 0 || !isDigest(digest)) {
    const fix = `write a name of tagalong:images and a whole digest, as in ${Object.keys(sources)[0]}@sha256:…`;
    throw new CommandError(`--image "${image}" is no image at a digest: ${fix}`, exitCodes.usage);
  }
  if (!reference) {
    const known = Object.keys(sources).join(", ");
    throw new CommandError(`${name} runs no image "${one}": it runs ${known}`, exitCodes.usage);
  }
  const found = await client.resolve(atDigest(reference, digest));
  if (found.kind === "none") {
    const { registry, repository } = reference;
    throw new CommandError(
      `${registry}/${repository} has no ${digest}: it may be another image's`,
      exitCodes.failed,
    );
  }
  return { [one]: digest };
}

/** Every rejection that a decision looked at: of this environment, and of the one before it. */
export function rejectionsIn(environment: string, { evidence }: Admission): OverrideEntry["rejections"] {
  const of = (place: string, { rejected }: Findings) => {
    if (!rejected) return [];
    const { record, at, by, reason } = rejected;
    return [{ environment: place, record, at, by, reason }];
  };
  return [
    ...of(environment, evidence.own),
    ...(evidence.after ? of(evidence.after.environment, evidence.after.findings) : []),
  ];
}

function rendered(
  environment: string,
  images: Readonly<Record<string, OverrideEntry>>,
  asked: readonly { image: string; admission: Admission }[],
  output: Output,
  now: number,
): string {
  return Object.entries(images)
    .map(([image, { digest, rejections, needed, written }]) => {
      const title = `${image} ${shortDigest(digest)}`;
      if (!needed)
        return paragraph(`${title}: nothing is in its way in ${environment}, nothing to override`, output);
      const head = written
        ? `${environment} may run ${title} now`
        : `${environment} would be allowed ${title} (--dry-run)`;
      const told = rejections.map(
        (one) =>
          `in spite of: rejected in ${one.environment} ${ago(one.at, now)} by ${one.by}: ${one.reason}`,
      );
      const admission = asked.find((one) => one.image === image)?.admission;
      // Nothing was rejected: it is only not known to be healthy yet.
      const early =
        admission && !admission.admitted && told.length === 0 ? [`in spite of: ${admission.reason}`] : [];
      return [
        paragraph(head, output, 0, "bold"),
        ...[...told, ...early].map((text) => paragraph(text, output, 2)),
      ].join("");
    })
    .join("");
}
