#!/usr/bin/env node
// Starts the built command line, or says how to build it.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bundle = new URL("../dist/cli.cjs", import.meta.url);
if (!existsSync(fileURLToPath(bundle))) {
  process.stderr.write("tagalong: not built yet: run `npm ci && npm run build` in the project's folder\n");
  process.exit(1);
}
await import(bundle.href);
