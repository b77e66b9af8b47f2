// Makes one index of what the platforms' runners pushed by digest, and holds it to its budget. No tag moves here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ancestors } from "./git.mjs";
import { digestOf, registryOf, types } from "./registry.mjs";
import { settings } from "./settings.mjs";
import {
  budgetFix,
  imagesOf,
  layersBefore,
  layersByPlatform,
  platformOf,
  readingIn,
  weighed,
} from "./size.mjs";
import { needed, plain, Stop } from "./words.mjs";

/**
 * The parts of an index: each platform's image, with the attestations that its builder pushed along.
 * @param {import("./registry.mjs").Manifest} manifest
 * @param {{ os?: string, architecture?: string, variant?: string }} config of a plain image
 * @returns {import("./registry.mjs").Descriptor[]}
 */
export function descriptors({ digest, mediaType, bytes, document }, config) {
  if (document.manifests) return document.manifests;
  const { os = "linux", architecture = "", variant } = config;
  return [
    { mediaType, digest, size: bytes.length, platform: { os, architecture, ...(variant && { variant }) } },
  ];
}

/** @param {readonly import("./registry.mjs").Descriptor[]} manifests @param {Record<string, string>} annotations */
export const indexOf = (manifests, annotations) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests, annotations }));

/** The digests that the builds left, one a file. @param {string} folder @returns {string[]} */
export const digestsIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8").trim())
    .sort();

/** @param {import("./run.mjs").Run} run */
export async function merge({ env, folder, output, say, summary }) {
  const name = needed(env, "IMAGE");
  const image = settings(folder).images[name];
  if (!image)
    throw new Stop(`there is no image ${name} in the workflows' settings`, "render the workflows anew");
  const { repository, budget } = image;
  const registry = registryOf(env);
  const read = readingIn(registry, repository);
  const parts = [];
  for (const digest of digestsIn(needed(env, "DIGESTS"))) {
    const manifest = await registry.pushed(repository, digest);
    const config = manifest.document.manifests
      ? {}
      : await read.config(manifest.document.config?.digest ?? "");
    parts.push(...descriptors(manifest, config));
  }
  const found = imagesOf(parts)
    .map(({ platform }) => platformOf(platform ?? {}))
    .sort();
  const wanted = image.platforms.map(({ platform }) => platform).sort();
  if (found.join() !== wanted.join())
    throw new Stop(
      `${name} was built for ${found.join(", ") || "nothing"}, and is to be for ${wanted.join(", ")}`,
      "run all jobs again",
    );
  const annotations = {
    "org.opencontainers.image.revision": needed(env, "REVISION"),
    "org.opencontainers.image.version": needed(env, "VERSION"),
    "org.opencontainers.image.source": `${env.GITHUB_SERVER_URL ?? "https://github.com"}/${env.GITHUB_REPOSITORY ?? ""}`,
  };
  const bytes = indexOf(parts, annotations);
  const layers = await layersByPlatform(read, JSON.parse(bytes.toString("utf8")));
  const before = await layersBefore(
    registry,
    repository,
    ancestors(folder, 20)
      .slice(1)
      .map((commit) => `sha-${commit}`),
  );
  const { lines, problems } = weighed({ name, budget, layers, before });
  for (const line of lines) say(line);
  if (problems.length > 0) throw new Stop(problems.join("\n"), budgetFix(name));
  const digest = digestOf(bytes);
  await registry.put(repository, digest, { bytes, mediaType: types.index });
  say(`${repository}@${digest}`);
  summary(`- \`${repository}@${digest}\`\n${lines.map((line) => `  - ${plain(line)}`).join("\n")}`);
  output("digest", digest);
  output("repository", repository);
}
