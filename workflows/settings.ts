// What the config means for the workflows, decided once: paths, platforms, runners, the registry and who logs in to it.
import { posix } from "node:path";
import type { ImageConfig, RepositoryConfig } from "../config";
import { NATIVE_RUNNERS } from "../config/workflowValues";
import { expression } from "./syntax";

/** One image as the scripts read it from settings.json. */
export interface ImageSettings {
  readonly repository: string;
  readonly context: string;
  readonly dockerfile: string;
  /** Git's path patterns; "!" before what does not count. */
  readonly paths: readonly string[];
  /** Compressed bytes; null for no limit. */
  readonly budget: number | null;
  readonly platforms: readonly { readonly platform: string; readonly runner: string }[];
}

/** settings.json: what the scripts are told. */
export interface Settings {
  readonly branch: string;
  readonly images: Readonly<Record<string, ImageSettings>>;
  readonly tag: string | null;
  readonly environments: readonly string[];
  readonly project: string;
}

/** The settings by which the scripts work. */
export function settingsOf({ images: written, workflows }: RepositoryConfig): Settings {
  // By name: the engine hands a config over sorted, a file's reader as it is written, and all are to render the same.
  const images = Object.fromEntries(Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1)));
  const files = Object.fromEntries(
    Object.keys(images).map((name) => [
      name,
      posix.normalize(workflows.images[name]?.dockerfile ?? `${name}/Dockerfile`),
    ]),
  );
  const isApart = Object.values(images).some(({ source }) => source !== undefined);
  return {
    branch: workflows.branch,
    images: Object.fromEntries(
      Object.entries(images).map(([name, image]) => {
        const repository = builtIn(image);
        const own = workflows.images[name];
        const context = folder(own?.context ?? ".");
        const dockerfile = files[name] ?? "";
        const platforms = own?.platforms ?? workflows.platforms;
        return [
          name,
          {
            repository: `${repository.registry}/${repository.repository}`,
            context,
            dockerfile,
            paths: own?.paths ?? defaultPaths(context, dockerfile, Object.values(files), workflows.project),
            budget: own?.budget ?? null,
            platforms: platforms.map((platform) => ({
              platform,
              runner: workflows.runners[platform] ?? NATIVE_RUNNERS[platform] ?? "ubuntu-24.04",
            })),
          },
        ];
      }),
    ),
    // Where builds are kept apart from what runs, the environments' tags are elsewhere, and promotions alone move them.
    tag: workflows.tag ?? (isApart ? null : (workflows.environments[0] ?? null)),
    environments: workflows.environments,
    project: folder(workflows.project),
  };
}

/** Where an image is pushed to. */
const builtIn = ({ repository, source }: ImageConfig): ImageConfig["repository"] => source ?? repository;

const folder = (path: string): string => posix.normalize(path).replace(/\/$/, "");

/** All that the build sees, but for what is surely not in the image: too much builds once too often, too little never. */
function defaultPaths(
  context: string,
  dockerfile: string,
  all: readonly string[],
  project: string,
): string[] {
  const own = posix.dirname(dockerfile);
  const others = [...new Set(all.map((file) => posix.dirname(file)))].filter(
    (other) => other !== "." && other !== own && !own.startsWith(`${other}/`) && within(other, context),
  );
  const strangers = ["docs", ".github", ...(project === "." ? [] : [folder(project)])];
  const isRoot = context === ".";
  return [
    context,
    ...others.map((path) => `!${path}`),
    ...(isRoot ? strangers.map((path) => `!${path}`) : []),
    "!*.md",
    ...(isRoot ? ["!Pulumi.yaml", "!Pulumi.*.yaml"] : []),
  ];
}

const within = (path: string, context: string): boolean => context === "." || path.startsWith(`${context}/`);

/** The login to the images' registry, as expressions; undefined where nobody logs in. */
export interface Login {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
  /** The secret's name, where it is not the token of the run. */
  readonly secret?: string;
}

export function loginOf({ images, workflows: { login } }: RepositoryConfig): Login | undefined {
  const [first] = Object.values(images);
  const registry = first === undefined ? "ghcr.io" : builtIn(first).registry;
  if (login !== undefined) {
    const { username, password } = login;
    return {
      registry,
      username: expression(`vars.${username}`),
      password: expression(`secrets.${password}`),
      secret: password,
    };
  }
  return registry === "ghcr.io"
    ? { registry, username: expression("github.actor"), password: expression("github.token") }
    : undefined;
}
