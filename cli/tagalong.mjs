#!/usr/bin/env node
// Starts the built command line, or says how to build it.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

// By default the heap may grow to several times what is in use before it is cleaned up, and an update of many services
// leaves much behind: with 200 the watcher came to 800 MB, and with this to half of that, at the same CPU time.
setFlagsFromString("--heap-growing-percent=50");

const bundle = new URL("../dist/cli.cjs", import.meta.url);
if (!existsSync(fileURLToPath(bundle))) {
  process.stderr.write("tagalong: not built yet: run `npm ci && npm run build` in the project's folder\n");
  process.exit(1);
}
await import(bundle.href);
