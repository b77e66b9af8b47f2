// What Pulumi runs: index.ts, compiled in memory at each start. That takes a tenth of a second; Pulumi's own way, by
// ts-node with a type check, takes seconds of each preview and update. The types are checked by `npm run lint`.
const Module = require("node:module");
const { join } = require("node:path");
const { buildSync } = require("esbuild");

const file = join(__dirname, "index.ts");
const { outputFiles } = buildSync({
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
const program = new Module(file, module);
program.filename = file;
program.paths = module.paths;
program._compile(outputFiles[0].text, file);
module.exports = program.exports;
