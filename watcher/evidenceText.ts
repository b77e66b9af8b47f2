// The evidence for a promotion in words: lines for a preview, Markdown for a pull request. Pure.
import type { Commits } from "./commits";
import type { Evidence, ImageEvidence, Side, Standing } from "./evidence";
import { short, title } from "./log";

const shownCommits = 20;
const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** The evidence as a terminal shows it, with what `up` would do. @param now milliseconds since the epoch */
export function evidenceLines(evidence: Evidence, now: number): string {
  const course = evidence.course.kind === "go" ? [] : [`\`pulumi up\` ${courseText(evidence)}`];
  return [evidenceTable(evidence, now), ...course].join("\n");
}

/** The evidence alone: a preview tells by itself what it comes to. */
export function evidenceTable(evidence: Evidence, now: number): string {
  const { images, unchanged } = evidence;
  const head = ["image", "from", "to", "platforms", "verdict"];
  const rows = images.map((one) => [
    one.image,
    one.from ? title(one.from) : "nothing",
    title(one.to),
    platformsOf(one),
    standingText(one, now),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const table =
    images.length === 0
      ? []
      : [head, ...rows].map(
          (row) =>
            `  ${row
              .map((cell, column) => cell.padEnd(widths[column] ?? 0))
              .join("  ")
              .trimEnd()}`,
        );
  return [
    headline(evidence),
    ...table,
    ...(unchanged.length > 0 ? [`  unchanged: ${unchanged.join(", ")}`] : []),
    ...comparisons(images).flatMap(({ of, commits }) => commitLines(of, commits)),
  ].join("\n");
}

/** The evidence of several environments as Markdown: one table for all of them. */
export function evidenceMarkdown(all: readonly Evidence[], now: number): string {
  const rows = all.flatMap((evidence) => {
    const up = { go: "rolls", stay: "stays", refuse: "**refuses**" }[evidence.course.kind];
    const rows = evidence.images.map((one) => [
      cell(evidence.environment),
      cell(one.image),
      one.from ? side(one.from) : "nothing",
      side(one.to),
      cell(platformsOf(one)),
      cell(standingText(one, now)),
      one.refusal === undefined ? up : "**refuses**",
    ]);
    return rows.length > 0 ? rows : [[cell(evidence.environment), "", "", "", "", "", "changes nothing"]];
  });
  const head = ["environment", "image", "from", "to", "platforms", "verdict", "`pulumi up`"];
  const table = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  const more = all.flatMap((evidence) => [
    ...alert(evidence),
    ...comparisons(evidence.images).flatMap(({ of, commits }) =>
      commitsMarkdown(evidence.environment, of, commits),
    ),
  ]);
  return `${[...table, ...more].join("\n")}\n`;
}

function headline({ environment, release, images, hold }: Evidence): string {
  const what = release === "" ? "what its tag carries" : `the release ${release}`;
  const held = hold ? `, held by ${hold.by}` : "";
  const moving = images.length === 0 ? "nothing would change" : "would run";
  return images.length === 0
    ? `${environment}: ${moving}${held}`
    : `${environment} ${moving} ${what}${held}:`;
}

function courseText({ course }: Evidence): string {
  if (course.kind === "go") return "rolls";
  return course.kind === "refuse" ? `would refuse: ${course.why}` : `would not follow it: ${course.why}`;
}

const platformsOf = ({ to, lostPlatforms }: ImageEvidence): string => {
  const lost = lostPlatforms.length > 0 ? `; no longer ${lostPlatforms.join(", ")}` : "";
  return `${to.platforms.join(", ") || "not known"}${lost}`;
};

function standingText({ standing, isOverridden, refusal }: ImageEvidence, now: number): string {
  const allowed = isOverridden && refusal === undefined ? ", overridden" : "";
  return `${verdictText(standing, now)}${allowed}`;
}

function verdictText({ environment, verdict, at }: Standing, now: number): string {
  if (verdict === "none") return `none in ${environment} yet`;
  const time = at === undefined ? "" : age(now - Date.parse(at));
  if (time === "") return `${verdict} in ${environment}`;
  return verdict === "healthy"
    ? `healthy in ${environment} for ${time}`
    : `rejected in ${environment} ${time} ago`;
}

/** "3 d", "2 h", "5 min", "12 s": the largest unit alone. */
function age(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms >= size) ?? ["s", 1_000];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/** Each comparison once, with the images that it is of. */
function comparisons(images: readonly ImageEvidence[]): { of: string[]; commits: Commits }[] {
  const found = new Map<string, { of: string[]; commits: Commits }>();
  for (const { image, commits } of images) {
    if (!commits) continue;
    const key = commits.kind === "known" ? `${commits.from} ${commits.to}` : commits.why;
    const known = found.get(key) ?? { of: [], commits };
    known.of.push(image);
    found.set(key, known);
  }
  return [...found.values()];
}

function commitLines(of: readonly string[], commits: Commits): string[] {
  if (commits.kind === "unknown") return [`  commits of ${of.join(", ")}: not known, since ${commits.why}`];
  const { gained, gainedTotal, lost, lostTotal } = commits.comparison;
  const list = (sign: string, some: typeof gained, total: number) => [
    ...some
      .slice(0, shownCommits)
      .map(({ sha, title, author }) => `    ${sign} ${sha.slice(0, 12)} ${title} (${author})`),
    ...(total > shownCommits ? [`    ${sign} and ${total - Math.min(some.length, shownCommits)} more`] : []),
  ];
  return [
    `  commits of ${of.join(", ")}: ${countText(commits)}`,
    ...list("+", gained, gainedTotal),
    ...list("-", lost, lostTotal),
  ];
}

function countText({ from, to, comparison, source }: Commits & { kind: "known" }): string {
  const { gainedTotal, lostTotal } = comparison;
  const range = `${from.slice(0, 12)} to ${to.slice(0, 12)}`;
  if (gainedTotal + lostTotal === 0) return `none, both are of ${to.slice(0, 12)}`;
  const back = lostTotal > 0 ? `, ${lostTotal} taken back` : "";
  return `${range}, ${gainedTotal} new${back} (${source})`;
}

function commitsMarkdown(environment: string, of: readonly string[], commits: Commits): string[] {
  const what = `${environment}: commits of ${of.map(cell).join(", ")}`;
  if (commits.kind === "unknown") return ["", `${what}: not known, since ${cell(commits.why)}`];
  const { gained, lost, url } = commits.comparison;
  const line = (sign: string) => (one: (typeof gained)[number]) => {
    const sha = `\`${one.sha.slice(0, 12)}\``;
    return `- ${sign} ${one.url ? `[${sha}](${one.url})` : sha} ${cell(one.title)} (${cell(one.author)})`;
  };
  const count = countText(commits);
  const link = url ? [`- [all of it](${url})`] : [];
  const shown = [
    ...gained.slice(0, shownCommits).map(line("+")),
    ...lost.slice(0, shownCommits).map(line("−")),
  ];
  if (shown.length === 0) return ["", `${what}: ${count}`];
  return ["", `<details><summary>${what}: ${count}</summary>`, "", ...shown, ...link, "", "</details>"];
}

const side = (one: Side): string =>
  `${one.version ? `${cell(one.version)} ` : ""}<code title="${one.digest}">${short(one.digest)}</code>`;

/** As a cell of a table, and so that nobody is mentioned and nothing is formatted by somebody else's words. */
const cell = (text: string): string =>
  text
    .replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign)
    .replace(/[\\`*_[\]|~#]/g, "\\$&")
    .replaceAll("@", "&#64;")
    .replace(/\s+/g, " ");

/** Why it does not just roll: in a block, since what a container said last may stand there. */
function alert({ environment, course }: Evidence): string[] {
  if (course.kind === "go") return [];
  const [sign, what] =
    course.kind === "refuse" ? ["CAUTION", "would refuse"] : ["WARNING", "would not follow it"];
  const why = course.why
    .replaceAll("`".repeat(4), "")
    .split("\n")
    .map((line) => `> ${line}`);
  return [
    "",
    `> [!${sign}]`,
    `> ${cell(environment)}: \`pulumi up\` ${what}`,
    "> ````text",
    ...why,
    "> ````",
  ];
}
