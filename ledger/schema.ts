// The shape of every record, as it is written and as it is believed when read. Promises that what parses is bounded in
// size, holds nothing that a terminal would obey, and has times that are times.
import { z } from "zod";
import { type Hold, type Hop, hops, type Override, type Receipt, type Verdict } from "../rollout/record";
import { plainLine, plainReason } from "./text";

/** Raised when what was written before can no longer be read; an older Tagalong then says that it cannot, and blocks. */
export const recordVersion = 1;
/** Receipts that are kept, newest first. */
export const mostReceipts = 100;

const mostImages = 200;
const line = (longest: number) => z.string().transform((text) => plainLine(text, longest));
const reason = z.string().transform(plainReason);
const digest = z.string().regex(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
const word = z.string().regex(/^[A-Za-z0-9_.+-]{0,128}$/);
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));

export const verdictSchema = (outcome: Verdict["outcome"]) =>
  z.object({
    outcome: z.literal(outcome),
    at: time,
    reason,
    configuration: word,
    by: line(100),
    receipt: word,
  }) satisfies z.ZodType<Verdict>;

export const overrideSchema = z.object({
  at: time,
  by: line(100),
  reason,
  rejections: z.array(digest).max(100),
}) satisfies z.ZodType<Override>;

/** A hold, or that it was lifted: a registry that deletes no tags keeps the last word only. */
export const holdSchema = z.object({
  held: z.boolean(),
  at: time,
  by: line(100),
  reason,
}) satisfies z.ZodType<Hold>;

const step = z.object({
  from: digest.exactOptional(),
  to: digest,
  version: line(128).exactOptional(),
  revision: line(128).exactOptional(),
});

export const receiptSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/),
  environment: word,
  trigger: z.enum(["tag", "config", "return", "repair"]),
  by: line(100),
  via: z.enum(["watcher", "up"]),
  release: line(200).exactOptional(),
  configRevision: line(128).exactOptional(),
  images: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,127}$/), step)
    .refine((images) => Object.keys(images).length <= mostImages),
  hops: z.partialRecord(z.enum(hops), time) satisfies z.ZodType<Partial<Record<Hop, string>>>,
  outcome: z.enum(["rolling", "live", "healthy", "rejected", "failed", "cancelled"]),
  reason: reason.exactOptional(),
  endedAt: time.exactOptional(),
}) satisfies z.ZodType<Receipt>;

/** Everything that was rolled lately; `nonce` makes each writing of it another manifest. */
export const receiptsSchema = z.object({
  nonce: word,
  receipts: z.array(receiptSchema).max(mostReceipts),
});
