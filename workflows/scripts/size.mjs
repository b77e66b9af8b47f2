// A small image stays small: what its layers weigh, compressed, against its budget, and which of them grew.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { registryOf } from "./registry.mjs";
import { settings } from "./settings.mjs";
import { needed, plain, Stop } from "./words.mjs";

/** @typedef {{ digest: string, size: number, step: string }} Layer */
/** @typedef {{ os?: string, architecture?: string, variant?: string, history?: { created_by?: string, empty_layer?: boolean }[], config?: { Labels?: Record<string, string> } }} Configuration */
/** @typedef {{ manifest: (digest: string) => Promise<import("./registry.mjs").Document>, config: (digest: string) => Promise<Configuration> }} Read where manifests and configurations are read */

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @param {readonly Layer[]} layers */
export const total = (layers) => layers.reduce((sum, { size }) => sum + size, 0);

/**
 * What is told of an image that is over its budget: by how much, and which layer grew most since it was last built.
 * @param {{ name: string, platform: string, budget: number | null, layers: readonly Layer[], before: readonly Layer[] }} image
 * @returns {string | undefined} undefined where it is within
 */
export function overBudget({ name, platform, budget, layers, before }) {
  const size = total(layers);
  if (budget === null || size <= budget) return undefined;
  const grown = layers
    .map((layer, index) => ({ ...layer, was: counterpart(layer, index, before)?.size ?? 0 }))
    .sort((a, b) => b.size - b.was - (a.size - a.was))[0];
  const over = `${name} (${platform}) has ${megabytes(size)} and a budget of ${megabytes(budget)}: ${megabytes(size - budget)} too much`;
  if (!grown) return over;
  const step = grown.step || grown.digest;
  if (before.length === 0) return `${over}. Its largest layer: ${step} (${megabytes(grown.size)})`;
  const how =
    grown.was === 0
      ? `is new, with ${megabytes(grown.size)}`
      : `grew from ${megabytes(grown.was)} to ${megabytes(grown.size)}`;
  return `${over}. The layer that grew: ${step} ${how}`;
}

/** The same step of the image before, or else the layer at its place. @param {Layer} layer @param {number} index @param {readonly Layer[]} before */
function counterpart(layer, index, before) {
  return (
    before.find(({ digest }) => digest === layer.digest) ??
    before.find(({ step }) => step !== "" && step === layer.step) ??
    (before[index]?.step === "" ? before[index] : undefined)
  );
}

/** The layers of one image, each with the step of the Dockerfile that made it. @param {import("./registry.mjs").Document} manifest @param {Configuration} config @returns {Layer[]} */
export function layersOf(manifest, config) {
  const steps = (config.history ?? []).filter(({ empty_layer }) => !empty_layer);
  const layers = manifest.layers ?? [];
  // A builder that keeps no history names no steps; a wrong name would be worse than none.
  const known = steps.length === layers.length;
  return layers.map(({ digest, size }, index) => ({
    digest,
    size,
    step: known ? stepOf(steps[index]?.created_by ?? "") : "",
  }));
}

/** @param {string} createdBy */
const stepOf = (createdBy) =>
  plain(createdBy.replace(/^\/bin\/sh -c #\(nop\) +/, "").replace(/ # buildkit$/, "")).slice(0, 120);

/**
 * The layers by platform of whatever a digest leads to.
 * @param {Read} read @param {import("./registry.mjs").Document} document
 * @returns {Promise<Record<string, Layer[]>>}
 */
export async function layersByPlatform(read, document) {
  const images = document.manifests ? imagesOf(document.manifests) : [];
  const manifests = document.manifests
    ? await Promise.all(images.map(({ digest }) => read.manifest(digest)))
    : [document];
  const entries = manifests.map(async (manifest) => {
    const config = await read.config(manifest.config?.digest ?? "");
    return [platformOf(config), layersOf(manifest, config)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Those of an index that are images: an attestation is of no platform. @param {readonly import("./registry.mjs").Descriptor[]} manifests */
export const imagesOf = (manifests) => manifests.filter(({ platform }) => platform?.os !== "unknown");

/** @param {{ os?: string, architecture?: string, variant?: string }} of */
export const platformOf = ({ os = "linux", architecture = "", variant }) =>
  [os, architecture, ...(variant && !(architecture === "arm64" && variant === "v8") ? [variant] : [])].join(
    "/",
  );

/** Reads manifests and configurations in a registry. @param {import("./registry.mjs").Registry} registry @param {string} repository @returns {Read} */
export const readingIn = (registry, repository) => ({
  manifest: async (digest) => (await registry.pushed(repository, digest)).document,
  config: async (digest) => JSON.parse((await registry.blob(repository, digest)).toString("utf8")),
});

/**
 * Tells of each platform what it weighs, and what is over the budget.
 * @param {{ name: string, budget: number | null, layers: Record<string, Layer[]>, before: Record<string, Layer[]> }} image
 */
export function weighed({ name, budget, layers, before }) {
  const platforms = Object.entries(layers);
  return {
    lines: platforms.map(([platform, own]) => `${name} (${platform}): ${megabytes(total(own))}`),
    problems: platforms.flatMap(
      ([platform, own]) =>
        overBudget({ name, platform, budget, layers: own, before: before[platform] ?? [] }) ?? [],
    ),
  };
}

/** What was there before, where the registry tells; a comparison is no reason to fail. @param {import("./registry.mjs").Registry} registry @param {string} repository @param {readonly string[]} references */
export async function layersBefore(registry, repository, references) {
  for (const reference of references) {
    try {
      const manifest = await registry.manifest(repository, reference);
      if (manifest) return await layersByPlatform(readingIn(registry, repository), manifest.document);
    } catch {
      return {};
    }
  }
  return {};
}

/** Weighs what a pull request built and did not push, from the folder that the builder left. @param {import("./run.mjs").Run} run */
export async function check({ env, folder, say }) {
  const name = needed(env, "IMAGE");
  const layout = needed(env, "LAYOUT");
  const { images, tag } = settings(folder);
  const image = images[name];
  if (!image)
    throw new Stop(`there is no image ${name} in the workflows' settings`, "render the workflows anew");
  const read = async (/** @type {string} */ digest) =>
    JSON.parse(readFileSync(join(layout, "blobs", ...digest.split(":")), "utf8"));
  const top = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
  const first = top.manifests[0];
  const document = await read(first.digest);
  const before = await layersBefore(registryOf(env), image.repository, [tag ?? "latest"]);
  const { lines, problems } = weighed({
    name,
    budget: image.budget,
    layers: await layersByPlatform({ manifest: read, config: read }, document),
    before,
  });
  for (const line of lines) say(line);
  if (problems.length > 0) throw new Stop(problems.join("\n"), budgetFix(name));
}

/** @param {string} name */
export const budgetFix = (name) => `make it smaller, or raise tagalong:workflows.images.${name}.budget`;
