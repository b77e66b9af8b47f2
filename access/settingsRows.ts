/** Rows of what GitHub's API sets: what differs from the config is for `pulumi up` to put right. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { EnvironmentFacts, Feature, RepositoryFacts, RulesetFacts } from "../github";
import type { Row } from "./checklist";
import type { Settings } from "./features";
import type { Survey } from "./survey";

/** What differs, each as `name: is → is to be`. */
type Differences = string[];

const differs = (name: string, is: unknown, wanted: unknown): Differences =>
  wanted === undefined || isDeepStrictEqual(is, wanted) ? [] : [`${name}: ${show(is)} → ${show(wanted)}`];

const show = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.join(", ")}]`
    : value === undefined || value === null || value === ""
      ? "nothing"
      : String(value);

const row = (what: string, differences: Differences, ok: string): Row =>
  differences.length === 0
    ? { what, state: "ok", detail: ok }
    : { what, state: "up", detail: differences.join("; ") };

export function settingsRows(
  settings: Settings,
  { facts }: Survey,
  lacking: ReadonlyMap<Feature, string>,
): Row[] {
  const is = facts.repository;
  const has = (feature: Feature) => !lacking.has(feature);
  return [
    row("settings", is ? settingDifferences(settings, is) : ["as the config says"], "as the config says"),
    ...(has("vulnerabilityAlerts")
      ? [
          row(
            "vulnerability alerts",
            differs("alerts", onOff(is?.alerts), onOff(settings.vulnerabilityAlerts)),
            onOff(settings.vulnerabilityAlerts),
          ),
        ]
      : []),
    ...(has("secretScanning") ? [scanningRow(settings, is)] : []),
    ...(has("rulesets") ? [rulesetsRow(is?.rulesets)] : []),
    ...(has("actions") ? [row("actions", actionDifferences(settings, is), actionsText(settings))] : []),
    ...(has("workflowPermissions")
      ? [
          row(
            "workflow permissions",
            [
              ...differs("default", is?.workflow?.default_workflow_permissions, settings.workflowPermissions),
              ...differs("may approve", is?.workflow?.can_approve_pull_request_reviews ?? false, false),
            ],
            settings.workflowPermissions,
          ),
        ]
      : []),
    ...(settings.webhook && has("webhook") ? [webhookRow(settings.webhook.url, is)] : []),
    ...(has("labels") && Object.keys(settings.labels).length > 0 ? [labelsRow(settings, is)] : []),
  ];
}

function settingDifferences(settings: Settings, is: RepositoryFacts): Differences {
  const merge = [
    ...(is.allow_squash_merge ? ["squash"] : []),
    ...(is.allow_merge_commit ? ["merge"] : []),
    ...(is.allow_rebase_merge ? ["rebase"] : []),
  ];
  const sorted = (list: readonly string[] | undefined) => list && [...list].sort();
  return [
    ...differs("description", is.description ?? "", settings.description),
    ...differs("topics", sorted(is.topics ?? []), sorted(settings.topics)),
    ...differs("visibility", is.visibility, settings.visibility),
    ...differs("merge", sorted(merge), sorted(settings.merge)),
    ...differs("autoMerge", is.allow_auto_merge ?? false, settings.autoMerge),
    ...differs("deleteBranches", is.delete_branch_on_merge ?? false, settings.deleteBranches),
    ...differs("defaultBranch", is.default_branch, settings.defaultBranch),
  ];
}

const onOff = (value: boolean | undefined): string => (value ? "on" : "off");

function scanningRow({ secretScanning }: Settings, is: RepositoryFacts | undefined): Row {
  const of = (name: string) => onOff(is?.security_and_analysis?.[name]?.status === "enabled");
  const wanted = onOff(secretScanning);
  return row(
    "secret scanning",
    [
      ...differs("scanning", of("secret_scanning"), wanted),
      ...differs("push protection", of("secret_scanning_push_protection"), wanted),
    ],
    wanted,
  );
}

/** What stands in them is for a preview to compare. */
function rulesetsRow(rulesets: readonly RulesetFacts[] = []): Row {
  const active = rulesets.filter(({ enforcement }) => enforcement === "active").map(({ name }) => name);
  const wanted = ["Tagalong: default branch", "Tagalong: release tags"];
  const lacking = wanted.filter((name) => !active.includes(name));
  return row(
    "rulesets",
    lacking.map((name) => `${name}: missing or not active`),
    "of the default branch and of release tags",
  );
}

function actionDifferences({ actions }: Settings, is: RepositoryFacts | undefined): Differences {
  const found = is?.actions;
  const allowed = actions.allowed === "local" ? "local_only" : actions.allowed;
  const { selected } = found ?? {};
  return [
    ...differs("enabled", found?.enabled ?? true, true),
    ...differs("allowed", found?.allowed_actions, allowed),
    ...(allowed === "selected"
      ? [
          ...differs("verified", selected?.verified_allowed ?? false, actions.verified),
          ...differs(
            "patterns",
            [...(selected?.patterns_allowed ?? [])].sort(),
            [...actions.patterns].sort(),
          ),
        ]
      : []),
    ...differs("pinned", found?.sha_pinning_required ?? false, actions.pinned),
  ];
}

const actionsText = ({ actions }: Settings): string =>
  `${actions.allowed}${actions.pinned ? ", pinned by commit" : ""}`;

function webhookRow(url: string, is: RepositoryFacts | undefined): Row {
  const hook = is?.hooks?.find(({ config }) => config.url === url);
  const events = ["package", "registry_package"];
  if (hook === undefined) return { what: "webhook", state: "up", detail: `${url} is told of new images` };
  return row(
    "webhook",
    [...differs("events", [...hook.events].sort(), events), ...differs("active", hook.active, true)],
    url,
  );
}

function labelsRow({ labels }: Settings, is: RepositoryFacts | undefined): Row {
  const differences = Object.entries(labels).flatMap(([name, { color, description }]) => {
    const found = is?.labels?.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) return [`${name}: missing`];
    return [
      ...differs(`${name}.color`, found.color, color.toLowerCase()),
      ...differs(`${name}.description`, found.description ?? "", description),
    ];
  });
  return row("labels", differences, Object.keys(labels).join(", "));
}

export function environmentRow(
  name: string,
  settings: Settings,
  { facts, people }: Survey,
  lacking: ReadonlyMap<Feature, string>,
): Row {
  const what = `environment ${name}`;
  const is: EnvironmentFacts | undefined = facts.repository?.environments?.[name];
  const own = settings.environments[name];
  const { wait = 0, tags = [], variables = {}, secrets = {}, adminsBypass = false } = own ?? {};
  const branches = own?.branches ?? [settings.defaultBranch ?? facts.repository?.default_branch ?? "main"];
  const isProtected = !lacking.has("environmentProtection");
  const reviewers = isProtected ? [...(own?.reviewers ?? [])].sort() : [];
  const wanted = [
    ...listed("branches", branches),
    ...listed("tags", tags),
    ...listed("reviewers", reviewers),
    ...(isProtected && wait > 0 ? [`wait ${wait / 60_000}m`] : []),
  ].join(", ");
  if (is === undefined) return { what, state: "up", detail: `is made: ${wanted}` };
  // A policy that the config does not name is nobody's to remove but a person's: it may be another tool's.
  const extra = is.policies.filter(({ type, name: pattern }) =>
    type === "branch" ? !branches.includes(pattern) : !tags.includes(pattern),
  );
  if (extra.length > 0) {
    const named = extra.map(({ type, name: pattern }) => `${type} ${pattern}`).join(", ");
    const page = `https://github.com/${settings.owner}/${settings.name}/settings/environments`;
    return {
      what,
      state: "click",
      detail: `also lets ${named} in: remove it there, or add it to the config`,
      page,
    };
  }
  const patterns = (type: string) =>
    is.policies
      .filter((one) => one.type === type)
      .map((one) => one.name)
      .sort();
  const letIn = { all: "all", protected: "protected ones", selected: patterns("branch") }[is.letsIn];
  return row(
    what,
    [
      ...(isProtected
        ? [
            ...differs("reviewers", reviewersOf(is, people), reviewers),
            ...differs("wait", `${is.wait}m`, `${wait / 60_000}m`),
            ...(reviewers.length > 0 ? differs("selfReview", is.selfReview, own?.selfReview) : []),
          ]
        : []),
      ...differs("adminsBypass", is.adminsBypass, adminsBypass),
      ...differs("branches", letIn, [...branches].sort()),
      ...differs("tags", patterns("tag"), [...tags].sort()),
      ...Object.entries(variables).flatMap(([key, value]) =>
        differs(`variables.${key}`, is.variables[key], value),
      ),
      ...Object.keys(secrets).flatMap((key) => (is.secrets.includes(key) ? [] : [`secrets.${key}: missing`])),
    ],
    wanted,
  );
}

const listed = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what} ${names.join(", ")}`];

/** As the config names them; whom it does not name, by number. */
function reviewersOf({ users, teams }: EnvironmentFacts, people: Survey["people"]): string[] {
  const named = (ids: readonly number[], isTeam: boolean) =>
    ids.map((id) => {
      const known = Object.keys(people).find(
        (who) => people[who] === id && who.startsWith("team:") === isTeam,
      );
      return known ?? `${isTeam ? "team" : "user"} ${id}`;
    });
  return [...named(users, false), ...named(teams, true)].sort();
}
