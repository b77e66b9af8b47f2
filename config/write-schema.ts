/**
 * Writes what is made from the config's schema: schema/config.schema.json and the table of
 * README.md and docs/configuration.md. Run by `npm run schema`; a unit test fails while any is out of date.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFileSchema } from "./jsonSchema";
import { withKeyTable } from "./keyTable";

const root = join(__dirname, "..");
const schema = join(root, "schema", "config.schema.json");
const pages = ["README.md", "docs/configuration.md"].map((page) => join(root, page));

mkdirSync(join(root, "schema"), { recursive: true });
writeFileSync(schema, `${JSON.stringify(stackFileSchema(), undefined, 2)}\n`);
execFileSync(join(root, "node_modules", ".bin", "biome"), ["format", "--write", schema], {
  cwd: root,
  stdio: "pipe",
});
for (const page of pages) writeFileSync(page, withKeyTable(readFileSync(page, "utf8")));
