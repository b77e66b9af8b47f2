// Tells on stderr what takes long, how long it usually takes, and how long it has taken so far.

const REMINDER_SECONDS = 15;

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * @typedef {object} Progress
 * @property {(text: string) => void} say
 * @property {<T>(what: string, usually: number, work: () => Promise<T>) => Promise<T>} step `usually` is in seconds
 */

/**
 * @param {(line: string) => void} [write]
 * @returns {Progress}
 */
export function progress(write = (line) => process.stderr.write(`${line}\n`)) {
  return {
    say: write,
    async step(what, usually, work) {
      const started = Date.now();
      const elapsed = () => duration((Date.now() - started) / 1000);
      write(`${what} (usually ${duration(usually)})`);
      const reminder = setInterval(() => write(`  … ${what}: ${elapsed()} so far`), REMINDER_SECONDS * 1000);
      try {
        const result = await work();
        write(`  ${what}: done in ${elapsed()}`);
        return result;
      } finally {
        clearInterval(reminder);
      }
    },
  };
}
