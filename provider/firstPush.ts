// FirstPush: a package that is not there yet is made by pushing an image with nothing in it, whose label says which
// repository it belongs to: GitHub links a package by its first push, and by nothing else that a program can do.
import { credentialLookup, parseReference, RegistryClient } from "../registry";
import type { Handler } from "./handler";
import { sessionCredentials } from "./session";

export interface FirstPushInputs extends Record<string, unknown> {
  /** `ghcr.io/acme/shop/server` */
  repository: string;
  /** `https://github.com/acme/shop` */
  source: string;
}

export interface FirstPushOutputs extends Record<string, unknown> {
  /** repository@digest */
  pushed: string;
}

/** No environment follows it, and nothing else is under it. */
export const firstTag = "tagalong.first";

const sourceKey = "org.opencontainers.image.source";
const types = {
  config: "application/vnd.oci.image.config.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
};

/** The image, as a registry stores it. */
export function emptyImage(source: string): { config: Buffer; manifest(digest: string): Buffer } {
  const labels = { [sourceKey]: source };
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture: "amd64", os: "linux", config: { Labels: labels } },
      rootfs: { type: "layers", diff_ids: [] },
    }),
  );
  return {
    config,
    manifest: (digest) =>
      Buffer.from(
        JSON.stringify({
          ...{ schemaVersion: 2, mediaType: types.manifest },
          config: { mediaType: types.config, digest, size: config.length },
          ...{ layers: [], annotations: labels },
        }),
      ),
  };
}

export const firstPush: Handler<FirstPushInputs, FirstPushOutputs> = {
  replaceOn: ["repository", "source"],
  async create({ repository, source }, context) {
    const reference = parseReference(`${repository}:${firstTag}`);
    const client = new RegistryClient({ credentials: credentialLookup(await sessionCredentials()) });
    try {
      const image = emptyImage(source);
      const config = await client.putBlob(reference, image.config);
      const digest = await client.put(reference, image.manifest(config), types.manifest);
      context.log("info", `${repository} is there now, linked to ${source}`);
      return { id: repository, outputs: { pushed: `${repository}@${digest}` } };
    } finally {
      await client.close();
    }
  },
  async update(_id, _inputs, { pushed }) {
    return { pushed };
  },
};
