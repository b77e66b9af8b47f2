// What Pulumi runs: index.ts, as `npm run build` has bundled it; where anything was edited since, compiled in memory. That
// takes a tenth of a second; Pulumi's own way, by ts-node with a type check, takes seconds of each preview and update. The
// types are checked by `npm run lint`.
const { readFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { isFresh } = require("./tools/fresh.cjs");

const file = join(__dirname, "index.ts");
const bundle = "dist/program.cjs";

function compiled() {
  const { outputFiles } = require("esbuild").buildSync({
    entryPoints: [file],
    absWorkingDir: __dirname,
    bundle: true,
    // Pulumi's own code keeps what it knows of the update in the one copy that is loaded already.
    packages: "external",
    platform: "node",
    target: "node20",
    format: "cjs",
    sourcemap: "inline",
    write: false,
    logLevel: "error",
  });
  process.setSourceMapsEnabled(true);
  return outputFiles[0].text;
}

const program = new Module(file, module);
program.filename = file;
program.paths = module.paths;
program._compile(
  isFresh(__dirname, bundle) ? readFileSync(join(__dirname, bundle), "utf8") : compiled(),
  file,
);
module.exports = program.exports;
