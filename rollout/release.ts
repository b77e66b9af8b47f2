// What an environment runs: for each image the digest that was decided before any resource was declared.

/** One image of an environment at one digest, with what is known of it. */
export interface ReleasedImage {
  /** repository@digest */
  reference: string;
  digest: string;
  /** `os/architecture` of each platform. */
  platforms: string[];
  /** The commit it was built from (org.opencontainers.image.revision), where labelled. */
  revision?: string;
  /** Its version (org.opencontainers.image.version), where labelled. */
  version?: string;
}

/** By the image's name in the config. */
export type Release = Readonly<Record<string, ReleasedImage>>;
