// Builds by the engine of this machine, which has neither BuildKit's frontend nor another platform: an image of another one
// is this machine's, with its configuration saying otherwise. Pushed by digest, or laid out in a folder. The engine keeps
// it, as the cache of the next build.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { CONTEXT = "", FILE = "", PLATFORM = "", BUILD_ARGS = "", LABELS = "", OUTPUTS = "" } = process.env;
const output = Object.fromEntries(OUTPUTS.split(",").map((pair) => pair.split("=", 2)));
const each = (/** @type {string} */ option, /** @type {string} */ text) =>
  text.split("\n").flatMap((line) => (line.trim() ? [option, line.trim()] : []));
const docker = (/** @type {string[]} */ ...args) =>
  execFileSync("docker", args, {
    encoding: "utf8",
    env: { ...process.env, DOCKER_BUILDKIT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
const digestOf = (/** @type {string | Buffer} */ bytes) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const repository = output.name ?? `${process.env.IMAGES}/layout`;
const [host = "", ...rest] = repository.split("/");
const base = `http://${host}/v2/${rest.join("/")}`;
const name = `${repository}:build-${randomBytes(6).toString("hex")}`;
docker(
  "build",
  "--quiet",
  "--network",
  "none",
  "--file",
  FILE,
  "--tag",
  name,
  ...each("--build-arg", BUILD_ARGS),
  ...each("--label", LABELS),
  CONTEXT,
);
docker("push", "--quiet", name);

const type = "application/vnd.docker.distribution.manifest.v2+json";
const pushed = await fetch(`${base}/manifests/${name.split(":").at(-1)}`, { headers: { accept: type } });
const manifest = /** @type {any} */ (await pushed.json());
const blob = await fetch(`${base}/blobs/${manifest.config.digest}`);
const [os, architecture] = PLATFORM.split("/");
const config = JSON.stringify({ .../** @type {object} */ (await blob.json()), os, architecture });
manifest.config = { ...manifest.config, digest: digestOf(config), size: Buffer.byteLength(config) };
const bytes = JSON.stringify(manifest);
const digest = digestOf(bytes);
if (output.type === "oci") {
  const folder = join(output.dest ?? "", "blobs", "sha256");
  mkdirSync(folder, { recursive: true });
  for (const text of [config, bytes]) writeFileSync(join(folder, digestOf(text).slice(7)), text);
  writeFileSync(join(output.dest ?? "", "index.json"), JSON.stringify({ manifests: [{ digest }] }));
} else {
  const opened = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
  const to = new URL(opened.headers.get("location") ?? "", base);
  to.searchParams.set("digest", manifest.config.digest);
  const octets = { "content-type": "application/octet-stream" };
  await fetch(to, { method: "PUT", headers: octets, body: config });
  const put = await fetch(`${base}/manifests/${digest}`, {
    method: "PUT",
    headers: { "content-type": type },
    body: bytes,
  });
  if (put.status !== 201) throw new Error(`the registry did not take it: ${put.status}`);
}
appendFileSync(process.env.GITHUB_OUTPUT ?? "", `digest=${digest}\n`);
