// Whether a bundle is as new as everything that it was made of. CommonJS, as what Pulumi's host loads is.
const { readFileSync, statSync } = require("node:fs");
const { join } = require("node:path");

/**
 * Where it stands what a bundle was made of, and since when.
 * @param {string} output
 */
const inputsOf = (output) => `${output}.inputs.json`;

/**
 * @param {string} folder
 * @param {string} output the bundle, within the folder
 */
function isFresh(folder, output) {
  try {
    statSync(join(folder, output));
    /** @type {{ started: number, inputs: string[] }} */
    const { started, inputs } = JSON.parse(readFileSync(join(folder, inputsOf(output)), "utf8"));
    return inputs.every((input) => statSync(join(folder, input)).mtimeMs <= started);
  } catch {
    return false;
  }
}

module.exports = { inputsOf, isFresh };
