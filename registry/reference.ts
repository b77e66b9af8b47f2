/**
 * References to images, parsed once at the border. Promises that a `Reference` is canonical (Docker's familiar
 * names spelled out) and well formed, so that nobody behind the border checks again; the grammar is that of
 * github.com/distribution/reference.
 */
import { type Digest, isDigest } from "./digest";
import { InvalidReferenceError } from "./errors";

/** Where an image is. Immutable; `formatReference` gives its text back. */
export interface Reference {
  /** Host and port as in the reference: `ghcr.io`, `localhost:5000`, `docker.io`. */
  readonly registry: string;
  /** Path below the registry, lower case: `acme/shop/server`, `library/nginx`. */
  readonly repository: string;
  /** Tag; undefined where none was written (nothing is taken for `latest`). */
  readonly tag?: string;
  readonly digest?: Digest;
}

const dockerHub = "docker.io";
const host =
  /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))*|\[[a-f0-9:]+\])(?::[0-9]+)?$/i;
const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const longestName = 255;

/**
 * Parses `[host[:port]/]path[:tag][@digest]`.
 * @throws InvalidReferenceError naming the part that is wrong and what to write instead
 */
export function parseReference(text: string): Reference {
  const refuse = (problem: string, fix: string): never => {
    throw new InvalidReferenceError(`"${text}" is no image reference: ${problem}; ${fix}`);
  };
  if (text === "") refuse("it is empty", "write one such as ghcr.io/acme/shop/server:dev");
  if (/\s/.test(text)) refuse("it has white space in it", `write ${text.replace(/\s+/g, "") || "a name"}`);
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text);
  if (scheme) refuse("it starts like a URL", `write it without ${scheme[0]}`);

  const [beforeDigest = "", digest, ...more] = text.split("@");
  if (more.length > 0) refuse("it has more than one @", "write at most one digest");
  if (digest !== undefined && !isDigest(digest)) {
    refuse(
      `"${digest}" is no digest`,
      "write sha256: and 64, or sha512: and 128, hexadecimal digits in lower case",
    );
  }

  const colon = beforeDigest.indexOf(":", beforeDigest.lastIndexOf("/") + 1);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !tagPattern.test(tag)) {
    refuse(
      `"${tag}" is no tag`,
      "a tag is 1 to 128 letters, digits, _ . or -, and starts with a letter, a digit or _",
    );
  }

  const { registry, repository } = splitName(name);
  if (!host.test(registry) || !URL.canParse(`https://${registry}`))
    refuse(`"${registry}" is no host`, "write a host such as ghcr.io or localhost:5000");
  if (repository === "") refuse("it names no repository", `write one after ${registry}/`);
  if (repository !== repository.toLowerCase()) {
    const rest = text.slice(name.length);
    refuse("a repository is in lower case", `write ${registry}/${repository.toLowerCase()}${rest}`);
  }
  const wrong = repository.split("/").find((component) => !pathComponent.test(component));
  if (wrong !== undefined) {
    refuse(
      `"${wrong}" is no part of a repository's path`,
      "a part is lower-case letters and digits, joined by single . _ or by __ or -",
    );
  }
  if (registry.length + 1 + repository.length > longestName) {
    refuse(`its name is longer than ${longestName} characters`, "shorten the repository's path");
  }
  if (digest === undefined && tag === undefined && /^[0-9a-f]{64}$/.test(name)) {
    refuse("64 hexadecimal digits alone read like an image id", `write a repository and @sha256:${name}`);
  }
  return freeze({ registry, repository, tag, digest: digest as Digest | undefined });
}

/** The canonical text: `docker.io/library/nginx:1.27`, `ghcr.io/acme/shop/server:dev@sha256:…`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/**
 * The same repository at a digest, and nothing else: what is run, pinned and compared.
 * @throws InvalidReferenceError if the text is no digest
 */
export function atDigest(reference: Reference, digest: string): Reference {
  return parseReference(`${reference.registry}/${reference.repository}@${digest}`);
}

/**
 * The same repository at another tag, without a digest.
 * @throws InvalidReferenceError if the text is no tag
 */
export function atTag(reference: Reference, tag: string): Reference {
  return parseReference(`${reference.registry}/${reference.repository}:${tag}`);
}

/** Docker's rule: the first component is a host if it has a dot, a colon or an upper-case letter, or is localhost. */
function splitName(name: string): Pick<Reference, "registry" | "repository"> {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  if (slash >= 0 && !isHost) return { registry: dockerHub, repository: name };
  if (slash < 0) return { registry: dockerHub, repository: name === "" ? "" : `library/${name}` };
  const repository = name.slice(slash + 1);
  if (first !== dockerHub && first !== `index.${dockerHub}`) return { registry: first, repository };
  return { registry: dockerHub, repository: repository.includes("/") ? repository : `library/${repository}` };
}

function freeze(parts: {
  registry: string;
  repository: string;
  tag: string | undefined;
  digest: Digest | undefined;
}): Reference {
  const { registry, repository, tag, digest } = parts;
  return Object.freeze({
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  });
}
