// Which images a failed roll is held against: a pure decision.

/** One image of a roll. */
export interface Rolled {
  /** Services that run it. */
  services: readonly string[];
  /** Whether the roll brought another digest of it. */
  isMoved: boolean;
  /** Whether it or the configuration that it runs with is not known to have stayed well here. */
  isNew: boolean;
}

export interface Blamed {
  image: string;
  reason: string;
}

/**
 * Those that a failing service runs, unless they did well before; where none of them explains it (a worker that another
 * service's new image broke), all that have moved, so that the same is not tried forever.
 * @param failing services and why they failed
 */
export function blame(
  images: Readonly<Record<string, Rolled>>,
  failing: readonly { service: string; reason: string }[],
): Blamed[] {
  const named = Object.entries(images);
  const own = named.flatMap(([image, { services, isNew }]) => {
    const failure = failing.find(({ service }) => services.includes(service));
    return isNew && failure ? [{ image, reason: failure.reason }] : [];
  });
  if (own.length > 0) return own;
  const reason = failing[0]?.reason ?? "the roll failed";
  return named.filter(([, { isMoved }]) => isMoved).map(([image]) => ({ image, reason }));
}
