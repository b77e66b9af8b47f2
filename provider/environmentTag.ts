// EnvironmentTag: the environment's tag on every image, led to the release that the config names. It is always declared:
// where no release is named, or a watcher runs the program, it holds what was authorised last, and moves nothing.
import {
  atDigest,
  credentialLookup,
  formatReference,
  InvalidReferenceError,
  parseReference,
  RegistryClient,
  RegistryError,
} from "../registry";
import type { Context, Handler } from "./handler";
import { type Move, moveTags } from "./moveTags";
import { session } from "./session";

export interface TaggedImage extends Record<string, unknown> {
  /** The repository that the release is in. */
  source: string;
  /** `repository:tag`, which is moved. */
  tag: string;
  /** What it is to carry. */
  digest: string;
}

export interface EnvironmentTagInputs extends Record<string, unknown> {
  /** The release as the config names it; "" where the environment follows its tag. */
  release: string;
  /** By image; empty where no release is named. */
  images: Record<string, TaggedImage>;
}

export interface EnvironmentTagOutputs extends Record<string, unknown> {
  /** Image → what its tag was last surely seen to carry. */
  carried: Record<string, string>;
}

const nothing: EnvironmentTagInputs = { release: "", images: {} };

export const environmentTag: Handler<EnvironmentTagInputs, EnvironmentTagOutputs> = {
  // A watcher rolls to what is authorised; what is, a person's `up` says.
  async check(inputs, old) {
    if ((await session())?.role !== "watcher") return inputs;
    return old ? { release: old.release, images: old.images } : nothing;
  },
  async changed(inputs, old) {
    const named = inputs.release === old.release ? [] : ["release"];
    if (JSON.stringify(places(inputs)) !== JSON.stringify(places(old))) return [...named, "images"];
    if ((await session())?.role !== "hand") return named;
    const carried = await withClient((client) => look(client, inputs.images, old.carried));
    const moved = Object.entries(inputs.images).some(([image, { digest }]) => carried[image] !== digest);
    return moved ? [...named, "images"] : named;
  },
  async preview(inputs, old, context) {
    const { images = {} } = inputs;
    const carried = await withClient((client) => look(client, images, old?.carried ?? {}));
    for (const [image, { tag, digest }] of Object.entries(images)) {
      const from = carried[image];
      if (from === digest) context.log("info", `${image}: ${tag} carries ${digest} already`);
      else context.log("info", `${image}: ${tag} moves from ${from ?? "nothing"} to ${digest}`);
    }
    return { carried: digestsOf(images) };
  },
  async create(inputs, context) {
    await move(inputs, {}, context);
    return { id: "tag", outputs: { carried: digestsOf(inputs.images) } };
  },
  async update(_id, inputs, old, context) {
    await move(inputs, old.carried, context);
    return { carried: digestsOf(inputs.images) };
  },
  async read(_id, state, context) {
    const tell = (problem: string) => context.log("warning", `${problem}; it is left as it was last seen`);
    const carried = await withClient((client) => look(client, state.images, state.carried, tell));
    for (const [image, { tag, digest }] of Object.entries(state.images)) {
      if (carried[image] === digest) continue;
      const now = carried[image] ?? "nothing any more";
      const fix = "`pulumi up` leads it back";
      context.log("warning", `${image}: ${tag} was led to ${digest} and carries ${now}: ${fix}`);
    }
    // What it is to carry stays on record: it is what the environment is authorised to run.
    return { ...state, carried };
  },
  async import(id) {
    const wanted = parseId(id);
    return withClient(async (client) => {
      const found = await Promise.all(
        wanted.map(async ([image, reference]): Promise<[string, TaggedImage]> => {
          const { registry, repository } = reference;
          const { digest } = await client.manifest(reference);
          const source = formatReference({ registry, repository });
          return [image, { source, tag: formatReference(reference), digest }];
        }),
      );
      const images = Object.fromEntries(found);
      return { id: "tag", inputs: { release: "", images }, outputs: { carried: digestsOf(images) } };
    });
  },
  async delete(_id, { images }, context) {
    const tags = Object.values(images).map(({ tag }) => tag);
    if (tags.length === 0) return;
    context.log(
      "info",
      `${tags.join(", ")} stay as they are: other environments and whoever pulls them may still need them, and a registry that removes a tag may remove the image with all its tags`,
    );
  },
};

const digestsOf = (images: EnvironmentTagInputs["images"]): Record<string, string> =>
  Object.fromEntries(Object.entries(images).map(([image, { digest }]) => [image, digest]));

/** What is to be where; the order does not matter. */
const places = ({ images }: EnvironmentTagInputs): string[] =>
  Object.entries(images)
    .map(([image, { source, tag, digest }]) => [image, source, tag, digest].join(" "))
    .sort();

async function withClient<T>(work: (client: RegistryClient) => Promise<T>): Promise<T> {
  const credentials = credentialLookup((await session())?.credentials ?? {});
  const client = new RegistryClient({ credentials });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** What the tags carry now; of one that nobody is sure of, what is known of it. */
async function look(
  client: RegistryClient,
  images: EnvironmentTagInputs["images"],
  known: Readonly<Record<string, string>>,
  tell: (problem: string) => void = () => {},
): Promise<Record<string, string>> {
  const looks = Object.entries(images).map(async ([image, { tag }]): Promise<[string, string][]> => {
    try {
      const found = await client.resolve(parseReference(tag));
      return found.kind === "found" ? [[image, found.digest]] : [];
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      tell(error.message);
      const before = known[image];
      return before === undefined ? [] : [[image, before]];
    }
  });
  return Object.fromEntries((await Promise.all(looks)).flat());
}

async function move(
  { images }: EnvironmentTagInputs,
  recorded: Readonly<Record<string, string>>,
  context: Context,
): Promise<void> {
  if (Object.keys(images).length === 0 || (await session())?.role === "watcher") return;
  const moves = Object.entries(images).map(([image, { source, tag, digest }]): Move => {
    const from = { ...atDigest(parseReference(source), digest), digest } as Move["source"];
    return { image, source: from, tag: parseReference(tag), recorded: recorded[image] };
  });
  const before = await withClient((client) => moveTags(client, moves, context.signal));
  for (const { image, tag, source } of moves) {
    if (before[image] === source.digest) continue;
    const from = before[image] ?? "nothing";
    context.log("info", `${image}: ${formatReference(tag)} moved from ${from} to ${source.digest}`);
  }
}

/** `server=ghcr.io/acme/shop/server:test,client=…` */
function parseId(id: string): [image: string, tag: ReturnType<typeof parseReference>][] {
  const fix =
    "write IMAGE=REPOSITORY:TAG for each image, joined by commas: server=ghcr.io/acme/shop/server:test";
  return id.split(",").map((part) => {
    const [image = "", text = ""] = part.split(/=(.*)/s).map((piece) => piece.trim());
    try {
      const reference = parseReference(text);
      if (image !== "" && reference.tag !== undefined && reference.digest === undefined)
        return [image, reference];
    } catch (error) {
      if (!(error instanceof InvalidReferenceError)) throw error;
    }
    throw new Error(`"${part}" names no image's tag: ${fix}`);
  });
}
