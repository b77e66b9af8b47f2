// Images made FROM scratch out of what this machine has, for a machine where Docker Hub does not answer.
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onPath, run } from "./command.mjs";
import { isDebian, unpacked } from "./debian.mjs";
import { Failure } from "./failure.mjs";

/**
 * @typedef {object} Recipe
 * @property {string} repository
 * @property {string} tag
 * @property {string} upstream the image of Docker Hub that it stands for
 * @property {readonly string[]} config the Dockerfile's lines after the files
 * @property {readonly string[]} sources files whose change makes it another image
 * @property {(folder: string) => Promise<void> | void} fill lays the files beside those that every image has
 */

const CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
];

/** @returns {Recipe} Node.js as this machine runs it, and a shell */
export function baseRecipe() {
  return {
    repository: "tagalong/base",
    tag: "node20",
    upstream: "node:20-alpine",
    config: ["COPY --chown=1000:1000 empty /home/node", 'CMD ["node"]'],
    sources: [process.execPath],
    fill: async (folder) => {
      add(process.execPath, folder, "/usr/local/bin/node");
      for (const library of await libraries(process.execPath)) add(library, folder, library);
    },
  };
}

/**
 * @param {string} caddy the program, statically linked
 * @returns {Recipe} the reverse proxy, and a shell
 */
export function edgeRecipe(caddy) {
  return {
    repository: "tagalong/edge",
    tag: "2.11.9",
    upstream: "caddy:2.11-alpine",
    config: [
      "ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data",
      "WORKDIR /srv",
      "EXPOSE 80 443 2019",
      'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]',
    ],
    sources: [caddy],
    fill: (folder) => {
      add(caddy, folder, "/usr/bin/caddy");
      for (const empty of ["etc/caddy", "config", "data", "srv"])
        mkdirSync(join(folder, empty), { recursive: true });
    },
  };
}

/** @returns {Recipe} what holds a pod's namespaces while its containers come and go */
export const pauseRecipe = () => ({
  repository: "tagalong/pause",
  tag: "1",
  upstream: "rancher/mirrored-pause:3.10",
  config: ['CMD ["tail", "-f", "/dev/null"]'],
  sources: [],
  fill: () => {},
});

/** @param {string} unreachable */
export async function staticBusybox(unreachable) {
  const found = onPath("busybox");
  if (found && !(await libraries(found)).length) return found;
  if (isDebian()) return unpacked("busybox-static", "bin/busybox");
  throw new Failure(
    `${unreachable}, and to make an image without it this machine needs a static busybox`,
    "install the package busybox-static (Debian, Ubuntu) or busybox (Alpine, Fedora), or connect to the internet",
  );
}

/**
 * The shared libraries of a program and its loader.
 * @param {string} program
 * @returns {Promise<string[]>}
 */
async function libraries(program) {
  const said = await run("ldd", [program]).catch(() => "");
  return [...said.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}

/**
 * @param {string} source
 * @param {string} folder
 * @param {string} path
 */
function add(source, folder, path) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  copyFileSync(source, join(folder, path));
}

/**
 * @param {Recipe} recipe
 * @param {string} busybox
 * @param {(context: import("node:stream").Readable) => Promise<void>} send
 */
export async function buildContext(recipe, busybox, send) {
  const context = mkdtempSync(join(tmpdir(), "tagalong-image-"));
  try {
    const files = join(context, "files");
    for (const folder of ["empty", "files/etc", "files/tmp", "files/root"])
      mkdirSync(join(context, folder), { recursive: true });
    chmodSync(join(files, "tmp"), 0o1777);
    add(busybox, files, "/bin/busybox");
    chmodSync(join(files, "bin/busybox"), 0o755);
    for (const applet of (await run(busybox, ["--list"])).trim().split("\n")) {
      if (applet !== "busybox") symlinkSync("busybox", join(files, "bin", applet));
    }
    const users = ["root:x:0:0:root:/root:/bin/sh", "node:x:1000:1000:node:/home/node:/bin/sh", ""];
    writeFileSync(join(files, "etc/passwd"), users.join("\n"));
    writeFileSync(join(files, "etc/group"), "root:x:0:\nnode:x:1000:\n");
    writeFileSync(join(files, "etc/nsswitch.conf"), "hosts: files dns\n");
    const certificates = CERTIFICATES.find((file) => existsSync(file));
    if (certificates) add(certificates, files, "/etc/ssl/certs/ca-certificates.crt");
    await recipe.fill(files);
    const path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    writeFileSync(
      join(context, "Dockerfile"),
      ["FROM scratch", path, "COPY files /", ...recipe.config, ""].join("\n"),
    );
    const tar = spawn("tar", ["-C", context, "-cf", "-", "."], { stdio: ["ignore", "pipe", "inherit"] });
    await send(tar.stdout);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}
