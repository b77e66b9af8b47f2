// The story's second half: what Dev has found healthy is promoted to Test by a line of its stack's file, what Dev has
// rejected is not, and a second edit is the way back.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, reason } from "./failure.mjs";
import { root } from "./paths.mjs";
import { promoted } from "./story-folder.mjs";
import { create, preview, up } from "./story-stack.mjs";
import { shortDigest } from "./story-text.mjs";
import { startTraffic } from "./traffic.mjs";

const REQUESTS_A_SECOND = 40;
const REFUSED_EXIT_CODE = 3;
const MISTAKE = "this is a mistake of Tagalong's: please report it";

/** Media types of what a tag may lead to; one that is not named looks like a tag that is not there. */
const ACCEPT = ["manifest.v2", "manifest.list.v2"]
  .map((type) => `application/vnd.docker.distribution.${type}+json`)
  .concat(["manifest", "index"].map((type) => `application/vnd.oci.image.${type}.v1+json`))
  .join();

/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {import("./story-play.mjs").Push} Push */
/** @typedef {{ from: string | null, to: string, digestPreserved: boolean }} Moved */
/** @typedef {{ release: string, images: Record<string, Moved> }} Promotion */

/**
 * @typedef {object} Promoted
 * @property {Promotion[]} promotions
 * @property {Promotion[]} rollbacks
 * @property {{ release: string, reason: string }[]} refusedPromotions
 * @property {number} requests
 * @property {number} failed
 */

/**
 * @param {Story} story
 * @param {{ first: Push, rejected: Push, last: Push }} pushes by what Dev found of them: first and last are healthy
 * @returns {Promise<Promoted>}
 */
export async function promote(story, { first, rejected, last }) {
  const { tell, signal } = story;
  tell.happened(`"${promoted}" is to run what its stack's file names, once Dev has found it healthy`, "bold");
  await create(story, promoted, signal);
  await edit(story, "promote", first.version);
  const { promotion: brought, urls } = await rollTo(story, first);
  const url = urls["client"] ?? "";
  tell.happened(`${promoted} runs ${first.version}, the shop is at ${url}`, "green");
  const traffic = startTraffic({ url, rate: REQUESTS_A_SECOND, classify: () => undefined, maxSeconds: 600 });
  try {
    await edit(story, "promote", last.version);
    await tellPreview(story);
    const { promotion: better } = await rollTo(story, last);
    tell.happened(`${promoted} runs ${last.version}`, "green");
    const why = await refuse(story, rejected.version);
    await edit(story, "rollback");
    const { promotion: back } = await rollTo(story, first);
    tell.happened(`${promoted} runs ${first.version} again`, "green");
    const { requests, failed } = await traffic.stop();
    tell.plain(`\n${await tagalong(story, "status")}`);
    return {
      promotions: [brought, better],
      rollbacks: [back],
      refusedPromotions: [{ release: rejected.version, reason: why }],
      requests,
      failed,
    };
  } finally {
    await traffic.stop();
  }
}

/**
 * @param {Story} story
 * @param {readonly string[]} args
 */
function tagalong({ processes, place, signal }, ...args) {
  const program = join(root, "cli", "tagalong.mjs");
  return processes.run(`tagalong-${args[0]}`, process.execPath, [program, ...args], {
    what: `tagalong ${args.join(" ")}`,
    cwd: place.project,
    signal,
    seconds: 60,
  });
}

/**
 * Edits Test's file, and shows the line that has changed.
 * @param {Story} story
 * @param {"promote" | "rollback"} how
 * @param {string} [release]
 */
async function edit(story, how, release) {
  const args = [how, promoted, ...(release ? ["--release", release] : [])];
  const before = lines(story);
  await tagalong(story, ...args);
  const after = lines(story);
  story.tell.happened(`tagalong ${args.join(" ")}`, "bold");
  for (const line of before.filter((line) => !after.includes(line))) story.tell.more(`- ${line.trim()}`);
  for (const line of after.filter((line) => !before.includes(line))) story.tell.more(`+ ${line.trim()}`);
}

/** @param {Story} story */
const lines = ({ place }) => readFileSync(join(place.project, `Pulumi.${promoted}.yaml`), "utf8").split("\n");

