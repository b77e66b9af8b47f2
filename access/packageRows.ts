/** Rows of the packages, which no API sets: each mismatch names the page and the click. Pure. */
import type { Circumstances, Row } from "./checklist";
import type { Settings } from "./features";
import type { PackageSurvey } from "./packages";
import type { Survey } from "./survey";

export function packageRows(settings: Settings, survey: Survey, circumstances: Circumstances): Row[] {
  return Object.entries(survey.packages).flatMap(([image, found]) =>
    rowsOf(`package ${image}`, found, settings, survey, circumstances),
  );
}

function rowsOf(
  what: string,
  own: PackageSurvey,
  settings: Settings,
  survey: Survey,
  circumstances: Circumstances,
): Row[] {
  const { repository, onGitHub, found } = own;
  const write = writeRows(what, own, survey, circumstances);
  if (onGitHub === undefined)
    return [
      { what: `${what}: link`, state: "ok", detail: `${repository} is no package of GitHub's` },
      ...write,
    ];
  if (onGitHub.owner !== settings.owner.toLowerCase()) {
    const detail = `${repository} belongs to ${onGitHub.owner}, and the repository to ${settings.owner}; correct tagalong:images`;
    return [{ what: `${what}: link`, state: "click", detail }, ...write];
  }
  if (found === "none") {
    const detail = settings.packages.firstPush
      ? "not published yet; an empty first version is pushed, linked to the repository"
      : "not published yet; its first push links it, by the label org.opencontainers.image.source";
    return [{ what: `${what}: link`, state: settings.packages.firstPush ? "up" : "ok", detail }, ...write];
  }
  if ("unknown" in found)
    return [{ what: `${what}: link`, state: "unknown", detail: found.unknown }, ...write];
  const where = `${settings.owner}/${settings.name}`;
  const wanted =
    settings.packages.visibility ?? survey.facts.repository?.visibility ?? settings.visibility ?? "private";
  const isLinked = found.linkedTo?.toLowerCase() === where.toLowerCase();
  const linkedTo = found.linkedTo === undefined ? "to no repository" : `to ${found.linkedTo}`;
  return [
    isLinked
      ? { what: `${what}: link`, state: "ok", detail: where, page: found.page }
      : {
          what: `${what}: link`,
          state: "click",
          detail: `linked ${linkedTo}: on its page, "Connect Repository", ${where}`,
          page: found.page,
        },
    found.visibility === wanted
      ? { what: `${what}: visibility`, state: "ok", detail: wanted, page: settingsPage(found.page) }
      : {
          what: `${what}: visibility`,
          state: "click",
          detail: `${found.visibility}, to be ${wanted}: "Danger Zone", "Change visibility"`,
          page: settingsPage(found.page),
        },
    ...write,
  ];
}

function writeRows(
  what: string,
  { onGitHub, found, write }: PackageSurvey,
  { facts }: Survey,
  { isWorkflow }: Circumstances,
): Row[] {
  const page =
    typeof found === "object" && "page" in found
      ? settingsPage(found.page)
      : onGitHub && facts.owner
        ? `https://github.com/${facts.owner.kind === "organization" ? "orgs" : "users"}/${onGitHub.owner}/packages/container/${encodeURIComponent(onGitHub.name)}/settings`
        : undefined;
  const at = page === undefined ? {} : { page };
  const name = `${what}: write access`;
  const proved: Row =
    write.kind === "proved"
      ? { what: name, state: "ok", detail: "proved by opening an upload and cancelling it", ...at }
      : write.kind === "denied"
        ? { what: name, state: "click", detail: write.reason, ...at }
        : { what: name, state: "unknown", detail: write.reason, ...at };
  if (isWorkflow || onGitHub === undefined) return [proved];
  const detail =
    found === "none"
      ? "not published yet; a first push by the repository's own workflow gives it access"
      : 'only a workflow\'s own token can prove it: run "tagalong access" in one; or look at "Manage Actions access", where the repository needs the role Write';
  return [
    proved,
    { what: `${what}: Actions access`, state: found === "none" ? "ok" : "unknown", detail, ...at },
  ];
}

/** A package's settings, from its page. */
const settingsPage = (page: string): string =>
  `${page.replace("/container/package/", "/container/")}/settings`;
