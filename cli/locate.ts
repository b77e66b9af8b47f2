// `tagalong locate`: from a commit, tag, digest or environment to all the others.
import { type Asked, fixedNames, whatIs } from "./asked";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { type Cell, json, type Output, outputTo, paragraph, table } from "./output";
import { Project } from "./project";
import { type Location, Search } from "./search";
import { age } from "./times";

export async function locate(
  what: string,
  options: { cwd: string; json?: boolean },
  output: Output = outputTo(),
): Promise<ExitCode> {
  return Project.with(options.cwd, async (project) => {
    const environments = project.names();
    const asked = whatIs(what, environments);
    if (!asked) {
      const fix = "write a commit, a tag, a digest or an environment";
      throw new CommandError(`"${what}" is none of what can be looked for: ${fix}`, exitCodes.usage);
    }
    const search = new Search(project);
    const locations = await search.run(asked, environments);
    const unknown = [...search.unknown];
    if (locations.length === 0 && unknown.length === 0) throw nowhere(what, asked, project);
    const [names = [], ...more] = locations.map(({ tags }) => fixedNames(tags));
    const release = names.find((name) => more.every((others) => others.includes(name))) ?? null;
    const commits = new Set(locations.flatMap(({ commit }) => commit ?? []));
    const commit =
      asked.kind === "commit" ? asked.commit : commits.size === 1 ? ([...commits][0] ?? null) : null;
    const { kind, containedIn = null } = search;
    const found = { asked: what, kind, commit, containedIn, release, images: locations, unknown };
    output.write(options.json ? json(found) : rendered(found, output, Date.now()));
    return unknown.length > 0 ? exitCodes.unknown : exitCodes.ok;
  });
}

function nowhere(what: string, asked: Asked, { directory }: Project): CommandError {
  const why = {
    environment: `${what} runs nothing yet, and its tag is on no image`,
    digest: `no image has the digest ${what}`,
    commit: `no image is known of the commit ${what}: CI tags its images sha-<commit>, receipts know what was rolled, and the Git repository of ${directory} knows of no later commit that was built`,
    short: `no tag and no commit ${what} is known by the receipts or the Git repository of ${directory}: write all 40 digits of the commit`,
    tag: `no image has a tag ${what}`,
  };
  return new CommandError(why[asked.kind], exitCodes.failed);
}

interface Found {
  asked: string;
  commit: string | null;
  containedIn: string | null;
  release: string | null;
  images: readonly Location[];
  unknown: readonly string[];
}

function rendered(found: Found, output: Output, now: number): string {
  const { asked, commit, containedIn, release, images, unknown } = found;
  const head = [
    output.paint("bold", asked),
    ...(commit !== null && commit !== asked ? [`commit ${commit}`] : []),
    ...(containedIn === null ? [] : [`contained in ${containedIn}`]),
    release === null ? "no release" : `release ${release}`,
  ];
  return [
    `${head.join("  ")}\n`,
    ...images.map((one) => {
      const rows = Object.entries(one.environments).map(
        ([name, { runs, since, carries, ran, verdict }]): Cell[] => [
          name,
          runs
            ? `runs it since ${age(since ?? undefined, now)}`
            : ran.length > 0
              ? `ran it until ${age(ran[0]?.until, now)} ago`
              : "–",
          carries ? "carries it" : "–",
          verdict.outcome === "none"
            ? "–"
            : `${verdict.outcome}${verdict.reason ? `: ${verdict.reason}` : ""}`,
        ],
      );
      return [
        `\n${output.paint("bold", one.image)}  ${one.repository}\n`,
        paragraph(one.digest, output, 2),
        paragraph(`version ${one.version ?? "–"}, commit ${one.commit ?? "–"}`, output, 2),
        paragraph(`platforms ${one.platforms.join(", ") || "–"}`, output, 2),
        paragraph(`tags ${one.tags.join(", ") || "none that is known"}`, output, 2),
        rows.length > 0 ? table(["environment", "runs", "tag", "verdict"], rows, output, 2) : "",
      ].join("");
    }),
    ...unknown.map((reason) => paragraph(`Unknown: ${reason}`, output, 0, "yellow")),
  ].join("");
}
