/**
 * What a plan lacks, as GitHub documents it, and what is left out because of that. Pure. Where the plan is not known,
 * GitHub itself is left to say no.
 */
import type { RepositoryConfig } from "../config";
import type { Feature, GitHubFacts } from "../github";

export type Settings = RepositoryConfig["repository"];

/** What each feature is called, and the keys of `tagalong:repository` that do without it. */
const names: Readonly<Record<Feature, { name: string; without?: string }>> = {
  rulesets: { name: "rulesets" },
  actions: { name: "the choice of actions" },
  workflowPermissions: { name: "workflow permissions" },
  environments: { name: "environments" },
  environmentProtection: { name: "reviewers and wait timers", without: "remove reviewers and wait" },
  secretScanning: { name: "secret scanning", without: "set secretScanning: false" },
  vulnerabilityAlerts: { name: "vulnerability alerts", without: "set vulnerabilityAlerts: false" },
  webhook: { name: "webhooks", without: "remove webhook" },
  labels: { name: "labels", without: "remove labels" },
};

/** By feature that the config asks for and that is not to be had: why. */
export function lackingFeatures(settings: Settings, facts: GitHubFacts): Partial<Record<Feature, string>> {
  const wanted = wantedFeatures(settings);
  const byPlan = Object.fromEntries(lackingByPlan(settings, facts).map(([feature, why]) => [feature, why]));
  const all: Partial<Record<Feature, string>> = { ...facts.lacking, ...byPlan };
  return Object.fromEntries(Object.entries(all).filter(([feature]) => wanted.has(feature as Feature)));
}

/** A lack as a sentence with the ways out. */
export function lackText(feature: Feature, why: string): string {
  const { name, without } = names[feature];
  const ways = ["set tagalong:repository.ifMissing to skip", ...(without ? [`or ${without}`] : [])];
  return `${name}: ${why}; ${ways.join(", ")}`;
}

function wantedFeatures(settings: Settings): Set<Feature> {
  const { secretScanning, vulnerabilityAlerts, webhook, labels, environments } = settings;
  const isProtected = Object.values(environments).some(
    ({ reviewers, wait }) => reviewers.length > 0 || wait > 0,
  );
  return new Set<Feature>([
    ...(["rulesets", "actions", "workflowPermissions", "environments"] as const),
    ...(isProtected ? (["environmentProtection"] as const) : []),
    ...(secretScanning ? (["secretScanning"] as const) : []),
    ...(vulnerabilityAlerts ? (["vulnerabilityAlerts"] as const) : []),
    ...(webhook ? (["webhook"] as const) : []),
    ...(Object.keys(labels).length > 0 ? (["labels"] as const) : []),
  ]);
}

function lackingByPlan(settings: Settings, { owner, repository }: GitHubFacts): [Feature, string][] {
  const visibility = settings.visibility ?? repository?.visibility ?? "private";
  const plan = owner?.plan;
  if (visibility === "public" || plan === undefined || plan.startsWith("enterprise")) return [];
  const lack = (feature: Feature): [Feature, string] => [
    feature,
    `GitHub's plan "${plan}" has none for ${visibility} repositories`,
  ];
  const isOn = repository?.security_and_analysis?.["secret_scanning"]?.status === "enabled";
  return [
    ...(plan === "free" ? [lack("rulesets"), lack("environments")] : []),
    lack("environmentProtection"),
    ...(isOn ? [] : [lack("secretScanning")]),
  ];
}
