// The scripts are ES modules. ts-node turns import() into require(), and refuses to require those.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const nativeImport = new Function("url", "return import(url)") as (url: string) => Promise<unknown>;

/** Imports a script of `workflows/scripts/` by its file name. */
export async function importScript<T>(file: string): Promise<T> {
  return (await nativeImport(
    pathToFileURL(resolve(__dirname, "../../../workflows/scripts", file)).href,
  )) as T;
}
