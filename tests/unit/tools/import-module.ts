// The tools are ES modules. ts-node turns import() into require(), and refuses to require those.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const nativeImport = new Function("url", "return import(url)") as (url: string) => Promise<unknown>;

/** Imports a module of `tools/` by its file name. */
export async function importTool<T>(file: string): Promise<T> {
  return (await nativeImport(pathToFileURL(resolve(__dirname, "../../../tools", file)).href)) as T;
}
