// Whether an environment may run an image, from what the registry has on record.
import { type Admission, admit } from "../rollout/admission";
import type { Ledger } from "./ledger";

/** What is asked; see rollout/admission.ts. */
export interface Question {
  image: string;
  digest: string;
  configuration: string;
  /**
   * The environment where it must have been healthy, and for how long. `ledger`: that environment's own, where its
   * images are in other repositories.
   */
  after?: { environment: string; forMs: number; ledger?: Ledger };
  /** Milliseconds since the epoch. */
  now: number;
}

/** @throws RegistryError where the records are not sure: what is not known admits nothing */
export async function admission(ledger: Ledger, question: Question): Promise<Admission> {
  const { image, digest, configuration, after, now } = question;
  const [own, theirs] = await Promise.all([
    ledger.findings(image, digest),
    after && (after.ledger ?? ledger).findings(image, digest, after.environment),
  ]);
  const before =
    after && theirs
      ? { after: { environment: after.environment, forMs: after.forMs, findings: theirs } }
      : {};
  return admit({ image, digest, environment: ledger.environment, configuration, own, ...before, now });
}
