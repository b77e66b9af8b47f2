// Numbers of a run: what is drawn before it, and what is said of it afterwards. No input or output.

/**
 * Random numbers that are the same for the same seed (mulberry32).
 * @param {number} seed
 * @returns {() => number} from 0 to just below 1
 */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Random moments within an interval, as shares of it. Each of `count` equal parts of the interval has one, in random
 * order: few rolls cover the whole interval, and no luck of the draw favours anybody.
 * @param {number} count
 * @param {number} seed
 */
export function phases(count, seed) {
  const random = seeded(seed);
  const drawn = Array.from({ length: count }, (_, part) => (part + random()) / count);
  for (let last = drawn.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [drawn[last], drawn[other]] = [/** @type {number} */ (drawn[other]), /** @type {number} */ (drawn[last])];
  }
  return drawn;
}

/** @param {readonly number[]} values */
export function median(values) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1] ?? 0, sorted[middle] ?? 0];
  return (low + high) / 2;
}

/** @typedef {Record<string, number | undefined>} Marks what happened when, ms epoch; undefined where nobody saw it */
/** @typedef {{phase: string, atMs: number, tookMs: number}} PhaseTime */

/**
 * Where the time of many rolls went. Each phase ends at the mark of its name and begins at the one before it.
 * @param {readonly string[]} names of the marks, in order
 * @param {readonly {from: number, marks: Marks}[]} rolls
 * @returns {PhaseTime[]} medians over the rolls that have the mark, in ms: since `from`, and since the mark before
 */
export function breakdown(names, rolls) {
  /** @type {PhaseTime[]} */
  const times = [];
  for (const phase of names) {
    /** @type {number[]} */
    const at = [];
    /** @type {number[]} */
    const took = [];
    for (const { from, marks } of rolls) {
      const mark = marks[phase];
      if (mark === undefined) continue;
      const before = names
        .slice(0, names.indexOf(phase))
        .map((name) => marks[name])
        .findLast((one) => one !== undefined);
      at.push(mark - from);
      took.push(mark - (before ?? from));
    }
    const [atMs, tookMs] = [median(at), median(took)];
    if (atMs !== undefined && tookMs !== undefined)
      times.push({ phase, atMs: Math.round(atMs), tookMs: Math.round(tookMs) });
  }
  return times;
}
