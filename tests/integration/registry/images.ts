/**
 * Builds images out of a few bytes and pushes them through a registry's HTTP API: Docker's schema 2 and list, OCI's
 * manifest and index with an attestation beside the platforms. Promises that each seed gives other digests.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

export const types = {
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
} as const;

export type Flavour = keyof typeof types;

/** Where to push, and as whom. */
export interface Target {
  readonly host: string;
  readonly repository: string;
  readonly account?: { username: string; password: string };
  /** The Authorization header, where it is no account's. */
  readonly authorization?: string;
}

export interface Pushed {
  readonly digest: `sha256:${string}`;
  readonly mediaType: string;
  readonly size: number;
}

interface Recipe {
  readonly flavour: Flavour;
  readonly seed: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** Pushes one platform's image under the name (a tag), or by digest alone. */
export async function pushImage(target: Target, recipe: Recipe, tag?: string): Promise<Pushed> {
  const { flavour, seed, architecture = "amd64", variant, labels, annotations } = recipe;
  const of = types[flavour];
  const layer = await pushBlob(target, Buffer.from(`layer ${seed}`), of.layer);
  const config = await pushBlob(
    target,
    json({
      os: "linux",
      architecture,
      variant,
      created: "2026-01-02T03:04:05Z",
      config: { Labels: labels },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    }),
    of.config,
  );
  return pushManifest(
    target,
    { schemaVersion: 2, mediaType: of.manifest, config, layers: [layer], annotations },
    of.manifest,
    tag,
  );
}

/** Pushes an index of linux/amd64 and linux/arm64/v8 (seeds `<seed> amd64`, …) with, for OCI, an attestation. */
export async function pushIndex(target: Target, recipe: Recipe, tag?: string): Promise<Pushed> {
  const { flavour, seed, annotations } = recipe;
  const platforms = [{ architecture: "amd64" }, { architecture: "arm64", variant: "v8" }];
  const manifests: unknown[] = [];
  for (const platform of platforms) {
    const labels = { ...recipe.labels, "org.example.arch": platform.architecture };
    const child = await pushImage(target, {
      flavour,
      ...platform,
      labels,
      seed: `${seed} ${platform.architecture}`,
    });
    manifests.push({ ...child, platform: { os: "linux", ...platform } });
  }
  if (flavour === "oci") {
    const attestation = await pushImage(target, {
      flavour,
      seed: `${seed} attestation`,
      architecture: "unknown",
    });
    manifests.push({
      ...attestation,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    });
  }
  const { index } = types[flavour];
  return pushManifest(target, { schemaVersion: 2, mediaType: index, manifests, annotations }, index, tag);
}

/** Puts a manifest of any content. */
export async function pushManifest(
  target: Target,
  body: unknown,
  mediaType: string,
  tag?: string,
): Promise<Pushed> {
  const bytes = Buffer.isBuffer(body) ? body : json(body);
  const digest = digestOf(bytes);
  const path = `/v2/${target.repository}/manifests/${tag ?? digest}`;
  await send(target, "PUT", `http://${target.host}${path}`, bytes, mediaType);
  return { mediaType, digest, size: bytes.length };
}

/** Deletes a manifest with all its tags. */
export async function deleteManifest(target: Target, digest: string): Promise<void> {
  await send(target, "DELETE", `http://${target.host}/v2/${target.repository}/manifests/${digest}`);
}

export async function pushBlob(target: Target, bytes: Buffer, mediaType: string): Promise<Pushed> {
  const digest = digestOf(bytes);
  const opened = await send(target, "POST", `http://${target.host}/v2/${target.repository}/blobs/uploads/`);
  const location = new URL(opened.headers.get("location") ?? "", `http://${target.host}`);
  location.searchParams.set("digest", digest);
  await send(target, "PUT", location.href, bytes, "application/octet-stream");
  return { mediaType, digest, size: bytes.length };
}

export function digestOf(bytes: Buffer): `sha256:${string}` {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

async function send(
  target: Target,
  method: string,
  url: string,
  bytes?: Buffer,
  type?: string,
): Promise<Response> {
  const { account, authorization } = target;
  const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
  if (account) {
    headers.authorization = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`;
  }
  if (authorization !== undefined) headers.authorization = authorization;
  const response = await fetch(url, { method, headers, ...(bytes ? { body: new Uint8Array(bytes) } : {}) });
  const text = await response.text();
  assert(response.ok, `${method} ${url} answered ${response.status}: ${text}`);
  return response;
}
