// Bundles the programs that start often, so that they start in a fraction of a second.
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fresh from "./fresh.cjs";
import { root } from "./paths.mjs";

const { inputsOf, isFresh } = fresh;

/** @type {readonly { entry: string, output: string, external?: readonly string[] }[]} */
const bundles = [
  { entry: "cli/main.ts", output: "dist/cli.cjs" },
  { entry: "provider/main.ts", output: "dist/provider.cjs" },
  // Pulumi's own code keeps what it knows of the update in the one copy that its host has loaded.
  { entry: "index.ts", output: "dist/program.cjs", external: ["@pulumi/*"] },
];

/**
 * What libraries load at once and no program here uses: the SDK's compiler, which serializes functions, the Docker
 * client's own SSH and its BuildKit sessions, and a class for each object of Kubernetes' API, 13 MB of them.
 * @type {import("esbuild").Plugin}
 */
const withoutUnused = {
  name: "without-unused",
  setup(build) {
    const unused =
      /node_modules[\\/](@pulumi[\\/]pulumi[\\/]typescript-shim|docker-modem[\\/]lib[\\/]ssh|dockerode[\\/]lib[\\/]session|@kubernetes[\\/]client-node[\\/]dist[\\/]gen[\\/]index)\.js$/;
    build.onLoad({ filter: unused }, () => ({ contents: "module.exports = {};" }));
  },
};

/**
 * Whether a bundle is missing or older than something that it was made of.
 * @param {string} [folder]
 */
export function stale(folder = root) {
  return existing(folder).some(({ output }) => !isFresh(folder, output));
}

/** @param {string} folder */
const existing = (folder) => bundles.filter(({ entry }) => existsSync(join(folder, entry)));

/** @param {string} [folder] */
export async function build(folder = root) {
  const { build } = await import("esbuild");
  const started = Date.now();
  mkdirSync(join(folder, "dist"), { recursive: true });
  await Promise.all(
    existing(folder).map(async ({ entry, output, external = [] }) => {
      const { outputFiles, metafile } = await build({
        absWorkingDir: folder,
        entryPoints: [entry],
        outfile: output,
        write: false,
        metafile: true,
        bundle: true,
        platform: "node",
        target: "node20",
        format: "cjs",
        minifySyntax: true,
        legalComments: "none",
        logLevel: "error",
        // Native modules are optional where they occur; the other is looked for only to compile native packages.
        external: ["cpu-features", "*.node", "node-gyp", ...external],
        plugins: [withoutUnused],
      });
      const inputs = [...Object.keys(metafile.inputs), "package-lock.json"].filter((input) =>
        existsSync(join(folder, input)),
      );
      writeFileSync(join(folder, inputsOf(output)), JSON.stringify({ started, inputs }));
      // Renamed, so that a process that starts meanwhile reads a whole bundle.
      const draft = join(folder, `${output}.${process.pid}`);
      writeFileSync(draft, outputFiles[0]?.contents ?? "");
      renameSync(draft, join(folder, output));
    }),
  );
}

if (
  process.argv[1] &&
  pathToFileURL(process.argv[1]).href === pathToFileURL(join(root, "tools", "build.mjs")).href
) {
  build().catch(() => {
    // esbuild has said what is wrong and where.
    process.exitCode = 1;
  });
}
