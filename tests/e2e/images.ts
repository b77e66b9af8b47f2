/**
 * Images for the end-to-end tests: the base image's layers, mounted, under a config of their own that holds the whole
 * app. A new version costs a few requests to the registry and no build.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  deleteManifest,
  type Flavour,
  type Pushed,
  pushBlob,
  pushManifest,
  types,
} from "../integration/registry/images";

export const registry = process.env["TAGALONG_REGISTRY"] ?? "127.0.0.1:5000";
const base = process.env["TAGALONG_BASE_IMAGE"] ?? `${registry}/tagalong/base:node20`;
export const edgeImage = process.env["TAGALONG_EDGE_IMAGE"] ?? `${registry}/tagalong/edge:2.11.9`;

const code = readFileSync(join(__dirname, "app.js"), "utf8").replace(/^\/\/.*\n/gm, "");

/** How one version of the app is made. */
export interface AppImage {
  version: string;
  /** What it does, as app.js reads it from its environment. */
  env?: Record<string, string>;
  labels?: Record<string, string>;
  architecture?: string;
  /** The test command of a HEALTHCHECK, as a Dockerfile has it. */
  healthcheck?: string[];
  /** Instead of the app. */
  command?: string[];
  user?: string;
  /** With a layer that is in the manifest and not in the registry. */
  lostLayer?: boolean;
  /** Docker's own media types by default. */
  flavour?: Flavour;
}

interface BaseImage {
  repository: string;
  layers: { mediaType: string; digest: string; size: number }[];
  config: { rootfs: { type: string; diff_ids: string[] }; config: { Env?: string[] } };
}

let loaded: Promise<BaseImage> | undefined;

async function loadBase(): Promise<BaseImage> {
  const [, repository, tag] = /^[^/]+\/(.+):([^:]+)$/.exec(base) ?? [];
  const read = async (path: string) => {
    const response = await fetch(`http://${registry}/v2/${repository}/${path}`, {
      headers: { accept: `${types.docker.manifest}, ${types.oci.manifest}` },
    });
    assert(response.ok, `${base} is not in the registry (${response.status}): run npm run ground`);
    return response.json() as Promise<Record<string, unknown>>;
  };
  const manifest = (await read(`manifests/${tag}`)) as unknown as {
    layers: BaseImage["layers"];
    config: { digest: string };
  };
  const config = (await read(`blobs/${manifest.config.digest}`)) as unknown as BaseImage["config"];
  return { repository: repository ?? "", layers: manifest.layers, config };
}

/** Pushes one version of the app under the tags, or by digest alone. */
export async function pushApp(repository: string, app: AppImage, ...tags: string[]): Promise<Pushed> {
  loaded ??= loadBase();
  const from = await loaded;
  const target = { host: registry, repository };
  for (const { digest } of from.layers) {
    const mount = `http://${registry}/v2/${repository}/blobs/uploads/?mount=${digest}&from=${from.repository}`;
    const { status } = await fetch(mount, { method: "POST" });
    assert.equal(status, 201, `the registry does not mount layers of ${base}`);
  }
  const of = types[app.flavour ?? "docker"];
  const lost = app.lostLayer ? await pushBlob(target, randomBytes(32), of.layer) : undefined;
  const env = { VERSION: app.version, ...app.env };
  const config = await pushBlob(
    target,
    Buffer.from(
      JSON.stringify({
        os: "linux",
        architecture: app.architecture ?? (process.arch === "x64" ? "amd64" : process.arch),
        rootfs: {
          ...from.config.rootfs,
          diff_ids: [...from.config.rootfs.diff_ids, ...(lost ? [lost.digest] : [])],
        },
        config: {
          Env: [
            ...(from.config.config.Env ?? []),
            ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
          ],
          Cmd: app.command ?? ["node", "-e", code],
          Labels: app.labels ?? {},
          ...(app.user ? { User: app.user } : {}),
          ...(app.healthcheck ? { Healthcheck: { Test: app.healthcheck } } : {}),
        },
      }),
    ),
    of.config,
  );
  const mediaType = of.manifest;
  const layers = [
    ...from.layers.map((layer) => ({ ...layer, mediaType: of.layer })),
    ...(lost ? [lost] : []),
  ];
  const manifest = { schemaVersion: 2, mediaType, config, layers };
  const pushed = await pushManifest(target, manifest, mediaType, tags[0]);
  for (const tag of tags.slice(1)) await pushManifest(target, manifest, mediaType, tag);
  if (lost) {
    const blob = `http://${registry}/v2/${repository}/blobs/${lost.digest}`;
    assert((await fetch(blob, { method: "DELETE" })).ok, "the registry does not delete layers");
  }
  return pushed;
}

/** Pushes the app for this machine's platform and another one, in one index, with what a build says of itself for OCI. */
export async function pushAppIndex(
  repository: string,
  app: AppImage & { flavour: Flavour },
  ...tags: string[]
): Promise<Pushed> {
  const here = process.arch === "x64" ? "amd64" : process.arch;
  const manifests: object[] = [];
  for (const architecture of [here === "arm64" ? "amd64" : "arm64", here]) {
    const child = await pushApp(repository, { ...app, architecture });
    manifests.push({ ...child, platform: { os: "linux", architecture } });
  }
  if (app.flavour === "oci") {
    const attestation = await pushApp(repository, { ...app, architecture: "unknown" });
    const annotations = { "vnd.docker.reference.type": "attestation-manifest" };
    manifests.push({ ...attestation, platform: { os: "unknown", architecture: "unknown" }, annotations });
  }
  const mediaType = types[app.flavour].index;
  const index = { schemaVersion: 2, mediaType, manifests };
  const target = { host: registry, repository };
  const pushed = await pushManifest(target, index, mediaType, tags[0]);
  for (const tag of tags.slice(1)) await pushManifest(target, index, mediaType, tag);
  return pushed;
}

/** Pushes an index that leads to one manifest of the repository. */
export async function pushIndexOf(repository: string, digest: string, tag: string): Promise<Pushed> {
  const mediaType = types.docker.index;
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const child = {
    mediaType: types.docker.manifest,
    digest,
    size: 1,
    platform: { os: "linux", architecture },
  };
  const index = { schemaVersion: 2, mediaType, manifests: [child] };
  return pushManifest({ host: registry, repository }, index, mediaType, tag);
}

/** Takes a manifest, and every tag that carries it, out of the registry. */
export const unpublish = (repository: string, digest: string): Promise<void> =>
  deleteManifest({ host: registry, repository }, digest);
