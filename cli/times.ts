// Times as a person takes them in.

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** "3 d", "2 h", "5 min", "12 s": the largest unit alone. */
export function span(ms: number): string {
  const [name, size] = units.find(([, size]) => Math.abs(ms) >= size) ?? ["s", 1000];
  return `${Math.floor(Math.abs(ms) / size)} ${name}`;
}

/** How long ago, or "" where the time is not known. */
export function age(time: string | undefined, now: number): string {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? "" : span(Math.max(0, now - at));
}

export const ago = (time: string | undefined, now: number): string => {
  const text = age(time, now);
  return text === "" ? "at an unknown time" : `${text} ago`;
};

/** "3.4 s", or minutes where it took some. */
export const seconds = (ms: number): string =>
  ms < 99_950
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/** Date and time to the minute, in this machine's time zone. */
export function moment(time: string | undefined): string {
  const date = new Date(time ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const two = (number: number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