/** @param {Story} story */
async function tellPreview(story) {
  const said = await preview(story, promoted, story.signal);
  story.tell.happened("pulumi preview says", "cyan");
  story.tell.more(evidenceIn(said));
}

/**
 * What a preview says of the images; the resources that it lists beside that are left out.
 * @param {string} said
 */
export function evidenceIn(said) {
  const all = said.split("\n");
  const begin = all.findIndex((line) => line.startsWith("Diagnostics:"));
  const end = all.findIndex((line, index) => index > begin && /^(Outputs|Resources):/.test(line));
  return all
    .slice(begin + 2, end < 0 ? undefined : end)
    .filter((line) => line.trim() !== "")
    .filter((line) => !/^ {2}\S*:\S*/.test(line)) // whose words they are
    .map((line) => line.replace(/^ {4}/, "").replaceAll(/sha256:([0-9a-f]{12})[0-9a-f]*/g, "$1"))
    .join("\n");
}

/**
 * @param {Story} story
 * @param {Push} push what Test's file names now
 */
async function rollTo(story, push) {
  const images = Object.keys(push.digests);
  const before = await carried(story, images, promoted);
  const urls = await up(story, promoted, story.signal);
  const [released, tagged, running] = await Promise.all([
    carried(story, images, push.version),
    carried(story, images, promoted),
    story.engine.running(story, `${story.place.name}/${promoted}`),
  ]);
  /** @param {string} image */
  const moved = (image) => {
    const wanted = push.digests[image] ?? "";
    const found = [released[image], tagged[image], running[image]];
    if (found.some((digest) => digest !== wanted)) {
      const seen = `release ${released[image]}, tag ${tagged[image]}, running ${running[image]}`;
      throw new Failure(`${image} is not the same everywhere: pushed ${wanted}, ${seen}`, MISTAKE);
    }
    return { from: before[image] ?? null, to: wanted, digestPreserved: true };
  };
  const promotion = {
    release: push.version,
    images: Object.fromEntries(images.map((image) => [image, moved(image)])),
  };
  const which = images.map((image) => `${image} ${shortDigest(push.digests[image] ?? "")}`);
  story.tell.happened(`pulumi up: pushed, tagged and running are one: ${which.join(", ")}`);
  return { promotion, urls };
}

/**
 * What a tag leads to on each image, as the registry says itself.
 * @param {Story} story
 * @param {readonly string[]} images
 * @param {string} tag
 * @returns {Promise<Record<string, string | undefined>>}
 */
async function carried({ images: folder }, images, tag) {
  const [host, ...path] = folder.split("/");
  const asked = images.map(async (image) => {
    const url = `http://${host}/v2/${[...path, image].join("/")}/manifests/${tag}`;
    const response = await fetch(url, { method: "HEAD", headers: { accept: ACCEPT } });
    return [image, response.headers.get("docker-content-digest") ?? undefined];
  });
  return Object.fromEntries(await Promise.all(asked));
}

/**
 * @param {Story} story
 * @param {string} release
 * @returns {Promise<string>} why it is refused
 */
async function refuse(story, release) {
  const { tell } = story;
  const before = lines(story).join("\n");
  const said = await tagalong(story, "promote", promoted, "--release", release).then(
    () => undefined,
    (error) => reason(error),
  );
  tell.happened(`tagalong promote ${promoted} --release ${release}`, "bold");
  if (said === undefined || lines(story).join("\n") !== before) {
    throw new Failure(`${release}, which Dev has rejected, was promoted to ${promoted}`, MISTAKE);
  }
  if (!said.includes(`exit code ${REFUSED_EXIT_CODE}`)) throw new Failure(said);
  const told = readFileSync(story.processes.path("tagalong-promote", "out"), "utf8").split("\n");
  const begin = told.findIndex((line) => line.startsWith("Refused: "));
  const refusal = told.slice(
    begin,
    told.findIndex((line, index) => index > begin && !line.startsWith("  ")),
  );
  for (const line of refusal) tell.more(tell.paint("yellow", line.split("; ")[0] ?? ""));
  return refusal.join("\n");
}
